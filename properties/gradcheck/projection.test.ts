import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import type { DeclaredKink, FloatDtype } from './differentiable.ts';
import { measureJacobian } from './jacobian.ts';
import { alongDirections } from './projection.ts';
import type { KinksOf } from './stencil.ts';

const x = Float64Array.of(0, 0.3, -1, 1.99, 2, -5.5, 1000, 2 ** -30);

function along(
  f: (at: Readonly<Record<string, Float64Array>>) => Float64Array,
  values = x,
  dtype: FloatDtype = 'f64',
  seed = 1,
  kinksOf?: KinksOf,
) {
  const places: Float64Array[] = [];
  const inputs = { x: values, w: Float64Array.of(3) };
  const numeric = async (at: Readonly<Record<string, Float64Array>>) => {
    places.push(at.x);
    return f(at);
  };
  const y = f(inputs);
  const { moved, projection } = alongDirections(
    'x',
    { numeric, dtype, inputs, y },
    random(seed, 'along'),
    [y.length],
    kinksOf,
  );
  return { moved, y, places, projection, directions: projection.directions };
}

const sums = ({ x: at, w }: Readonly<Record<string, Float64Array>>) =>
  Float64Array.of(
    at.reduce((sum, v) => sum + v, 0),
    at.reduce((sum, v, j) => sum + (j + 1) * v * w[0], 0),
  );

describe('directions', () => {
  it('are four, each element of them ± the power of two of its size, 1 below 1; then those about 0 alone', () => {
    const { directions, projection } = along(sums);
    expect(projection).toMatchObject({ random: 4, together: 6, alone: [0, 7], left: 0 });
    expect(directions).toHaveLength(6);
    for (const t of directions.slice(0, 4)) expect([...t].map(Math.abs)).toEqual([0, 1, 1, 1, 2, 4, 512, 0]);
    expect([...directions[4]]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect([...directions[5]]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('move elements on declared kinks and near them alone, up to 64, with the kinks as far away as they are', () => {
    const values = Float64Array.of(6, 6 + 2 ** -13, 5.9, -3);
    const kink: DeclaredKink = {
      at: 6,
      value: 'left',
      derivative: (output) => output,
      left: () => ({ value: 7, slope: 1 }),
      right: (output) => ({ value: 8, slope: output }),
    };
    const { moved, projection } = along(
      ({ x: at }) => at.slice(0, 1),
      values,
      'f64',
      1,
      () => [kink, { at: 9, derivative: 'right' }, { at: 10 }],
    );
    expect(projection).toMatchObject({ together: 2, alone: [0, 1] });
    expect(moved.kinksOf!(3)).toEqual([]);
    const [on, other, bare] = moved.kinksOf!(4);
    // In steps of 4.
    expect([on.at, on.value, other, bare]).toEqual([0, 'left', { at: 0.75, derivative: 'right' }, { at: 1 }]);
    expect(bare).not.toHaveProperty('derivative');
    expect((on.derivative as (output: number) => number)(3)).toBe(12);
    expect([on.left!(0), on.right!(3)]).toEqual([
      { value: 7, slope: 4 },
      { value: 8, slope: 12 },
    ]);
    expect(moved.kinksOf!(5).map(({ at }) => at)).toEqual([-(2 ** -15), (3 - 2 ** -13) / 4, (4 - 2 ** -13) / 4]);
    const many = along(({ x: at }) => at.slice(0, 1), new Float64Array(70)).projection;
    expect(many).toMatchObject({ random: 0, together: 0, left: 6 });
    expect(many.alone).toHaveLength(64);
  });

  it('have signs of their own, about as many of each', () => {
    const many = along(({ x: at }) => at.slice(0, 1), new Float64Array(2000).fill(1)).directions;
    for (const [k, t] of many.entries()) {
      expect(Math.abs(t.reduce((a, b) => a + b, 0))).toBeLessThan(250);
      for (const other of many.slice(k + 1)) {
        expect(Math.abs(t.reduce((sum, v, j) => sum + v * other[j], 0))).toBeLessThan(250);
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
      expect(hi[2 * k + i] - lo[2 * k + i]).toBeLessThan(1e-6);
    }
  }
});

it('starts from where the input is, all of whose elements an output may depend on', async () => {
  const { moved, places } = along(sums);
  expect([...moved.given]).toEqual([0, 0, 0, 0, 0, 0]);
  expect(moved.reach).toBe(x.length);
  expect(await moved.again()).toBeUndefined();
  expect(places[0]).toEqual(x);
});

it('moves to numbers of the dtype', async () => {
  const { moved, places } = along(({ x: at }) => at.slice(0, 1), x.map(Math.fround), 'f32');
  await moved.first(random(1, 'moves'));
  // Four directions and three elements about 0, where steps are wide.
  expect(places).toHaveLength(14);
  for (const place of places) for (const v of place) expect(Math.fround(v)).toBe(v);
});
