import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import type { FloatDtype } from './differentiable.ts';
import {
  beside,
  cubic,
  each,
  expectWithin,
  type F,
  type How,
  h,
  measured,
  middle,
  smallest,
  widest,
  widthOf,
} from './jacobian-for-tests.ts';
import { type Sides, sidesOf } from './sides.ts';
import { errorOf, type Slope } from './slope.ts';
import { stepScales } from './stencil.ts';

describe('smooth places', () => {
  it('of an affine function need no more evaluations', async () => {
    const { jacobian, more } = await measured(
      each((v, j) => (j + 1) * v - 3),
      [0, 1.5, -7],
    );
    expectWithin(jacobian, [1, 2, 3], 2 ** -33);
    expect(jacobian.kinks).toEqual([]);
    expect(more).toBe(0);
  });

  it('of a curve take two more, with an error far below that of a parabola', async () => {
    const x = [0.3, -1.2, 1.9];
    const { jacobian, more } = await measured(each(Math.sin), x);
    expectWithin(jacobian, x.map(Math.cos), 2 ** -26);
    expect(more).toBe(2);
  });

  it('of which only one is curved: only that one is moved again', async () => {
    const moved: number[][] = [];
    const x = [0.5, 1, 2];
    const f: F = (at) => {
      moved.push([...at].flatMap((v, j) => (v === x[j] ? [] : [j])));
      return at.map((v, j) => (j === 1 ? v * v * v : v));
    };
    const { jacobian } = await measured(f, x);
    expectWithin(jacobian, [1, 3, 1], 2 ** -26);
    expect(moved.slice(-2)).toEqual([[1], [1]]);
  });

  it('too rough for the first scale are measured at the next', async () => {
    const { jacobian, more } = await measured(
      each((v) => Math.sin(20_000 * v) / 20_000),
      [0.1],
    );
    expectWithin(jacobian, [Math.cos(2000)], 2 ** -8);
    expect(more).toBeGreaterThan(2);
  });

  it('of every element of a dense input', async () => {
    const { jacobian } = await measured((x) => Float64Array.of(x[0] * x[1], x[1] ** 2), [3, 5], {
      structure: 'dense',
    });
    // At colour · outputs + output.
    expectWithin(jacobian, [5, 0, 3, 10], 2 ** -26);
  });

  it('of every element of a dense input in float32', async () => {
    const { jacobian } = await measured((x) => Float64Array.of(x[0] + 2 * x[1], 3 * x[0] + 4 * x[1]), [3, 5], {
      structure: 'dense',
      dtype: 'f32',
    });
    expectWithin(jacobian, [1, 3, 2, 4], 2 ** -14);
  });

  it('in float32, where five points are always taken', async () => {
    const round = Math.fround;
    const x = [0.5, -1.25, 3];
    const { jacobian } = await measured(
      each((v) => round(Math.tanh(v))),
      x,
      { dtype: 'f32' },
    );
    expectWithin(
      jacobian,
      x.map((v) => 1 - Math.tanh(v) ** 2),
      2 ** -9,
    );
    expectWithin(
      (
        await measured(
          each((v) => round(3 * v)),
          x,
          { dtype: 'f32' },
        )
      ).jacobian,
      [3, 3, 3],
      2 ** -16,
    );
  });
});

