import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shown } from '../../reference/arguments.ts';
import { sizeOf } from '../../reference/shape.ts';
import { type DrawnInputs, drawnInputs } from './drawn-inputs.ts';

const shapes = { x: ['n', 'c'], alpha: [2, 'c'] };

describe('drawnInputs', () => {
  const drawn = (seed: number, dtype: 'f64' | 'f32' = 'f64') =>
    fc.sample(drawnInputs({ shapes, dtype, kinks: [0, 6] }), { seed, numRuns: 300 });

  it('gives axes of one name one length, and values of the dtype', () => {
    for (const { shapes: of, inputs } of drawn(1, 'f32')) {
      expect(of.alpha).toEqual([2, of.x[1]]);
      expect(inputs.x).toHaveLength(of.x[0] * of.x[1]);
      expect(inputs.alpha).toHaveLength(2 * of.x[1]);
      for (const v of [...inputs.x, ...inputs.alpha]) expect(Math.fround(v)).toBe(v);
    }
  });

  it('gives the same for the same seed', () => {
    expect(drawn(5)).toEqual(drawn(5));
    expect(drawn(5)).not.toEqual(drawn(6));
  });

  it('draws a third of the elements on a kink, beside one, or as powers of two and small integers', () => {
    const values = drawn(2).flatMap(({ inputs }) => [...inputs.x, ...inputs.alpha]);
    const isSpecial = (v: number) =>
      [0, 6].some((kink) => Math.abs(v - kink) <= 2 ** -4) || Number.isInteger(Math.log2(Math.abs(v)));
    expect(values.filter(isSpecial).length / values.length).toBeGreaterThan(0.3);
    for (const kink of [0, 6]) expect(values).toContain(kink);
  });

  it('draws each length from 1 to the longest, and each way to be special on both sides', () => {
    const lengths = (longest?: number) => {
      const options = { shapes: { x: ['n', 3] }, ...(longest !== undefined && { longest }) };
      const all = fc.sample(drawnInputs(options), { seed: 3, numRuns: 300 });
      expect(all.every(({ shapes: of }) => of.x[1] === 3)).toBe(true);
      return [...new Set(all.map(({ shapes: of }) => of.x[0]))].sort((a, b) => a - b);
    };
    expect(lengths()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lengths(2)).toEqual([1, 2]);
    const [{ inputs }] = fc.sample(drawnInputs({ shapes: { x: [20_000] }, kinks: [100] }), { seed: 4, numRuns: 1 }) as [
      DrawnInputs,
    ];
    const share = (is: (v: number) => boolean) => inputs.x.filter(is).length / 20_000;
    expect(share((v) => v === 100)).toBeCloseTo(0.12, 1.5);
    for (const sign of [1, -1]) {
      const beside = (v: number) => sign * (v - 100) > 0 && Math.abs(v - 100) <= 2 ** -4;
      expect(share(beside)).toBeCloseTo(0.04, 1.5);
      expect(share((v) => beside(v) && Math.abs(v - 100) < 2 ** -25)).toBeGreaterThan(0.002);
      expect(share((v) => sign * v > 0 && Math.log2(sign * v) % 1 === 0)).toBeCloseTo(0.065, 1.5);
      expect(share((v) => v === sign * 16)).toBeGreaterThan(0.003);
      expect(share((v) => v === sign / 16)).toBeGreaterThan(0.003);
      for (const n of [3, 5, 6, 7]) expect(share((v) => v === sign * n)).toBeGreaterThan(0.003);
      // The others lie in ±[0, 4).
      expect(share((v) => sign * v > 2 && sign * v < 4)).toBeGreaterThan(0.03);
      expect(share((v) => sign * v >= 4 && v < 99 && v % 1 !== 0)).toBe(0);
    }
  });

  it.each<[number, number]>([
    [0.1, 10],
    [-3, -2],
    [5, 5],
    [0, 2 ** -20],
    [-1e300, 1e300],
  ])('draws within [%d, %d]: what is special there, and all of it', (lo, hi) => {
    const [{ inputs }] = fc.sample(drawnInputs({ shapes: { x: [2000], a: [9] }, ranges: { x: [lo, hi] } }), {
      seed: 6,
      numRuns: 1,
    }) as [DrawnInputs];
    for (const v of inputs.x) expect(v >= lo && v <= hi, `${v}`).toBe(true);
    for (const k of [0, 1, 2, 3]) {
      const [from, to] = [lo + (hi - lo) * (k / 4), lo + (hi - lo) * ((k + 1) / 4)];
      expect(inputs.x.some((v) => v >= from && v <= to)).toBe(true);
    }
    expect(inputs.x.includes(0)).toBe(lo <= 0 && hi >= 0);
    // The others are drawn as they are without a range.
    expect(inputs.a.some((v) => v < 0)).toBe(true);
  });

  it.each<[unknown, typeof RangeError | typeof TypeError, string]>([
    [{ x: [2, 1] }, RangeError, '"ranges.x" expected two finite numbers, the lesser first, got [2, 1]'],
    [{ x: [0, Number.NaN] }, RangeError, '"ranges.x" expected two finite numbers, the lesser first, got [0, NaN]'],
    [{ x: 3 }, RangeError, '"ranges.x" expected two finite numbers, the lesser first, got 3'],
    [{ z: [0, 1] }, RangeError, '"ranges" expected names among x, got z'],
    [null, TypeError, '"ranges" expected an object, got null'],
  ])('refuses the ranges %j', (ranges, kind, message) => {
    const draw = () => drawnInputs({ shapes: { x: [2] }, ranges: ranges as never });
    expect(draw).toThrow(kind);
    expect(draw).toThrow(`drawnInputs: ${message}`);
  });

  it('draws 0 of both signs', () => {
    const drawn = fc.sample(drawnInputs({ shapes: { x: [8] } }), { numRuns: 100, seed: 1 });
    const zeros = drawn.flatMap(({ inputs }) => [...inputs.x]).filter((v) => v === 0);
    expect(zeros.filter((v) => Object.is(v, -0)).length).toBeGreaterThan(zeros.length / 4);
    expect(zeros.filter((v) => Object.is(v, 0)).length).toBeGreaterThan(zeros.length / 4);
  });

  it('draws about 0 where no kinks are given, or none', () => {
    for (const options of [{}, { kinks: [] }]) {
      const [{ inputs }] = fc.sample(drawnInputs({ shapes: { x: [2000] }, ...options }), { seed: 5, numRuns: 1 }) as [
        DrawnInputs,
      ];
      expect(inputs.x.filter((v) => v === 0).length).toBeGreaterThan(150);
    }
  });

  it('takes lengths of 0 and no axes at all, and refuses what is no shape', () => {
    expect(fc.sample(drawnInputs({ shapes: { x: [0, 'n'], s: [] } }), { seed: 1, numRuns: 1 })[0]).toMatchObject({
      inputs: { x: new Float64Array(0), s: { length: 1 } },
    });
    for (const shape of [['n', -1], [1.5], [''], [null], 'n', 3] as never[]) {
      expect(() => drawnInputs({ shapes: { s: [], x: shape } })).toThrow(
        `drawnInputs: "shapes.x" expected lengths or names of axes, got ${shown(shape)}`,
      );
    }
  });
});

