import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ulpsApart } from './ulp.ts';

describe('ulpsApart', () => {
  it('is 0 only for equal numbers, symmetric, and 1 for neighbours', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        expect(ulpsApart(a, b, 'f64')).toBe(ulpsApart(b, a, 'f64'));
        expect(ulpsApart(a, b, 'f64') === 0).toBe(a === b);
      }),
    );
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: 1, max: 1.875 }), (a) => {
        expect(ulpsApart(a, a + 2 ** -23, 'f32')).toBe(1);
      }),
    );
  });

  it.each([
    [0, -0, 'f64', 0],
    [Number.NaN, Number.NaN, 'f64', 0],
    [Number.NaN, 1, 'f64', Infinity],
    [Number.MAX_VALUE, Infinity, 'f64', 1],
    [0, 5e-324, 'f64', 1],
    [2 ** -149, -(2 ** -149), 'f32', 2],
    [0.1, 0.1, 'f32', Infinity],
    [1, 2, 'f32', 2 ** 23],
  ] as const)('of %d and %d in %s is %d', (a, b, dtype, expected) => {
    expect(ulpsApart(a, b, dtype)).toBe(expected);
  });

  it('refuses an unknown dtype', () => {
    expect(() => ulpsApart(1, 1, 'f8' as never)).toThrow('ulpsApart: "dtype" expected f64, f32, f16, bf16, got f8');
  });
});
