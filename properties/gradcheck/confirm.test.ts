import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { GradcheckError } from './calls.ts';
import type { Differentiable } from './differentiable.ts';
import { codes } from './gradcheck-for-tests.ts';
import { type Jacobian, withoutKinks } from './jacobian.ts';
import {
  beside,
  cubic,
  each,
  expectWithin,
  h,
  measured,
  middle,
  smallest,
  widest,
  widthOf,
} from './jacobian-for-tests.ts';
import { noiseScales } from './stencil.ts';

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

  it('sees a curve of which three points had one value by chance, and no noise', async () => {
    const { jacobian, confirm } = await measured(
      each((v) => 1e3 * v * (v - h) * (v + 2 * h)),
      [0],
      { noise: 0 },
    );
    expect([jacobian.lo[0], jacobian.hi[0]]).toEqual([0, 0]);
    expectWithin(await confirm([0]), [-2e3 * h * h], 1e-4);
  });

  it('finds a kink of which three points lay on a line by chance, and leaves what was measured as it was', async () => {
    const f = (v: number) => (v === h || v === -2 * h ? v : Math.abs(v));
    const { jacobian, confirm } = await measured(each(f), [0], { noise });
    expect(jacobian.kinks).toEqual([]);
    const again = await confirm([0]);
    expect(again.kinks).toMatchObject([{ element: 0, declared: undefined }]);
    expect([again.lo[0] <= -1, again.hi[0] >= 1]).toEqual([true, true]);
    expect(jacobian.kinks).toEqual([]);
  });

  it('allows for noise beside a kink that was found', async () => {
    const off = 2 ** -40;
    const f = (v: number) => Math.abs(v) + (v === smallest ? off : 0);
    const { jacobian, confirm } = await measured(each(f), [0], { noise });
    const again = await confirm([0]);
    expect([jacobian.hi[0] - 1 < off / widest, again.hi[0] - 1 > off / widest]).toEqual([true, true]);
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
    const { jacobian, confirm } = await measured(
      each(() => 0),
      [0],
      { noise: 0 },
    );
    expect(await confirm([0])).toEqual(jacobian);
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

  it('keeps the kinks of other elements, and each once', async () => {
    const { jacobian, confirm } = await measured(each(Math.abs), [0, 0, 0.5, 0]);
    const places = ({ kinks }: Jacobian) => kinks.map(({ element }) => element).sort();
    expect(places(jacobian)).toEqual([0, 1, 3]);
    expect(places(await confirm([1, 2]))).toEqual([0, 1, 3]);
    expect(places(jacobian)).toEqual([0, 1, 3]);
  });

  it('asks nothing of an element on a declared kink', async () => {
    const { jacobian, confirm, calls } = await measured(each(Math.abs), [0], { kinks: () => [{ at: 0 }] });
    const first = calls();
    expect(await confirm([0])).toEqual(jacobian);
    expect(calls()).toBe(first);
  });

  it.each(['throws', 'throws something else'])('a function that %s far away', async (how) => {
    // Noise of 2⁻⁵³ shows nowhere: what lies within reach is asked for, 1.37 away, and at 0.
    const f = each((v) => {
      if (Math.abs(v) > 1 || v === 0)
        throw how === 'throws' ? new GradcheckError('domain') : new TypeError('not of a domain');
      return 0.75 * v;
    });
    const { jacobian, confirm } = await measured(f, [0.5], { noise, unit: 2 ** -50 });
    if (how === 'throws') expect(await confirm([0])).toEqual(jacobian);
    else await expect(confirm([0])).rejects.toThrow('not of a domain');
  });
});

describe('values on steps', () => {
  const noise = 2 ** -53;
  it.each([1, -1])('may have either slope, where the one further away is another: %d', async (slope) => {
    const f = (v: number) => slope * Math.round(v * 2 ** 20) * 2 ** -20;
    const { lo, hi } = await (await measured(each(f), [0], { noise: 2 ** -60 })).confirm([0]);
    expect([lo[0] <= Math.min(0, slope), hi[0] >= Math.max(0, slope)]).toEqual([true, true]);
    expect(widthOf({ lo, hi, kinks: [] })).toBeLessThan(1.5);
  });

  it.each([1, -1])('are flat where the one further away may be so too: %d', async (sign) => {
    // One step is as wide as the widest scale: its noise is as large as its slope.
    const f = (v: number) => sign * Math.round(v / widest) * widest;
    const again = await (await measured(each(f), [0], { noise: 2 ** -60 })).confirm([0]);
    expectWithin(again, [0], 2 ** -30);
  });

  it('are none where f is a curve that is level at the element alone', async () => {
    const f = (v: number) => (Math.abs(v) < 2 ** -20 ? v ** 4 : v);
    expectWithin(await (await measured(each(f), [0], { noise })).confirm([0]), [0], 2 ** -20);
  });
});

