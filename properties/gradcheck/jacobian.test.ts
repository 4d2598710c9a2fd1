import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import { confirmJacobian } from './confirm.ts';
import type { FloatDtype, Kink, Structure } from './differentiable.ts';
import { type Jacobian, measureJacobian, withoutKinks } from './jacobian.ts';
import { layoutOf } from './layout.ts';
import { Moved } from './measure.ts';
import { type Sides, sidesOf } from './sides.ts';
import { errorOf, type Slope } from './slope.ts';
import { noiseScales, stepScales } from './stencil.ts';

type F = (x: Float64Array) => Float64Array;
const each =
  (f: (v: number, j: number) => number): F =>
  (x) =>
    x.map(f);

interface How {
  readonly dtype?: FloatDtype;
  readonly structure?: Structure;
  readonly kinks?: (element: number) => readonly Kink[];
  readonly noise?: number;
}

/** Measures f at x; counts its calls. */
async function measured(
  f: F,
  x: readonly number[],
  { dtype = 'f64', structure = 'elementwise', kinks, noise }: How = {},
) {
  const inputs = { x: Float64Array.from(x) };
  const y = f(inputs.x);
  let calls = 0;
  const numeric = async (at: Readonly<Record<string, Float64Array>>) => {
    calls++;
    return f(at.x!);
  };
  const layout = layoutOf('x', structure, [1, x.length], [1, y.length]);
  const moved = new Moved('x', layout, kinks, { numeric, dtype, inputs, y });
  await moved.first(random(1, 'jacobian'));
  expect(moved.crossTalk).toBeUndefined();
  const u = 2 ** -formats[dtype].p;
  const bounds = Float64Array.from(y, (v) => noise ?? 4 * u * (Math.abs(v) + 1));
  const first = calls;
  const jacobian = await measureJacobian(moved, y, bounds, dtype);
  const more = calls - first;
  const confirm = (elements: number[], before: Jacobian = jacobian) =>
    confirmJacobian(before, new Set(elements), moved, y, bounds, dtype);
  return { jacobian, confirm, more, calls: () => calls };
}

/** Each derivative lies in its interval, which is at most so wide. */
function expectWithin({ lo, hi }: Jacobian, slopes: readonly number[], width: number): void {
  for (const [i, slope] of slopes.entries()) {
    expect(lo[i], `lo of ${i}`).toBeLessThanOrEqual(slope);
    expect(hi[i], `hi of ${i}`).toBeGreaterThanOrEqual(slope);
    expect(hi[i]! - lo[i]!, `width of ${i}`).toBeLessThanOrEqual(width * Math.max(1, Math.abs(slope)));
  }
}

const h = 2 ** -15;
const [widest, middle, smallest] = stepScales.f64 as [number, number, number];
/** `v + c·v³`, of which a quartic knows the slope, and takes for its error `4·h²·c` around a point, `8·h²·c` beside one. */
const cubic = (c: number) => each((v) => v + c * v ** 3);
/** A kink on the left of 0, so near that points lie on the right at every scale. */
const beside = () => [{ at: -smallest }];
const widthOf = ({ lo, hi }: Jacobian) => hi[0]! - lo[0]!;

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
    const { jacobian } = await measured((x) => Float64Array.of(x[0]! * x[1]!, x[1]! ** 2), [3, 5], {
      structure: 'dense',
    });
    // At colour · outputs + output.
    expectWithin(jacobian, [5, 0, 3, 10], 2 ** -26);
  });

  it('of every element of a dense input in float32', async () => {
    const { jacobian } = await measured((x) => Float64Array.of(x[0]! + 2 * x[1]!, 3 * x[0]! + 4 * x[1]!), [3, 5], {
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
    expect((around.lo[0]! + around.hi[0]!) / 2).toBe(1);
    expect(widthOf(around)).toBeCloseTo((4 * noise) / (3 * h) + 10 * 2 ** -53, 15);
    const beside = (await measured(cubic(0), [0], { noise, kinks: () => [{ at: -h }] })).jacobian;
    expect((beside.lo[0]! + beside.hi[0]!) / 2).toBe(1);
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
    expect(jacobian.hi[0]! - jacobian.lo[0]! < Infinity).toBe(false);
  });
});

