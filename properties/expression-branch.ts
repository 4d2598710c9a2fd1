import { branchNames, type CustomBranch } from '../reference/branches.ts';
import { checkOptions } from './check-arguments.ts';
import { Expression, type ListedKink } from './expressions/expression.ts';

/** Options of `expressionBranch`. */
export interface ExpressionOptions {
  /** What reports call the branch; its expression unless given. */
  readonly name?: string;
  /** Where it is not smooth, and the derivative there if it is not that of the side that the expression takes. */
  readonly kinks?: readonly ListedKink[];
}

const expressions = new WeakMap<CustomBranch, Expression>();

/**
 * `f(x)` as the expression says, `f′` and `f″` by symbolic differentiation: a branch of your own for any pool.
 *
 * The expression holds `x`, numbers, `pi`, `e`, `+ - * / ^`, comparisons, `and or not`, `?:` and a closed list of
 * functions, in the syntax of mathjs; it is parsed, never run as JavaScript. `f`, `df` and `d2f` take and return a
 * float64, each value rounded once from BigNumber. `kinks` are finite numbers, or `{ at, derivative }`.
 *
 * @throws TypeError for a wrong kind; RangeError for what is not on the list, and for a kink that shows in the
 * expression and is not listed. Source: spec §2, "any expression in x".
 */
export function expressionBranch(expression: string, options: ExpressionOptions = {}): CustomBranch {
  const where = 'expressionBranch';
  checkOptions(where, options, ['name', 'kinks']);
  const { name = expression, kinks = [] } = options;
  const made = new Expression(where, expression, kinks);
  if (typeof name !== 'string') throw new TypeError(`${where}: "name" expected a string, got ${typeof name}`);
  if (name === '') throw new RangeError(`${where}: "name" expected some text, got ""`);
  if ((branchNames as readonly string[]).includes(name)) {
    throw new RangeError(`${where}: "name" expected another name than those of built-in branches, got "${name}"`);
  }
  const branch: CustomBranch = {
    name,
    expression,
    kinks: made.kinks,
    f: (x) => made.number(0, x),
    df: (x) => made.number(1, x),
    d2f: (x) => made.number(2, x),
  };
  expressions.set(branch, made);
  return branch;
}

/** The expression of a custom branch, parsed again for an object that `expressionBranch` did not make. */
export function expressionOf(branch: CustomBranch): Expression {
  let expression = expressions.get(branch);
  if (expression === undefined) {
    expression = new Expression(`branch "${branch.name}"`, branch.expression, branch.kinks.map(listed));
    expressions.set(branch, expression);
  }
  return expression;
}

/** A kink as `expressionBranch` takes it. */
export function listed({ at, derivative }: CustomBranch['kinks'][number]): ListedKink {
  return derivative === undefined ? at : { at, derivative };
}
