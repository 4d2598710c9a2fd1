import type { BigNumber, MathJsInstance } from 'mathjs';
import mathjs from 'mathjs/lib/browser/math.js';

/** mathjs parses and derives, and its BigNumber computes; it is never asked to evaluate a text. */
export const math: MathJsInstance = mathjs.create({ number: 'BigNumber', precision: 64 });

/** A decimal number of any precision: mathjs' BigNumber. */
export type Big = ReturnType<BigNumber['plus']>;
export type BigClass = new (value: string | number | Big) => Big;

/** The class of BigNumbers whose operations keep this many digits. */
export function bigClass(digits: number): BigClass {
  const given = math.bignumber(0).constructor as unknown as { clone(config: { precision: number }): BigClass };
  return given.clone({ precision: digits });
}

/** Functions of one argument that an expression may use. */
export type SmoothFunction = (typeof smoothFunctions)[number];
export const smoothFunctions = [
  'exp',
  'expm1',
  'log',
  'log1p',
  'sqrt',
  'cbrt',
  'sin',
  'cos',
  'tan',
  'sec',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'sech',
  'asinh',
  'acosh',
  'atanh',
] as const;

export const comparisons = ['<', '<=', '>', '>=', '==', '!='] as const;
export type Comparison = (typeof comparisons)[number];

export type Operation =
  | 'number'
  | 'x'
  | 'pi'
  | 'e'
  | '+'
  | '-'
  | '*'
  | '/'
  | '^'
  | 'negate'
  | SmoothFunction
  | 'abs'
  | 'sign'
  | 'max'
  | 'min'
  | Comparison
  | 'and'
  | 'or'
  | 'not'
  | '?:';

/** A parsed expression. Equal trees are one object, so that what is known of a tree is found by identity. */
export interface Tree {
  readonly operation: Operation;
  readonly operands: readonly Tree[];
  /** Of `number`, exactly as written. */
  readonly value?: Big;
  readonly text: string;
  readonly hasX: boolean;
}

const known = new Map<string, Tree>();

export function tree(operation: Operation, ...operands: readonly Tree[]): Tree {
  return interned({
    operation,
    operands,
    text: textOf(operation, operands),
    hasX: operation === 'x' || operands.some(({ hasX }) => hasX),
  });
}

export function number(value: string | number | Big): Tree {
  const big = new Digits(value);
  return interned({ operation: 'number', operands: [], value: big, text: big.toString(), hasX: false });
}

function interned(made: Tree): Tree {
  const same = known.get(made.text);
  if (same !== undefined) return same;
  known.set(made.text, made);
  return made;
}

/** Digits enough that sums and products of the numbers of an expression are exact. */
export const Digits: BigClass = bigClass(4000);

/** Every operation in parentheses, as mathjs reads it. */
function textOf(operation: Operation, operands: readonly Tree[]): string {
  const [a, b, c] = operands.map(({ text }) => text);
  switch (operation) {
    case '?:':
      return `(${a} ? ${b} : ${c})`;
    case 'negate':
      return `(-${a})`;
    case 'x':
    case 'pi':
    case 'e':
      return operation;
    case '+':
    case '-':
    case '*':
    case '/':
    case '^':
    case 'and':
    case 'or':
      return `(${a} ${operation} ${b})`;
    case 'not':
      return `(not ${a})`;
    default:
      if ((comparisons as readonly string[]).includes(operation)) return `(${a} ${operation} ${b})`;
      return `${operation}(${operands.map(({ text }) => text).join(', ')})`;
  }
}

export const x: Tree = tree('x');
export const zero: Tree = number(0);
export const one: Tree = number(1);

/** The tree with the zeros, ones and whole numbers folded that a symbolic derivative is full of; always exactly. */
export function folded(operation: Operation, ...operands: readonly Tree[]): Tree {
  const [a, b] = operands as [Tree, Tree];
  const numbers = operands.every(({ value }) => value !== undefined);
  switch (operation) {
    case '+':
      if (a === zero) return b;
      if (b === zero) return a;
      return numbers ? number(a.value!.plus(b.value!)) : tree('+', a, b);
    case '-':
      if (b === zero) return a;
      if (a === zero) return folded('negate', b);
      return numbers ? number(a.value!.minus(b.value!)) : tree('-', a, b);
    case '*':
      if (a === zero || b === zero) return zero;
      if (a === one) return b;
      if (b === one) return a;
      return numbers ? number(a.value!.times(b.value!)) : tree('*', a, b);
    case '/':
      if (a === zero) return zero;
      return b === one ? a : tree('/', a, b);
    case '^':
      if (b === one) return a;
      return b === zero ? one : tree('^', a, b);
    case 'negate':
      if (numbers) return number(a.value!.negated());
      return a.operation === 'negate' ? a.operands[0] : tree('negate', a);
    default:
      return tree(operation, ...operands);
  }
}
