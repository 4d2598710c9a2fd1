import { branchOf } from '../../reference/branches.ts';
import type { BranchRef, Constraint, Dtype } from '../../reference/case.ts';
import type { CaseKind, CaseOptions } from '../cases.ts';
import { type Format, heldFormat } from '../dtypes.ts';
import type { Draw } from './draw.ts';
import { saturationsOf } from './saturation.ts';

/** What dyadic Cases are made of: multiples of `unit` up to ±`largest`, of which f16 and bf16 add up few exactly. */
const lattices: Readonly<Record<Dtype, { readonly unit: number; readonly largest: number }>> = {
  f64: { unit: 1 / 4, largest: 8 },
  f32: { unit: 1 / 4, largest: 8 },
  f16: { unit: 1 / 2, largest: 4 },
  bf16: { unit: 1 / 2, largest: 2 },
};

/** In large general Cases special values are this much rarer: one of a thousand terms decides a sum. */
const rarer = 20;
/** One ordinary x in so many lies about where a branch of the pool becomes flat. */
const flat = 16;
/** One tensor in so many holds one value only: the dy of a sum, an x of zeros. */
const uniform = 24;

/** Draws the numbers of a Case, each one representable in what the Subject holds. */
export class Values {
  readonly #draw: Draw;
  readonly #kind: CaseKind;
  readonly #lattice: { readonly unit: number; readonly largest: number };
  readonly #format: Format;
  /** Where the given branches have kinks. */
  readonly #kinks: readonly number[];
  /** Whether this Case holds NaN, ±∞ or values near overflow. */
  readonly #nonFinite: boolean;

