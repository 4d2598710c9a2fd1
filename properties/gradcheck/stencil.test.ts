import { describe, expect, it } from 'vitest';
import type { DeclaredKink } from './differentiable.ts';
import { lineScale, lineScales, noiseScales, stencilAt, stepScales } from './stencil.ts';

const h = 2 ** -15;
const kinksAt =
  (...places: number[]) =>
  (): DeclaredKink[] =>
    places.map((at) => ({ at }));
/** The points of the only element, as distances from it. */
function distances(v: number, kinks?: () => DeclaredKink[], scale = h, dtype: 'f32' | 'f64' = 'f64'): number[] {
  return stencilAt(Float64Array.of(v), dtype, scale, kinks).points.map((point) => point[0] - v);
}
const sideOf = (v: number, ...places: number[]) => stencilAt(Float64Array.of(v), 'f64', h, kinksAt(...places)).side[0];

it('the scales go down, by powers of two but for the last of f64, which shows noise', () => {
  for (const scales of Object.values(stepScales)) {
    expect(scales.length).toBeGreaterThanOrEqual(3);
    expect([...scales].sort((a, b) => b - a)).toEqual(scales);
  }
  expect(Math.log2(stepScales.f64.at(-1)!) % 1).not.toBe(0);
  expect(stepScales.f32.every((scale) => Math.log2(scale) % 1 === 0)).toBe(true);
  expect(stepScales.f64[0]).toBe(2 ** -15);
  expect(stepScales.f32[0]).toBe(2 ** -2);
});

it.each(['f64', 'f32'] as const)('noise is measured between them and below, by no powers of two: %s', (dtype) => {
  const scales = noiseScales[dtype];
  expect([...scales].sort((a, b) => b - a)).toEqual(scales);
  expect(scales[0]).toBeLessThan(stepScales[dtype][0]);
  for (const scale of scales) expect(Math.log2(scale) % 1).not.toBe(0);
  // Most of them where f is a line on each side.
  const within = scales.filter((scale) => scale < stepScales[dtype][lineScale[dtype]]);
  expect(within.length).toBeGreaterThan(scales.length / 2);
});

it('slopes of lines are measured wider, two steps of it still within the scale of an element; in f32 they are', () => {
  expect(lineScales.f64).toHaveLength(1);
  expect(lineScales.f64[0]).toBeGreaterThan(stepScales.f64[0]);
  expect(2 * lineScales.f64[0]).toBeLessThan(1);
  expect(lineScales.f32).toEqual([]);
});

describe('away from kinks', () => {
  it.each([
    [0, 1],
    [-0, 1],
    [1.5, 1],
    [-1.99, 1],
    [2, 2],
    [-5, 4],
    [100, 64],
    [1e300, 2 ** 996],
  ])('of %s the step is the scale times %s, around it', (v, unit) => {
    for (const [k, multiple] of [1, -2, -1, 2].entries()) {
      expect(distances(v)[k]).toBeCloseTo(multiple * unit * h, -Math.log10(Math.max(unit, 1)) + 12);
      expect(Math.abs(distances(v)[k] - multiple * unit * h)).toBeLessThanOrEqual(2 ** -52 * Math.abs(v));
    }
    expect(sideOf(v)).toBe(0);
  });

  it('points are numbers of the dtype', () => {
    for (const point of stencilAt(Float64Array.of(Math.fround(0.1), 3), 'f32', 2 ** -20, undefined).points) {
      for (const value of point) expect(Math.fround(value)).toBe(value);
    }
  });

  it.each([Number.NaN, Infinity, -Infinity])('%s is not moved', (v) => {
    const { points, side } = stencilAt(Float64Array.of(v, 1), 'f64', h, kinksAt(0));
    for (const point of points) {
      expect(point[0]).toBe(v);
      expect(point[1]).not.toBe(1);
    }
    expect(side[0]).toBe(0);
  });

  it('what would overflow stays', () => {
    const { points } = stencilAt(Float64Array.of(Number.MAX_VALUE), 'f64', 0.5, undefined);
    expect(points.map((point) => point[0] - Number.MAX_VALUE !== 0)).toEqual([false, true, true, false]);
  });

  it('a kink further than two steps away does not matter', () => {
    expect(distances(1, kinksAt(1 + 2.5 * h, 1 - 2.5 * h))).toEqual(distances(1));
    expect(sideOf(1, 1 + 2.5 * h, 1 - 2.5 * h)).toBe(0);
  });
});

