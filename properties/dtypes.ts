import { shown } from '../reference/arguments.ts';
import type { Dtype } from '../reference/case.ts';
import type { Facet, Subject } from '../reference/subject.ts';
import { dyadic, toNumber } from './exact.ts';

/** An IEEE 754 binary format. */
export interface Format {
  /** Significand bits p, the hidden one included; the unit roundoff is u = 2⁻ᵖ. */
  readonly p: number;
  /** log₂ of the smallest subnormal η. */
  readonly etaExponent: number;
  /** log₂ of the smallest normal number. */
  readonly normalExponent: number;
  /** The largest finite number Ω. */
  readonly largest: number;
  /** Whether it holds ±∞. */
  readonly infinite: boolean;
  /** Rounds a float64 to the format, to nearest even. */
  round(value: number): number;
}

/** The formats by dtype (IEEE 754-2019, table 3.5). */
export const formats: Readonly<Record<Dtype, Format>> = {
  f64: { p: 53, etaExponent: -1074, normalExponent: -1022, largest: Number.MAX_VALUE, infinite: true, round: (v) => v },
  f32: {
    p: 24,
    etaExponent: -149,
    normalExponent: -126,
    largest: (2 - 2 ** -23) * 2 ** 127,
    infinite: true,
    round: Math.fround,
  },
};

/** Throws unless `dtype` is one of the formats. */
export function checkDtype(where: string, dtype: unknown): asserts dtype is Dtype {
  if (typeof dtype === 'string' && Object.hasOwn(formats, dtype)) return;
  throw new RangeError(`${where}: "dtype" expected ${Object.keys(formats).join(' or ')}, got ${shown(dtype)}`);
}

/**
 * The storage format of the facets `storage:f16` and `storage:bf16`. What an infinity becomes in a 16-bit texture is open
 * (OpenGL ES 3.0, 2.1.2): of anything above Ω SwiftShader makes NaN.
 */
export const storageFormats: Readonly<Record<'storage:f16' | 'storage:bf16', Format>> = {
  'storage:f16': stored({ p: 11, etaExponent: -24, normalExponent: -14, largest: 65504, infinite: false }),
  'storage:bf16': stored({
    p: 8,
    etaExponent: -133,
    normalExponent: -126,
    largest: (2 - 2 ** -7) * 2 ** 127,
    infinite: true,
  }),
};

function stored(format: Omit<Format, 'round'>): Format {
  return { ...format, round: (v) => (v === 0 || !Number.isFinite(v) ? v : toNumber(dyadic(v), format)) };
}

/** The storage format that one of the facets names. */
export function storageOf(facets: readonly Facet[]): Format | undefined {
  const facet = facets.find((name) => name === 'storage:f16' || name === 'storage:bf16');
  return facet && storageFormats[facet];
}

/** The format of what a Subject of this dtype takes and answers: that of its storage, if it has one of its own. */
export function heldFormat({ dtype, facets }: Pick<Subject, 'dtype' | 'facets'>): Format {
  return storageOf(facets) ?? formats[dtype];
}
