import type { Kink } from '../../reference/branches.ts';
import { checkKeys } from '../check-arguments.ts';
import type { Arithmetic } from '../error-bound.ts';
import { add, type Dyadic, dyadic } from '../exact.ts';
import { type Ball, size } from './ball.ts';
import { exactBig, type Piece, Point, rounded } from './evaluate.ts';
import { derivative, parse } from './parse.ts';
import { type RoundingError, roundingError } from './rounding.ts';
import { type Big, comparisons, number, type Tree, tree, zero } from './tree.ts';

/** A kink as its author lists it: where, and the derivative there if it is not that of the side taken. */
export type ListedKink = number | { readonly at: number; readonly derivative?: number };

/** Which derivative: 0 is the value. */
export type Order = 0 | 1 | 2 | 3;

/** A value to more than the precision of float64: `value ± spread`. */
export interface Precise {
  readonly value: Dyadic;
  readonly spread: number;
}

/** Values kept of one expression; then all are forgotten. */
const kept = 50_000;

/** An expression in x with its derivatives, evaluated in BigNumber, its kinks and its rounding errors. */
export class Expression {
  readonly text: string;
  readonly kinks: readonly Kink[];
  readonly #tree: Tree;
  readonly #conventions: ReadonlyMap<number, number>;
  readonly #listed: ReadonlySet<number>;
  /** Where formulas meet: one beside it, and up to which order it has the same derivatives as that on the other side. */
  readonly #smoothed = new Map<number, { readonly piece: Tree; readonly upTo: number }>();
  readonly #derivatives = new Map<Tree, Tree>();
  readonly #balls: Map<number, Ball>[] = [new Map(), new Map(), new Map(), new Map()];
  readonly #numbers: Map<number, number>[] = [new Map(), new Map(), new Map(), new Map()];
  #last: { readonly x: number; readonly point: Point; readonly piece: Piece } | undefined;

