import { dyadic } from '../exact.ts';
import { type Ball, Balls } from './ball.ts';
import type { Series } from './series.ts';
import { type Big, type Comparison, Digits, one, smoothFunctions, type Tree, tree, zero } from './tree.ts';

/**
 * Digits that are tried in turn, until the balls are small enough. The last resolve sums of the least and the greatest
 * float64, and a difference of x and x + x³.
 */
const ladder = [26, 60, 130, 350, 900] as const;
const arithmetics = ladder.map((digits) => new Balls(digits));
/** Values of the trees without x, which are the same at every point. */
const constants: readonly Map<Tree, Ball>[] = ladder.map(() => new Map());

/** Functions times the square of the digits, at most, for a tree at one x: some 20 ms. */
export const most = 1e7;

const weights = new WeakMap<Tree, number>();

/** What a tree costs: 1 for each function, 1/20 for each operation, each subtree once. */
function weightOf(of: Tree): number {
  let weight = weights.get(of);
  if (weight === undefined) {
    const parts = new Set<Tree>();
    const visit = (part: Tree) => {
      if (!part.hasX || parts.has(part)) return;
      parts.add(part);
      part.operands.forEach(visit);
    };
    visit(of);
    weight = [...parts].reduce((sum, part) => sum + (isFunction(part) ? 1 : 1 / 20), 0);
    weights.set(of, weight);
  }
  return weight;
}

const isFunction = ({ operation }: Tree) => (smoothFunctions as readonly string[]).includes(operation);

/** How many steps of the ladder are taken for a tree: those to 60 digits at least. */
function stepsOf(of: Tree): number {
  return ladder.filter((digits) => digits <= 60 || weightOf(of) * digits ** 2 <= most).length;
}

/** A formula without conditions, and whether every comparison on the way to it was decided by the digits. */
export interface Piece {
  readonly tree: Tree;
  readonly decided: boolean;
}

/** Thrown where a comparison is not decided by the digits at hand. */
class Undecided extends Error {}

/** Trees at one `x`: each subtree is computed once for each number of digits. */
export class Point {
  readonly #x: Big;
  readonly #radius: number;
  readonly #values: Map<Tree, Ball>[] = ladder.map(() => new Map());
  readonly #isKink: boolean;
  #decided = true;
  /** What was spent, as `most` counts. */
  work = 0;

  /**
   * @param radius log₁₀ of how far x may be off
   * @param isKink whether the author says that comparisons may be ties here
   */
  constructor(
    x: number | Big,
    { radius = Number.NEGATIVE_INFINITY, isKink = false }: { readonly radius?: number; readonly isKink?: boolean } = {},
  ) {
    this.#x = typeof x === 'number' ? exactBig(x) : x;
    this.#radius = radius;
    this.#isKink = isKink;
  }

