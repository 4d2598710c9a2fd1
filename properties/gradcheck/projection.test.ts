import { describe, expect, it } from 'vitest';
import type { Dtype } from '../../reference/case.ts';
import { random } from '../../reference/random.ts';
import { measureJacobian } from './jacobian.ts';
import { alongDirections } from './projection.ts';

const x = Float64Array.of(0, 0.3, -1, 1.99, 2, -5.5, 1000, 2 ** -30);

function along(
  f: (at: Readonly<Record<string, Float64Array>>) => Float64Array,
  values = x,
  dtype: Dtype = 'f64',
  seed = 1,
) {
  const places: Float64Array[] = [];
  const inputs = { x: values, w: Float64Array.of(3) };
  const numeric = async (at: Readonly<Record<string, Float64Array>>) => {
    places.push(at.x!);
    return f(at);
  };
  const y = f(inputs);
  const { moved, projection } = alongDirections('x', { numeric, dtype, inputs, y }, random(seed, 'along'), [y.length]);
  return { moved, y, places, directions: projection.directions };
}

const sums = ({ x: at, w }: Readonly<Record<string, Float64Array>>) =>
  Float64Array.of(
    at!.reduce((sum, v) => sum + v, 0),
    at!.reduce((sum, v, j) => sum + (j + 1) * v * w![0]!, 0),
  );

describe('directions', () => {
  it('are four, each element of them ± the power of two of its size, 1 below 1', () => {
    const { directions } = along(sums);
    expect(directions).toHaveLength(4);
    for (const t of directions) expect([...t].map(Math.abs)).toEqual([1, 1, 1, 1, 2, 4, 512, 1]);
  });

  it('have signs of their own, about as many of each', () => {
    const many = along(({ x: at }) => at!.slice(0, 1), new Float64Array(2000).fill(1)).directions;
    for (const [k, t] of many.entries()) {
      expect(Math.abs(t.reduce((a, b) => a + b, 0))).toBeLessThan(250);
      for (const other of many.slice(k + 1)) {
        expect(Math.abs(t.reduce((sum, v, j) => sum + v * other[j]!, 0))).toBeLessThan(250);
      }
    }
    expect(along(sums).directions).toEqual(along(sums).directions);
    expect(along(sums, x, 'f64', 2).directions).not.toEqual(along(sums).directions);
  });
});

it('measures the derivative along each direction', async () => {
  const { moved, y, directions } = along(sums);
  await moved.first(random(1, 'moves'));
  const { lo, hi } = await measureJacobian(moved, y, Float64Array.of(1e-12, 1e-12), 'f64');
  for (const [k, t] of directions.entries()) {
    const slopes = [t.reduce((sum, v) => sum + v, 0), 3 * t.reduce((sum, v, j) => sum + (j + 1) * v, 0)];
    for (const [i, slope] of slopes.entries()) {
      expect(lo[2 * k + i]).toBeLessThanOrEqual(slope);
      expect(hi[2 * k + i]).toBeGreaterThanOrEqual(slope);
      expect(hi[2 * k + i]! - lo[2 * k + i]!).toBeLessThan(1e-6);
    }
  }
});

it('starts from where the input is, all of whose elements an output may depend on', async () => {
  const { moved, places } = along(sums);
  expect([...moved.given]).toEqual([0, 0, 0, 0]);
  expect(moved.reach).toBe(x.length);
  expect(await moved.again()).toBeUndefined();
  expect(places[0]).toEqual(x);
});

it('moves to numbers of the dtype', async () => {
  const { moved, places } = along(({ x: at }) => at!.slice(0, 1), x.map(Math.fround), 'f32');
  await moved.first(random(1, 'moves'));
  expect(places).toHaveLength(8);
  for (const place of places) for (const v of place) expect(Math.fround(v)).toBe(v);
});
