import type { Random } from '../../reference/random.ts';

/** Values in ±[1/2, 2] of few bits, exact in every dtype; a share of them 0. */
export function drawCotangent(draw: Random, size: number, zeros: number): Float64Array {
  const drawn = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    // The top bits decide about 0, the lowest four about sign and size.
    const bits = draw.bits();
    if (bits < zeros * 2 ** 32) continue;
    const sign = 1 - ((bits & 8) >> 2);
    drawn[i] = (sign * (4 + 1.5 * (bits & 7))) / 8;
  }
  return drawn;
}
