import type { Jacobian } from './jacobian.ts';
import type { Layout } from './layout.ts';

/** What a cotangent may be, element by element, by the measured derivatives. */
export interface ExpectedCotangent {
  readonly middle: Float64Array;
  readonly half: Float64Array;
  /** `Σ |dy|·|∂y/∂v|`, by which rounding is bounded. */
  readonly size: Float64Array;
}

/**
 * `(Jᵀ dy)ⱼ = Σᵢ dyᵢ·∂yᵢ/∂vⱼ` in intervals, middle and half width, the middle NaN where a derivative is not known. `skip`
 * has a 1 at outputs that are not to be counted on: the elements that they depend on are not known either.
 */
export function expectedCotangent(
  layout: Layout,
  { lo, hi }: Jacobian,
  dy: Float64Array,
  elements: number,
  skip?: Uint8Array,
): ExpectedCotangent {
  const middle = new Float64Array(elements);
  const half = new Float64Array(elements);
  const size = new Float64Array(elements);
  for (let colour = 0; colour < layout.colours; colour++) {
    const reached = layout.elements(colour);
    const first = colour * dy.length;
    for (let i = 0; i < dy.length; i++) {
      const j = reached[i];
      const d = dy[i];
      const least = lo[first + i];
      const radius = (hi[first + i] - least) / 2;
      const width = Math.abs(d) * radius;
      const term = d * (least + radius);
      // Not where something is NaN or infinite.
      if (!(width < Number.POSITIVE_INFINITY) || (skip !== undefined && skip[i] === 1)) {
        middle[j] = Number.NaN;
        continue;
      }
      middle[j] += term;
      half[j] += width;
      size[j] += Math.abs(term) + width;
    }
  }
  return { middle, half, size };
}
