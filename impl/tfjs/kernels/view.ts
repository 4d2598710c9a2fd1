import type { Sharing } from '../../../reference/case.ts';
import { sizeOf } from '../shape.ts';

/**
 * A tensor `[N, ...U]` seen as `[A, B, C]`, so that every element of it along B uses one coefficient of its own: A and C
 * hold the axes that share it. Where the axes of B do not lie side by side they are brought together first, by swaps.
 */
export interface View {
  readonly shape: readonly [A: number, B: number, C: number];
  /** What x has to be seen as, one after the other, and its two middle axes swapped: 4 axes, of any rank of x. */
  readonly swaps: readonly (readonly [number, number, number, number])[];
}

/** The view of x of `shape` under `sharing`, which must fit. */
export function viewOf(shape: readonly number[], sharing: Sharing): View {
  // Shared axes and own ones by turns, from the batch on; one of length 1 is shared as well as not, and left out.
  const sizes = [1];
  for (const [axis, n] of shape.entries()) {
    if (n === 1) continue;
    const isOfLast = isShared(axis, shape.length, sharing) === (sizes.length % 2 === 1);
    if (isOfLast) sizes.push(sizes.pop()! * n);
    else sizes.push(n);
  }
  if (sizes.length === 1) return { shape: [1, 1, sizes[0]], swaps: [] };
  let [A, B, C = 1, ...rest] = sizes as [number, number, ...number[]];
  const swaps: [number, number, number, number][] = [];
  while (rest.length > 0) {
    swaps.push([A, B, C, sizeOf(rest)]);
    const [own, shared = 1, ...others] = rest as [number, ...number[]];
    [A, B, C, rest] = [A * C, B * own, shared, others];
  }
  return { shape: [A, B, C], swaps };
}

/** The shapes of x and alpha, of `rows` rows, as which kernels compute what is swapped or of high rank. */
export function foldedShapes({ shape: [A, B, C] }: View, rows: number): { x: number[]; alpha: number[] } {
  return C === 1 ? { x: [A, B], alpha: [rows, B] } : { x: [A, B, C], alpha: [rows, B, 1] };
}

function isShared(axis: number, rank: number, sharing: Sharing): boolean {
  if (axis === 0) return true;
  if (sharing === 'layer') return true;
  if (sharing === 'unit') return false;
  return sharing === 'channel' ? axis !== rank - 1 : sharing.sharedAxes.includes(axis);
}
