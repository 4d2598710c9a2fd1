import type { MathNode } from 'mathjs';
import { kindOf } from '../../reference/arguments.ts';
import { comparisons, folded, math, number, type Operation, smoothFunctions, type Tree, tree, x } from './tree.ts';

/** Limits of a text: longer or deeper ones are refused before anything walks them. */
const longest = 1000;
const deepest = 100;

export const functionNames: readonly string[] = [...smoothFunctions, 'abs', 'sign', 'max', 'min'];
const allowed = `x, numbers, pi, e, + - * / ^, < <= > >= == !=, and or not, ?:, and ${functionNames.join(', ')}`;

/**
 * The tree of an expression in `x` in the syntax of mathjs. Only what is on the list gets through: a text is parsed,
 * looked at node by node, and never run.
 *
 * @throws TypeError for what is no string, RangeError saying what came and what is expected.
 */
export function parse(where: string, text: unknown): Tree {
  if (typeof text !== 'string') throw new TypeError(`${where}: "expression" expected a string, got ${kindOf(text)}`);
  const refuse = (what: string): never => {
    throw new RangeError(`${where}: "expression" ${what}, got "${shortened(text)}"`);
  };
  if (text.trim() === '') refuse('expected a formula in x');
  if (text.length > longest) refuse(`expected at most ${longest} characters, not ${text.length}`);
  if (nesting(text) > deepest) refuse(`expected parentheses at most ${deepest} deep`);
  let node: MathNode;
  try {
    node = math.parse(text);
  } catch (error) {
    // Also the end of the stack, on a tower of operators.
    return refuse(`cannot be parsed: ${(error as Error).message}`);
  }
  const read = importer(tree, (what) => refuse(`holds ${what}, expected only ${allowed}`));
  const parsed = read(node, 0);
  if (isCondition(parsed)) refuse('expected a number, as in "x > 0 ? 1 : 0", not a condition');
  checkKinds(parsed, refuse);
  return parsed;
}

/** The derivative of a tree by x, by mathjs; the tree must be free of conditions, max, min, abs and sign. */
export function derivative(of: Tree): Tree {
  if (!of.hasX) return number(0);
  const read = importer(folded, (what) => {
    throw new Error(`derivative of ${of.text}: ${what}`);
  });
  // Not simplified: mathjs' simplification rounds numbers such as 1/3.
  return read(math.derivative(derivable(of).text, 'x', { simplify: false }), 0);
}

/** mathjs derives neither expm1 nor log1p: written by exp and log, whose derivatives are theirs. */
function derivable({ operation, operands, ...rest }: Tree): Tree {
  if (operands.length === 0) return { operation, operands, ...rest };
  const inner = operands.map(derivable);
  if (operation === 'expm1') return tree('-', tree('exp', inner[0]), number(1));
  if (operation === 'log1p') return tree('log', tree('+', number(1), inner[0]));
  return tree(operation, ...inner);
}

type Build = (operation: Operation, ...operands: readonly Tree[]) => Tree;

/** Reads nodes of mathjs into trees; `refuse` throws for what is not on the list. */
function importer(build: Build, refuse: (what: string) => never): (node: MathNode, depth: number) => Tree {
  const read = (node: MathNode, depth: number): Tree => {
    if (depth > 2 * deepest) refuse('such depth');
    const down = (inner: MathNode) => read(inner, depth + 1);
    if (math.isParenthesisNode(node)) return down(node.content);
    if (math.isConstantNode(node)) return math.isBigNumber(node.value) ? finite(node.value) : refuse(quoted(node));
    if (math.isSymbolNode(node)) {
      if (node.name === 'x') return x;
      return node.name === 'pi' || node.name === 'e' ? build(node.name) : refuse(`the name "${node.name}"`);
    }
    if (math.isConditionalNode(node)) {
      return build('?:', down(node.condition), down(node.trueExpr), down(node.falseExpr));
    }
    if (math.isRelationalNode(node)) {
      // a < b < c is a < b and b < c.
      const params = node.params.map(down);
      const tests = (node.conditionals as string[]).map((name, i) =>
        build(relations[name] ?? refuse(`"${name}"`), params[i], params[i + 1]),
      );
      return tests.reduce((left, right) => build('and', left, right));
    }
    if (math.isOperatorNode(node)) {
      const args = node.args.map(down);
      if (args.length === 1) {
        if (node.fn === 'unaryPlus') return args[0];
        if (node.fn === 'unaryMinus') return build('negate', ...args);
        if (node.fn === 'not') return build('not', ...args);
      } else if (args.length === 2 && isBinary(node.op)) {
        // mathjs writes the derivative of cbrt by a power that has no value below 0.
        if (build === folded && node.op === '^' && args[1].text === '(2 / 3)') {
          return build('^', build('cbrt', args[0]), number(2));
        }
        return build(node.op, ...args);
      }
      return refuse(`the operator "${node.op}"`);
    }
    if (math.isFunctionNode(node)) {
      const called: unknown = node.fn;
      const name = math.isSymbolNode(called as MathNode)
        ? (called as { name: string }).name
        : shortened(node.toString());
      if (!functionNames.includes(name)) return refuse(`the function "${name}"`);
      const isOpen = name === 'max' || name === 'min';
      if (isOpen ? node.args.length < 1 : node.args.length !== 1) {
        return refuse(`"${name}" with ${node.args.length} arguments`);
      }
      return build(name as Operation, ...node.args.map(down));
    }
    return refuse(`the ${wordsOf(node.type)} ${quoted(node)}`);
  };
  const finite = (value: Parameters<typeof number>[0]) => {
    const made = number(value);
    return made.value!.isFinite() && Math.abs(made.value!.e) <= 400 ? made : refuse(`the number ${made.text}`);
  };
  return read;
}

const relations: Readonly<Record<string, Operation>> = {
  smaller: '<',
  smallerEq: '<=',
  larger: '>',
  largerEq: '>=',
  equal: '==',
  unequal: '!=',
};

const isBinary = (op: string): op is Operation =>
  ['+', '-', '*', '/', '^', 'and', 'or', ...comparisons].includes(op as never);

export function isCondition({ operation }: Tree): boolean {
  return ['and', 'or', 'not', ...comparisons].includes(operation as never);
}

/** Conditions stand where conditions belong, and numbers where numbers do. */
function checkKinds({ operation, operands }: Tree, refuse: (what: string) => never): void {
  for (const [i, operand] of operands.entries()) {
    const wanted = operation === '?:' ? i === 0 : operation === 'and' || operation === 'or' || operation === 'not';
    if (isCondition(operand) !== wanted) {
      refuse(`expected ${wanted ? 'a condition' : 'a number'} in "${operation}", not ${operand.text}`);
    }
    checkKinds(operand, refuse);
  }
}

function nesting(text: string): number {
  let [depth, most] = [0, 0];
  for (const character of text) {
    if ('([{'.includes(character)) most = Math.max(most, ++depth);
    else if (')]}'.includes(character)) depth--;
  }
  return most;
}

/** "function assignment" for FunctionAssignmentNode */
function wordsOf(type: string): string {
  return type
    .replace(/Node$/, '')
    .replaceAll(/(?<=.)[A-Z]/g, ' $&')
    .toLowerCase();
}

function quoted(node: MathNode): string {
  return `"${shortened(node.toString())}"`;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
