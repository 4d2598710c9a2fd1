import { describe, expect, it } from 'vitest';
import type { Numeric } from './compare.ts';
import type { FloatDtype } from './differentiable.ts';
import { layoutOf } from './layout.ts';
import { stepScales } from './stencil.ts';
import { tiesOf } from './ties.ts';

describe('what is a tie', () => {
  const of = (values: number[], shape: number[], more: Partial<Numeric> = {}, dtype: FloatDtype = 'f64') => {
    const layout = layoutOf('x', 'rows', shape, [shape[0]]);
    return tiesOf({ values: Float64Array.from(values), layout, ...more } as Numeric, dtype);
  };
  const kinksAt = (...places: number[][]): Pick<Numeric, 'kinksOf'> => ({
    kinksOf: (j) => places[j].map((at) => ({ at }) as ReturnType<NonNullable<Numeric['kinksOf']>>[number]),
  });

  it('the most equal elements of each site, the least of as many', () => {
    expect(of([1, 1, 2, 3, 3, 3], [2, 3])).toEqual([
      [0, 1],
      [3, 4, 5],
    ]);
    expect(of([1, 2, 1, 2], [1, 4])).toEqual([[0, 2]]);
    expect(of([2, 1, 2, 1], [1, 4])).toEqual([[1, 3]]);
    expect(of([1, 2, 2, 2], [1, 4])).toEqual([[1, 2, 3]]);
    expect(of([1, 1, 2, 2, 2], [1, 5])).toEqual([[2, 3, 4]]);
    // Sites side by side, as of a parameter: elements 0, 2 and 4 are one, 1, 3 and 5 the other.
    expect(of([1, 5, 1, 6, 1, 7], [3, 2], { layout: layoutOf('x', { trailing: 1 }, [3, 2], [4, 2]) })).toEqual([
      [0, 2, 4],
    ]);
    expect(of([0, -0], [1, 2])).toEqual([[0, 1]]);
    expect(of([5, 5], [1, 2])).toEqual([[0, 1]]);
  });

  it('elements nearer than four steps, and those that parted ones would reach', () => {
    for (const dtype of ['f64', 'f32'] as const) {
      const h = dtype === 'f64' ? stepScales.f64[1] : stepScales.f32.at(-1)!;
      for (const [v, size] of [
        [1, 1],
        [5, 4],
        [-5, 4],
        [0, 1],
      ] as const) {
        const at = (...steps: number[]) =>
          of(
            steps.map((k) => v + k * h * size),
            [1, steps.length],
            {},
            dtype,
          );
        expect(at(0, 3.9)).toEqual([[0, 1]]);
        expect(at(0, 4.1)).toEqual([]);
        expect(at(7.5, 0, 3.8)).toEqual([[0, 1, 2]]);
        expect(at(18, 0, 3.8)).toEqual([[1, 2]]);
      }
      // Eight that tie are parted by 110 of the smallest steps.
      const tied = [...new Array<number>(8).fill(0), 100 * stepScales[dtype].at(-1)!];
      expect(of(tied, [1, 9], {}, dtype)[0]).toHaveLength(9);
      // Two that meet at two steps of both; steps are as wide as that of the larger one.
      expect(of([1, 1 + 4 * h], [1, 2], {}, dtype)).toEqual([[0, 1]]);
      expect(of([2 - 3 * h, 2 + 3 * h], [1, 2], {}, dtype)).toEqual([[0, 1]]);
    }
  });

  it.each([
    [2, 8 * (1 + 0.137)],
    [3, 16 * (1 + 0.137 * 2)],
    [8, 56 * (1 + 0.137 * 7)],
    [16, 120 * (1 + (0.137 * 15) / 2)],
  ])('of %d, what lies within the last place and two steps of both', (n, last) => {
    // In float32, where the steps between which elements tie are no wider than those by which they are parted.
    const step = stepScales.f32.at(-1)!;
    for (const [v, size] of [
      [0, 1],
      [4, 4],
    ] as const) {
      const at = (steps: number) =>
        of([...new Array<number>(n).fill(v), v + steps * step * size], [1, n + 1], {}, 'f32')[0];
      expect(at(last + (v === 0 ? 4 : 3.9))).toHaveLength(n + 1);
      expect(at(last + 4.1)).toHaveLength(n);
    }
  });

  it('no single element, none of another site, nothing that is not finite, nothing along directions', () => {
    expect(of([1, 2, 3], [1, 3])).toEqual([]);
    expect(of([1, 1], [2, 1])).toEqual([]);
    expect(of([Number.NaN, Number.NaN, Infinity, Infinity], [1, 4])).toEqual([]);
    expect(of([1, Number.NaN, 0, 1], [1, 4])).toEqual([[0, 3]]);
    const projection = { directions: [], random: 0, together: 0, alone: [], left: 0 };
    expect(of([1, 1], [1, 2], { projection })).toEqual([]);
  });

  it.each(['f64', 'f32'] as const)(
    'none within two of the widest steps of a kink of one of its elements: %s',
    (dtype) => {
      const h = stepScales[dtype][0];
      // Steps are as wide as the power of two below the value, and that of 1 from there down.
      for (const [v, size] of [
        [1, 1],
        [5, 4],
        [-5, 4],
        [0.25, 1],
        [0, 1],
      ] as const) {
        const tied = (...places: number[][]) => of([v, v], [1, 2], kinksAt(...places), dtype);
        expect(tied([v], [])).toEqual([]);
        expect(tied([], [100, v])).toEqual([]);
        expect(tied([v + 2 * h * size], [])).toEqual([]);
        expect(tied([v - 2 * h * size], [])).toEqual([]);
        expect(tied([v + 2.5 * h * size], [100])).toEqual([[0, 1]]);
        expect(tied([], [])).toEqual([[0, 1]]);
      }
      expect(of([1, 1], [1, 2], kinksAt([-1], []), dtype)).toEqual([[0, 1]]);
      // Of nearly equal ones it is enough that one lies there.
      const near = 1 + stepScales[dtype].at(-1)!;
      expect(of([1, near], [1, 2], kinksAt([1 - 2 * h], []), dtype)).toEqual([]);
    },
  );
});
