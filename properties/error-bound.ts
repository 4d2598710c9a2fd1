import type { Dtype } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';
import { type Allowed, nan, unchecked } from './allowed.ts';
import { type Format, formats, storageFormats } from './dtypes.ts';
import {
  absolute,
  add,
  compare,
  type Dyadic,
  dyadic,
  isZero,
  lowestBit,
  multiply,
  negate,
  scale,
  subtract,
  toNumber,
  zero,
} from './exact.ts';
import type { ExactValue } from './exact-branches.ts';

/**
 * E of spec §5: a transcendental branch may be off by `E·u·|c|·max|f|`.
 */
const transcendentalError: Readonly<Record<Dtype, number>> = { f64: 4, f32: 8 };

/** The arithmetic that a Subject is judged by: its dtype's format under its facets. */
export class Arithmetic {
  readonly format: Format;
  readonly u: number;
  readonly underflowExponent: number;
  readonly eta: Dyadic;
  readonly flushes: boolean;
  readonly pairwise: boolean;
  readonly storage: (typeof storageFormats)['storage:f16'] | undefined;
  readonly transcendental: number;

  constructor(dtype: Dtype, facets: readonly Facet[]) {
    this.format = formats[dtype];
    this.flushes = facets.includes('ftz');
    this.pairwise = facets.includes('pairwise');
    this.u = 2 ** -this.format.p * (facets.includes('faithful') ? 2 : 1);
    this.underflowExponent = this.flushes ? this.format.normalExponent : this.format.etaExponent;
    this.eta = { m: 1n, e: this.underflowExponent };
    const stored = facets.find((facet) => facet === 'storage:f16' || facet === 'storage:bf16');
    this.storage = stored && storageFormats[stored];
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
  /** The exact total of the inputs as given; under `ftz` also the least and greatest over their readings. */
  #exact = zero;
  #least = zero;
  #greatest = zero;
  #absolute = zero;
  #active = 0;
  /** `Σ E·u·|…|·max|f|` of transcendental branches. */
  #transcendental = zero;
  #peak = 0;
  /** log₂ of a power of two that divides every monomial and every partial product of its factors. */
  #quantum = Number.POSITIVE_INFINITY;
  #partialQuantum = 0;
  #approximate = false;
  #infinite = { positive: false, negative: false, timesZero: false };

  constructor(arithmetic: Arithmetic) {
    this.#arithmetic = arithmetic;
  }

  get active(): number {
    return this.#active;
  }

  add(monomial: Monomial): void {
    const value = this.#evaluate(monomial);
    if (value === undefined) return;
    this.#exact = add(this.#exact, value);
    this.#least = add(this.#least, value);
    this.#greatest = add(this.#greatest, value);
    this.#count(absolute(value));
  }

  /** A term that may be read in several ways (facet `ftz`), first as given. */
  addReadings(readings: readonly Monomial[]): void {
    if (readings.length === 1) {
      this.add(readings[0]!);
      return;
    }
    const values = readings.map((reading) => this.#evaluate(reading) ?? zero);
    this.#exact = add(this.#exact, values[0]!);
    const least = values.reduce((a, b) => (compare(a, b) <= 0 ? a : b));
    const greatest = values.reduce((a, b) => (compare(a, b) >= 0 ? a : b));
    this.#least = add(this.#least, least);
    this.#greatest = add(this.#greatest, greatest);
    this.#count([absolute(least), absolute(greatest)].reduce((a, b) => (compare(a, b) >= 0 ? a : b)));
  }

  #count(size: Dyadic): void {
    if (isZero(size)) return;
    this.#active++;
    this.#absolute = add(this.#absolute, size);
  }

  /** The exact value; `undefined` if it is not finite, which is noted. */
  #evaluate({ value, factors, negative }: Monomial): Dyadic | undefined {
    const all = value.kind === 'approximate' ? factors : [...value.factors, ...factors];
    let peak = value.kind === 'approximate' ? value.bound : 1;
    let quantum = value.kind === 'product' ? value.shift : 0;
    let partial = Math.min(quantum, 0);
    let isNegative = negative ?? false;
    let infinite = false;
    let isZeroProduct = value.kind === 'masked' || (value.kind === 'approximate' && isZero(value.value));
    let total: Dyadic = value.kind === 'approximate' ? value.value : { m: 1n, e: quantum };
    for (const factor of all) {
      peak *= Math.max(1, Math.abs(factor));
      if (factor === 0) isZeroProduct = true;
      else if (!Number.isFinite(factor)) infinite = true;
      if (factor < 0) isNegative = !isNegative;
    }
    if (infinite) {
      // A masked-out factor never meets the others: only active terms and zero coefficients matter.
      if (value.kind !== 'masked' && isZeroProduct) this.#infinite.timesZero = true;
      else if (value.kind === 'masked') {
        if (factors.some((factor) => !Number.isFinite(factor))) this.#infinite.timesZero = true;
      } else if (value.kind === 'approximate' && value.value.m < 0n ? !isNegative : isNegative) {
        this.#infinite.negative = true;
      } else this.#infinite.positive = true;
      return undefined;
    }
    this.#peak += peak;
    if (value.kind === 'approximate') this.#approximate = true;
    if (isZeroProduct && value.kind !== 'approximate') return zero;
    for (const factor of all) {
      const exact = dyadic(factor);
      total = multiply(total, exact);
      if (value.kind === 'product') {
        const low = lowestBit(exact);
        quantum += low;
        partial += Math.min(low, 0);
      }
    }
    if (value.kind === 'product') {
      this.#quantum = Math.min(this.#quantum, quantum);
      this.#partialQuantum = Math.min(this.#partialQuantum, partial);
    } else if (value.kind === 'approximate') {
      let error = dyadic(this.#arithmetic.transcendental * this.#arithmetic.u * value.bound);
      for (const factor of all) error = multiply(error, absolute(dyadic(factor)));
      this.#transcendental = add(this.#transcendental, error);
    }
    return negative ? negate(total) : total;
  }

  /** What is allowed when each monomial passes `roundings` roundings and underflow adds at most `underflow · η`. */
  allowed(roundings: number, underflow: number): Allowed {
    const { positive, negative, timesZero } = this.#infinite;
    if (timesZero) return unchecked('0·∞');
    if (positive && negative) return unchecked('∞ - ∞');
    if (positive || negative) {
      const infinity = positive ? Infinity : -Infinity;
      return { ...nan, nan: false, lo: infinity, hi: infinity, exact: infinity };
    }
    const { format, eta, storage } = this.#arithmetic;
    const gamma = this.#arithmetic.gamma(roundings);
    const overflows = !(this.#peak * (1 + (gamma ?? 1)) < (storage ?? format).largest / 2);
    if (this.#isPoint() && !overflows && storage === undefined) return at(this.#least, format);
    if (gamma === undefined) return unchecked('small sum of a large count');
    let bound = this.#transcendental;
    if (this.#active > 0) {
      bound = add(
        bound,
        add(multiply(dyadic(gamma), this.#absolute), multiply(eta, dyadic(Math.min(underflow, Number.MAX_VALUE)))),
      );
    }
    if (storage !== undefined) bound = stored(bound, this.#least, this.#greatest, storage);
    return interval(this.#exact, this.#least, this.#greatest, bound, format, overflows);
  }

  /** The point rule: every term a multiple of one q ≥ η, their sizes at most 2ᵖ·q in sum, no partial product below η. */
  #isPoint(): boolean {
    if (this.#approximate || compare(this.#least, this.#greatest) !== 0) return false;
    if (this.#active === 0) return true;
    const { format, underflowExponent } = this.#arithmetic;
    if (this.#quantum < underflowExponent || this.#partialQuantum < underflowExponent) return false;
    return compare(this.#absolute, { m: 1n, e: format.p + this.#quantum }) <= 0;
  }
}

/** The exact value alone. */
export function at(value: Dyadic, format: Format): Allowed {
  const exact = toNumber(value, format);
  return { lo: exact, hi: exact, nan: false, infinite: false, exact, bound: 0, point: true };
}

/** `[least - bound, greatest + bound]`, rounded inward. */
function interval(
  exact: Dyadic,
  least: Dyadic,
  greatest: Dyadic,
  bound: Dyadic,
  format: Format,
  overflows: boolean,
): Allowed {
  const [lowest, highest] = [subtract(least, bound), add(greatest, bound)];
  const [below, above] = [subtract(exact, lowest), subtract(highest, exact)];
  return {
    lo: toNumber(lowest, format, 'up'),
    hi: toNumber(highest, format, 'down'),
    nan: overflows,
    infinite: overflows,
    exact: toNumber(exact, format),
    bound: toNumber(compare(below, above) >= 0 ? below : above, formats.f64, 'up'),
    point: false,
  };
}

/** `B + u₁₆·(|y| + B) + η₁₆` (facets `storage:f16`, `storage:bf16`). */
function stored(bound: Dyadic, least: Dyadic, greatest: Dyadic, { p, etaExponent }: Omit<Format, 'round'>): Dyadic {
  const size = [absolute(least), absolute(greatest)].reduce((a, b) => (compare(a, b) >= 0 ? a : b));
  return add(add(bound, scale(add(size, bound), -p)), { m: 1n, e: etaExponent });
}