const jump = (at: number): F => each((v) => (v > at ? 1 + 3 * (v - at) : v - at));

describe('kinks', () => {
  const kink = (more: Partial<Kink>) => () => [{ at: 0.5, ...more }];

  it('declared, with the convention of a side, are that slope exactly where both sides are straight', async () => {
    for (const [derivative, slope] of [
      ['left', 1],
      ['right', 3],
    ] as const) {
      const { jacobian } = await measured(jump(0.5), [0.5], { kinks: kink({ derivative, value: 'left' }) });
      expectWithin(jacobian, [slope], 2 ** -20);
      const [found] = jacobian.kinks;
      expect(found).toMatchObject({ output: 0, element: 0, derivative: 0, declared: { derivative } });
      expect(found!.left.value).toBeCloseTo(0, 10);
      expect(found!.right.value).toBeCloseTo(1, 10);
      expect(found!.left.slope).toBeCloseTo(1, 5);
      expect(found!.right.slope).toBeCloseTo(3, 5);
    }
  });

  it('declared with a number are that number', async () => {
    const { jacobian } = await measured(jump(0.5), [0.5, 0.5], {
      kinks: kink({ derivative: (output) => 7 + output }),
    });
    expect([...jacobian.lo]).toEqual([7, 8]);
    expect([...jacobian.hi]).toEqual([7, 8]);
  });

  it('declared as any leave the derivative open', async () => {
    const { jacobian } = await measured(jump(0.5), [0.5], { kinks: kink({ derivative: 'any' }) });
    expect(jacobian.lo[0]).toBeNaN();
    expect(jacobian.hi[0]).toBeNaN();
    expect(jacobian.kinks).toHaveLength(1);
  });

  it('without a convention allow what lies between both slopes', async () => {
    for (const kinks of [kink({}), undefined]) {
      const { jacobian } = await measured(
        each((v) => (v > 0.5 ? 3 : -1) * (v - 0.5)),
        [0.5, 0.75],
        kinks && { kinks },
      );
      expectWithin({ ...jacobian, lo: jacobian.lo.slice(1), hi: jacobian.hi.slice(1) }, [3], 2 ** -33);
      expect(jacobian.lo[0]).toBeCloseTo(-1, 6);
      expect(jacobian.hi[0]).toBeCloseTo(3, 6);
      expect(jacobian.kinks).toHaveLength(1);
      expect(jacobian.kinks[0]).toMatchObject({ element: 0, output: 0 });
      expect(jacobian.kinks[0]!.declared === undefined).toBe(kinks === undefined);
    }
  });

  it('undeclared jumps are found, with the slopes of both sides', async () => {
    const { jacobian } = await measured(jump(0.5), [0.5]);
    expect(jacobian.kinks).toHaveLength(1);
    expect(jacobian.lo[0]).toBeCloseTo(1, 4);
    expect(jacobian.hi[0]).toBeCloseTo(3, 4);
  });

  it('beside an element, undeclared, are left aside by a smaller step', async () => {
    for (const distance of [2 ** -16, 2 ** -20]) {
      const { jacobian } = await measured(
        each((v) => Math.abs(v - 1)),
        [1 + distance, 1 - distance],
      );
      expectWithin(jacobian, [1, -1], 2 ** -20);
      expect(jacobian.kinks).toEqual([]);
    }
  });

  it('declared beside an element are never crossed', async () => {
    const seen: number[] = [];
    const f: F = (x) => {
      seen.push(x[0]!);
      return x.map((v) => (v > 1 ? v * v : 100));
    };
    const { jacobian } = await measured(f, [1 + 2 ** -18], { kinks: () => [{ at: 1 }] });
    expect(seen.every((v) => v > 1)).toBe(true);
    expectWithin(jacobian, [2 + 2 ** -17], 2 ** -20);
  });

  it('declared elsewhere are not those of an element', async () => {
    const kinks = (at: number) => [
      { at: -8, derivative: () => 9 },
      { at, derivative: () => 7 },
    ];
    const { jacobian } = await measured(each(Math.sin), [0.5], { kinks: () => kinks(0) });
    expectWithin(jacobian, [Math.cos(0.5)], 2 ** -26);
    expect(jacobian.kinks).toEqual([]);
    const on = (await measured(each(Math.sin), [0.5], { kinks: () => kinks(0.5) })).jacobian;
    expect([on.lo[0], on.hi[0]]).toEqual([7, 7]);
  });

  it('that are jumps beside an element are left aside by the smallest step', async () => {
    for (const sign of [1, -1]) {
      const { jacobian } = await measured(
        each((v) => v + (sign * v > 2 ** -28 ? 1 : 0)),
        [0],
      );
      expectWithin(jacobian, [1], 2 ** -12);
      expect(jacobian.kinks).toEqual([]);
    }
  });

  it('that a smaller step leaves aside are given up, however small they were', async () => {
    const { jacobian } = await measured(
      each((v) => 2 ** -28 * Math.max(0, v - 2 ** -20)),
      [0],
      { noise: 2 ** -52 },
    );
    expect(jacobian.kinks).toEqual([]);
    expectWithin(jacobian, [0], 2 ** -24);
  });

  const here = () => 0;
  const limits = () => ({ value: 0, slope: 1 });
  it.each<[Partial<Kink>, 'neither' | 'left' | 'right' | 'both']>([
    [{ derivative: here, value: here }, 'neither'],
    [{ derivative: 'any', value: 'any' }, 'neither'],
    [{ derivative: 'left', value: here }, 'left'],
    [{ derivative: here, value: 'left' }, 'left'],
    [{ derivative: here, value: here, left: limits }, 'left'],
    [{ derivative: 'right', value: here }, 'right'],
    [{ derivative: here, value: 'right' }, 'right'],
    [{ derivative: here, value: here, right: limits }, 'right'],
    [{ derivative: 'left', value: 'right' }, 'both'],
    [{ derivative: here }, 'both'],
    [{ value: here }, 'both'],
  ])('%j asks for a good slope of: %s', async (declared, needed) => {
    // What lies beyond a jump is known from the second scale on, what is joined to the value from the first.
    for (const side of ['left', 'right'] as const) {
      const f = each((v) => v + ((side === 'left' ? v < 0 : v > 0) ? 1 : 0));
      const { more } = await measured(f, [0], { kinks: () => [{ at: 0, ...declared }] });
      expect(more, `a jump to the ${side}`).toBe(needed === side || needed === 'both' ? 6 : 2);
    }
  });

  it('can all be left open', async () => {
    const { jacobian } = await measured(each(Math.abs), [0, 1]);
    const { lo, hi, kinks } = withoutKinks(jacobian);
    expect(kinks).toEqual([]);
    expect([lo[0], hi[0]]).toEqual([Number.NaN, Number.NaN]);
    expect(lo[1]).toBeCloseTo(1, 8);
  });
});

