import { GradcheckError } from './calls.ts';
import type { Moved } from './measure.ts';
import { measurable, readAt } from './open.ts';

/** So far from the element f may answer nothing, or fewer outputs: then nothing is known of it there. */
export function outsideDomain(error: unknown): void {
  if (!(error instanceof GradcheckError)) throw error;
}

/**
 * How large terms that cancel in these outputs may be: the largest finite value within reach of its elements. That is
 * 2.74 times the power of two below each, beyond 0; half as far, where that may be too far, as for `log(1 + exp(x))` at
 * -600; and at 0 and between, about which `1 - tanh²(x)` is large. Of all elements, since what one of them adds may be
 * hidden by another, as in the logarithm of a softmax.
 */
export async function sizesWithinReach(
  moved: Moved,
  y: Float64Array,
  outputs: ReadonlySet<number>,
): Promise<Map<number, number>> {
  const entries = measurable(moved, y).filter(({ output }) => outputs.has(output));
  const sizes = new Map<number, number>();
  for (const scale of moved.reachScales) {
    await readAt(moved, scale, entries, false).catch(outsideDomain);
    for (const { output, colour } of entries) {
      for (const level of moved.values[scale]) {
        const size = Math.abs(level[colour]?.[output] ?? Number.NaN);
        if (Number.isFinite(size)) sizes.set(output, Math.max(sizes.get(output) ?? 0, size));
      }
    }
  }
  return sizes;
}
