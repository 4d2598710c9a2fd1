import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import type { FloatDtype, Structure } from './differentiable.ts';
import { layoutOf } from './layout.ts';
import { Moved } from './measure.ts';
import { estimateNoise as estimate, outputNoise, roundingsOf } from './noise.ts';

type F = (inputs: Readonly<Record<string, Float64Array>>) => Float64Array;

/** The inputs of f, moved. */
async function moved(
  f: F,
  inputs: Readonly<Record<string, Float64Array>>,
  structures: Readonly<Record<string, Structure>>,
  { dtype = 'f64', reach }: { dtype?: FloatDtype; reach?: number } = {},
) {
  const y = f(inputs);
  const all: Moved[] = [];
  for (const [name, structure] of Object.entries(structures)) {
    const layout = layoutOf(name, structure, [inputs[name].length], [y.length]);
    const one = new Moved(name, layout, undefined, { numeric: async (at) => f(at), dtype, inputs, y }, reach);
    await one.first(random(1, 'noise'));
    all.push(one);
  }
  return { all, y };
}
const u = 2 ** -53;
const eta = 2 ** -1074;
const h = 2 ** -15;

it('counts four roundings, and one for each element that an output depends on', async () => {
  const inputs = { x: Float64Array.of(1, 2, 3), w: Float64Array.of(1, 2) };
  const f: F = ({ x, w }) => x.map((v) => v * w[0] + w[1]);
  expect(roundingsOf([])).toBe(4);
  expect(roundingsOf((await moved(f, inputs, { x: 'elementwise' })).all)).toBe(4 + 1);
  expect(roundingsOf((await moved(f, inputs, { x: 'elementwise', w: 'dense' })).all)).toBe(4 + 1 + 2);
  expect(roundingsOf((await moved(f, inputs, { w: 'dense' }, { reach: 100 })).all)).toBe(4 + 100);
});

/** Along the only input. */
const estimateNoise = (...given: Parameters<typeof estimate>) => [...estimate(...given).along.values()][0];

