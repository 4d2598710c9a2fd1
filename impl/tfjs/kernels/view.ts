import type { Sharing } from '../../../reference/case.ts';

/**
 * A tensor `[N, ...U]` seen as `[A, B, C]`, so that every element of it along B uses one coefficient of its own: A and C
 * hold the axes that share it. Where the axes of B do not lie side by side they are moved to the end before (`order`).
 */
export interface View {
  readonly shape: readonly [A: number, B: number, C: number];
  /** The order of axes in which x has to be transposed first, if it has to. */
  readonly order?: readonly number[];
}

/** The view of x of `shape` under `sharing`, which must fit. */
export function viewOf(shape: readonly number[], sharing: Sharing): View {
  const axes = shape.map((_, axis) => axis);
  // An axis of length 1 is shared as well as not, whichever helps.
  const own = axes.filter((axis) => !isShared(axis, shape.length, sharing) && shape[axis] !== 1);
  const size = (some: readonly number[]) => some.reduce((product, axis) => product * shape[axis]!, 1);
  const [first, last] = [own[0], own.at(-1)];
  if (first === undefined || last === undefined) return { shape: [1, 1, size(axes)] };
  const between = axes.slice(first, last + 1).filter((axis) => shape[axis] !== 1);
  if (between.length === own.length) {
    return { shape: [size(axes.slice(0, first)), size(own), size(axes.slice(last + 1))] };
  }
  const shared = axes.filter((axis) => !own.includes(axis));
  return { shape: [size(shared), size(own), 1], order: [...shared, ...own] };
}

function isShared(axis: number, rank: number, sharing: Sharing): boolean {
  if (axis === 0) return true;
  if (sharing === 'layer') return true;
  if (sharing === 'unit') return false;
  return sharing === 'channel' ? axis !== rank - 1 : sharing.sharedAxes.includes(axis);
}