describe('shrinking', () => {
  const arbitrary = drawnInputs({ shapes: { x: ['n', 'c'], alpha: [2, 'c'] } });
  const shrunk = (value: DrawnInputs) => [...arbitrary.shrink(value, undefined)].map((smaller) => smaller.value);

  it('takes one index of an axis, then leaves out each; all inputs with the axis at once', () => {
    const value = {
      shapes: { x: [1, 3], alpha: [2, 3] },
      inputs: { x: new Float64Array(3), alpha: Float64Array.of(0, 1, 0, 0, 0, 1) },
    };
    const axes = shrunk(value).filter(({ shapes: of }) => of.x[1] !== 3);
    expect(axes.map(({ shapes: of, inputs }) => [of.x, of.alpha, [...inputs.x], [...inputs.alpha]])).toEqual([
      [[1, 1], [2, 1], [0], [0, 0]],
      [[1, 1], [2, 1], [0], [1, 0]],
      [[1, 1], [2, 1], [0], [0, 1]],
      [
        [1, 2],
        [2, 2],
        [0, 0],
        [1, 0, 0, 1],
      ],
      [
        [1, 2],
        [2, 2],
        [0, 0],
        [0, 0, 0, 1],
      ],
      [
        [1, 2],
        [2, 2],
        [0, 0],
        [0, 1, 0, 0],
      ],
    ]);
    // An axis of length 1 stays; one of a fixed length does not.
    expect(shrunk(value).every(({ shapes: of }) => of.x[0] === 1)).toBe(true);
    expect(shrunk(value).map(({ shapes: of }) => of.alpha[0])).toContain(1);
  });

  it('then makes single elements simpler, in place', () => {
    const value = {
      shapes: { x: [1, 1], alpha: [2, 1] },
      inputs: { x: Float64Array.of(1), alpha: Float64Array.of(0, -1) },
    };
    const simpler = shrunk(value).filter(({ shapes: of }) => of.alpha[0] === 2);
    // Never onto a kink, which is at 0 unless given.
    expect(simpler.map(({ inputs }) => [...inputs.x, ...inputs.alpha])).toEqual([[1, 0, 1]]);
    expect(simpler.every(({ shapes: of }) => of === value.shapes)).toBe(true);
    const elsewhere = drawnInputs({ shapes: { x: [2] }, kinks: [1, 5] });
    const values = [...elsewhere.shrink({ shapes: { x: [2] }, inputs: { x: Float64Array.of(5, -1) } }, undefined)];
    expect(values.flatMap(({ value: { inputs } }) => (inputs.x.length === 2 ? [[...inputs.x]] : []))).toEqual([[5, 0]]);
    const least = {
      shapes: { x: [1, 1], alpha: [1, 1] },
      inputs: { x: Float64Array.of(0), alpha: Float64Array.of(1) },
    };
    expect(shrunk(least)).toEqual([]);
  });

  it('keeps elements within their range', () => {
    const within = drawnInputs({ shapes: { x: [2] }, kinks: [9], ranges: { x: [0.75, 4] } });
    const values = [...within.shrink({ shapes: { x: [2] }, inputs: { x: Float64Array.of(3.14, 3) } }, undefined)];
    const both = values.flatMap(({ value: { inputs } }) => (inputs.x.length === 2 ? [[...inputs.x]] : []));
    expect(both).toContainEqual([1, 1]);
    expect(both).toContainEqual([3.25, 3]);
    for (const v of both.flat()) expect(v).toBeGreaterThanOrEqual(0.75);
  });

  it('is for inputs, wherever they come from', () => {
    expect(arbitrary.canShrinkWithoutContext({ shapes: {}, inputs: {} })).toBe(true);
    for (const other of [null, undefined, 3, {}, 'inputs'])
      expect(arbitrary.canShrinkWithoutContext(other)).toBe(false);
  });
});

it('shrinks axes of one fixed length in all inputs that have one, in a single input each by itself', () => {
  const smallest = (of: Record<string, number[]>) => {
    const inputs = Object.fromEntries(
      Object.entries(of).map(([name, shape]) => [name, new Float64Array(sizeOf(shape))]),
    );
    const values = [...drawnInputs({ shapes: of }).shrink({ shapes: of, inputs }, undefined)];
    return [...new Set(values.map(({ value }) => JSON.stringify(value.shapes)))];
  };
  expect(smallest({ x: [2, 3], w: [3] })).toEqual([
    '{"x":[1,3],"w":[3]}',
    '{"x":[2,1],"w":[1]}',
    '{"x":[2,2],"w":[2]}',
  ]);
  expect(smallest({ x: [2, 2] })).toEqual(['{"x":[1,2]}', '{"x":[2,1]}']);
  // Of a long axis parts of one, two and three, and halves.
  expect(smallest({ x: [20] })).toEqual(['{"x":[1]}', '{"x":[2]}', '{"x":[3]}', '{"x":[10]}']);
});
