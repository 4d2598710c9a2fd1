import { type Big, type BigClass, bigClass } from './tree.ts';

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
  readonly #wide: BigClass;

  constructor(digits: number) {
    this.#digits = digits;
    this.#Big = bigClass(digits);
    // For functions with a period, whose argument is first reduced.
    this.#wide = bigClass(digits + 320);
    this.unknown = { middle: new this.#Big(0), radius: anything };
  }

  /** A number rounded to the precision. */
  of(value: string | number | Big): Ball {
    const given = new this.#Big(value);
    if (!given.isFinite() || given.precision() <= this.#digits) return { middle: given, radius: exactly };
    return this.#rounded(given.toSignificantDigits(this.#digits), exactly);
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
  apply(name: Primitive, w: Ball): Ball {
    if (w.radius === anything) return this.unknown;
    const v = new this.#Big(w.middle);
    if (!v.isFinite()) return this.of(atInfinity(name, v.toNumber()));
    // More digits than π is known to.
    if ((name === 'sin' || name === 'cos') && v.e > furthest) return this.unknown;
    const r = w.radius;
    const magnitude = size(v);
    if (domain(name, v) === 'outside' && (r === exactly || this.#isClear(name, v, r))) return this.of(Number.NaN);
    const value = this.#value(name, v);
    // Beyond the exponents of a BigNumber: less than any power of ten that is asked for.
    if (name === 'exp' && value.isZero()) return known(value, -1e15);
    const isExact = r === exactly && isExactAt(name, v);
    if (isExact || !value.isFinite()) return known(value, exactly);
    let spread: number;
    switch (name) {
      case 'exp':
        spread = size(value) + (r < -1 ? r + 0.03 : Math.min(10 ** r, 1e300) * Math.LOG10E);
        break;
      case 'log':
        if (r > exactly && (v.isNegative() || !(r < magnitude - margin))) return this.unknown;
        spread = r - difference(magnitude - margin, r);
        break;
      case 'sqrt':
        if (r > exactly && (v.isNegative() || !(r < magnitude - margin))) return this.unknown;
        spread = r - (magnitude - margin) / 2;
        break;
      case 'cbrt':
        spread = r > exactly && !(r < magnitude - margin) ? r / 3 + 0.31 : r - (2 * (magnitude - margin)) / 3;
        break;
      case 'sinh':
      case 'cosh':
        spread = r + (Math.abs(v.toNumber()) + 10 ** r) * Math.LOG10E;
        break;
      case 'asin':
      case 'acos':
      case 'atanh': {
        const edge = 1 - (Math.abs(v.toNumber()) + 10 ** r) ** 2;
        if (r > exactly && !(edge > 1e-12)) return this.unknown;
        spread = r > exactly ? r - Math.log10(edge) : r;
        break;
      }
      case 'acosh': {
        const edge = (v.toNumber() - 10 ** r) ** 2 - 1;
        if (r > exactly && !(edge > 1e-12)) return this.unknown;
        spread = r > exactly ? r - Math.log10(Math.min(edge, 1)) : r;
        break;
      }
      default:
        // sin, cos, atan, tanh, asinh: no slope above 1.
        spread = r;
    }
    return this.#rounded(value, spread);
  }

  #value(name: Primitive, v: Big): Big {
    switch (name) {
      case 'log':
        return v.ln();
      case 'sin':
      case 'cos':
        // Reduced by a π with as many digits more as the argument has before its point.
        return v.e < 2 ? v[name]() : new this.#wide(v)[name]();
      default:
        return v[name]();
    }
  }

  /** Whether all of a ball lies outside the domain. */
  #isClear(name: Primitive, v: Big, r: number): boolean {
    if (name === 'log' || name === 'sqrt') return r < size(v) - margin;
    return 10 ** r < Math.abs(Math.abs(v.toNumber()) - 1) - 1e-12;
  }

  /** The rounding of an operation: at most 10 units of the last digit, which covers functions that are not rounded once. */
  #rounded(middle: Big, radius: number): Ball {
    return { middle, radius: sum(radius, (middle.isZero() ? 0 : middle.e) + 2 - this.#digits) };
  }
}

export type Primitive =
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'cbrt'
  | 'sin'
  | 'cos'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh';

const known = (middle: Big, radius: number): Ball => ({ middle, radius });
/** A result that is not finite, or that an infinite operand gives. */
const limit = (middle: Big, a: Ball, b: Ball): Ball =>
  known(middle, a.radius === anything || b.radius === anything ? anything : exactly);
const isZero = ({ middle, radius }: Ball) => radius === exactly && middle.isZero();

function atInfinity(name: Primitive, w: number): number {
  return Math[name](w);
}

function domain(name: Primitive, v: Big): 'inside' | 'outside' {
  if (name === 'log' || name === 'sqrt') return v.isNegative() && !v.isZero() ? 'outside' : 'inside';
  if (name === 'asin' || name === 'acos' || name === 'atanh') return v.abs().gt(1) ? 'outside' : 'inside';
  return name === 'acosh' && v.lt(1) ? 'outside' : 'inside';
}

/** Where a function has a value that is exact: at 0, and at 1 for those that are 0 there. */
function isExactAt(name: Primitive, v: Big): boolean {
  if (name === 'log' || name === 'acosh' || name === 'acos') return v.eq(1) || (name === 'log' && v.isZero());
  return v.isZero();
}

/** log₁₀|v| or up to `margin / 2` more, `-Infinity` for 0. */
export function size(v: Big): number {
  if (v.isZero()) return Number.NEGATIVE_INFINITY;
  if (!v.isFinite()) return Number.POSITIVE_INFINITY;
  // Words of seven digits, the first without its leading zeros.
  const { d, e } = v as unknown as { d: readonly number[]; e: number };
  const digits = Math.floor(Math.log10(d[0]!));
  return e - digits + Math.log10(d[0]! + ((d[1] ?? -1) + 1) / 1e7);
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
