import { kindOf } from '../reference/arguments.ts';
import type { Dtype } from '../reference/case.ts';
import { type Format, formats, magnitudeBits } from './dtypes.ts';

/**
 * How many numbers of the dtype lie from `a` to `b`: 0 for the same number, for -0 and 0, and for two NaN; ∞ if only one
 * is NaN, or if one is not a number of the dtype. ∞ counts as the number after the largest.
 *
 * @throws TypeError for what is no number, RangeError for an unknown dtype
 */
export function ulpsApart(a: number, b: number, dtype: Dtype): number {
  if (!Object.hasOwn(formats, dtype)) {
    throw new RangeError(`ulpsApart: "dtype" expected ${Object.keys(formats).join(', ')}, got ${String(dtype)}`);
  }
  for (const [name, value] of Object.entries({ a, b })) {
    if (typeof value !== 'number') throw new TypeError(`ulpsApart: "${name}" expected a number, got ${kindOf(value)}`);
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Number.POSITIVE_INFINITY;
  const format = formats[dtype];
  if (format.round(a) !== a || format.round(b) !== b) return Number.POSITIVE_INFINITY;
  const [p, q] = [ordinal(a, format), ordinal(b, format)];
  return Number(p > q ? p - q : q - p);
}

/** The place of a number among those of its format, 0 for 0. */
function ordinal(value: number, format: Format): bigint {
  const place = magnitudeBits(value, format);
  return value < 0 ? -place : place;
}
