import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formats, storageFormats } from './dtypes.ts';
import { add, compare, dyadic, multiply, oddPart, product, scale, subtract, toNumber } from './exact.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const value = (a: { m: bigint; e: number }) => toNumber(a, formats.f64);

describe('exact dyadic rationals', () => {
  it('hold every float64 exactly', () => {
    fc.assert(
      fc.property(finite, (v) => {
        expect(value(dyadic(v)) + 0).toBe(v + 0);
        const [odd, e] = oddPart(v);
        if (v !== 0) expect(odd % 2).toBe(1);
        expect(BigInt(odd) * 2n ** BigInt(e + 1074)).toBe(dyadic(Math.abs(v)).m * 2n ** BigInt(dyadic(v).e + 1074));
      }),
    );
  });

  it('add and multiply as float64 does, once rounded', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        expect(value(add(dyadic(a), dyadic(b))) + 0).toBe(a + b + 0);
        expect(value(subtract(dyadic(a), dyadic(b))) + 0).toBe(a - b + 0);
        expect(value(multiply(dyadic(a), dyadic(b))) + 0).toBe(a * b + 0);
        if (a !== 0 && b !== 0)
          expect(compare(product([a, b, a]), multiply(dyadic(a), multiply(dyadic(a), dyadic(b))))).toBe(0);
        expect(compare(dyadic(a), dyadic(b))).toBe(Math.sign(a - b) || (a === b ? 0 : a < b ? -1 : 1));
      }),
    );
  });

  it('round to float32 as Math.fround does, and outward to its neighbours', () => {
    fc.assert(
      fc.property(finite, (v) => {
        expect(toNumber(dyadic(v), formats.f32) + 0).toBe(Math.fround(v) + 0);
        const down = toNumber(dyadic(v), formats.f32, 'down');
        const up = toNumber(dyadic(v), formats.f32, 'up');
        expect(down <= v && v <= up).toBe(true);
        expect([down + 0, up + 0]).toContain(Math.fround(v) + 0);
      }),
    );
  });

  it('round once: no fixed number of digits is exact', () => {
    const sum = [1, 2 ** -53, 2 ** -300].map(dyadic).reduce(add);
    expect(value(sum)).toBe(1 + 2 ** -52);
    expect(value(subtract(sum, dyadic(2 ** -299)))).toBe(1);
    expect(value(add(dyadic(1), dyadic(2 ** -53)))).toBe(1);
  });

  it('overflow and underflow as IEEE 754 says', () => {
    const huge = scale(dyadic(1), 1024);
    expect([value(huge), toNumber(huge, formats.f64, 'down')]).toEqual([Infinity, Number.MAX_VALUE]);
    expect(toNumber(dyadic(65520), { ...storageFormats['storage:f16'] })).toBe(Infinity);
    expect(toNumber(dyadic(65519), { ...storageFormats['storage:f16'] })).toBe(65504);
    const tiny = scale(dyadic(1), -1075);
    expect([value(tiny), toNumber(tiny, formats.f64, 'up')]).toEqual([0, 5e-324]);
    expect(value(scale(dyadic(3), -1075))).toBe(1e-323);
    expect(value({ m: -(2n ** 1200n) - 1n, e: -1200 })).toBe(-1);
  });

  it('refuse what is not finite', () => {
    expect(() => dyadic(NaN)).toThrow('dyadic: "value" expected a finite number, got NaN');
  });
});
