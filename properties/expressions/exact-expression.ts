import { dyadic } from '../exact.ts';
import type { ExactBranch, ExactValue } from '../exact-branches.ts';
import { exactBig } from './evaluate.ts';
import { type Expression, piecesOf, remembered } from './expression.ts';
import { comparisons, type Tree } from './tree.ts';

/** What spec §5 needs to know of an expression: its exact values, and what rounding may do to them. */
export function exactExpression(expression: Expression): ExactBranch {
  const side = (order: 0 | 1): ExactBranch['f'] =>
    cached((x, arithmetic): ExactValue => {
      const value = expression.number(order, x);
      if (!Number.isFinite(x)) return atInfinity(x, value, arithmetic.transcendental * arithmetic.u);
      if (!expression.isCertain(order, x)) return { kind: 'open', why: 'undecided branch' };
      const { decided, overflows, derivativeOverflows, ...errors } = expression.rounding(x, arithmetic);
      if (order === 0 ? overflows : derivativeOverflows) return { kind: 'open', why: 'overflow inside a branch' };
      const stated = order === 1 ? expression.stated(x) : undefined;
      const monomial =
        stated === undefined ? monomialOf(expression.derivative(expression.piece(x), order)) : constant(stated);
      if (decided && monomial !== undefined && isGentle(monomial)) {
        const { factor, degree } = monomial;
        if (factor === 0 || (degree > 0 && x === 0)) return { kind: 'masked', factors: [x, x] };
        const factors = Array.from({ length: degree }, () => x);
        return { kind: 'product', factors: factor === 1 ? factors : [factor, ...factors], shift: 0 };
      }
      const precise = expression.precise(order, x);
      const error = order === 0 ? errors.value : errors.derivative;
      if (precise === undefined || !Number.isFinite(error)) return { kind: 'open', why: 'ill-conditioned branch' };
      return { kind: 'approximate', value: precise.value, bound: Math.abs(value), error: error + precise.spread };
    });
  return {
    f: side(0),
    df: side(1),
    // A factor, and x at most twice.
    rho: 3,
    rhoDerivative: 3,
    squares: true,
    polynomial: isPolynomial(expression.tree) && expression.kinks.every(({ derivative = 0 }) => isShort(derivative)),
    bounds(x, h) {
      const [second, third] = [expression.bound(2, x, h), expression.bound(3, x, h)];
      return second === undefined || third === undefined ? undefined : { second, third };
    },
  };
}

/** Laws ask about the same x again and again: values are kept for each arithmetic. */
function cached(f: ExactBranch['f']): ExactBranch['f'] {
  const all = new Map<string, Map<number, ExactValue>>();
  return (x, arithmetic) => {
    const { u, eta, transcendental } = arithmetic;
    const key = `${u} ${eta} ${transcendental}`;
    let values = all.get(key);
    if (values === undefined) {
      values = new Map();
      all.set(key, values);
    }
    return values.get(x + 0) ?? remembered(values, x + 0, f(x, arithmetic));
  };
}

/** At ±∞ the value is what the expression gives there as IEEE 754 counts; where that is NaN, nothing is said. */
function atInfinity(x: number, value: number, error: number): ExactValue {
  if (Number.isNaN(value)) return { kind: 'open', why: 'branch at ±∞' };
  if (!Number.isFinite(value)) return { kind: 'product', factors: [value], shift: 0 };
  if (value === 0) return { kind: 'masked', factors: [x] };
  return { kind: 'approximate', value: dyadic(value), bound: Math.abs(value), error: 4 * error * Math.abs(value) };
}

/** `factor · xᵈᵉᵍʳᵉᵉ` */
interface Monomial {
  readonly factor: number;
  readonly degree: number;
}

const constant = (factor: number): Monomial => ({ factor, degree: 0 });

/**
 * A tree that is one product of x at most squared and of numbers that are exact in float32, whatever the order; the
 * error analysis of spec §5 then treats it as a product of inputs, to which the point rule applies.
 */
function monomialOf(of: Tree): Monomial | undefined {
  if (!monomials.has(of)) monomials.set(of, newMonomial(of));
  return monomials.get(of);
}

const monomials = new WeakMap<Tree, Monomial | undefined>();

function newMonomial({ operation, operands, value }: Tree): Monomial | undefined {
  if (operation === 'x') return { factor: 1, degree: 1 };
  if (operation === 'number') {
    const factor = Number(value!.toString());
    return isShort(factor) && exactBig(factor).eq(value!) ? constant(factor) : undefined;
  }
  const [a, b] = operands.map(monomialOf);
  if (a === undefined) return undefined;
  if (operation === 'negate') return { ...a, factor: -a.factor };
  if (b === undefined) return undefined;
  switch (operation) {
    case '*':
      // Quarters up to 8: their product is exact.
      return whole(a.factor * b.factor, a.degree + b.degree);
    case '/':
      return b.degree === 0 && isPowerOfTwo(b.factor) ? whole(a.factor / b.factor, a.degree) : undefined;
    case '^':
      return b.degree === 0 && (b.factor === 1 || b.factor === 2) && (a.factor === 1 || b.factor === 1)
        ? whole(a.factor, a.degree * b.factor)
        : undefined;
    default:
      return undefined;
  }
}

function whole(factor: number, degree: number): Monomial | undefined {
  return isShort(factor) && degree <= 2 ? { factor, degree } : undefined;
}

/** Whether what underflows in any order of the product stays within the w of spec §5 for halfSquare. */
function isGentle({ factor, degree }: Monomial): boolean {
  return Math.abs(factor) <= (degree < 2 ? 2 : 1);
}

/** Few enough bits, so that sums of products of such numbers are exact in float32: quarters up to 8. */
function isShort(factor: number): boolean {
  return Number.isInteger(factor * 4) && Math.abs(factor) <= 8;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(Math.abs(value)));
}

/** Whether every legal evaluation on a dyadic Case is exact: every piece is a gentle monomial, and what is compared too. */
function isPolynomial(of: Tree): boolean {
  const isExact = (part: Tree) => {
    const pieces = piecesOf(part).map(monomialOf);
    return pieces.length > 0 && pieces.every((piece) => piece !== undefined && isGentle(piece));
  };
  const { operation, operands } = of;
  if ((comparisons as readonly string[]).includes(operation)) return operands.every(isExact);
  const inner = operands.every((operand) => operand.operands.length === 0 || isPolynomial(operand));
  return inner && (['and', 'or', 'not', ...comparisons].includes(operation as never) || isExact(of));
}
