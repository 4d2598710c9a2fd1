import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Sharing } from '../../../reference/case.ts';
import { sizeOf } from '../../../reference/shape.ts';
import { layoutOf } from '../parameters.ts';
import { glsl, wgsl } from './dialect.ts';
import { shapesAndSharings } from './sharings-for-tests.ts';
import { matrices, tilesOf } from './tiles.ts';
import { foldedShapes, viewOf } from './view.ts';

const branches = ['relu', 'step', 'negative'] as const;
/** The place of an element in its tensor, row-major, by its tile of `height` × `width` and the lane in that. */
function tileOf(shape: readonly number[], element: number, [height, width]: readonly [number, number]) {
  const [, rows, columns] = matrices(shape);
  const [batch, row, column] = [
    Math.floor(element / (rows * columns)),
    Math.floor(element / columns) % rows,
    element % columns,
  ];
  const [down, across] = [Math.ceil(rows / height), Math.ceil(columns / width)];
  const tile = (batch * down + Math.floor(row / height)) * across + Math.floor(column / width);
  return { tile, lane: (row % height) * width + (column % width) };
}

it.each([
  ['webgl', glsl],
  ['webgpu', wgsl],
])('every element finds its coefficients in the tiles of alpha at its place along B: %s', (_, dialect) => {
  fc.assert(
    fc.property(shapesAndSharings, ([shape, sharing]) => {
      const seenAs = viewOf(shape, sharing);
      const { shape: view, swaps } = seenAs;
      const [, B, C] = view;
      // Where axes are moved, both are reshaped for the kernels.
      const layout = layoutOf('test', { branches, sharing, constraint: { kind: 'free' } }, shape);
      const folded = foldedShapes(seenAs, branches.length);
      const [seen, alphaShape] = swaps.length > 0 ? [folded.x, folded.alpha] : [shape, layout.alphaShape];
      const tiles = tilesOf(seen, view, alphaShape.length, dialect.tileShape);
      const [used, expected] = [[] as object[], [] as object[]];
      for (let element = 0; element < sizeOf(shape); element++) {
        const { tile, lane } = tileOf(seen, element, dialect.tileShape);
        const p = Math.floor(tile / tiles.view[2]) % tiles.view[1];
        const b = Math.floor(element / C) % B;
        for (const row of branches.keys()) {
          const [tileRow, lanes] = dialect.alpha(row, tiles);
          // An element of a buffer has no lanes.
          used.push({ tile: tileRow * tiles.view[1] + p, lane: lanes === '' ? 0 : 'xyzw'.indexOf(lanes[1 + lane]) });
          expected.push(tileOf(alphaShape, row * B + b, dialect.tileShape));
        }
      }
      expect(used).toEqual(expected);
    }),
    { seed: 1, numRuns: 100 },
  );
});

it('knows which elements of a tile share a coefficient', () => {
  const tiles = (shape: number[], sharing: Sharing) => {
    const { alphaShape } = layoutOf('test', { branches, sharing, constraint: { kind: 'free' } }, shape);
    const { view, ownRows, ownColumns } = tilesOf(shape, viewOf(shape, sharing).shape, alphaShape.length, [2, 2]);
    return { view, ownRows, ownColumns };
  };
  expect(tiles([5, 7], 'unit')).toEqual({ view: [3, 4, 1], ownRows: false, ownColumns: true });
  expect(tiles([5, 7], 'layer')).toEqual({ view: [12, 1, 1], ownRows: false, ownColumns: false });
  expect(tiles([3, 5, 7], 'unit')).toEqual({ view: [3, 12, 1], ownRows: true, ownColumns: true });
  expect(tiles([3, 5, 7], { sharedAxes: [2] })).toEqual({ view: [3, 3, 4], ownRows: true, ownColumns: false });
  expect(tiles([3, 4, 5, 7], { sharedAxes: [2, 3] })).toEqual({ view: [3, 4, 12], ownRows: false, ownColumns: false });
  // All coefficients in one tile.
  expect(tiles([9, 2], 'unit')).toEqual({ view: [5, 1, 1], ownRows: false, ownColumns: true });
});
