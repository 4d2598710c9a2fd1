import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formats, fromMagnitudeBits, magnitudeBits } from './dtypes.ts';
import { dyadic, toNumber } from './exact.ts';

describe.each(['f64', 'f32', 'f16', 'bf16'] as const)('formats.%s', (dtype) => {
  const format = formats[dtype];
  const scales = fc.integer({ min: format.etaExponent - 3, max: Math.floor(Math.log2(format.largest)) + 2 });
  // Both beside the numbers of the format and halfway between them; 0 stays 0 where the scale is ∞ in float64.
  const scaled = ([m, e]: readonly [number, number]) => (m === 0 ? m : m * 2 ** e);
  const value = fc.oneof(
    fc.double({ noNaN: true }),
    fc.tuple(fc.integer({ min: -4096, max: 4096 }), scales).map(scaled),
    fc.tuple(fc.double({ min: -2, max: 2, noNaN: true }), scales).map(scaled),
  );

  it('rounds to nearest even, as exact arithmetic does', () => {
    fc.assert(
      fc.property(value.filter(Number.isFinite), (v) => {
        expect(format.round(v)).toBe(
          v === 0 || Object.is(v, -0) ? v : Math.sign(v) * toNumber(dyadic(Math.abs(v)), format),
        );
      }),
      { numRuns: 3000 },
    );
    for (const v of [Number.NaN, Infinity, -Infinity, 0, -0]) expect(format.round(v)).toBe(v);
  });

  it('numbers its values in order, neighbours by one', () => {
    fc.assert(
      fc.property(value, (v) => {
        const rounded = Math.abs(format.round(v));
        const bits = magnitudeBits(rounded, format);
        expect(bits >= 0n && bits < 1n << BigInt(dtype === 'f64' ? 63 : dtype === 'f32' ? 31 : 15)).toBe(true);
        // Beyond the largest lies ∞ alone.
        if (rounded >= format.largest) return;
        const quantum = Math.max(rounded * 2 ** -format.p, 2 ** (format.etaExponent - 1));
        // More than half of the distance to the next.
        const next = toNumber(dyadic(rounded + quantum * 1.0000001), format, 'up');
        if (Number.isFinite(next) && next > rounded) expect(magnitudeBits(next, format) - bits).toBe(1n);
      }),
      { numRuns: 1000 },
    );
  });
});

it.each(['f16', 'bf16'] as const)('every pattern of %s is read and written back', (dtype) => {
  const format = formats[dtype];
  let last = -1;
  for (let bits = 0; bits < 0x8000; bits++) {
    const v = fromMagnitudeBits(bits, format);
    if (Number.isNaN(v)) continue;
    expect(v).toBeGreaterThan(last);
    last = v;
    expect(Number(magnitudeBits(v, format))).toBe(bits);
    expect(format.round(v)).toBe(v);
  }
  expect(last).toBe(Infinity);
  const bits32 = new DataView(new ArrayBuffer(4));
  bits32.setUint16(0, 0x3f80 + 5);
  if (dtype === 'bf16') expect(fromMagnitudeBits(0x3f85, format)).toBe(bits32.getFloat32(0));
  else expect(fromMagnitudeBits(0x3555, format)).toBe(0.333251953125);
});
