import { shown } from '../reference/arguments.ts';
import type { Dtype } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';
import { type Allowed, leftOpen, nan, type OpenRule } from './allowed.ts';
import { checkDtype, type Format, formats, storageOf } from './dtypes.ts';
import {
  absolute,
  add,
  compare,
  type Dyadic,
  dyadic,
  isZero,
  multiply,
  negate,
  oddPart,
  product,
  scale,
  subtract,
  toNumber,
  zero,
} from './exact.ts';
import type { ExactValue } from './exact-branches.ts';

/**
 * E of spec §5: a transcendental branch may be off by `E·u·|c|·max|f|`, its derivative by twice that.
 * Measured against float64 on 9.5 million x: 1.1 u on tfjs cpu, 1.5 u on wasm (XNNPACK), 5.9 u on native TensorFlow
 * (Eigen's rational tanh; its 1 - t·t 11.8 u). For f64 the C libraries of the field publish errors below 2 ulp. In 16
 * bits sigmoid and its derivative, composed of rounded operations, take 4 u.
 */
const transcendentalError: Readonly<Record<Dtype, number>> = { f64: 4, f32: 8, f16: 8, bf16: 8 };

/** The closed list of facets. */
export const facetNames: readonly Facet[] = ['ftz', 'faithful', 'pairwise', 'storage:f16', 'storage:bf16'];

/** @throws TypeError, RangeError unless `facets` is a list of known ones */
export function checkFacets(where: string, facets: readonly Facet[]): void {
  if (!Array.isArray(facets)) throw new TypeError(`${where} expected an array, got ${shown(facets)}`);
  const unknown = facets.findIndex((facet) => !facetNames.includes(facet));
  if (unknown >= 0) throw new RangeError(`${where} expected ${facetNames.join(', ')}, got ${shown(facets[unknown])}`);
}

/** The arithmetic that a Subject is judged by: its dtype's format under its facets. */
export class Arithmetic {
  readonly format: Format;
  readonly u: number;
  readonly underflowExponent: number;
  readonly eta: number;
  readonly flushes: boolean;
  readonly faithful: boolean;
  readonly pairwise: boolean;
  readonly storage: Format | undefined;
  readonly transcendental: number;

  /** @throws RangeError for an unknown dtype or facet */
  constructor(dtype: Dtype, facets: readonly Facet[]) {
    checkDtype('expectation', dtype);
    checkFacets('expectation: "facets"', facets);
    this.format = formats[dtype];
    this.flushes = facets.includes('ftz');
    this.pairwise = facets.includes('pairwise');
    this.faithful = facets.includes('faithful');
    this.u = 2 ** -this.format.p * (this.faithful ? 2 : 1);
    this.underflowExponent = this.flushes ? this.format.normalExponent : this.format.etaExponent;
    this.eta = 2 ** this.underflowExponent;
    this.storage = storageOf(facets);
    this.transcendental = transcendentalError[dtype];
  }

  /** The values that an input may be read as. */
  readings(value: number): readonly number[] {
    const subnormal = value !== 0 && Math.abs(value) < 2 ** this.format.normalExponent;
    return this.flushes && subnormal ? [value, 0] : [value];
  }

  /** `γₖ = k·u / (1 - k·u)`, rounded up; `undefined` from `k·u ≥ 1/4`. */
  gamma(k: number): number | undefined {
    const ku = Math.max(k, 0) * this.u;
    return ku >= 1 / 4 ? undefined : (ku / (1 - ku)) * (1 + 2 ** -50);
  }
}

/** One term of an expanded result: a product of inputs, and how it counts in the bounds. */
export interface Monomial {
  readonly value: ExactValue;
  /** Further factors: a coefficient, dy. */
  readonly factors: readonly number[];
  readonly negative?: boolean;
}

/** Collects the monomials of one result and derives what is allowed for it. */
export class Result {
  readonly #arithmetic: Arithmetic;
  /** The exact total of the inputs as given. */
  #exact = zero;
  /** How far other readings of the inputs (facet `ftz`) lie below and above it. */
  #below = zero;
  #above = zero;
  /** `Σ|monomials|` in float64, whose own rounding `outward` covers. */
  #absolute = 0;
  #active = 0;
  /** `Σ error·|factors|` of branches that are only approximate. */
  #approximateError = 0;
  #peak = 0;
  /** log₂ of a power of two that divides every monomial, and of one that divides every partial product of its factors. */
  #quantum = Number.POSITIVE_INFINITY;
  #partialQuantum = 0;
  #approximate = false;
  /** The rule by which a branch leaves one of its values open. */
  #open: OpenRule | undefined;
  #infinite = { positive: false, negative: false, timesZero: false };