describe('slopes without a limit are left open', () => {
  it.each<[string, (v: number) => number, number]>([
    ['a vertical tangent', Math.cbrt, 0],
    ['one from both sides', (v) => Math.sqrt(Math.abs(v)), 0],
    ['a pole beside', (v) => 1 / v, 1e-12],
    ['a vertical tangent beside', Math.cbrt, 1e-12],
    ['one so near that there is but rounding between', Math.cbrt, 1e-300],
    ['an oscillation', (v) => (v === 0 ? 0 : v * Math.sin(1 / v)), 0],
  ])('%s', async (_name, f, x) => {
    const { jacobian } = await measured(each(f), [x], { noise: 2 ** -52 * Math.max(Math.abs(f(x)), 1e-5) });
    expect([jacobian.lo[0], jacobian.hi[0], jacobian.kinks]).toEqual([Number.NaN, Number.NaN, []]);
  });

  it('a declared kink too, unless its derivative is declared', async () => {
    const kink = { at: 0, value: 'left' } as const;
    const { jacobian } = await measured(each(Math.cbrt), [0], { noise: 2 ** -60, kinks: () => [kink] });
    expect(jacobian.lo[0]).toBeNaN();
    expect(jacobian.kinks).toHaveLength(1);
    const known = { ...kink, derivative: () => 5 };
    const { jacobian: declared } = await measured(each(Math.cbrt), [0], { noise: 2 ** -60, kinks: () => [known] });
    expect([declared.lo[0], declared.hi[0]]).toEqual([5, 5]);
  });

  it('slopes that only noise keeps apart are not', async () => {
    const f = each((v) => Math.abs(v) + 1e-9 * Math.sin(1e13 * v));
    const { jacobian } = await measured(f, [0], { noise: 1e-9 });
    expect(jacobian.lo[0]).toBeLessThan(-1);
    expect(jacobian.hi[0]).toBeGreaterThan(1);
  });
});