describe('what is taken as affine', () => {
  const noise = 2 ** -40;
  const bent = (by: number) => each((v) => v + (v === h ? by : 0));

  it('is what errors of the three values could have bent so far, and no more', async () => {
    // Slopes of (f(h) - f(0)) / h and (f(0) - f(-2h)) / 2h are off by 2·noise/h and 2·noise/2h.
    expect((await measured(bent(3 * noise), [0], { noise })).more).toBe(0);
    expect((await measured(bent(-3 * noise), [0], { noise })).more).toBe(0);
    expect((await measured(bent(3.001 * noise), [0], { noise })).more).toBeGreaterThan(0);
  });

  it('has the slope of the two points that are farthest apart, the error of their values and five roundings', async () => {
    const around = (await measured(cubic(0), [0], { noise })).jacobian;
    expect((around.lo[0] + around.hi[0]) / 2).toBe(1);
    expect(widthOf(around)).toBeCloseTo((4 * noise) / (3 * h) + 10 * 2 ** -53, 15);
    const beside = (await measured(cubic(0), [0], { noise, kinks: () => [{ at: -h }] })).jacobian;
    expect((beside.lo[0] + beside.hi[0]) / 2).toBe(1);
    expect(widthOf(beside)).toBeCloseTo((4 * noise) / (2 * h) + 10 * 2 ** -53, 15);
  });

  it('holds the slope though f(0) is 0, and noise no more than the rounding of the farthest value', async () => {
    const draw = random(1, 'affine');
    for (let k = 0; k < 1000; k++) {
      const slope = 1 + draw.uniform() + 2 ** -32 * draw.uniform();
      const kinks = k % 2 === 0 ? [] : [{ at: -h }];
      const { jacobian } = await measured(
        each((v) => slope * v),
        [0],
        { noise: 0, kinks: () => kinks },
      );
      expectWithin(jacobian, [slope], 12 * 2 ** -53);
    }
  });

  it('is nothing on a declared kink, whose convention holds where both slopes are the same too', async () => {
    const { jacobian } = await measured(cubic(0), [0], { kinks: () => [{ at: 0, derivative: () => 7 }] });
    expect([jacobian.lo[0], jacobian.hi[0]]).toEqual([7, 7]);
    expect(jacobian.kinks).toHaveLength(1);
  });

  it('in float32 is nothing: a line takes two more evaluations', async () => {
    expect((await measured(cubic(0), [1], { dtype: 'f32' })).more).toBe(2);
  });
});

describe('a scale is fine enough', () => {
  /** Evaluations after the first two: two more at the widest scale, four at each other. */
  const evaluations = async (f: F, v = 0, dtype: FloatDtype = 'f64') => {
    const { more, jacobian } = await measured(f, [v], { dtype });
    expect(jacobian.kinks).toEqual([]);
    return more;
  };

  it('in float64 where truncation is at most 2⁻²⁷ of the slope', async () => {
    expect(await evaluations(cubic(1))).toBe(2);
    expect(await evaluations(cubic(2))).toBe(2);
    expect(await evaluations(cubic(2.001))).toBe(6);
  });

  it('or of the value for each unit of the element, since small slopes of large values are no better known', async () => {
    const flat = (value: number, c: number, at = 0) => each((v) => value + c * (v - at) ** 3);
    expect(await evaluations(flat(8, 16))).toBe(2);
    expect(await evaluations(flat(8, 16.01))).toBe(6);
    // The step is 1024 times as long, and 8·1024 at 1024 is 8 for each unit.
    expect(await evaluations(flat(8 * 1024, 2 ** -16, 1024), 1024)).toBe(2);
    expect(await evaluations(flat(8 * 1024, 2 ** -15, 1024), 1024)).toBe(6);
  });

  it('in float32 where it is at most 2⁻¹², but at the widest below rounding', async () => {
    const round = (c: number) => each((v) => Math.fround(v + c * v ** 3));
    expect(await evaluations(round(2 ** -18), 0, 'f32')).toBe(2);
    expect(await evaluations(round(2 ** -12), 0, 'f32')).toBe(6);
    expect(await evaluations(round(2 ** -6), 0, 'f32')).toBe(6);
    expect(await evaluations(round(1), 0, 'f32')).toBe(10);
  });

  it('and is passed over where a value is not finite', async () => {
    const overflows = async (isOver: (v: number) => boolean, c = 0, how: How = {}) =>
      (
        await measured(
          each((v) => (isOver(v) ? Infinity : v + c * v ** 3)),
          [0],
          how,
        )
      ).jacobian;
    expectWithin(await overflows((v) => Math.abs(v) >= widest), [1], 1.01 * 2 ** -24);
    expectWithin(await overflows((v) => v === -widest), [1], 1.01 * 2 ** -24);
    // At one point of the smallest, where the two before are too wide.
    const last = await overflows((v) => v === smallest, 2 ** 35, { noise: 2 ** -60, kinks: beside });
    expectWithin(last, [1], 2 ** -10);
  });

  it('and of those that are too wide the one with the smallest error is kept', async () => {
    // Beside a kink, where truncation is 8·h²·c: 2⁻²¹ at the second scale; at the third rounding alone is more.
    const noise = 2 ** -52;
    const { jacobian, more } = await measured(cubic(2 ** 26), [0], { noise, kinks: beside });
    expect(more).toBe(10);
    expectWithin(jacobian, [1], 2 ** -19);
    expect(widthOf(jacobian)).toBeCloseTo(2 * (8 * middle ** 2 * 2 ** 26 + (12 * noise) / middle), 12);
  });

  it('or, where none is, it may be whatever one of the readings allows', async () => {
    const draw = random(5, 'wild');
    let [smooth, open] = [0, 0];
    for (let k = 0; k < 200; k++) {
      const values = new Map([[0, 0]]);
      const wild = each((v) => {
        if (!values.has(v)) values.set(v, v * draw.uniform(-1, 1));
        return values.get(v)!;
      });
      const noise = 2 ** -80;
      const { jacobian, more } = await measured(wild, [0], { noise });
      expect(more).toBe(10);
      // Slopes that come no nearer to each other from scale to scale have no limit.
      if (Number.isNaN(jacobian.lo[0])) {
        open++;
        continue;
      }
      const isGood = ({ slope, truncation, rounding }: Slope) =>
        truncation <= Math.max(rounding, 2 ** -27 * Math.abs(slope));
      let sides: Sides | undefined;
      for (const scale of stepScales.f64) {
        const t = [1, -2, -1, 2].map((m) => m * scale);
        sides = sidesOf({ f0: 0, t, f: t.map((v) => values.get(v)!), noise }, isGood, sides);
      }
      const { left, right } = sides!;
      const readings = [left, right].map(({ slope, slopeError }) => [slope, slopeError] as const);
      if (jacobian.kinks.length === 0) {
        smooth++;
        readings.push([sides!.smooth.slope, errorOf(sides!.smooth)]);
      }
      expect(jacobian.lo[0]).toBe(Math.min(...readings.map(([slope, error]) => slope - error)));
      expect(jacobian.hi[0]).toBe(Math.max(...readings.map(([slope, error]) => slope + error)));
    }
    expect(smooth).toBeGreaterThan(3);
    expect(open).toBeGreaterThan(50);
  });

  it('beside a declared kink no other is looked for', async () => {
    const { jacobian } = await measured(cubic(2 ** 50), [0], { noise: 2 ** -70, kinks: beside });
    expect(jacobian.kinks).toEqual([]);
    expectWithin(jacobian, [1], 17 * smallest ** 2 * 2 ** 50);
  });
});

