import type { Dtype } from '../reference/case.ts';
import { formats } from './dtypes.ts';

const float = new Float64Array(1);
const bits = new BigInt64Array(float.buffer);
const single = new Float32Array(1);
const singleBits = new Int32Array(single.buffer);

/**
 * How many numbers of the dtype lie from `a` to `b`: 0 for the same number, for -0 and 0, and for two NaN; ∞ if only one
 * is NaN, or if one is not a number of the dtype. ∞ counts as the number after the largest.
 *
 * @throws RangeError for an unknown dtype
 */
export function ulpsApart(a: number, b: number, dtype: Dtype): number {
  if (!Object.hasOwn(formats, dtype)) {
    throw new RangeError(`ulpsApart: "dtype" expected ${Object.keys(formats).join(' or ')}, got ${String(dtype)}`);
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Number.POSITIVE_INFINITY;
  const { round } = formats[dtype];
  if (round(a) !== a || round(b) !== b) return Number.POSITIVE_INFINITY;
  const [p, q] = [ordinal(a, dtype), ordinal(b, dtype)];
  return Number(p > q ? p - q : q - p);
}

/** The place of a number among those of its dtype, 0 for 0. */
function ordinal(value: number, dtype: Dtype): bigint {
  let pattern: bigint;
  if (dtype === 'f32') {
    single[0] = Math.abs(value);
    pattern = BigInt(singleBits[0]!);
  } else {
    float[0] = Math.abs(value);
    pattern = bits[0]!;
  }
  return value < 0 ? -pattern : pattern;
}