describe('near a kink', () => {
  it('on it the step is centred', () => {
    expect(sideOf(0.5, 0.5)).toBe(2);
    expect(distances(0.5, kinksAt(0.5))).toEqual([h, -2 * h, -h, 2 * h]);
  });

  it('on it the points stop at a half of the way to the next one', () => {
    for (const next of [3 * h, -3 * h]) {
      expect(sideOf(0, 0, next)).toBe(2);
      const step = h / 2;
      expect(distances(0, kinksAt(0, next))).toEqual([step, -2 * step, -step, 2 * step]);
    }
  });

  it.each([
    [1, 1 - h],
    [1, 1 - 2 * h],
    [-1, 1 + h],
    [-1, 1 + 2 * h],
  ])('beside one the points go to side %s, away from %s', (side, place) => {
    expect(sideOf(1, place)).toBe(side);
    expect(distances(1, kinksAt(place))).toEqual([1, 2, 3, 4].map((k) => side * k * h));
  });

  it('between two the points go to the farther one, half of the way at most', () => {
    expect(sideOf(0, -h, 2 * h)).toBe(1);
    expect(distances(0, kinksAt(-h, 2 * h))).toEqual([1, 2, 3, 4].map((k) => (k * h) / 4));
    expect(sideOf(0, -2 * h, h)).toBe(-1);
    expect(distances(0, kinksAt(-2 * h, h))).toEqual([1, 2, 3, 4].map((k) => (-k * h) / 4));
    // The right one of two that are as far.
    expect(sideOf(0, -h, h)).toBe(1);
    expect(distances(0, kinksAt(-h, h))).toEqual([1, 2, 3, 4].map((k) => (k * h) / 8));
    // Of several on a side the nearest counts.
    expect(distances(0, kinksAt(-h, 8, 2 * h, -4))).toEqual([1, 2, 3, 4].map((k) => (k * h) / 4));
  });

  it('each element has kinks of its own', () => {
    const { side } = stencilAt(Float64Array.of(0, 1, 2), 'f64', h, (j) => (j === 1 ? [{ at: 1 }] : []));
    expect([...side]).toEqual([0, 2, 0]);
  });
});

it.each(['f64', 'f32'] as const)('tiny steps stay within tiny elements, and are for them alone, in %s', (dtype) => {
  const at = (v: number) => stencilAt(Float64Array.of(v), dtype, 'tiny', undefined).points.map(([t]) => t - v);
  for (const v of [2 ** -60, -(2 ** -70)]) {
    for (const t of at(v)) {
      expect(t).not.toBe(0);
      expect(Math.abs(t)).toBeLessThan(Math.abs(v) / 2);
    }
  }
  const smallest = stepScales[dtype].at(-1)!;
  for (const v of [0, 1, -8 * smallest]) expect(at(v)).toEqual([0, 0, 0, 0]);
  expect(at(-7.9 * smallest)).not.toContain(0);
});

it('inside are 0, a half, a quarter and an eighth of an element, also across declared kinks', () => {
  for (const v of [16, -5, 0.375, 2 ** 900]) {
    const { points, side } = stencilAt(Float64Array.of(v), 'f64', 'inside', kinksAt(v / 3));
    expect(points.map((point) => point[0])).toEqual([0, v / 2, v / 4, v / 8]);
    expect(side[0]).toBe(0);
  }
  for (const v of [0, Infinity, Number.NaN]) {
    expect(stencilAt(Float64Array.of(v), 'f64', 'inside', undefined).points.map((point) => point[0])).toEqual([
      v,
      v,
      v,
      v,
    ]);
  }
});

it('within reach the second point lies beyond 0, also across declared kinks', () => {
  for (const v of [1e-9, -0.1, 1, -1.99, 2, 3.99, -5, 1e300]) {
    const { points, side } = stencilAt(Float64Array.of(v), 'f64', 'reach', kinksAt(0));
    const unit = Math.abs(v) < 2 ? 1 : 2 ** Math.floor(Math.log2(Math.abs(v)));
    expect(-Math.sign(v) * points[1][0]).toBeGreaterThan(0.73 * unit);
    expect(Math.abs(points[0][0])).toBeGreaterThan(Math.abs(v));
    expect(side[0]).toBe(0);
  }
});