describe('what cannot be measured stays open', () => {
  const ulp = 2 ** -23;
  const largest = { f64: Number.MAX_VALUE, f32: (2 - 2 ** -23) * 2 ** 127 };

  it.each(['f64', 'f32'] as const)('and costs nothing, in %s', async (dtype) => {
    const quarter = each((v) => v / 4);
    const room = dtype === 'f64' ? 2 ** -52 : ulp;
    const between = () => [{ at: 1 - 4 * room }, { at: 1 + 4 * room }];
    const none = () => [{ at: 1 - room }, { at: 1 + room }];
    for (const [f, v, kinks] of [
      [quarter, Number.NaN, undefined],
      [quarter, Infinity, undefined],
      [quarter, -Infinity, undefined],
      // One of the first two points does not exist.
      [quarter, largest[dtype], undefined],
      [quarter, -largest[dtype], undefined],
      [quarter, 1, between],
      [quarter, 1, none],
      [each(() => Infinity), 1, undefined],
      [each(() => Number.NaN), 1, undefined],
    ] as const) {
      const { jacobian, more } = await measured(f, [v], { dtype, ...(kinks && { kinks }) });
      expect([jacobian.lo[0], jacobian.hi[0]], `at ${v}`).toEqual([Number.NaN, Number.NaN]);
      expect(jacobian.kinks).toEqual([]);
      expect(more, `at ${v}`).toBe(0);
    }
  });

  it.each([Number.NaN, Infinity, -Infinity])('%s', async (v) => {
    const { jacobian } = await measured(
      each((w) => 2 * w),
      [v, 1],
    );
    expect(jacobian.lo[0]).toBeNaN();
    expect(jacobian.hi[0]).toBeNaN();
    expectWithin({ ...jacobian, lo: jacobian.lo.slice(1), hi: jacobian.hi.slice(1) }, [2], 2 ** -33);
  });

  it('a value that is not finite', async () => {
    const { jacobian } = await measured(
      each((v) => (v > 0.5 ? Infinity : v)),
      [1, 0],
    );
    expect(jacobian.lo[0]).toBeNaN();
    expectWithin({ ...jacobian, lo: jacobian.lo.slice(1), hi: jacobian.hi.slice(1) }, [1], 2 ** -33);
  });

  it('an output whose noise is not bounded has an interval without end', async () => {
    const { jacobian } = await measured(
      each((v) => v),
      [1],
      { noise: Infinity },
    );
    expect(jacobian.hi[0] - jacobian.lo[0] < Infinity).toBe(false);
  });
});