describe('noise that the size of the values does not show', () => {
  const draw = random(3, 'places');
  const places = Array.from({ length: 60 }, () => draw.uniform(-1, 1) * 2 ** -draw.below(20));

  it.each<[string, (v: number) => number, (v: number) => number]>([
    ['1 - cos', (v) => 1 - Math.cos(v), Math.sin],
    ['√(1 + x²) - 1', (v) => Math.sqrt(1 + v * v) - 1, (v) => v / Math.sqrt(1 + v * v)],
    ['log cosh', (v) => Math.log(Math.cosh(v)), Math.tanh],
    ['x + 1e6 - 1e6', (v) => v + 1e6 - 1e6, () => 1],
    ['float32', (v) => Math.fround(Math.tanh(v)), (v) => 1 - Math.tanh(v) ** 2],
    [
      'the tail of gelu',
      (v) => 0.5 * (v - 4) * (1 + Math.tanh(v - 4)),
      (v) => 0.5 * (1 + Math.tanh(v - 4)) + 0.5 * (v - 4) * (1 - Math.tanh(v - 4) ** 2),
    ],
  ])('is seen before %s is called wrong', async (_name, f, df) => {
    const noise = Math.max(2 ** -53 * Math.abs(f(0.001)), 2 ** -80);
    const { confirm } = await measured(each(f), places, { noise });
    const { lo, hi } = await confirm([...places.keys()]);
    for (const [i, v] of places.entries()) {
      if (Number.isNaN(lo[i])) continue;
      expect(lo[i], `${v}`).toBeLessThanOrEqual(df(v));
      expect(hi[i], `${v}`).toBeGreaterThanOrEqual(df(v));
    }
    expect(lo.filter(Number.isFinite).length).toBeGreaterThan(30);
  });
});

