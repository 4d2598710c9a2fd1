import { sizeOf } from '../shape.ts';
import type { View } from './view.ts';

/**
 * How the tiles of x lie, a tile being what a GPU program reads and writes at once: an element of a buffer (webgpu), or
 * a texel of 2 × 2 elements along the last two axes (webgl), of which an odd axis leaves some empty.
 */
export interface Tiles {
  /** x as `[A, B, C]` of tiles: those at one place along B use the same coefficients. */
  readonly view: View['shape'];
  /** Whether the rows of a tile have coefficients of their own, or share them. */
  readonly ownRows: boolean;
  readonly ownColumns: boolean;
  /** The last two axes of x. */
  readonly rows: number;
  readonly columns: number;
  /** The number of axes of alpha: of which the last two hold its tiles. */
  readonly alphaRank: number;
}

/** A shape as a batch of matrices, which lies in the same tiles. */
export function matrices(shape: readonly number[]): readonly [batch: number, rows: number, columns: number] {
  return [sizeOf(shape.slice(0, -2)), shape.at(-2) ?? 1, shape.at(-1) ?? 1];
}

/** The tiles, of `height` × `width` elements, of x of `shape` that is seen as `[A, B, C]`. */
export function tilesOf(
  shape: readonly number[],
  [A, B]: View['shape'],
  alphaRank: number,
  [height, width]: readonly [number, number],
): Tiles {
  const rank = shape.length;
  const along = shape.map((n, axis) => Math.ceil(n / (axis === rank - 1 ? width : axis === rank - 2 ? height : 1)));
  // Axes of length 1 may belong to either side.
  const endOf = (start: number, size: number) => {
    let end = start;
    while (sizeOf(shape.slice(start, end)) !== size) end++;
    return end;
  };
  const first = endOf(0, A);
  const end = endOf(first, B);
  const isOwn = (axis: number) => axis >= first && axis < end;
  const [, rows, columns] = matrices(shape);
  const [before, own, after] = [along.slice(0, first), along.slice(first, end), along.slice(end)].map(sizeOf);
  return {
    // Where one place is all, what lies before and behind it is the same.
    view: own === 1 ? [before * after, 1, 1] : [before, own, after],
    ownRows: isOwn(rank - 2),
    ownColumns: isOwn(rank - 1),
    rows,
    columns,
    alphaRank,
  };
}