describe('the noise of an output', () => {
  it('is K·u·(max|y| + Σ|v·∂y/∂v|) + 4η', async () => {
    const inputs = { x: Float64Array.of(2, -4, 0), w: Float64Array.of(8) };
    const f: F = ({ x, w }) => x.map((v) => 3 * v + w[0]);
    const { all, y } = await moved(f, inputs, { x: 'elementwise', w: 'dense' });
    const { output, along } = estimate(all, y, 'f64');
    const [x, w] = all.map((input) => along.get(input)!);
    // Along an input the largest value is at a point beside: x at 2 + 1·2h (its unit is 2), -4 - 2·4h, 0 + h; w at 8 + 8h.
    const largest = [
      [14, 4, 8],
      [14 + 3 * 2 * h, 4 + 3 * 8 * h, 8 + 3 * h],
      [14 + 8 * h, 4 + 16 * h, 8 + 8 * h],
    ];
    const conditions = [2 * 3, 4 * 3, 0].map((share) => share + 8);
    for (const [k, noise] of [output, x, w].entries()) {
      for (const i of [0, 1, 2]) {
        expect(noise[i] / (6 * u * (largest[k][i] + conditions[i]))).toBeCloseTo(1, 12);
      }
    }
  });

  it('takes the largest of the values that were seen, whichever they are', async () => {
    // |y| is large at one of the three points alone, where slopes are as large; v is 0.
    for (const large of [0, h, -2 * h]) {
      const f: F = ({ x }) => x.map((v) => (v === large ? -1024 : 1));
      const { all, y } = await moved(f, { x: Float64Array.of(0) }, { x: 'elementwise' });
      expect(estimateNoise(all, y, 'f64')[0]).toBe(5 * u * 1024 + 4 * eta);
    }
  });

  it('takes the smaller of two slopes, so that a jump does not count', async () => {
    for (const side of [1, -1]) {
      const f: F = ({ x }) => x.map((v) => (side * v > side ? 1 : 0) + 2 * v);
      const { all, y } = await moved(f, { x: Float64Array.of(1) }, { x: 'elementwise' });
      const noise = estimateNoise(all, y, 'f64')[0];
      expect(noise).toBeGreaterThanOrEqual(5 * u * (2 + 2));
      expect(noise).toBeLessThan(5 * u * (3.01 + 2.01));
    }
  });

  it('is no less than 4η, nor infinite for values that are not finite', async () => {
    const zero = await moved(({ x }) => x.map(() => 0), { x: Float64Array.of(1) }, { x: 'elementwise' });
    expect([...estimateNoise(zero.all, zero.y, 'f64')]).toEqual([4 * eta]);
    // y itself is finite, but infinite beside; or the element is what cannot be moved.
    const beside: F = ({ x }) => x.map((v) => (v === 1 ? 2 : Infinity));
    const wild = await moved(beside, { x: Float64Array.of(1) }, { x: 'elementwise' });
    expect([...estimateNoise(wild.all, wild.y, 'f64')]).toEqual([5 * u * 2 + 4 * eta]);
    const still = await moved(({ x }) => x.map(Math.tanh), { x: Float64Array.of(Infinity) }, { x: 'elementwise' });
    expect([...estimateNoise(still.all, still.y, 'f64')]).toEqual([5 * u * 1 + 4 * eta]);
  });

  it('along a direction counts the slope as that of many elements, of 0 too', async () => {
    // 2·√reach stands for max|v|, since along it v is 0.
    const { all, y } = await moved(
      ({ x }) => Float64Array.of(5 * x[0]),
      { x: Float64Array.of(0) },
      { x: 'dense' },
      { reach: 100 },
    );
    const noise = estimateNoise(all, y, 'f64')[0];
    expect(noise / (104 * u * (10 * h + 2 * 10 * 5))).toBeCloseTo(1, 10);
    // Where each element is moved by itself, 0 contributes nothing.
    const alone = await moved(({ x }) => Float64Array.of(5 * x[0]), { x: Float64Array.of(0) }, { x: 'dense' });
    expect(estimateNoise(alone.all, alone.y, 'f64')[0] / (5 * u * 10 * h)).toBeCloseTo(1, 10);
  });

  it('in float32 is that of its unit', async () => {
    const f: F = ({ x }) => x.map((v) => Math.fround(3 * v));
    const { all, y } = await moved(f, { x: Float64Array.of(1) }, { x: 'elementwise' }, { dtype: 'f32' });
    expect(estimateNoise(all, y, 'f32')[0] / (5 * 2 ** -24 * (3 * 1.25 + 3))).toBeCloseTo(1, 5);
  });

  it.each([3, 10, 40])('is more than what rounding does to a sum of %d that cancels', async (n) => {
    const draw = random(4, 'sums');
    for (let k = 0; k < 20; k++) {
      const x = Float64Array.from({ length: n }, () => draw.uniform(-1, 1) * 2 ** (draw.below(20) - 10));
      // Doubled by its negative, all but the last bits: the sum is 0, and what is left is error.
      const twice = Float64Array.of(...x, ...x.toReversed().map((v) => -v));
      const sum: F = ({ x: at }) => Float64Array.of(at.reduce((a, b) => a + b / 3, 0));
      const { all, y } = await moved(sum, { x: twice }, { x: 'dense' });
      expect(Math.abs(y[0])).toBeLessThanOrEqual(estimateNoise(all, y, 'f64')[0]);
    }
  });
});

describe('the noise of y in its own dtype', () => {
  const noise = Float64Array.of(u, 5 * u, 0, Infinity);

  it('is that of the numeric side, if that is the same', () => {
    expect(outputNoise(noise, 'f64', 'f64')).toBe(noise);
  });

  it('is as many units of float32, where the numeric side is a twin in float64', () => {
    const least = 4 * 2 ** -149;
    const unit = 2 ** -24;
    expect([...outputNoise(noise, 'f64', 'f32')]).toEqual([unit + least, 5 * unit + least, least, Infinity]);
  });
});
