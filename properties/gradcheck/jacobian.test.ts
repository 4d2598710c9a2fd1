import { describe, expect, it } from 'vitest';
import type { Dtype } from '../../reference/case.ts';
import { random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import type { Kink, Structure } from './differentiable.ts';
import { confirmJacobian, type Jacobian, measureJacobian, withoutKinks } from './jacobian.ts';
import { layoutOf } from './layout.ts';
import { Moved } from './measure.ts';

type F = (x: Float64Array) => Float64Array;
const each =
  (f: (v: number, j: number) => number): F =>
  (x) =>
    x.map(f);

interface How {
  readonly dtype?: Dtype;
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
  const confirm = (elements: number[]) => confirmJacobian(jacobian, new Set(elements), moved, y, bounds);
  return { jacobian, confirm, more: calls - first };
}

/** Each derivative lies in its interval, which is at most so wide. */
function expectWithin({ lo, hi }: Jacobian, slopes: readonly number[], width: number): void {
  for (const [i, slope] of slopes.entries()) {
    expect(lo[i], `lo of ${i}`).toBeLessThanOrEqual(slope);
    expect(hi[i], `hi of ${i}`).toBeGreaterThanOrEqual(slope);
    expect(hi[i]! - lo[i]!, `width of ${i}`).toBeLessThanOrEqual(width * Math.max(1, Math.abs(slope)));
  }
}

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

describe('what cannot be measured stays open', () => {
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

  it('can all be left open', async () => {
    const { jacobian } = await measured(each(Math.abs), [0, 1]);
    const { lo, hi, kinks } = withoutKinks(jacobian);
    expect(kinks).toEqual([]);
    expect([lo[0], hi[0]]).toEqual([Number.NaN, Number.NaN]);
    expect(lo[1]).toBeCloseTo(1, 8);
  });
});

describe('a confirmation', () => {
  it('measures at all scales again, those elements alone', async () => {
    const x = [0.3, 0.7];
    const { jacobian, confirm } = await measured(each(Math.sin), x);
    const again = await confirm([1]);
    expectWithin(again, x.map(Math.cos), 2 ** -20);
    expect([again.lo[0], again.hi[0]]).toEqual([jacobian.lo[0], jacobian.hi[0]]);
  });

  it('sees a curve of which three points lay on a line by chance', async () => {
    // 0 at the first three points, and at none of the others.
    const h = 2 ** -15;
    const f = (v: number) => 1e3 * v * (v - h) * (v + 2 * h) + v;
    const { jacobian, confirm } = await measured(each(f), [0], { noise: 2 ** -53 });
    const again = await confirm([0]);
    const slope = 1 - 2e3 * h * h;
    expect(again.lo[0]).toBeLessThanOrEqual(slope);
    expect(again.hi[0]).toBeGreaterThanOrEqual(slope);
    expect(jacobian.hi[0]! - jacobian.lo[0]!).toBeGreaterThanOrEqual(0);
  });

  it('allows for noise that was not foreseen', async () => {
    const draw = random(3, 'noise');
    const noisy = each((v) => v + 1e-9 * draw.uniform(-1, 1));
    const y: F = (x) => (x[0] === 0.5 ? Float64Array.of(0.5) : noisy(x));
    const { confirm } = await measured(y, [0.5], { noise: 2 ** -53 });
    const again = await confirm([0]);
    expect(again.lo[0]).toBeLessThanOrEqual(1);
    expect(again.hi[0]).toBeGreaterThanOrEqual(1);
  });

  it('leaves kinks as they are', async () => {
    const { jacobian, confirm } = await measured(each(Math.abs), [0]);
    const again = await confirm([0]);
    expect([again.lo[0], again.hi[0]]).toEqual([jacobian.lo[0], jacobian.hi[0]]);
    expect(again.kinks).toEqual(jacobian.kinks);
  });
});