  /**
   * The formula that holds here: of each condition the side taken, of max and min the first of the arguments that are
   * greatest or least, `abs(u)` as u, -u or 0 and `sign(u)` as 1, -1 or 0. What the digits do not decide counts as a tie;
   * `undefined` if x itself is not known well enough.
   */
  piece(of: Tree): Piece | undefined {
    const isExact = this.#radius === Number.NEGATIVE_INFINITY;
    const steps = isExact ? stepsOf(of) : 1;
    this.#decided = true;
    for (let level = 0; level < steps; level++) {
      try {
        return { tree: this.#resolve(of, level, isExact && level === steps - 1), decided: this.#decided };
      } catch (error) {
        if (!(error instanceof Undecided)) throw error;
      }
    }
    return undefined;
  }

  /** The value of a piece: with the fewest digits that are enough, else with as many as it may take. */
  value(piece: Tree, isEnough: (ball: Ball) => boolean): Ball {
    const steps = stepsOf(piece);
    let ball = this.#evaluate(piece, 0);
    for (let level = 1; level < steps && !isEnough(ball); level++) ball = this.#evaluate(piece, level);
    return ball;
  }

  /** The value with the digits of the first step only: an enclosure that need not be narrow. */
  enclosure(piece: Tree): Ball {
    return this.#evaluate(piece, 0);
  }

  #resolve(of: Tree, level: number, isLast: boolean): Tree {
    const { operation, operands } = of;
    if (operands.length === 0) return of;
    if (operation === '?:') {
      const [test, yes, no] = operands as [Tree, Tree, Tree];
      return this.#resolve(this.#holds(test, level, isLast) ? yes : no, level, isLast);
    }
    const inner = operands.map((operand) => this.#resolve(operand, level, isLast));
    const sign = (a: Tree, b: Tree) => this.#compare(a, b, level, isLast);
    switch (operation) {
      case 'max':
        return inner.reduce((best, next) => (sign(next, best) > 0 ? next : best));
      case 'min':
        return inner.reduce((best, next) => (sign(next, best) < 0 ? next : best));
      case 'abs': {
        const side = sign(inner[0], zero);
        return side > 0 ? inner[0] : side < 0 ? tree('negate', inner[0]) : side === 0 ? zero : inner[0];
      }
      case 'sign': {
        const side = sign(inner[0], zero);
        return side > 0 ? one : side < 0 ? tree('negate', one) : side === 0 ? zero : inner[0];
      }
      default:
        return tree(operation, ...inner);
    }
  }

  #holds({ operation, operands }: Tree, level: number, isLast: boolean): boolean {
    const [a, b] = operands as [Tree, Tree];
    if (operation === 'not') return !this.#holds(a, level, isLast);
    if (operation === 'and') return this.#holds(a, level, isLast) && this.#holds(b, level, isLast);
    if (operation === 'or') return this.#holds(a, level, isLast) || this.#holds(b, level, isLast);
    const sides = [a, b].map((side) => this.#resolve(side, level, isLast)) as [Tree, Tree];
    return holds(operation as Comparison, this.#compare(...sides, level, isLast));
  }

  /** The sign of a - b; NaN where that is not a number. */
  #compare(a: Tree, b: Tree, level: number, isLast: boolean): number {
    const [left, right] = [this.#evaluate(a, level), this.#evaluate(b, level)];
    const balls = arithmetics[level];
    if (!left.middle.isFinite() || !right.middle.isFinite()) return Math.sign(left.middle.cmp(right.middle));
    const sign = balls.sign(balls.add(left, balls.negate(right)));
    if (sign !== undefined) return sign;
    if (!isLast) throw new Undecided();
    if (!this.#isKink && a !== b) this.#decided = false;
    return 0;
  }

  #evaluate(of: Tree, level: number): Ball {
    const values = (of.hasX ? this.#values : constants)[level];
    const seen = values.get(of);
    if (seen !== undefined) return seen;
    const ball = this.#compute(of, level);
    if (of.hasX) this.work += (isFunction(of) ? 1 : 1 / 20) * ladder[level] ** 2;
    values.set(of, ball);
    return ball;
  }

  #compute({ operation, operands, value }: Tree, level: number): Ball {
    const balls = arithmetics[level];
    const [a, b] = operands.map((operand) => this.#evaluate(operand, level)) as [Ball, Ball];
    switch (operation) {
      case 'number':
        return balls.of(value!);
      case 'x': {
        const rounded = balls.of(this.#x);
        return this.#radius === Number.NEGATIVE_INFINITY
          ? rounded
          : balls.add(rounded, balls.around(this.#x.times(0), this.#radius));
      }
      case 'pi':
        return balls.pi();
      case 'e':
        return balls.apply('exp', balls.of(1));
      case '+':
        return balls.add(a, b);
      case '-':
        return balls.add(a, balls.negate(b));
      case 'negate':
        return balls.negate(a);
      case '*':
        return balls.multiply(a, b);
      case '/':
        return balls.divide(a, b);
      case '^':
        return balls.power(a, b);
      case 'tan':
        return balls.divide(balls.apply('sin', a), balls.apply('cos', a));
      case 'sec':
        return balls.divide(balls.of(1), balls.apply('cos', a));
      case 'asin':
      case 'acos':
      case 'sinh':
      case 'cosh':
      case 'tanh':
      case 'sech':
      case 'asinh':
      case 'acosh':
      case 'atanh':
        return composed(balls, operation, a);
      default:
        return balls.apply(operation as Series, a);
    }
  }
}

type Composed = 'asin' | 'acos' | 'sinh' | 'cosh' | 'tanh' | 'sech' | 'asinh' | 'acosh' | 'atanh';

/** By the formulas that keep their digits where the function is small. */
function composed(balls: Balls, name: Composed, w: Ball): Ball {
  const [one, two, half] = [1, 2, 0.5].map((value) => balls.of(value)) as [Ball, Ball, Ball];
  if (!w.middle.isFinite() && name !== 'sech') return balls.of(Math[name](w.middle.toNumber()));
  switch (name) {
    case 'sech':
      return balls.divide(one, composed(balls, 'cosh', w));
    case 'cosh':
      return balls.multiply(half, balls.add(balls.apply('exp', w), balls.apply('exp', balls.negate(w))));
    case 'sinh': {
      if (w.middle.isNegative()) return balls.negate(composed(balls, name, balls.negate(w)));
      // (E + E / (E + 1)) / 2 with E = eʷ - 1
      const e = balls.apply('expm1', w);
      return balls.multiply(half, e.middle.isFinite() ? balls.add(e, balls.divide(e, balls.add(e, one))) : e);
    }
    case 'tanh': {
      if (w.middle.isNegative()) return balls.negate(composed(balls, name, balls.negate(w)));
      // -E / (E + 2) with E = e⁻²ʷ - 1
      const e = balls.apply('expm1', balls.multiply(balls.of(-2), w));
      return balls.negate(balls.divide(e, balls.add(e, two)));
    }
    case 'asinh': {
      if (w.middle.isNegative()) return balls.negate(composed(balls, name, balls.negate(w)));
      // log(1 + w + w² / (1 + √(1 + w²)))
      const square = balls.multiply(w, w);
      const root = balls.apply('sqrt', balls.add(one, square));
      return balls.apply('log1p', balls.add(w, balls.divide(square, balls.add(one, root))));
    }
    case 'acosh': {
      // log(1 + d + √(d (w + 1))) with d = w - 1
      const d = balls.add(w, balls.of(-1));
      const root = balls.apply('sqrt', balls.multiply(d, balls.add(w, one)));
      return balls.apply('log1p', balls.add(d, root));
    }
    case 'atanh':
      // log(1 + 2w / (1 - w)) / 2
      return balls.multiply(
        half,
        balls.apply('log1p', balls.divide(balls.multiply(two, w), balls.add(one, balls.negate(w)))),
      );
    case 'asin': {
      // atan(w / √((1 - w) (1 + w)))
      const square = balls.multiply(balls.add(one, balls.negate(w)), balls.add(one, w));
      return balls.apply('atan', balls.divide(w, balls.apply('sqrt', square)));
    }
    case 'acos': {
      // 2 atan √((1 - w) / (1 + w))
      const ratio = balls.divide(balls.add(one, balls.negate(w)), balls.add(one, w));
      return balls.multiply(two, balls.apply('atan', balls.apply('sqrt', ratio)));
    }
  }
}

export function holds(comparison: Comparison, sign: number): boolean {
  switch (comparison) {
    case '<':
      return sign < 0;
    case '<=':
      return sign <= 0;
    case '>':
      return sign > 0;
    case '>=':
      return sign >= 0;
    case '==':
      return sign === 0;
    case '!=':
      return sign !== 0;
  }
}

/** A float64 as a BigNumber without the detour of its shortest decimal form: m · 2ᵉ = m · 5⁻ᵉ · 10ᵉ. */
export function exactBig(value: number): Big {
  if (!Number.isFinite(value)) return new Digits(value);
  const { m, e } = dyadic(value);
  return new Digits(e >= 0 ? (m << BigInt(e)).toString() : `${m * 5n ** BigInt(-e)}e${e}`);
}

/** The float64 that all of a ball rounds to, `undefined` if there is more than one; 0 where all of it underflows. */
export function rounded({ middle, radius }: Ball): number | undefined {
  if (radius === Number.POSITIVE_INFINITY) return undefined;
  if (radius === Number.NEGATIVE_INFINITY || !middle.isFinite()) return Number(middle.toString()) + 0;
  // Exponents that decimal.js can't hold: a ball as wide as this says nothing, and one as narrow may be widened.
  if (radius > 1e6) return undefined;
  const log = Math.max(radius, -1e6);
  const exponent = Math.floor(log);
  const distance = new Digits(`${1.001 * 10 ** (log - exponent)}e${exponent}`);
  const least = Number(new Digits(middle).minus(distance).toString()) + 0;
  const most = Number(new Digits(middle).plus(distance).toString()) + 0;
  return least === most ? least : undefined;
}