describe('a confirmation', () => {
  const noise = 2 ** -53;

  it('measures at all scales again, those elements alone, and changes nothing that was measured', async () => {
    const x = [0.3, 0.7];
    const { jacobian, confirm, calls } = await measured(each(Math.sin), x);
    const before = { ...jacobian, lo: jacobian.lo.slice(), hi: jacobian.hi.slice() };
    const first = calls();
    const again = await confirm([1]);
    // The first two points of the widest scale are known.
    // Of those where noise is measured, two each.
    expect(calls() - first).toBe(2 + 4 + 4 + 2 * noiseScales.f64.length);
    expectWithin(again, x.map(Math.cos), 2 ** -20);
    expect([again.lo[0], again.hi[0]]).toEqual([jacobian.lo[0], jacobian.hi[0]]);
    expect(jacobian).toEqual(before);
  });

  it('sees a curve of which three points lay on a line by chance', async () => {
    // v at the first three points, and at none of the others.
    const f = (v: number) => 1e3 * v * (v - h) * (v + 2 * h) + v;
    const { jacobian, confirm } = await measured(each(f), [0], { noise });
    const slope = 1 - 2e3 * h * h;
    expect(jacobian.lo[0]).toBeGreaterThan(slope);
    const before = [jacobian.lo[0], jacobian.hi[0]];
    const again = await confirm([0]);
    expectWithin(again, [slope], 1e-4);
    expect([jacobian.lo[0], jacobian.hi[0]]).toEqual(before);
  });

  it.each([0, noise])('believes the second scale where the widest says something else, noise %d', async (bound) => {
    const { jacobian, confirm } = await measured(
      each((v) => (Math.abs(v) < 2 ** -20 ? 2 : 1) * v),
      [0],
      { noise: bound },
    );
    expectWithin(jacobian, [1], 2 ** -30);
    expectWithin(await confirm([0]), [2], 2 ** -20);
  });

  it('takes the scale of the smaller error where they agree', async () => {
    // 4·h²·c and 2·noise/h, 32 roundings more: the widest is better here, the second there; on one side 64.
    const { confirm: few } = await measured(cubic(1), [0], { noise: 2 ** -52 });
    expect(widthOf(await few([0]))).toBeCloseTo(2 * (4 * widest ** 2 + (2 * 2 ** -52) / widest + 32 * 2 ** -53), 15);
    const { confirm: many } = await measured(cubic(2 ** 10), [0], { noise: 2 ** -52 });
    const again = await many([0]);
    expectWithin(again, [1], 2 ** -24);
    expect(widthOf(again)).toBeCloseTo(2 * (4 * 2 ** 10 * middle ** 2 + (2 * 2 ** -52) / middle + 32 * 2 ** -53), 14);
    const { confirm: beside } = await measured(cubic(1), [0], { noise: 2 ** -52, kinks: () => [{ at: -widest }] });
    expect(widthOf(await beside([0]))).toBeCloseTo(
      2 * (8 * widest ** 2 + (12 * 2 ** -52) / widest + 64 * 2 ** -53),
      15,
    );
  });

  it('leaves a line as it was, around a point and beside a kink', async () => {
    for (const kinks of [() => [], beside, () => [{ at: smallest }], () => [{ at: widest }]]) {
      const { jacobian, confirm } = await measured(cubic(0), [0], { noise, kinks });
      expect(await confirm([0])).toEqual(jacobian);
    }
  });

  it.each([1, -2, -1, 2])('allows for noise that was not foreseen, as the point at %d shows it', async (multiple) => {
    // One value at the smallest scale is off; the third differences show it once to three times.
    const off = 2 ** -40;
    const { confirm } = await measured(
      each((v) => v + (v === multiple * smallest ? off : 0)),
      [0],
      { noise },
    );
    const again = await confirm([0]);
    expectWithin(again, [1], 2 ** -20);
    expect(widthOf(again)).toBeGreaterThanOrEqual((0.999 * 4 * off) / widest);
    expect(widthOf(again)).toBeLessThanOrEqual((3.001 * 4 * off) / widest);
  });

  it('leaves as it was what one of the scales cannot tell', async () => {
    // 0.3·v has another slope nearby, which a confirmation would take.
    for (const isOver of [
      (v: number) => v === -widest,
      (v: number) => v === middle,
      (v: number) => v === -widest || v === middle,
    ]) {
      const f = each((v) => (isOver(v) ? Infinity : (Math.abs(v) < 2 ** -30 ? 0.3 : 1) * v));
      const { jacobian, confirm } = await measured(f, [0], { noise });
      expect(await confirm([0])).toEqual(jacobian);
    }
    // Without values at the smallest no noise is measured.
    const { jacobian, confirm } = await measured(
      each((v) => (v === smallest ? Infinity : v)),
      [0],
      { noise },
    );
    expect(await confirm([0])).toEqual(jacobian);
  });

  it('leaves kinks as they are, and open if they are left open', async () => {
    const { jacobian, confirm } = await measured(each(Math.abs), [0]);
    const again = await confirm([0]);
    expect([again.lo[0], again.hi[0]]).toEqual([jacobian.lo[0], jacobian.hi[0]]);
    expect(again.kinks).toEqual(jacobian.kinks);
    const open = await confirm([0], withoutKinks(jacobian));
    expect([open.lo[0], open.hi[0]]).toEqual([Number.NaN, Number.NaN]);
  });
});
