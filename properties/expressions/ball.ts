import { piOf, type Series, series } from './series.ts';
import { type Big, type BigClass, bigClass, Digits } from './tree.ts';

/**
 * A number known to lie within 10^`radius` of `middle`: `-Infinity` when it is `middle` exactly, `Infinity` when nothing
 * is known. A middle of ±∞ or NaN is what IEEE 754 gives for the operation.
 */
export interface Ball {
  readonly middle: Big;
  readonly radius: number;
}

/** Twice what `size` may be off by. */
const margin = 1e-7;
/** Exponents up to which a number is looked at digit by digit. */
const furthest = 308;
const exactly = Number.NEGATIVE_INFINITY;
const anything = Number.POSITIVE_INFINITY;

/** Ball arithmetic on BigNumbers of one precision: every result encloses what the operation gives on every enclosed input. */
export class Balls {
  readonly #digits: number;
  readonly #Big: BigClass;
  readonly unknown: Ball;

  constructor(digits: number) {
    this.#digits = digits;
    this.#Big = bigClass(digits);
    this.unknown = { middle: new this.#Big(0), radius: anything };
  }

  /** A number rounded to the precision. */
  of(value: string | number | Big): Ball {
    const given = new this.#Big(value);
    if (!given.isFinite() || given.precision() <= this.#digits) return { middle: given, radius: exactly };
    return this.#rounded(given.toSignificantDigits(this.#digits), exactly);
  }

  pi(): Ball {
    return this.#rounded(piOf(this.#digits, this.#Big), exactly);
  }

  around(middle: Big, radius: number): Ball {
    return { middle: new this.#Big(middle), radius };
  }

  add(a: Ball, b: Ball): Ball {
    const middle = new this.#Big(a.middle).plus(b.middle);
    if (!middle.isFinite()) return limit(middle, a, b);
    const radius = sum(a.radius, b.radius);
    const lowest = Math.min(lastDigit(a.middle), lastDigit(b.middle));
    const fits = Math.max(a.middle.e, b.middle.e) + 2 - lowest <= this.#digits;
    return fits || a.middle.isZero() || b.middle.isZero() ? known(middle, radius) : this.#rounded(middle, radius);
  }

  negate({ middle, radius }: Ball): Ball {
    return { middle: middle.negated(), radius };
  }

  multiply(a: Ball, b: Ball): Ball {
    if (isZero(a) && b.middle.isFinite() && b.radius < anything) return a;
    if (isZero(b) && a.middle.isFinite() && a.radius < anything) return b;
    const middle = new this.#Big(a.middle).times(b.middle);
    if (!middle.isFinite()) return limit(middle, a, b);
    const radius = sum(size(a.middle) + b.radius, size(b.middle) + a.radius, a.radius + b.radius);
    const fits = a.middle.precision() + b.middle.precision() <= this.#digits;
    return fits ? known(middle, radius) : this.#rounded(middle, radius);
  }

  divide(a: Ball, b: Ball): Ball {
    if (b.radius > exactly && !(b.radius < size(b.middle) - margin)) return this.unknown;
    const middle = new this.#Big(a.middle).div(b.middle);
    if (!middle.isFinite() || !b.middle.isFinite()) return limit(middle, a, b);
    // |a/b - ã/b̃| ≤ (r + |ã/b̃|·s) / (|b̃| - s)
    const radius = sum(a.radius, size(middle) + b.radius) - difference(size(b.middle) - margin, b.radius);
    const fits = middle.precision() + b.middle.precision() <= this.#digits && middle.times(b.middle).eq(a.middle);
    return fits ? known(middle, radius) : this.#rounded(middle, radius);
  }

  /** aⁿ for a whole n. */
  #integerPower(a: Ball, n: number): Ball {
    if (n < 0) return this.divide(this.of(1), this.#integerPower(a, -n));
    let [result, square, rest] = [this.of(1), a, n];
    for (;;) {
      if (rest % 2 === 1) result = this.multiply(result, square);
      rest = Math.floor(rest / 2);
      if (rest === 0) return result;
      square = this.multiply(square, square);
    }
  }

  /** `aᵇ` as `exp(b·log a)` unless b is a small whole number; NaN below 0, as `Math.pow`. */
  power(a: Ball, b: Ball): Ball {
    if (b.radius === exactly && b.middle.isInteger() && b.middle.abs().lte(256)) {
      return this.#integerPower(a, b.middle.toNumber());
    }
    if (isZero(a) && a.radius === exactly && this.sign(b) !== undefined) {
      return this.of(this.sign(b)! > 0 ? 0 : Number.POSITIVE_INFINITY);
    }
    const side = this.sign(a);
    if (side === undefined) return this.unknown;
    if (side < 0 && b.radius === exactly && b.middle.e <= furthest && b.middle.isInteger()) {
      const power = this.power(this.negate(a), b);
      return b.middle.mod(2).isZero() ? power : this.negate(power);
    }
    return this.apply('exp', this.multiply(b, this.apply('log', a)));
  }

  /** Negative, 0 or positive as all that the ball holds; `undefined` if that is not one sign, NaN for NaN. */
  sign({ middle, radius }: Ball): number | undefined {
    if (radius === exactly) return middle.isNaN() ? Number.NaN : middle.isZero() ? 0 : middle.isNegative() ? -1 : 1;
    if (radius === anything || !(radius < size(middle) - margin)) return undefined;
    return middle.isNegative() ? -1 : 1;
  }

  /** A primitive function; the others of the grammar are made of these. */
  apply(name: Series, w: Ball): Ball {
    const { middle: v, radius: r } = w;
    if (r === anything) return this.unknown;
    if (name === 'atan' && !v.isFinite() && !v.isNaN()) {
      return this.multiply(this.of(v.isNegative() ? -0.5 : 0.5), this.pi());
    }
    if (!v.isFinite()) return this.of(Math[name](v.toNumber()));
    // More digits than a float64 has before its point.
    if ((name === 'sin' || name === 'cos') && v.e > furthest) return this.unknown;
    // How far the ball is from where the domain ends.
    const edge = name === 'log1p' ? new Digits(v).plus(1) : name === 'log' || name === 'sqrt' ? v : undefined;
    if (edge !== undefined) {
      const isOpen = r > exactly && !(r < size(edge) - margin);
      if (isOpen) return this.unknown;
      if (edge.isNegative() && !edge.isZero()) return this.of(Number.NaN);
      if (edge.isZero()) return this.of(name === 'sqrt' ? 0 : Number.NEGATIVE_INFINITY);
    }
    const value = series(name, v, this.#digits, this.#Big);
    // Beyond the exponents of a BigNumber: less than any power of ten that is asked for.
    if (name === 'exp' && value.isZero()) return known(value, -1e15);
    if (!value.isFinite() || (r === exactly && isExactAt(name, v, value))) return known(value, exactly);
    return this.#rounded(value, spread(name, v, r, value, edge));
  }

  /** The rounding of an operation: at most 10 units of the last digit, which covers functions that are not rounded once. */
  #rounded(middle: Big, radius: number): Ball {
    return { middle, radius: sum(radius, (middle.isZero() ? 0 : middle.e) + 2 - this.#digits) };
  }
}

/** log₁₀ of how far a function goes within 10ʳ of v. */
function spread(name: Series, v: Big, r: number, value: Big, edge: Big | undefined): number {
  switch (name) {
    case 'exp':
      return size(value) + (r < -1 ? r + 0.03 : Math.min(10 ** r, 1e300) * Math.LOG10E);
    case 'expm1':
      return r + (v.toNumber() + Math.min(10 ** r, 1e300)) * Math.LOG10E + margin;
    case 'log':
    case 'log1p':
      return r - difference(size(edge!) - margin, r);
    case 'sqrt':
      return r - (size(v) - margin) / 2;
    case 'cbrt':
      return r > exactly && !(r < size(v) - margin) ? r / 3 + 0.31 : r - (2 * (size(v) - margin)) / 3;
    default:
      // sin, cos, atan: no slope above 1.
      return r;
  }
}

const known = (middle: Big, radius: number): Ball => ({ middle, radius });
/** A result that is not finite, or that an infinite operand gives. */
const limit = (middle: Big, a: Ball, b: Ball): Ball =>
  known(middle, a.radius === anything || b.radius === anything ? anything : exactly);
const isZero = ({ middle, radius }: Ball) => radius === exactly && middle.isZero();

/** Where a value is exact: at 0, at 1 where it is 0 there, and the root of a power. */
function isExactAt(name: Series, v: Big, value: Big): boolean {
  if (name === 'sqrt' || name === 'cbrt') return new Digits(value).pow(name === 'sqrt' ? 2 : 3).eq(v);
  return name === 'log' ? v.eq(1) : v.isZero();
}

/** log₁₀|v| or up to `margin / 2` more, `-Infinity` for 0. */
export function size(v: Big): number {
  if (v.isZero()) return Number.NEGATIVE_INFINITY;
  if (!v.isFinite()) return Number.POSITIVE_INFINITY;
  // Words of seven digits, the first without its leading zeros.
  const { d, e } = v as unknown as { d: readonly number[]; e: number };
  const digits = Math.floor(Math.log10(d[0]));
  return e - digits + Math.log10(d[0] + ((d[1] ?? -1) + 1) / 1e7);
}

/** The decimal place of the last digit. */
function lastDigit(v: Big): number {
  return v.isZero() ? Number.POSITIVE_INFINITY : v.e - v.precision() + 1;
}

/** `log₁₀ Σ 10ʳ`, a little more for its own rounding. */
function sum(...radii: readonly number[]): number {
  const most = Math.max(...radii);
  if (!Number.isFinite(most)) return Number.isNaN(most) ? anything : most;
  return most + Math.log10(radii.reduce((total, r) => total + 10 ** (r - most), 0)) + 1e-9;
}

/** `log₁₀(10ᵃ - 10ᵇ)` for a > b, a little less for its own rounding. */
function difference(a: number, b: number): number {
  return b === exactly ? a : a + Math.log10(1 - 10 ** (b - a)) - 1e-9;
}
