import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { range } from '../transform.ts';
import type { Numeric } from './compare.ts';
import type { Tensors } from './differentiable.ts';
import type { Jacobian } from './jacobian.ts';
import { layoutOf } from './layout.ts';
import type { NumericSide } from './numeric-side.ts';
import { stepScales } from './stencil.ts';
import { knownTies, measureTogether, partTies } from './ties.ts';

const smallest = stepScales.f64[2];

/** How far above the least of n the others are put: further apart the higher, of many by no more than twice as much. */
const places = (n: number) => range(n).map((k) => 8 * k * (1 + 0.137 * k * (n > 8 ? 8 / n : 1)) * smallest);

/**
 * `Σ w·sorted(x)` of each row, whose derivative by an element is the weight of its rank, with derivatives that are given,
 * by row, rounded to integers where they are answered.
 */
async function ranks(w: readonly number[], x: readonly number[], given: readonly number[], more?: Partial<Numeric>) {
  const m = w.length;
  const values = Float64Array.from(x);
  const rows = range(x.length / m);
  const asked: Float64Array[] = [];
  const numericOf = async ({ x: at }: Tensors) => {
    asked.push(at);
    return Float64Array.from(rows, (row) =>
      at
        .slice(row * m, row * m + m)
        .sort()
        .reduce((sum, v, k) => sum + w[k] * v, 0),
    );
  };
  const layout = layoutOf('x', 'rows', [rows.length, m], [rows.length]);
  const byColour = () => Float64Array.from(given, (_, k) => given[(k % rows.length) * m + Math.floor(k / rows.length)]);
  const jacobian: Jacobian = { lo: byColour(), hi: byColour(), kinks: [] };
  const y = await numericOf({ x: values });
  const noise = y.map((v) => 2 ** -48 * Math.abs(v));
  const numeric = { name: 'x', values, layout, jacobian, ...more } as Numeric;
  const side: NumericSide = { numeric: numericOf, inputs: { x: values }, y, dtype: 'f64', noise };
  asked.length = 0;
  const byRow = (of: Float64Array) =>
    given.map((_, j) => Math.round(of[(j % m) * rows.length + Math.floor(j / m)]) + 0);
  return {
    numeric,
    side,
    asked,
    given: byColour(),
    byRow,
    part: async (elements: number[]) => {
      const { lo, hi } = await partTies(jacobian, new Set(elements), numeric, side, random(1, 'ties'));
      return { lo: byRow(lo), hi: byRow(hi) };
    },
  };
}

describe('elements that tie are parted', () => {
  it('in each order: their derivatives lie between those of all places, and those of others stay', async () => {
    const { part, numeric, given } = await ranks([1, 2, 4, 8], [3, 3, 3, 9], [2, 2, 2, 5]);
    expect(await part([1])).toEqual({ lo: [1, 1, 1, 5], hi: [4, 4, 4, 5] });
    // What was measured before is left as it was.
    expect(numeric.jacobian).toEqual({ lo: given, hi: given, kinks: [] });
  });

  it.each([
    ['three ones', [1, 1, 1]],
    ['fives, whose steps are wider', [5, 5, 5]],
    ['eight', new Array<number>(8).fill(-1)],
  ])('each in each place once, in all orders in the same places from the least on: %s', async (_name, x) => {
    const n = x.length;
    const { part, asked } = await ranks(range(n), x, new Array<number>(n).fill(1));
    await part([0]);
    const size = x[0] === 5 ? 4 : 1;
    const parted = places(n).map((above) => x[0] + above * size);
    const placesOf = asked.map((at) => [...at].map((v) => parted.indexOf(v)));
    const orders = placesOf.filter((of) => new Set(of).size === n && !of.includes(-1));
    expect(orders).toHaveLength(n);
    for (const j of range(n)) expect(orders.map((of) => of[j]).sort()).toEqual(range(n));
  });

  it('eight in each order, each derivative by itself', async () => {
    const w = range(8).map((k) => 2 ** k);
    const { part } = await ranks(w, new Array<number>(8).fill(1), w);
    expect(await part([0])).toEqual({ lo: new Array<number>(8).fill(1), hi: new Array<number>(8).fill(128) });
  });

  it('more in two orders, each wider by the most that a derivative of its output changes, and none of others', async () => {
    const w = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50];
    const x = [1, 1, 1, 1, 1, 1, 1, 1, 1, 3];
    // As in the first order; those of the other row twice as far from it, and in both its last is another.
    const first = [1, 2, 3, 4, 5, 6, 7, 8, 9, 20];
    const { part, asked } = await ranks(w, [...x, ...x], [...first, ...first.map((v) => v + 5)]);
    expect(await part([0, 10])).toEqual({
      lo: [-7, -6, -5, -4, -3, -2, -1, 0, 1, 20, -7, -6, -5, -4, -3, -2, -1, 0, 1, 25],
      hi: [9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 19, 20, 21, 22, 23, 24, 25, 26, 27, 25],
    });
    const parted = places(9).map((above) => 1 + above);
    const isParted = (at: Float64Array) =>
      at
        .slice(0, 9)
        .sort()
        .every((v, k) => v === parted[k]);
    const orders = asked.filter((at) => isParted(at) && isParted(at.slice(10)) && at[9] === 3 && at[19] === 3);
    expect(orders.map((at) => at.indexOf(1)).sort()).toEqual([0, 8]);
  });

  it('those of the sites that are asked for', async () => {
    const { part } = await ranks([1, 2, 4], [3, 3, 3, 3, 3, 3], [2, 2, 2, 2, 2, 2]);
    expect(await part([4])).toEqual({ lo: [2, 2, 2, 1, 1, 1], hi: [2, 2, 2, 4, 4, 4] });
  });

  it('but not where they lie on a kink', async () => {
    const { part, asked } = await ranks([1, 2], [3, 3], [2, 2], { kinksOf: () => [{ at: 3 }] });
    expect(await part([0, 1])).toEqual({ lo: [2, 2], hi: [2, 2] });
    expect(asked).toEqual([]);
  });
});

describe('elements that tie', () => {
  it('are moved together by one direction, along which their gradients add up', async () => {
    const { numeric, side } = await ranks([1, 2, 4, 8], [5, 5, 3, 9], [0, 0, 0, 0]);
    const together = await measureTogether(numeric, [[0, 1]], side, 0, [1], random(1, 'ties'));
    expect(together.projection).toEqual({
      directions: [Float64Array.of(4, 4, 0, 0)],
      random: 1,
      together: 2,
      alone: [],
      left: 0,
    });
    const { lo, hi } = together.jacobian;
    expect([lo.length, Math.round(lo[0]), Math.round(hi[0])]).toEqual([1, 4 * (2 + 4), 4 * (2 + 4)]);
  });

  it('are known unless all their derivatives are open', async () => {
    const known = async (...given: number[]) => {
      const { numeric } = await ranks([1, 1], [1, 1, 3, 3], given);
      return knownTies(numeric, 'f64');
    };
    expect(await known(0, 0, 0, 0)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await known(NaN, 0, 0, NaN)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await known(NaN, NaN, 0, 0)).toEqual([[2, 3]]);
    expect(await known(0, NaN, NaN, NaN)).toEqual([[0, 1]]);
  });
});
