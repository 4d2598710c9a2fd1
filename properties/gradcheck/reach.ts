import { GradcheckError } from './calls.ts';
import type { Moved } from './measure.ts';
import { measurable, readAt } from './open.ts';

/** So far from the element f may answer nothing, or fewer outputs: then nothing is known of it there. */
export function outsideDomain(error: unknown): void {
  if (!(error instanceof GradcheckError)) throw error;
}

/**
 * The largest finite value of each of these outputs within reach of its elements: 2.74 times the power of two below each,
 * beyond 0; and half as far, where that may be too far: `log(1 + exp(x))` at -600. Of all its elements, since what one of them adds may be hidden by another, as in the logarithm of a softmax.
 */
export async function sizesWithinReach(
  moved: Moved,
  y: Float64Array,
  outputs: ReadonlySet<number>,
): Promise<Map<number, number>> {
  const entries = measurable(moved, y).filter(({ output }) => outputs.has(output));
  await readAt(moved, moved.reachScale, entries, false).catch(outsideDomain);
  const sizes = new Map<number, number>();
  for (const { output, colour } of entries) {
    for (const level of [0, 1, 2, 3]) {
      const size = Math.abs(moved.values[moved.reachScale][level][colour]?.[output] ?? Number.NaN);
      if (Number.isFinite(size)) sizes.set(output, Math.max(sizes.get(output) ?? 0, size));
    }
  }
  return sizes;
}
