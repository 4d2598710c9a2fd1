import type { Format } from './dtypes.ts';

/** The dyadic rational `m · 2ᵉ`, exactly. Not normalised: compare by `compare`. */
export interface Dyadic {
  readonly m: bigint;
  readonly e: number;
}

export const zero: Dyadic = { m: 0n, e: 0 };
export const one: Dyadic = { m: 1n, e: 0 };

const float = new Float64Array(1);
const bits = new BigUint64Array(float.buffer);

/** A finite float64 as a dyadic rational. */
export function dyadic(value: number): Dyadic {
  if (Number.isSafeInteger(value)) return { m: BigInt(value), e: 0 };
  if (!Number.isFinite(value)) throw new RangeError(`dyadic: "value" expected a finite number, got ${value}`);
  float[0] = value;
  const field = Number((bits[0]! >> 52n) & 0x7ffn);
  const fraction = bits[0]! & 0xfffffffffffffn;
  const m = field === 0 ? fraction : fraction | 0x10000000000000n;
  return { m: value < 0 ? -m : m, e: Math.max(field, 1) - 1075 };
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

/** The k of the largest 2ᵏ that divides `a`; `Infinity` for 0. */
export function lowestBit(a: Dyadic): number {
  if (a.m === 0n) return Number.POSITIVE_INFINITY;
  let m = a.m;
  let k = a.e;
  while ((m & 0xffffffffn) === 0n) {
    m >>= 32n;
    k += 32;
  }
  const low = Number(m & 0xffffffffn);
  return k + 31 - Math.clz32(low & -low);
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
  const hex = m.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0]!, 16)) + 28;
}
