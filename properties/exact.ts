import type { Format } from './dtypes.ts';

/** The dyadic rational `m · 2ᵉ`, exactly. Not normalised: compare by `compare`. */
export interface Dyadic {
  readonly m: bigint;
  readonly e: number;
}

export const zero: Dyadic = { m: 0n, e: 0 };
export const one: Dyadic = { m: 1n, e: 0 };

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** `[odd, e]` with `|value| = odd · 2ᵉ`, odd an odd integer below 2⁵³; `[0, 0]` for 0. The value must be finite. */
export function oddPart(value: number): readonly [odd: number, e: number] {
  if (value === 0) return [0, 0];
  float[0] = value;
  const high = words[1] & 0x7fffffff;
  const low = words[0];
  const field = high >>> 20;
  const top = field === 0 ? high & 0xfffff : (high & 0xfffff) | 0x100000;
  const trailing = low !== 0 ? trailingZeros(low) : 32 + trailingZeros(top);
  return [(top * 2 ** 32 + low) / 2 ** trailing, Math.max(field, 1) - 1075 + trailing];
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** A finite float64 as a dyadic rational. */
export function dyadic(value: number): Dyadic {
  if (!Number.isFinite(value)) throw new RangeError(`dyadic: "value" expected a finite number, got ${value}`);
  const [odd, e] = oddPart(value);
  return { m: BigInt(value < 0 ? -odd : odd), e };
}

/** The product of finite floats, none of them 0; its `e` is the sum of the lowest bits of the factors. */
export function product(factors: readonly number[]): Dyadic {
  let m = 1n;
  // Gathers factors in float64 as long as that is exact, since it is faster.
  let small = 1;
  let e = 0;
  for (const factor of factors) {
    const [odd, exponent] = oddPart(factor);
    e += exponent;
    const next = small * (factor < 0 ? -odd : odd);
    if (Math.abs(next) <= Number.MAX_SAFE_INTEGER) small = next;
    else {
      m *= BigInt(small);
      small = factor < 0 ? -odd : odd;
    }
  }
  return { m: m === 1n ? BigInt(small) : m * BigInt(small), e };
}

export function add(a: Dyadic, b: Dyadic): Dyadic {
  if (a.m === 0n) return b;
  if (b.m === 0n) return a;
  if (a.e === b.e) return { m: a.m + b.m, e: a.e };
  if (a.e > b.e) return { m: (a.m << BigInt(a.e - b.e)) + b.m, e: b.e };
  return { m: a.m + (b.m << BigInt(b.e - a.e)), e: a.e };
}

export function multiply(a: Dyadic, b: Dyadic): Dyadic {
  return { m: a.m * b.m, e: a.e + b.e };
}

/** `a · 2ᵏ` */
export function scale(a: Dyadic, k: number): Dyadic {
  return { m: a.m, e: a.e + k };
}

export function negate(a: Dyadic): Dyadic {
  return { m: -a.m, e: a.e };
}

export function subtract(a: Dyadic, b: Dyadic): Dyadic {
  return add(a, negate(b));
}

export function absolute(a: Dyadic): Dyadic {
  return a.m < 0n ? negate(a) : a;
}

/** Negative, zero or positive as `a < b`, `a = b`, `a > b`. */
export function compare(a: Dyadic, b: Dyadic): number {
  const { m } = subtract(a, b);
  return m < 0n ? -1 : m > 0n ? 1 : 0;
}

export function isZero(a: Dyadic): boolean {
  return a.m === 0n;
}

/**
 * `a` rounded to the format: to nearest even, or toward -∞ (`down`) or +∞ (`up`).
 * Overflow goes where IEEE 754 says: to ±∞ for `nearest` and outward, to ±Ω inward.
 */
export function toNumber(
  a: Dyadic,
  format: Pick<Format, 'p' | 'etaExponent' | 'largest'>,
  direction: 'nearest' | 'down' | 'up' = 'nearest',
): number {
  if (a.m === 0n) return 0;
  const negative = a.m < 0n;
  const m = negative ? -a.m : a.m;
  const quantum = Math.max(bitLength(m) + a.e - format.p, format.etaExponent);
  const shift = quantum - a.e;
  let kept: bigint;
  if (shift <= 0) kept = m << BigInt(-shift);
  else {
    kept = m >> BigInt(shift);
    const rest = m - (kept << BigInt(shift));
    const half = 1n << BigInt(shift - 1);
    const awayFromZero =
      direction === 'nearest'
        ? rest > half || (rest === half && (kept & 1n) === 1n)
        : rest > 0n && (direction === 'up') !== negative;
    if (awayFromZero) kept += 1n;
  }
  // `kept` has at most p + 1 bits, so only the product can overflow; 2 ** quantum itself may for f64.
  let size = quantum > 900 ? Number(kept) * 2 ** 900 * 2 ** (quantum - 900) : Number(kept) * 2 ** quantum;
  if (size > format.largest) {
    const inward = direction !== 'nearest' && (direction === 'down') !== negative;
    size = inward ? format.largest : Number.POSITIVE_INFINITY;
  }
  return negative ? -size : size;
}

function bitLength(m: bigint): number {
  const size = Number(m);
  if (!Number.isFinite(size)) {
    const hex = m.toString(16);
    return hex.length * 4 - Math.clz32(Number.parseInt(hex[0], 16)) + 28;
  }
  float[0] = size;
  const length = (words[1] >>> 20) - 1022;
  // The conversion may have rounded up to the next power of two.
  return size > Number.MAX_SAFE_INTEGER && m >> BigInt(length - 1) === 0n ? length - 1 : length;
}
