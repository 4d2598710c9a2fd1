import { describe, expect, it } from 'vitest';
import { compareConfirmed, type Numeric } from './compare.ts';
import { type Layout, layoutOf } from './layout.ts';
import type { Projection } from './projection.ts';

/** Compares with derivatives within these half widths, of an input of 5, 6, 7 … */
async function compare(
  layout: Layout,
  middles: readonly number[],
  halves: readonly number[],
  analytic: readonly number[],
  { dy = [...layout.siteOf].map(() => 1), projection }: { dy?: number[]; projection?: Projection } = {},
) {
  const jacobian = {
    lo: Float64Array.from(middles, (v, k) => v - halves[k]),
    hi: Float64Array.from(middles, (v, k) => v + halves[k]),
    kinks: [],
  };
  const numeric: Numeric = {
    name: 'x',
    layout,
    jacobian,
    confirm: async () => jacobian,
    shape: [analytic.length],
    values: Float64Array.from(analytic, (_, j) => 5 + j),
    noise: new Float64Array(layout.siteOf.length),
    kinksOf: undefined,
    projection,
  };
  const question = { numeric, analytic: Float64Array.from(analytic), dy: Float64Array.from(dy), what: 'vjp' };
  return compareConfirmed({ ...question, dtype: 'f64', roundings: 3, tolerance: undefined });
}
const elementwise = (n: number) => layoutOf('x', 'elementwise', [n], [n]);

describe('the worst element', () => {
  it('is that of the largest distance in half widths, the first of as many', async () => {
    const worst = async (...distances: number[]) => {
      const analytic = distances.map((d) => 10 + d);
      const halves = [4, 2, 1].slice(0, distances.length);
      const { summary } = await compare(
        elementwise(distances.length),
        distances.map(() => 10),
        halves,
        analytic,
      );
      return summary.worst!.index[0];
    };
    expect(await worst(2, 1.5, 0.5)).toBe(1);
    expect(await worst(2, -0.5, -0.75)).toBe(2);
    expect(await worst(3.5, 1.5, 0.75)).toBe(0);
    expect(await worst(0, 0, 0)).toBe(0);
    // Also among wrong ones.
    expect(await worst(8, 6, 1.5)).toBe(1);
    expect(await worst(6, 2.5, 9)).toBe(2);
    expect(await worst(1, 2.5, 2)).toBe(2);
  });

  it('has its value, and dy where it reaches one output', async () => {
    const dense = layoutOf('x', 'dense', [2], [1]);
    const { failure } = await compare(dense, [2, 3], [0, 0], [1, 99], { dy: [0.5] });
    expect(failure).toMatchObject({ index: [1], at: 6, dy: 0.5, wrong: 1 });
    const several = await compare(layoutOf('x', 'dense', [1], [2]), [2, 3], [0, 0], [99]);
    expect(several.failure).toMatchObject({ index: [0], at: 5 });
    expect(several.failure).not.toHaveProperty('dy');
  });

  it('of a projected input has its value where it was moved alone, and no dy', async () => {
    const directions = [Float64Array.of(1, -2, 0), Float64Array.of(0, 0, 4)];
    const projection = { directions, random: 1, together: 2, alone: [2], left: 0 };
    const along = (...analytic: number[]) =>
      compare(layoutOf('x', 'dense', [2], [1]), [0, 0], [1, 1], analytic, { projection });
    const alone = await along(0, 0, 99);
    expect(alone.failure).toMatchObject({ index: [2], at: 7 });
    expect(alone.failure).not.toHaveProperty('dy');
    const direction = await along(99, 0, 0);
    expect(direction.failure).toMatchObject({ index: [0], isDirection: true });
    expect(direction.failure).not.toHaveProperty('at');
  });
});

describe('an error is seen', () => {
  it('in one element from twice its half width, relative to it', async () => {
    const { sees } = await compare(elementwise(3), [10, 0, -4], [1, 1, 1], [10, 0, -4]);
    expect(sees()).toEqual({ everywhere: expect.closeTo(0.5, 12), median: expect.closeTo(0.5, 12), absolute: false });
  });

  it('along directions by the product that tells most of it', async () => {
    // Of the first 2·½/1, then 2·1/4; of the second 2·½/4, and not 2·8/1.
    const directions = [Float64Array.of(1, 4), Float64Array.of(4, 0), Float64Array.of(0, 1)];
    const projection = { directions, random: 3, together: 2, alone: [], left: 0 };
    const layout = layoutOf('x', 'dense', [3], [1]);
    const { sees } = await compare(layout, [0, 0, 0], [0.5, 1, 8], [0, 0], { projection });
    expect(sees()).toEqual({ everywhere: expect.closeTo(0.5, 12), median: expect.closeTo(0.5, 12), absolute: true });
    const none = { directions: [], random: 0, together: 0, alone: [], left: 2 };
    const open = await compare(layoutOf('x', 'dense', [0], [1]), [], [], [0, 0], { projection: none });
    expect([open.sees(), open.summary.open]).toEqual([undefined, 2]);
  });
});

it('∞ in dy leaves open what it reaches, and widens nothing else', async () => {
  const { summary, wrong } = await compare(elementwise(3), [1, 1, 1], [0, 0, 0], [Infinity, 1 + 1e-12, 1], {
    dy: [Infinity, 1, 1],
  });
  expect([summary.compared, summary.open, [...wrong]]).toEqual([2, 1, [1]]);
});

it('an interval as wide as its value is vacuous, unless that is 0', async () => {
  const { summary } = await compare(elementwise(4), [1, 1, -1, 0], [0.5, 1, 2, 1], [1, 1, -1, 0]);
  expect(summary.vacuous).toBe(2);
});
