import type { Moved } from './measure.ts';

/**
 * What a structure that was found, not declared, leaves open: it was found since no output changed by a bit while elements
 * of other sites were moved, so a derivative below `2νᵢ/tⱼ` beyond it did not show.
 */
export interface Beyond {
  /** `Σᵢ |dyᵢ|·2νᵢ / tⱼ`: what it may add to each element of a cotangent. */
  cotangent(dy: Float64Array): Float64Array;
  /** `2νᵢ·Σⱼ |tangentⱼ|/tⱼ`: the same for each output of a tangent. */
  tangent(tangent: Float64Array): Float64Array;
}

/** tⱼ is how far each element of `moved` was moved, ν the noise of the outputs. */
export function beyondStructure({ given, stencils }: Moved, noise: Float64Array): Beyond {
  const [near] = stencils[0].points;
  const sum = (total: number, v: number) => (Number.isFinite(v) ? total + v : total);
  return {
    cotangent(dy) {
      const all = dy.map((d, i) => 2 * noise[i] * Math.abs(d)).reduce(sum, 0);
      return given.map((v, j) => all / Math.abs(near[j] - v));
    },
    tangent(tangent) {
      const all = tangent.map((t, j) => Math.abs(t / (near[j] - given[j]))).reduce(sum, 0);
      return noise.map((nu) => 2 * nu * all);
    },
  };
}