  /** @throws TypeError, RangeError naming what is wrong; RangeError for a kink that shows in the text and is not listed. */
  constructor(where: string, text: string, listed: readonly ListedKink[]) {
    this.text = text;
    this.#tree = parse(where, text);
    const places = checkedKinks(where, listed);
    this.#listed = new Set(places.map(({ at }) => at));
    this.#conventions = new Map(
      places.flatMap(({ at, derivative: d }) => (d === undefined ? [] : ([[at, d]] as const))),
    );
    this.kinks = places.map((place) => ({ ...this.#sides(place.at), ...place }));
    const thresholds = this.#thresholds(this.#tree);
    for (const at of new Set([...thresholds, ...this.#listed])) this.#smoothed.set(at, this.#smoothAt(at));
    for (const at of thresholds) {
      const { value, slope } = this.#sides(at);
      if (this.#listed.has(at) || (isSmooth(value) && isSmooth(slope))) continue;
      throw new RangeError(
        `${where}: "kinks" expected ${at} among them, where "${text}" has the slopes ${slope.left} and ${slope.right} ` +
          `and the values ${value.left} and ${value.right}, got [${[...this.#listed].join(', ')}]`,
      );
    }
  }

  /** The derivative of this order, rounded once; NaN where there is none. */
  number(order: Order, x: number): number {
    const at = x + 0;
    const seen = this.#numbers[order].get(at);
    if (seen !== undefined) return seen;
    const value = this.#number(order, at);
    return remembered(this.#numbers[order], at, value);
  }

  #number(order: Order, x: number): number {
    if (Number.isNaN(x)) return Number.NaN;
    const convention = order === 1 ? this.stated(x) : undefined;
    if (convention !== undefined) return convention;
    const ball = this.#ball(order, x);
    return rounded(ball) ?? (ball.radius === Infinity ? Number.NaN : Number(ball.middle.toString()));
  }

  /** The derivative of this order to more digits than float64 has; `undefined` where it is not a finite number. */
  precise(order: Order, x: number): Precise | undefined {
    const at = x + 0;
    const value = this.number(order, at);
    if (!Number.isFinite(value)) return undefined;
    if (order === 1 && this.stated(at) !== undefined) return { value: dyadic(value), spread: 0 };
    const { middle, radius } = this.#ball(order, at);
    const gap = middle.minus(exactBig(value));
    if (gap.isZero() && radius === Number.NEGATIVE_INFINITY) return { value: dyadic(value), spread: 0 };
    const rest = Number(gap.toString());
    const spread = 1.001 * 10 ** radius + Math.abs(rest) * 2 ** -52 + Number.MIN_VALUE;
    return { value: add(dyadic(value), dyadic(rest)), spread };
  }

  /** Whether the digits that are tried decide which formula holds at x, and its derivative to about that of float64. */
  isCertain(order: Order, x: number): boolean {
    const at = x + 0;
    if (order === 1 && this.stated(at) !== undefined) return true;
    if (!this.#at(at).piece.decided) return false;
    const ball = this.#ball(order, at);
    return ball.radius <= size(ball.middle) - 20 || rounded(ball) !== undefined;
  }

  /** The derivative that is stated for a kink. */
  stated(x: number): number | undefined {
    return this.#conventions.get(x + 0);
  }

  /** The derivative of this order to within `10^radius`, of any number of digits. */
  decimal(order: Order, x: number, radius: number): Big {
    const { point } = this.#at(x);
    return point.value(this.derivative(this.#pieceOf(order, x), order), (ball) => ball.radius <= radius).middle;
  }

  #ball(order: Order, x: number): Ball {
    const seen = this.#balls[order].get(x);
    if (seen !== undefined) return seen;
    const { point } = this.#at(x);
    const ball = point.value(this.derivative(this.#pieceOf(order, x), order), (b) => rounded(b) !== undefined);
    return remembered(this.#balls[order], x, ball);
  }

  /** The formula whose derivative of this order is that of the expression at x. */
  #pieceOf(order: Order, x: number): Tree {
    const smoothed = this.#smoothed.get(x);
    return smoothed !== undefined && order > 0 && order <= smoothed.upTo ? smoothed.piece : this.#at(x).piece.tree;
  }

  /** The formula without conditions that holds at x. */
  piece(x: number): Tree {
    return this.#at(x + 0).piece.tree;
  }

  #at(x: number) {
    if (this.#last?.x === x) return this.#last;
    const point = new Point(x, { isKink: this.#listed.has(x) });
    this.#last = { x, point, piece: point.piece(this.#tree)! };
    return this.#last;
  }

  /** The derivative of a piece. */
  derivative(piece: Tree, order: Order): Tree {
    let current = piece;
    for (let k = 0; k < order; k++) {
      let next = this.#derivatives.get(current);
      if (next === undefined) {
        next = derivative(current);
        this.#derivatives.set(current, next);
      }
      current = next;
    }
    return current;
  }

  /** An upper bound of the size of a derivative on `[x - h, x + h]`, `undefined` where more than one piece holds there. */
  bound(order: Order, x: number, h: number): number | undefined {
    const around = new Point(x, { radius: Math.log10(h) + 1e-9 });
    const piece = around.piece(this.#tree);
    if (piece === undefined) return undefined;
    const { middle, radius } = around.enclosure(this.derivative(piece.tree, order));
    const bound = (Math.abs(Number(middle.toString())) + 10 ** radius) * (1 + 2 ** -40);
    return Number.isFinite(bound) ? bound : undefined;
  }

  /** What rounding may do at x. */
  rounding(x: number, arithmetic: Arithmetic): RoundingError {
    const whole = roundingError(this.#tree, x, this.#listed.has(x), arithmetic);
    const piece = this.#pieceOf(1, x + 0);
    if (piece === this.#at(x + 0).piece.tree) return whole;
    const { derivative, derivativeOverflows } = roundingError(piece, x, this.#listed.has(x), arithmetic);
    return { ...whole, derivative, derivativeOverflows };
  }

  /** Every piece that can hold somewhere, for what is to be known of all of them. */
  get tree(): Tree {
    return this.#tree;
  }

  /** One-sided limits at a point. */
  #sides(at: number): Pick<Kink, 'at' | 'value' | 'slope'> {
    const limits = (order: Order) => ({ left: this.#limit(at, -1, order), right: this.#limit(at, 1, order) });
    return { at, value: limits(0), slope: limits(1) };
  }

  /** A side's formula is taken two ulps off and evaluated at the point itself. */
  #limit(at: number, side: 1 | -1, order: Order): number {
    const beside = pointBeside(at, side);
    const piece = this.derivative(beside.piece(this.#tree)!.tree, order);
    const value = rounded(new Point(at).value(piece, (ball) => rounded(ball) !== undefined)) ?? Number.NaN;
    return Number.isNaN(value) ? (rounded(beside.value(piece, (ball) => rounded(ball) !== undefined)) ?? value) : value;
  }

  /** Where both sides meet in the value, derivatives that both have are those of the expression, whatever it takes there. */
  #smoothAt(at: number): { piece: Tree; upTo: number } {
    const agrees = (order: Order) => {
      const value = this.#limit(at, 1, order);
      return (
        Number.isFinite(value) && value === this.#limit(at, -1, order) && (order > 0 || value === this.number(0, at))
      );
    };
    const differing = ([0, 1, 2] as const).find((order) => !agrees(order)) ?? 3;
    return { piece: pointBeside(at, 1).piece(this.#tree)!.tree, upTo: differing - 1 };
  }

  /** Where two sides of a comparison, or arguments of max, min, abs or sign, that are linear in x are equal. */
  #thresholds(of: Tree): number[] {
    const { operation, operands } = of;
    const inner = operands.flatMap((operand) => this.#thresholds(operand));
    const [a, b = zero] = operands as [Tree, Tree?];
    if (operation === 'abs' || operation === 'sign') return [...inner, ...this.#root(a, zero)];
    if ((comparisons as readonly string[]).includes(operation)) return [...inner, ...this.#root(a, b)];
    if (operation !== 'max' && operation !== 'min') return inner;
    return [...inner, ...operands.flatMap((p, i) => operands.slice(i + 1).flatMap((q) => this.#root(p, q)))];
  }

  /** `x = -u(0) / u′` for `u = a - b` of constant slope; of trees with conditions each pair of pieces. */
  #root(a: Tree, b: Tree): number[] {
    return piecesOf(a).flatMap((p) =>
      piecesOf(b).flatMap((q) => {
        const difference = tree('-', p, q);
        const slope = this.derivative(difference, 1);
        if (slope.hasX || slope === zero) return [];
        const origin = new Point(0);
        // u(0) as a tree of its own: u - u′·x at 0.
        const root = origin.value(tree('negate', tree('/', difference, slope)), (ball) => rounded(ball) !== undefined);
        const at = rounded(root);
        return at === undefined || !Number.isFinite(at) ? [] : [at];
      }),
    );
  }
}

/** Two ulps off. */
function pointBeside(at: number, side: 1 | -1): Point {
  const off = at === 0 ? 1e-300 : Math.abs(at) * 2 ** -51;
  return new Point(exactBig(at).plus(exactBig(side * off)));
}

/** The formulas without conditions that a tree can come to; none if there are more than a few. */
export function piecesOf(of: Tree): readonly Tree[] {
  const { operation, operands } = of;
  if (operands.length === 0) return [of];
  const choices = operands.map(piecesOf);
  let pieces: Tree[];
  switch (operation) {
    case '?:':
      pieces = [...choices[1], ...choices[2]];
      break;
    case 'max':
    case 'min':
      pieces = choices.flat();
      break;
    case 'abs':
      pieces = choices[0].flatMap((u) => [u, tree('negate', u)]);
      break;
    case 'sign':
      pieces = [-1, 0, 1].map(number);
      break;
    default:
      pieces = choices
        .reduce<Tree[][]>((lists, next) => lists.flatMap((list) => next.map((one) => [...list, one])), [[]])
        .slice(0, 65)
        .map((list) => tree(operation, ...list));
  }
  return pieces.length > 64 ? [] : pieces;
}

function isSmooth({ left, right }: { readonly left: number; readonly right: number }): boolean {
  return left === right || (Number.isNaN(left) && Number.isNaN(right));
}

function checkedKinks(where: string, listed: unknown): { readonly at: number; readonly derivative?: number }[] {
  if (!Array.isArray(listed)) throw new TypeError(`${where}: "kinks" expected an array, got ${typeof listed}`);
  const places = listed.map((kink: unknown) => {
    const given = typeof kink === 'number' ? { at: kink } : (kink as { at: number; derivative?: number } | null);
    for (const name of ['at', 'derivative'] as const) {
      const value: unknown = given?.[name];
      if (name === 'derivative' && value === undefined) continue;
      if (typeof value !== 'number') {
        throw new TypeError(`${where}: "kinks" expected numbers or { at, derivative }, got ${JSON.stringify(kink)}`);
      }
      if (!Number.isFinite(value)) throw new RangeError(`${where}: "kinks" expected finite numbers, got ${value}`);
    }
    checkKeys(`${where}: "kinks"`, given!, ['at', 'derivative']);
    const { at, derivative: d } = given!;
    return { at: at + 0, ...(d !== undefined && { derivative: d }) };
  });
  if (new Set(places.map(({ at }) => at)).size !== places.length) {
    throw new RangeError(`${where}: "kinks" expected each place once, got [${places.map(({ at }) => at).join(', ')}]`);
  }
  return places;
}

/** Keeps a value, and forgets all others when there are too many. */
export function remembered<T>(map: Map<number, T>, x: number, value: T): T {
  if (map.size >= kept) map.clear();
  map.set(x, value);
  return value;
}
