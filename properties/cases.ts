import * as fc from 'fast-check';
import { shown } from '../reference/arguments.ts';
import { branchOf } from '../reference/branches.ts';
import type { BranchName, BranchRef, Case, Constraint, Dtype, Pool, Sharing } from '../reference/case.ts';
import { checkBranch, checkShape } from '../reference/parameters.ts';
import { sizeOf } from '../reference/shape.ts';
import type { Facet } from '../reference/subject.ts';
import { checkOptions } from './check-arguments.ts';
import { checkDtype, type Format, formats, heldFormat } from './dtypes.ts';
import { checkFacets } from './error-bound.ts';
import { exactBranchOf } from './exact-branches.ts';
import { positionsOf } from './positions.ts';
import { shrinkCase } from './shrink.ts';

/**
 * What is drawn: `dyadic` Cases hold quarters up to ±8 (halves up to ±4 in f16, to ±2 in bf16) and piecewise-polynomial
 * branches, so that every legal evaluation is exact and answers are compared bit for bit (spec §5, point rule);
 * `general` ones anything.
 */
export type Kind = 'dyadic' | 'general';

export interface CaseConstraints {
  readonly dtype: Dtype;
  readonly kind: Kind;
  /** Of the Subject: where it stores less than its dtype, the Cases hold only what it can store. */
  readonly facets?: readonly Facet[];
  /** No NaN, no ±∞ and nothing near overflow. */
  readonly finite?: boolean;
  /** One Case in `rare` has hundreds to thousands of elements, at most `many`; fewer and smaller ones of them general. */
  readonly longSums?: boolean;
  /** Branches of your own: each Case holds one of them, where its kind allows that, among built-in ones. */
  readonly branches?: readonly BranchRef[];
  /** Only this shape. */
  readonly shape?: readonly number[];
  /** Only built-in branches, sharings and constraints of these names, as an implementation announces them. */
  readonly within?: Within;
}

/** What an implementation has; `sharedAxes` stands for any of them. */
export interface Within {
  readonly branches: readonly BranchName[];
  readonly sharing: readonly ('layer' | 'channel' | 'unit' | 'sharedAxes')[];
  readonly constraints: readonly Constraint['kind'][];
}

const known: readonly (keyof CaseConstraints)[] = [
  'dtype',
  'kind',
  'facets',
  'finite',
  'longSums',
  'branches',
  'shape',
  'within',
];

/**
 * An arbitrary of Cases that shrinks batch, unit shape, branches, then cells, and keeps the shape consistent.
 *
 * @throws TypeError, RangeError naming the option
 */
export function cases(constraints: CaseConstraints): fc.Arbitrary<Case> {
  checkOptions('cases', constraints, known);
  checkDtype('cases', constraints.dtype);
  if (constraints.facets !== undefined) checkFacets('cases: "facets"', constraints.facets);
  if (constraints.kind !== 'dyadic' && constraints.kind !== 'general') {
    throw new RangeError(`cases: "kind" expected dyadic or general, got ${shown(constraints.kind)}`);
  }
  checkBranches('cases', constraints.branches);
  if (constraints.shape !== undefined) checkShape('cases', constraints.shape);
  return new CaseArbitrary(constraints);
}

class CaseArbitrary extends fc.Arbitrary<Case> {
  readonly #constraints: CaseConstraints;

  constructor(constraints: CaseConstraints) {
    super();
    this.#constraints = constraints;
  }