  constructor(draw: Draw, { dtype, kind, facets = [], finite }: CaseOptions, own: readonly BranchRef[]) {
    this.#draw = draw;
    this.#kind = kind;
    this.#lattice = lattices[dtype];
    this.#format = heldFormat({ dtype, facets });
    const isIn = (at: number) => (kind === 'dyadic' ? isOn(this.#lattice, at) : this.#format.round(at) === at);
    this.#kinks = own.flatMap((ref) =>
      branchOf(ref)
        .kinks.map(({ at }) => at)
        .filter(isIn),
    );
    this.#nonFinite = finite !== true && kind === 'general' && draw.chance(0.2);
  }

  x(size: number, isLarge: boolean, branches: readonly BranchRef[]): Float64Array {
    const isDyadic = this.#kind === 'dyadic';
    const ends = isDyadic ? [] : [...new Set(branches.flatMap((ref) => saturationsOf(ref, this.#format)))];
    const ordinary = () => (ends.length > 0 && this.#draw.chance(1 / flat) ? this.#about(ends) : this.#any());
    return this.#tensor(size, 0, () => this.#value(0.36, isLarge, () => this.#special(), ordinary));
  }

  dy(size: number, isLarge: boolean): Float64Array {
    const ordinary = () => this.#any();
    return this.#tensor(size, 1, () => this.#value(0.4, isLarge, () => this.#specialCotangent(), ordinary));
  }

  coefficients(size: number, constraint: Constraint): Float64Array {
    return Float64Array.from({ length: size }, () => this.#coefficient(constraint));
  }

  /** All elements drawn, or rarely one for all, half of these the likely one. */
  #tensor(size: number, likely: number, one: () => number): Float64Array {
    if (!this.#draw.chance(1 / uniform)) return Float64Array.from({ length: size }, one);
    return new Float64Array(size).fill(this.#draw.chance(0.5) ? likely : one());
  }

  #coefficient(constraint: Constraint): number {
    if (this.#nonFinite && this.#draw.chance(0.01))
      return this.#draw.pick(this.#format.infinite ? [NaN, Infinity, -Infinity] : [NaN]);
    if (constraint.kind === 'clip' && this.#draw.chance(0.3)) {
      const bound = this.#draw.pick(constraint.bounds.filter(Number.isFinite).concat(0));
      const off = this.#draw.chance(0.3) ? this.#draw.pick([1, -1]) * 2 ** -this.#draw.int(1, this.#format.p - 1) : 0;
      const near = this.#kind === 'dyadic' ? bound : this.#round(bound * (1 + off));
      return this.#draw.chance(0.5) ? near : -near;
    }
    return this.finiteCoefficient();
  }

  finiteCoefficient(): number {
    if (this.#kind === 'dyadic') return this.#dyadic(0.2);
    if (this.#draw.chance(0.3)) return this.#round(this.#draw.pick([0, 1, -1, 0.5, 2, 0.8, 0.2]));
    if (this.#draw.chance(0.3)) return this.#round(this.#specialFactor());
    return this.#round(this.#draw.fraction() * 4 - 2);
  }

  /** One element of `x` or `dy`, special with the given probability. */
  #value(probability: number, isLarge: boolean, special: () => number, ordinary: () => number): number {
    if (this.#kinks.length > 0 && this.#draw.chance(probability / 4)) return this.#besideKink();
    if (this.#kind === 'dyadic') return this.#dyadic(probability);
    return this.#round(this.#draw.chance(isLarge ? probability / rarer : probability) ? special() : ordinary());
  }

  #any(): number {
    return (this.#draw.fraction() * 2 - 1) * 2 ** this.#draw.int(-3, 5);
  }

  /** From a quarter below to a quarter beyond one of these ends: a branch that is cut too early shows below. */
  #about(ends: readonly number[]): number {
    return this.#draw.pick(ends) * (0.75 + this.#draw.fraction() / 2);
  }

  /** A kink of a given branch, or its neighbour on either side. */
  #besideKink(): number {
    const at = this.#draw.pick(this.#kinks);
    const step = this.#kind === 'dyadic' ? this.#lattice.unit : 2 * Math.abs(at) * 2 ** -this.#format.p;
    return this.#round(at + this.#draw.pick([0, 0, step, -step]));
  }

  #dyadic(special: number): number {
    const { unit, largest } = this.#lattice;
    if (this.#draw.chance(special)) return this.#draw.pick([0, -0, unit, -unit, 1, -1, 2, largest]);
    return this.#draw.int(-largest / unit, largest / unit) * unit;
  }

  #special(): number {
    const { etaExponent, normalExponent, p, largest } = this.#format;
    const sign = this.#draw.sign();
    const kind = this.#draw.fraction();
    if (this.#nonFinite && kind < 0.2) return this.#huge(largest);
    if (kind < 0.45) return sign * 0;
    if (kind < 0.52) return sign * 2 ** this.#draw.int(-p, -5) * (1 + this.#draw.fraction());
    if (kind < 0.55) return sign * 2 ** this.#draw.between(normalExponent / 2, -p);
    if (kind < 0.59) return sign * 2 ** this.#draw.int(4, largest < 2 ** 40 ? 6 : 18) * (1 + this.#draw.fraction());
    if (kind < 0.88) return sign * 2 ** this.#draw.int(-4, 4);
    if (kind < 0.93) return sign * this.#draw.int(1, 9) * 2 ** etaExponent;
    if (kind < 0.95) return sign * 2 ** this.#draw.int(etaExponent, normalExponent);
    return sign * (1 + 2 ** -this.#draw.int(1, p - 1));
  }

  #specialCotangent(): number {
    const isHuge = this.#nonFinite && this.#draw.chance(0.2);
    return isHuge ? this.#huge(this.#format.largest) : this.#specialFactor();
  }

  #huge(largest: number): number {
    // Of any size up to the largest, half of them near it.
    const scale = this.#draw.chance(0.5) ? 1 : 2 ** -this.#draw.int(0, Math.floor(Math.log2(largest)));
    const finite = (this.#draw.fraction() * 2 - 1) * largest * scale;
    return this.#draw.pick(this.#format.infinite ? [NaN, Infinity, -Infinity, finite] : [NaN, finite]);
  }

  /** A special `dy` or coefficient: fewer tiny ones than in x, since beside other terms they are lost in the bounds. */
  #specialFactor(): number {
    const { etaExponent, p, largest } = this.#format;
    const sign = this.#draw.sign();
    const kind = this.#draw.fraction();
    if (kind < 0.2) return sign * 0;
    if (kind < 0.7) return sign * 2 ** this.#draw.int(-6, 6);
    if (kind < 0.82) return sign * 2 ** this.#draw.int(4, largest < 2 ** 40 ? 6 : 12) * (1 + this.#draw.fraction());
    if (kind < 0.9) return sign * 2 ** this.#draw.int(-p, -8) * (1 + this.#draw.fraction());
    if (kind < 0.97) return sign * (1 + 2 ** -this.#draw.int(1, p - 1));
    return sign * this.#draw.int(1, 9) * 2 ** etaExponent;
  }

  #round(value: number): number {
    return this.#format.round(value);
  }
}

const isOn = ({ unit, largest }: (typeof lattices)[Dtype], value: number) =>
  Number.isInteger(value / unit) && Math.abs(value) <= largest;
