import { shown } from '../reference/arguments.ts';
import type { Dtype } from '../reference/case.ts';
import type { Facet, Subject } from '../reference/subject.ts';

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

const f16 = { p: 11, etaExponent: -24, normalExponent: -14, largest: 65504 };
const bf16 = { p: 8, etaExponent: -133, normalExponent: -126, largest: (2 - 2 ** -7) * 2 ** 127 };

/** The formats by dtype (IEEE 754-2019, table 3.5; bf16 is the upper half of binary32). */
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
  f16: { ...f16, infinite: true, round: rounderTo(f16) },
  bf16: { ...bf16, infinite: true, round: rounderTo(bf16) },
};

/** All dtypes, in the order of the table. */
export const dtypes: readonly Dtype[] = Object.keys(formats) as Dtype[];

/** Throws unless `dtype` is one of the formats. */
export function checkDtype(where: string, dtype: unknown): asserts dtype is Dtype {
  if (typeof dtype === 'string' && Object.hasOwn(formats, dtype)) return;
  throw new RangeError(`${where}: "dtype" expected ${dtypes.join(', ')}, got ${shown(dtype)}`);
}

/**
 * The storage format of the facets `storage:f16` and `storage:bf16`. What an infinity becomes in a 16-bit texture is open
 * (OpenGL ES 3.0, 2.1.2): of anything above Ω SwiftShader makes NaN.
 */
export const storageFormats: Readonly<Record<'storage:f16' | 'storage:bf16', Format>> = {
  'storage:f16': { ...formats.f16, infinite: false },
  'storage:bf16': formats.bf16,
};

/** Rounds float64 to a 16-bit format, to nearest even. */
function rounderTo({ p, etaExponent, largest }: Pick<Format, 'p' | 'etaExponent' | 'largest'>): Format['round'] {
  // Adding 1.5·2⁵² leaves no bit below 1; what is added is below 2ᵖ.
  const shift = 1.5 * 2 ** 52;
  return (v) => {
    if (v === 0 || !Number.isFinite(v)) return v;
    const quantum = 2 ** Math.max(exponentOf(v) + 1 - p, etaExponent);
    const rounded = (Math.abs(v) / quantum + shift - shift) * quantum;
    return Math.sign(v) * (rounded > largest ? Number.POSITIVE_INFINITY : rounded);
  };
}

/**
 * The bits of |value| as an integer, which is also its place among the numbers of the format: 0 for 0, one more for each
 * neighbour, ∞ after the largest. `value` is a number of the format.
 */
export function magnitudeBits(value: number, format: Format): bigint {
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return magnitudeBits(format.largest, format) + 1n;
  const { p, normalExponent } = format;
  const exponent = Math.max(exponentOf(magnitude), normalExponent);
  // Its hidden bit, if it has one, adds one to the exponent.
  const significand = magnitude / 2 ** (exponent + 1 - p);
  return (BigInt(exponent - normalExponent) << BigInt(p - 1)) + BigInt(significand);
}

/** The number ≥ 0 of a 16-bit format with these bits; NaN beyond those of ∞. */
export function fromMagnitudeBits(bits: number, format: Format): number {
  const { p, normalExponent, largest } = format;
  const steps = Math.max(Math.floor(bits / 2 ** (p - 1)) - 1, 0);
  const value = (bits - steps * 2 ** (p - 1)) * 2 ** (normalExponent + 1 - p + steps);
  if (value <= largest) return value;
  return BigInt(bits) === magnitudeBits(Number.POSITIVE_INFINITY, format) ? Number.POSITIVE_INFINITY : Number.NaN;
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/** ⌊log₂|v|⌋ of a normal float64; -1023 for the subnormal ones. */
function exponentOf(v: number): number {
  float[0] = v;
  return ((words[1] >>> 20) & 0x7ff) - 1023;
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