  override generate(random: fc.Random): fc.Value<Case> {
    return new fc.Value(new Draw(random, this.#constraints).case(), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Case {
    return typeof value === 'object' && value !== null && 'pool' in value;
  }

  override shrink(value: Case): fc.Stream<fc.Value<Case>> {
    return new fc.Stream(shrinkCase(value)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

/** Those of which sums of `many` quarters are exact in float32. */
const linear: readonly BranchName[] = ['relu', 'step', 'negative', 'identity'];
const polynomial: readonly BranchName[] = [...linear, 'halfSquare'];
const all: readonly BranchName[] = [...polynomial, 'tanh', 'sigmoid', 'softplus'];

/** What dyadic Cases are made of: multiples of `unit` up to ±`largest`, of which f16 and bf16 add up few exactly. */
const lattices: Readonly<Record<Dtype, { readonly unit: number; readonly largest: number }>> = {
  f64: { unit: 1 / 4, largest: 8 },
  f32: { unit: 1 / 4, largest: 8 },
  f16: { unit: 1 / 2, largest: 4 },
  bf16: { unit: 1 / 2, largest: 2 },
};

/** The largest number of elements of an ordinary Case. */
const few = 48;
/** More than a buffer or a thread block of 4,096, and few enough that sums of linear branches stay exact in float32. */
const many = 4600;
const rare = 20;
/** The largest general Case is more than a thread block of 1,024, and small enough for its exact results. */
const manyGeneral = 1100;
/** In large general Cases special values are this much rarer: one of a thousand terms decides a sum. */
const rarer = 20;
/** One Case in so many has an axis of 16 to 130 units, wider than a vector register or a warp; a quarter of them to 520. */
const wide = 24;
/** One in so many has a batch of 10 to 84 rows. */
const tall = 32;
/** In one general Case in so many one of the tensors is of any size, all elements by the same power of two. */
const scaled = 4;
/** One tensor in so many holds one value only: the dy of a sum, an x of zeros. */
const uniform = 24;

class Draw {
  readonly #random: fc.Random;
  readonly #constraints: CaseConstraints;
  /** What every number of the Case is representable in. */
  readonly #format: Format;
  /** The given branches that a Case of this kind may hold, and where their kinks are. */
  readonly #own: readonly BranchRef[];
  readonly #kinks: readonly number[];
  /** Whether this Case holds NaN, ±∞ or values near overflow. */
  readonly #nonFinite: boolean;
  /** By how much special values are rarer. */
  #rarer = 1;

  constructor(random: fc.Random, constraints: CaseConstraints) {
    this.#random = random;
    this.#constraints = constraints;
    const { branches: own = [], kind, dtype, facets = [] } = constraints;
    this.#format = heldFormat({ dtype, facets });
    this.#own = kind === 'dyadic' ? own.filter((ref) => exactBranchOf(ref).polynomial) : own;
    const isIn = (at: number) => (kind === 'dyadic' ? isOn(lattices[dtype], at) : this.#format.round(at) === at);
    this.#kinks = this.#own.flatMap((ref) =>
      branchOf(ref)
        .kinks.map(({ at }) => at)
        .filter(isIn),
    );
    this.#nonFinite = constraints.finite !== true && constraints.kind === 'general' && this.#chance(0.2);
  }

  case(): Case {
    const { kind, dtype, longSums, shape: given } = this.#constraints;
    const share = kind === 'dyadic' ? 1 / rare : 0.5 / rare;
    // Of thousands of terms nothing can be said in 16 bits.
    const isLong = longSums === true && formats[dtype].p >= 24;
    const isLarge = given === undefined && isLong && this.#chance(share);
    if (isLarge && kind === 'general') this.#rarer = rarer;
    const isWide = given === undefined && !isLarge && this.#chance(1 / wide);
    const isTall = given === undefined && !isLarge && !isWide && this.#chance(1 / tall);
    const shape = given ?? this.#shapeOf({ isLarge, isWide, isTall });
    const branches = this.#branches(isLarge);
    const hasUnit = this.#constraints.within?.sharing.includes('unit') ?? true;
    const sharing = isWide && this.#chance(0.5) && hasUnit ? 'unit' : this.#sharing(shape);
    const constraint = this.#constraint(branches.length);
    const pool: Pool = { branches, sharing, constraint };
    const { rows, count } = positionsOf(pool, shape);
    const size = sizeOf(shape);
    return this.#scale({
      pool,
      dtype,
      shape,
      x: this.#tensor(size, 0, () => this.#value(0.36, () => this.#special())),
      alpha: Float64Array.from({ length: rows * count }, () => this.#alpha(constraint)),
      dy: this.#tensor(size, 1, () => this.#value(0.4, () => this.#specialCotangent())),
    });
  }

  /**
   * x, alpha or dy times a power of two, as far up and down as no product of the three overflows, squares of x included:
   * what an implementation does beyond the sizes of a network.
   */
  #scale(c: Case): Case {
    const { kind, finite } = this.#constraints;
    if (kind === 'dyadic' || finite === true || !this.#chance(1 / scaled)) return c;
    const isPlain = ['free', 'fixed'].includes(c.pool.constraint.kind);
    const name = this.#pick(isPlain ? (['x', 'alpha', 'dy'] as const) : (['x', 'dy'] as const));
    // The others are at most 2¹⁹.
    const room = Math.floor(Math.log2(this.#format.largest)) - 60;
    const most = name === 'x' ? Math.floor(room / 2) : room;
    if (most <= 0) return c;
    // Half of them not far beyond what is drawn otherwise.
    const reach = this.#chance(0.5) ? Math.min(64, most) : most;
    const factor = 2 ** this.#int(-reach, reach);
    return { ...c, [name]: c[name].map((v) => this.#round(v * factor)) };
  }

  /** All elements drawn, or rarely one for all, half of these the likely one. */
  #tensor(size: number, likely: number, one: () => number): Float64Array {
    if (!this.#chance(1 / uniform)) return Float64Array.from({ length: size }, one);
    return new Float64Array(size).fill(this.#chance(0.5) ? likely : one());
  }

  #shapeOf(is: { readonly isLarge: boolean; readonly isWide: boolean; readonly isTall: boolean }): number[] {
    if (is.isLarge) return this.#chance(0.3) ? this.#layerShape() : this.#largeShape();
    if (is.isWide) return this.#wideShape();
    return is.isTall ? [this.#int(10, 84), this.#int(1, 4)] : this.#shape();
  }

  #int(from: number, to: number): number {
    return this.#random.nextInt(from, to);
  }

  #between(one: number, other: number): number {
    return this.#int(Math.min(one, other), Math.max(one, other));
  }

  #chance(probability: number): boolean {
    return this.#random.nextDouble() < probability;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#int(0, values.length - 1)]!;
  }

  /** Ranks 1 to 5; odd sizes, equal axes and empty ones are common. */
  #shape(): number[] {
    // A batch alone has no channel and no axes to share.
    const sharing = this.#constraints.within?.sharing ?? ['layer'];
    const hasRank1 = sharing.includes('layer') || sharing.includes('unit');
    const common = this.#pick(hasRank1 ? [1, 2, 2, 2, 3, 3, 4] : [2, 2, 2, 3, 3, 4]);
    const rank = common === 4 && this.#chance(0.2) ? 5 : common;
    if (this.#chance(0.04)) {
      const shape = Array.from({ length: rank }, () => this.#int(1, 4));
      shape[this.#int(0, rank - 1)] = 0;
      return shape;
    }
    const most = rank === 1 ? 19 : 9;
    const equal = this.#chance(0.25) ? this.#int(1, Math.min(most, Math.floor(few ** (1 / rank)))) : undefined;
    const shape: number[] = [];
    let left = few;
    for (let axis = 0; axis < rank; axis++) {
      const n = equal ?? this.#int(1, Math.min(left, most));
      shape.push(n);
      left = Math.max(1, Math.floor(left / n));
    }
    return shape;
  }

  /** Sums of thousands, where a worst-case bound would not see a missing row; most of them of more than 4,096 elements. */
  #largeShape(): number[] {
    const isDyadic = this.#constraints.kind === 'dyadic';
    const most = isDyadic ? many : manyGeneral;
    const sharing = this.#constraints.within?.sharing ?? ['layer'];
    const flat = sharing.includes('layer') || sharing.includes('unit') ? [[]] : [];
    const unitShape = this.#pick([[1], [2], [3], ...flat, [2, 2], [1, 3, 2]]);
    const units = sizeOf(unitShape);
    const least = this.#chance(0.75) ? Math.ceil((isDyadic ? 4100 : 1030) / units) : Math.ceil(most / 9 / units);
    return [this.#int(least, Math.floor(most / units)), ...unitShape];
  }

  /** As layers are: a batch of 8 to 64 rows, and 7 to 400 units. */
  #layerShape(): number[] {
    const most = this.#constraints.kind === 'dyadic' ? many : manyGeneral;
    const batch = this.#int(8, 64);
    return [batch, this.#int(7, Math.min(400, Math.floor(most / batch)))];
  }

  #wideShape(): number[] {
    const batch = this.#int(1, 3);
    if (this.#chance(0.25) && formats[this.#constraints.dtype].p >= 24) return [batch, this.#int(131, 520)];
    return this.#chance(0.2) ? [batch, 2, this.#int(16, 65)] : [batch, this.#int(16, 130)];
  }

  #branches(isLarge: boolean): BranchRef[] {
    const { kind } = this.#constraints;
    if (isLarge && kind === 'dyadic') {
      const names = this.#known(linear);
      return this.#chance(0.5) && this.#hasMReLU() ? ['relu', 'step'] : [this.#pick(names), this.#pick(names)];
    }
    if (this.#own.length > 0 && !isLarge) {
      const others = [...this.#own, ...(kind === 'dyadic' ? polynomial : all)];
      const names = Array.from({ length: this.#pick([1, 1, 2, 2, 3, 4]) }, () => this.#pick(others));
      return names.with(this.#int(0, names.length - 1), this.#pick(this.#own));
    }
    if (this.#chance(0.35) && this.#hasMReLU()) return ['relu', 'step'];
    const names = this.#known(kind === 'dyadic' || this.#chance(0.5) ? polynomial : all);
    return Array.from({ length: this.#pick([1, 2, 2, 3, 4, 6]) }, () => this.#pick(names));
  }

  /** Those of the names that are announced; all that are announced if none is among them. */
  #known(names: readonly BranchName[]): readonly BranchName[] {
    const { within } = this.#constraints;
    if (within === undefined) return names;
    const known = names.filter((name) => within.branches.includes(name));
    return known.length > 0 ? known : within.branches;
  }

  #hasMReLU(): boolean {
    return this.#known(['relu', 'step']).join() === 'relu,step';
  }

  #sharing(shape: readonly number[]): Sharing {
    const choices: Sharing[] = ['layer', 'unit', 'unit'];
    if (shape.length > 1) {
      const sharedAxes = shape.map((_, axis) => axis).filter((axis) => axis > 0 && this.#chance(0.5));
      if (this.#chance(0.5)) sharedAxes.reverse();
      choices.push('channel', 'channel', { sharedAxes });
      if (shape.length > 2) choices.push({ sharedAxes });
    }
    const { within } = this.#constraints;
    if (within === undefined) return this.#pick(choices);
    const nameOf = (choice: Sharing) => (typeof choice === 'string' ? choice : 'sharedAxes');
    return this.#pick(choices.filter((choice) => within.sharing.includes(nameOf(choice))));
  }

  #constraint(n: number): Constraint {
    const { within } = this.#constraints;
    const kinds = (['free', 'free', 'free', 'fixed', 'sumToOne', 'sumToOne', 'clip', 'clip'] as const).filter(
      (kind) => within === undefined || within.constraints.includes(kind),
    );
    const kind = this.#pick(kinds);
    if (kind !== 'clip') return { kind };
    const bound = () => (this.#chance(0.1) ? Infinity : this.#chance(0.1) ? 0 : Math.abs(this.#finiteAlpha()));
    return { kind, bounds: Array.from({ length: n }, bound) };
  }

  #alpha(constraint: Constraint): number {
    if (this.#nonFinite && this.#chance(0.01))
      return this.#pick(this.#format.infinite ? [NaN, Infinity, -Infinity] : [NaN]);
    if (constraint.kind === 'clip' && this.#chance(0.3)) {
      const bound = this.#pick(constraint.bounds.filter(Number.isFinite).concat(0));
      const off = this.#chance(0.3) ? this.#pick([1, -1]) * 2 ** -this.#int(1, this.#format.p - 1) : 0;
      const near = this.#constraints.kind === 'dyadic' ? bound : this.#round(bound * (1 + off));
      return this.#chance(0.5) ? near : -near;
    }
    return this.#finiteAlpha();
  }

  #finiteAlpha(): number {
    if (this.#constraints.kind === 'dyadic') return this.#dyadic(0.2);
    if (this.#chance(0.3)) return this.#round(this.#pick([0, 1, -1, 0.5, 2, 0.8, 0.2]));
    if (this.#chance(0.3)) return this.#round(this.#specialFactor());
    return this.#round(this.#random.nextDouble() * 4 - 2);
  }

  /** One element of `x` or `dy`, special with the given probability. */
  #value(probability: number, special: () => number): number {
    if (this.#kinks.length > 0 && this.#chance(probability / 4)) return this.#besideKink();
    if (this.#constraints.kind === 'dyadic') return this.#dyadic(probability);
    if (this.#chance(probability / this.#rarer)) return this.#round(special());
    // Up to 32, where smooth branches are flat: an exponential is then below u.
    return this.#round((this.#random.nextDouble() * 2 - 1) * 2 ** this.#int(-3, 5));
  }

  /** A kink of a given branch, or its neighbour on either side. */
  #besideKink(): number {
    const at = this.#pick(this.#kinks);
    const step =
      this.#constraints.kind === 'dyadic'
        ? lattices[this.#constraints.dtype].unit
        : 2 * Math.abs(at) * 2 ** -this.#format.p;
    return this.#round(at + this.#pick([0, 0, step, -step]));
  }

  #dyadic(special: number): number {
    const { unit, largest } = lattices[this.#constraints.dtype];
    if (this.#chance(special)) return this.#pick([0, -0, unit, -unit, 1, -1, 2, largest]);
    return this.#int(-largest / unit, largest / unit) * unit;
  }

  #special(): number {
    const { etaExponent, normalExponent, p, largest } = this.#format;
    const sign = this.#chance(0.5) ? 1 : -1;
    const kind = this.#random.nextDouble();
    if (this.#nonFinite && kind < 0.2) return this.#huge(largest);
    if (kind < 0.45) return sign * 0;
    if (kind < 0.52) return sign * 2 ** this.#int(-p, -5) * (1 + this.#random.nextDouble());
    if (kind < 0.55) return sign * 2 ** this.#between(normalExponent / 2, -p);
    if (kind < 0.59) return sign * 2 ** this.#int(4, largest < 2 ** 40 ? 6 : 18) * (1 + this.#random.nextDouble());
    if (kind < 0.88) return sign * 2 ** this.#int(-4, 4);
    if (kind < 0.93) return sign * this.#int(1, 9) * 2 ** etaExponent;
    if (kind < 0.95) return sign * 2 ** this.#int(etaExponent, normalExponent);
    return sign * (1 + 2 ** -this.#int(1, p - 1));
  }

  #specialCotangent(): number {
    const isHuge = this.#nonFinite && this.#chance(0.2);
    return isHuge ? this.#huge(this.#format.largest) : this.#specialFactor();
  }

  #huge(largest: number): number {
    // Of any size up to the largest, half of them near it.
    const scale = this.#chance(0.5) ? 1 : 2 ** -this.#int(0, Math.floor(Math.log2(largest)));
    const finite = (this.#random.nextDouble() * 2 - 1) * largest * scale;
    return this.#pick(this.#format.infinite ? [NaN, Infinity, -Infinity, finite] : [NaN, finite]);
  }

  /** A special `dy` or coefficient: fewer tiny ones than in x, since beside other terms they are lost in the bounds. */
  #specialFactor(): number {
    const { etaExponent, p, largest } = this.#format;
    const sign = this.#chance(0.5) ? 1 : -1;
    const kind = this.#random.nextDouble();
    if (kind < 0.2) return sign * 0;
    if (kind < 0.7) return sign * 2 ** this.#int(-6, 6);
    if (kind < 0.82) return sign * 2 ** this.#int(4, largest < 2 ** 40 ? 6 : 12) * (1 + this.#random.nextDouble());
    if (kind < 0.9) return sign * 2 ** this.#int(-p, -8) * (1 + this.#random.nextDouble());
    if (kind < 0.97) return sign * (1 + 2 ** -this.#int(1, p - 1));
    return sign * this.#int(1, 9) * 2 ** etaExponent;
  }

  #round(value: number): number {
    return this.#format.round(value);
  }
}

const isOn = ({ unit, largest }: (typeof lattices)[Dtype], value: number) =>
  Number.isInteger(value / unit) && Math.abs(value) <= largest;

function checkBranches(where: string, branches: unknown): void {
  if (branches === undefined) return;
  if (!Array.isArray(branches)) throw new TypeError(`${where}: "branches" expected an array, got ${typeof branches}`);
  for (const ref of branches) checkBranch(where, ref);
}