  constructor(arithmetic: Arithmetic) {
    this.#arithmetic = arithmetic;
  }

  /** The number of terms that are not exactly zero. */
  get active(): number {
    return this.#active;
  }

  /** Adds a term that may be read in several ways (facet `ftz`), first as given. */
  add(given: Monomial, others: readonly Monomial[] = []): void {
    const value = this.#evaluate(given);
    if (value === undefined) return;
    if (others.length === 0) {
      this.#count(value);
    } else {
      const values = [value, ...others.map((other) => this.#evaluate(other) ?? zero)];
      const least = values.reduce((a, b) => (compare(a, b) <= 0 ? a : b));
      const greatest = values.reduce((a, b) => (compare(a, b) >= 0 ? a : b));
      this.#below = add(this.#below, subtract(value, least));
      this.#above = add(this.#above, subtract(greatest, value));
      this.#count([absolute(least), absolute(greatest)].reduce((a, b) => (compare(a, b) >= 0 ? a : b)));
    }
    this.#exact = add(this.#exact, value);
  }

  #count(size: Dyadic): void {
    if (isZero(size)) return;
    this.#active++;
    this.#absolute += Math.abs(toNumber(size, formats.f64, 'nearest'));
  }

  /** The exact value; `undefined` if it is not finite, which is noted. */
  #evaluate({ value, factors, negative = false }: Monomial): Dyadic | undefined {
    if (value.kind === 'open') {
      this.#open = value.why;
      return undefined;
    }
    const all = value.kind === 'approximate' ? factors : [...value.factors, ...factors];
    let peak = value.kind === 'approximate' ? Math.max(1, value.bound) : 1;
    let vanishes = value.kind === 'masked' || (value.kind === 'approximate' && isZero(value.value));
    let isInfinite = false;
    for (const factor of all) {
      peak *= Math.max(1, Math.abs(factor));
      if (factor === 0) vanishes = true;
      else if (!Number.isFinite(factor)) isInfinite = true;
    }
    if (isInfinite) {
      this.#noteInfinite({ value, factors, negative }, all, vanishes);
      return undefined;
    }
    this.#peak += peak;
    if (value.kind === 'approximate') this.#approximate = true;
    if (vanishes) {
      if (value.kind === 'approximate') this.#allowApproximate(value.error, all);
      // Of a term that is only lost here, as sigmoid(-1000): rounded away from 0 it moves the sum that it is added to.
      if (value.kind === 'approximate' && this.#arithmetic.faithful && !all.includes(0)) this.#active++;
      return zero;
    }
    let total = product(all);
    if (value.kind === 'product') {
      this.#quantum = Math.min(this.#quantum, total.e + value.shift);
      const partial = all.reduce((sum, factor) => sum + Math.min(oddPart(factor)[1], 0), Math.min(value.shift, 0));
      this.#partialQuantum = Math.min(this.#partialQuantum, partial);
      total = scale(total, value.shift);
    } else if (value.kind === 'approximate') {
      this.#allowApproximate(value.error, all);
      total = multiply(total, value.value);
    }
    return negative ? negate(total) : total;
  }

  #allowApproximate(error: number, factors: readonly number[]): void {
    if (factors.includes(0)) return;
    // With η for the product, in which an error among the subnormals would be lost.
    this.#approximateError +=
      factors.reduce((product, factor) => product * Math.abs(factor), error) + this.#arithmetic.eta;
  }

  /**
   * A masked-out infinity adds nothing unless a coefficient or dy is infinite; 0 times an active one is open, and so is
   * a product of the other factors that may underflow to 0 first.
   */
  #noteInfinite({ value, factors, negative }: Required<Monomial>, all: readonly number[], vanishes: boolean): void {
    if (value.kind === 'masked') {
      if (factors.some((factor) => !Number.isFinite(factor))) this.#infinite.timesZero = true;
      // A product of the others that overflows is NaN times the 0 that the mask leaves.
      else this.#peak += factors.reduce((size, factor) => size * Math.max(1, Math.abs(factor)), 1);
    } else if (vanishes || !isNonZero(value) || this.#mayUnderflow(all)) this.#infinite.timesZero = true;
    else {
      const below = all.filter((factor) => factor < 0).length % 2 === 1;
      const isNegative = (value.kind === 'approximate' && value.value.m < 0n) !== (below !== negative);
      if (isNegative) this.#infinite.negative = true;
      else this.#infinite.positive = true;
    }
  }

