import { absolute, atan, bitLength, expm1, ln10, log, log1p, pi, root, taylor } from './fixed-point.ts';
import { type Big, type BigClass, Digits } from './tree.ts';

export type Series = 'exp' | 'expm1' | 'log' | 'log1p' | 'sin' | 'cos' | 'atan' | 'sqrt' | 'cbrt';

/** Bits beyond those asked for, of which rounding takes 16. */
const guard = 40;
const bitsPerDigit = Math.log2(10);

/**
 * A function of a BigNumber to a relative error of `10^-digits`, by power series and whole numbers. BigNumber's own take
 * seconds where hundreds of digits are 0 or 9 (`log(1 + 1e-100)`: ten digits more at a time, until the last is certain),
 * and know 1025 digits of π, too few to reduce what `sin` is asked for.
 *
 * @param v finite; above 0 for `log` and `sqrt`, above -1 for `log1p`
 */
export function series(name: Series, v: Big, digits: number, Result: BigClass): Big {
  if (name === 'sqrt' || name === 'cbrt') return v.isZero() ? v : rooted(v, name === 'sqrt' ? 2 : 3, digits, Result);
  // v·(1 + δ) or 1 + δ with |δ| ≤ |v|
  if (name !== 'log' && (v.isZero() || v.e < -digits)) {
    return new Result(name === 'cos' || name === 'exp' ? 1 : v);
  }
  const bits = Math.ceil(digits * bitsPerDigit) + guard;
  // So many more, that what is as small as v has its digits too, or as large as v its fraction.
  const p = bits + Math.ceil(Math.abs(v.e) * bitsPerDigit) + 4;
  switch (name) {
    case 'exp': {
      if (v.e > 17) return new Result(v.isNegative() ? 0 : Number.POSITIVE_INFINITY);
      // 10ᵏ · eʳ
      const w = fixed(v, p);
      const k = w / ln10(p);
      return decimal(expm1(w - k * ln10(p), p) + (1n << BigInt(p)), p, digits, Result, k);
    }
    case 'expm1':
      if (v.abs().gte(0.5)) {
        return new Result(
          series('exp', v, digits + 2, Digits)
            .minus(1)
            .toSignificantDigits(digits + 2),
        );
      }
      return decimal(expm1(fixed(v, p), p), p, digits, Result);
    case 'log': {
      const shift = new Digits(v).minus(1);
      if (shift.abs().lt(0.4)) return shift.isZero() ? shift : series('log1p', shift, digits, Result);
      // e·log 10 + log m, e of at most 16 digits
      const q = bits + 60;
      const m = fixed(new Digits(v).times(`1e${-v.e}`), q);
      return decimal(BigInt(v.e) * ln10(q) + log(m, q), q, digits, Result);
    }
    case 'log1p':
      if (v.abs().gte(0.4)) return series('log', new Digits(v).plus(1), digits, Result);
      return decimal(log1p(fixed(v, p), p), p, digits, Result);
    case 'atan': {
      if (v.e > digits) return new Result(decimal(v.isNegative() ? -pi(bits) : pi(bits), bits, digits, Digits).div(2));
      const one = 1n << BigInt(p);
      const w = fixed(v, p);
      if (absolute(w) <= one) return decimal(atan(w, p), p, digits, Result);
      const right = (w < 0n ? -pi(p) : pi(p)) / 2n;
      return decimal(right - atan((one << BigInt(p)) / w, p), p, digits, Result);
    }
    default:
      return sine(name, v, p, digits, Result);
  }
}

/** `sin` or `cos` by what is left of v beside the nearest multiple of π/2, with more bits if that is little. */
function sine(name: 'sin' | 'cos', v: Big, p: number, digits: number, Result: BigClass): Big {
  const right = pi(p) / 2n;
  const w = fixed(v, p);
  const half = w < 0n ? -right / 2n : right / 2n;
  const quadrant = (w + half) / right;
  const rest = w - quadrant * right;
  const turn = mod(Number(quadrant % 4n), 4) + (name === 'cos' ? 1 : 0);
  const value = taylor(turn % 2 === 0 ? 0 : 1, rest, p);
  // quadrant·π/2 is off by up to quadrant/2ᵖ.
  const known = bitLength(value) - guard - Math.max(0, Math.ceil(v.e * bitsPerDigit));
  const missing = Math.ceil(digits * bitsPerDigit) - known;
  if (missing > 0) return sine(name, v, p + missing + 8, digits, Result);
  return decimal(turn % 4 < 2 ? value : -value, p, digits, Result);
}

/** A root of the whole number that v is when its point is moved so far that the root has its digits. */
function rooted(v: Big, degree: number, digits: number, Result: BigClass): Big {
  const [coefficient, exponent] = whole(v);
  const wanted = degree * (digits + 3) - (v.e - exponent);
  const moved = Math.max(0, wanted) + mod(exponent - Math.max(0, wanted), degree);
  const value = root(absolute(coefficient) * power(moved), BigInt(degree));
  return new Result(`${coefficient < 0n ? -value : value}e${(exponent - moved) / degree}`);
}

function mod(a: number, n: number): number {
  return ((a % n) + n) % n;
}

/** `v·2ᵖ`, rounded to a whole number. */
function fixed(v: Big, p: number): bigint {
  const [coefficient, exponent] = whole(v);
  return exponent >= 0 ? (coefficient * power(exponent)) << BigInt(p) : (coefficient << BigInt(p)) / power(-exponent);
}

/** The whole c and k of `v = c·10ᵏ`. */
function whole(v: Big): readonly [bigint, number] {
  // Words of seven digits, the first without its leading zeros.
  const { d, e, s } = v as unknown as { d: readonly number[]; e: number; s: number };
  const digits = d.map((word, i) => (i === 0 ? `${word}` : `${word}`.padStart(7, '0'))).join('');
  return [BigInt(digits) * BigInt(s), e - digits.length + 1];
}

/** `value · 2⁻ᵖ · 10ᵏ` with three digits more than asked for. */
function decimal(value: bigint, p: number, digits: number, Result: BigClass, k = 0n): Big {
  const place = digits + 3 - Math.floor((bitLength(value) - p) / bitsPerDigit);
  const scaled = place >= 0 ? (value * power(place)) >> BigInt(p) : (value / power(-place)) >> BigInt(p);
  return new Result(`${scaled}e${k - BigInt(place)}`);
}

const powers = new Map<number, bigint>();

function power(n: number): bigint {
  let value = powers.get(n);
  if (value === undefined) {
    value = 10n ** BigInt(n);
    if (powers.size > 2000) powers.clear();
    powers.set(n, value);
  }
  return value;
}

/** π to so many digits. */
export function piOf(digits: number, Result: BigClass): Big {
  const p = Math.ceil(digits * bitsPerDigit) + guard;
  return decimal(pi(p), p, digits, Result);
}
