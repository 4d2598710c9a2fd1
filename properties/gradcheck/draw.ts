import type { Random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import type { FloatDtype } from './differentiable.ts';

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

/** Values in ±[1/2, 2) of full significands; a share of them 0. */
export function drawTangent(draw: Random, size: number, zeros: number, dtype: FloatDtype): Float64Array {
  const { round } = formats[dtype];
  const drawn = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const bits = draw.bits();
    if (bits < zeros * 2 ** 32) continue;
    drawn[i] = round((1 - ((bits & 1) << 1)) * draw.uniform(0.5, 2));
  }
  return drawn;
}

/** By how many powers of two the cotangents of `drawWideCotangent` are above or below 1; products in f32 have less room. */
const widest: Readonly<Record<FloatDtype, number>> = { f64: 20, f32: 10 };

/** Values of all magnitudes and of full significands, in which gradients that are not linear in dy differ; a share 0. */
export function drawWideCotangent(draw: Random, size: number, zeros: number, dtype: FloatDtype): Float64Array {
  const { round } = formats[dtype];
  const span = widest[dtype];
  const powers = Array.from({ length: 2 * span }, (_, k) => 2 ** (k - span));
  const drawn = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const bits = draw.bits();
    if (bits < zeros * 2 ** 32) continue;
    const sign = 1 - ((bits & 1) << 1);
    drawn[i] = round(sign * (1 + draw.uniform()) * powers[(bits >>> 1) % powers.length]);
  }
  return drawn;
}