  /** Of any of the factors, in any order; four times, since a partial product may have been rounded down to a half. */
  #mayUnderflow(factors: readonly number[]): boolean {
    const least = factors.filter(Number.isFinite).reduce((least, factor) => least * Math.min(1, Math.abs(factor)), 1);
    return least < 4 * this.#arithmetic.eta;
  }

  /** What is allowed when each monomial passes `roundings` roundings and underflow adds at most `underflow · η`. */
  allowed(roundings: number, underflow: number): Allowed {
    if (this.#open !== undefined) return leftOpen(this.#open);
    const { positive, negative, timesZero } = this.#infinite;
    if (timesZero) return leftOpen('0·∞');
    if (positive && negative) return leftOpen('∞ - ∞');
    const { format, eta, storage, faithful } = this.#arithmetic;
    const gamma = this.#arithmetic.gamma(roundings);
    const overflows = !(this.#peak * (1 + (gamma ?? 1)) < (storage ?? format).largest / 2);
    if (positive || negative) {
      const infinity = positive ? Infinity : -Infinity;
      // Another term may overflow to the other infinity.
      return { ...nan, nan: overflows, lo: infinity, hi: infinity, exact: infinity };
    }
    if (this.#isPoint(storage ?? format) && !overflows) return at(this.#exact, format);
    if (storage !== undefined && this.#isPoint(format)) return this.#interval(0, overflows);
    if (gamma === undefined) return leftOpen('small sum of a large count');
    // Among the subnormals too a rounding whose direction is free is off by twice as much.
    const smallest = faithful ? 2 * eta : eta;
    const bound = (this.#active > 0 ? gamma * this.#absolute + smallest * underflow : 0) + this.#approximateError;
    return this.#interval(bound * outward, overflows);
  }

  /** The point rule: every term a multiple of one q ≥ η, their sizes at most 2ᵖ·q in sum, no partial product below η. */
  #isPoint({ p, etaExponent }: Format): boolean {
    if (this.#approximate || !isZero(this.#below) || !isZero(this.#above)) return false;
    if (this.#active === 0) return true;
    const { underflowExponent } = this.#arithmetic;
    if (this.#quantum < Math.max(underflowExponent, etaExponent) || this.#partialQuantum < underflowExponent)
      return false;
    return this.#absolute * outward <= 2 ** p * 2 ** this.#quantum;
  }

  /** `[exact - below - bound, exact + above + bound]`, rounded inward. */
  #interval(bound: number, overflows: boolean): Allowed {
    const { format, storage, faithful } = this.#arithmetic;
    const exact = toNumber(this.#exact, format);
    if (overflows && (faithful || !(bound < Number.MAX_VALUE))) {
      // What overflows may be rounded to ±Ω, and what then is taken off it leads anywhere; as does a bound that overflows.
      const { largest } = format;
      return { lo: -largest, hi: largest, nan: true, infinite: true, exact, bound: Number.MAX_VALUE, point: false };
    }
    let error = dyadic(Math.min(bound, Number.MAX_VALUE));
    if (storage !== undefined) {
      // `B + u₁₆·(|y| + B) + η₁₆`
      const size = add(add(absolute(this.#exact), error), add(this.#below, this.#above));
      error = add(add(error, scale(size, -storage.p)), { m: 1n, e: storage.etaExponent });
    }
    const [below, above] = [add(this.#below, error), add(this.#above, error)];
    return {
      lo: toNumber(subtract(this.#exact, below), format, 'up'),
      hi: toNumber(add(this.#exact, above), format, 'down'),
      nan: overflows,
      infinite: overflows,
      exact,
      bound: toNumber(compare(below, above) >= 0 ? below : above, formats.f64, 'up'),
      point: false,
    };
  }
}

/** Whether no legal evaluation of a branch is 0. */
export function isNonZero(value: ExactValue): boolean {
  if (value.kind === 'approximate') return Math.abs(toNumber(value.value, formats.f64)) > value.error;
  return value.kind === 'product' && !value.factors.includes(0);
}

/** Covers the rounding of the bounds themselves, which are computed in float64. */
const outward = 1 + 2 ** -40;

/** The exact value alone. */
export function at(value: Dyadic, format: Format): Allowed {
  const exact = toNumber(value, format);
  return { lo: exact, hi: exact, nan: false, infinite: false, exact, bound: 0, point: true };
}