describe('terms that cancel, as large as f is within reach', () => {
  const noise = 2 ** -53;
  const unit = 2 ** -40;

  it('are no noise of a curve, on which noise would show', async () => {
    // The widest scale tells its slope best: 4·h²·c, and no more than was estimated.
    const again = await (await measured(cubic(2 ** 10), [0], { noise: 2 ** -52, unit })).confirm([0]);
    expect(widthOf(again)).toBeCloseTo(2 * (4 * 2 ** 10 * widest ** 2 + (2 * 2 ** -52) / widest + 32 * 2 ** -53), 15);
  });

  it('are of those elements alone: another is not moved', async () => {
    const f = (v: number, j: number) => {
      if (j === 1 && Math.abs(v) > 1) throw new GradcheckError('domain');
      return 0.75 * v;
    };
    const { confirm } = await measured(each(f), [0.5, 0.5], { noise, unit });
    const { confirm: confirmAlone } = await measured(each(f), [0.5], { noise, unit });
    expect(widthOf(await confirm([0]))).toBe(widthOf(await confirmAlone([0])));
  });

  it('are not looked for on the way to the noise nearby: beyond a declared kink f may be another', async () => {
    const f = (v: number) => (v > 0 ? 3 * v + 1 : 0);
    for (const v of [1e-6, 1e-9]) {
      const { confirm } = await measured(each(f), [v], { noise, unit: 2 ** -51, kinks: () => [{ at: 0 }] });
      expectWithin(await confirm([0]), [3], 1e-4);
    }
  });

  // 2·noise/h, and what the formula loses itself: 32 roundings.
  const widthAt = (step: number, hidden: number) => (4 * hidden) / step + 64 * 2 ** -53;

  it('are told from the slope of a line by the widest scale that is on it', async () => {
    const { confirm } = await measured(each(Number), [0], { noise, unit });
    const again = await confirm([0]);
    expectWithin(again, [1], widthAt(1.37 * 2 ** -5, unit * 2.74));
    // What f is elsewhere, or not at all, is not its slope here.
    for (const beyond of [3, Number.NaN]) {
      const f = (v: number) => (Math.abs(v) > 0.01 && Math.abs(v) < 1 ? beyond : 1) * v;
      const here = await (await measured(each(f), [0], { noise, unit })).confirm([0]);
      expectWithin(here, [1], widthAt(widest, unit * 2.74));
      expect(widthOf(here)).toBeGreaterThan(widthOf(again));
    }
  });
});

it('a jump on an element is no noise of it, whatever is read within others that are tiny', async () => {
  const f = each((v) => (v < 0 ? v : v + 1));
  const { confirm } = await measured(f, [0, 1e-12], { noise: 2 ** -53 });
  const { confirm: confirmAlone } = await measured(f, [0], { noise: 2 ** -53 });
  const [again, alone] = [await confirm([0, 1]), await confirmAlone([0])];
  expect([again.lo[0], again.hi[0]]).toEqual([alone.lo[0], alone.hi[0]]);
});

it.each([5, 20, 30, 31.5, 33, 34, 36, 38, 40, 50, 100, 500])(
  'the logarithm of a softmax that is nearly 1 passes: %d',
  async (g) => {
    const softmax = (v: Float64Array) => {
      const e = v.map((at) => Math.exp(at - Math.max(...v)));
      return e.map((at) => at / e.reduce((a, b) => a + b, 0));
    };
    const vjp: Differentiable['vjp'] = ({ x }, dy) => ({
      x: softmax(x).map((p, j) => dy[0] * (p - (j === 0 ? 1 : 0))),
    });
    const logarithm: Differentiable = { forward: ({ x }) => Float64Array.of(-Math.log(softmax(x)[0])), vjp };
    const summed: Differentiable = {
      forward({ x }) {
        const most = Math.max(...x);
        return Float64Array.of(Math.log(x.reduce((sum, v) => sum + Math.exp(v - most), 0)) + most - x[0]);
      },
      vjp,
    };
    for (const f of [logarithm, summed]) {
      expect(await codes(f, { x: Float64Array.of(g, 0) })).toEqual([]);
      const wrong: Differentiable = {
        ...f,
        vjp: (inputs, dy, shapes) => ({
          x: (vjp(inputs, dy, shapes) as { x: Float64Array }).x.map((v) => v + 1e-9 * dy[0]),
        }),
      };
      expect(await codes(wrong, { x: Float64Array.of(g, 0) })).toContain('gradient');
    }
  },
);
