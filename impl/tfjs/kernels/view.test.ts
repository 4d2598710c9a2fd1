import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sizeOf } from '../../../reference/shape.ts';
import { layoutOf } from '../parameters.ts';
import { shapesAndSharings } from './sharings-for-tests.ts';
import { viewOf } from './view.ts';

/** The index of an element of a tensor, row-major. */
function indexOf(shape: readonly number[], place: number): number[] {
  const index = shape.map(() => 0);
  let rest = place;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}

const placeIn = (shape: readonly number[], index: readonly number[]) =>
  index.reduce((place, own, axis) => place * shape[axis] + own, 0);

it('every element finds its coefficient at the middle index of the view', () => {
  fc.assert(
    fc.property(shapesAndSharings, ([shape, sharing]) => {
      const { alphaShape } = layoutOf('test', { branches: ['relu'], sharing, constraint: { kind: 'free' } }, shape);
      const own = alphaShape.slice(1);
      const { shape: view, swaps } = viewOf(shape, sharing);
      const [A, B, C] = view;
      expect(A * B * C).toBe(sizeOf(shape));
      expect(B).toBe(sizeOf(own));
      for (let element = 0; element < A * B * C; element++) {
        const index = indexOf(shape, element);
        const place = swaps.reduce((at, [L, own, shared, R]) => {
          const [l, o, s, r] = indexOf([L, own, shared, R], at) as [number, number, number, number];
          return placeIn([L, shared, own, R], [l, s, o, r]);
        }, element);
        const b = Math.floor(place / C) % B;
        // S is `[]`, `[C]` or of the rank of U, with 1 for shared axes.
        const unit = index.slice(1);
        const used = own.length === 0 ? [] : own.map((n, k) => (n === 1 ? 0 : unit[unit.length - own.length + k]));
        expect(b).toBe(placeIn(own, used));
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});

it('only moves axes where those with coefficients of their own are apart', () => {
  expect(viewOf([8, 3, 4, 5], 'unit')).toEqual({ shape: [8, 60, 1], swaps: [] });
  expect(viewOf([8, 3, 4, 5], 'channel')).toEqual({ shape: [96, 5, 1], swaps: [] });
  expect(viewOf([8, 3, 4, 5], 'layer')).toEqual({ shape: [1, 1, 480], swaps: [] });
  expect(viewOf([8, 3, 4, 5], { sharedAxes: [3] })).toEqual({ shape: [8, 12, 5], swaps: [] });
  expect(viewOf([8, 3, 1, 5], { sharedAxes: [2] })).toEqual({ shape: [8, 15, 1], swaps: [] });
  expect(viewOf([8, 3, 4, 5], { sharedAxes: [2] })).toEqual({ shape: [32, 15, 1], swaps: [[8, 3, 4, 5]] });
});

it('moves the own axes together one by one, and no more than it has to', () => {
  expect(viewOf([8, 3, 4, 5, 7], { sharedAxes: [2, 4] })).toEqual({ shape: [32, 15, 7], swaps: [[8, 3, 4, 35]] });
  expect(viewOf([2, 3, 4, 5, 6, 7], { sharedAxes: [2, 4] })).toEqual({
    shape: [48, 105, 1],
    swaps: [
      [2, 3, 4, 210],
      [8, 15, 6, 7],
    ],
  });
});
