import { checkLength } from './matrix.ts';
import type { Random } from './random.ts';

/**
 * Inverted dropout's mask: each element is 0 with probability `rate`, else `1 / (1 - rate)` rounded to float32, so
 * that `E[mask] = 1` and nothing has to be scaled when the network is used.
 *
 * @throws RangeError unless 0 ≤ rate < 1
 */
export function dropoutMask(source: Random, length: number, rate: number): Float32Array {
  checkRate(rate);
  const kept = 1 / (1 - rate);
  const dropped = rate * 2 ** 32;
  const mask = new Float32Array(length);
  for (let i = 0; i < length; i++) mask[i] = source.bits() < dropped ? 0 : kept;
  return mask;
}

/** `y = mask · x`, element by element. */
export function dropoutForward(x: Float64Array, mask: Float64Array): Float64Array {
  checkLength('dropoutForward', 'mask', mask, [x.length]);
  return x.map((v, i) => v * mask[i]);
}

/** `dx = mask · dy`, element by element. */
export function dropoutBackward(dy: Float64Array, mask: Float64Array): Float64Array {
  checkLength('dropoutBackward', 'mask', mask, [dy.length]);
  return dy.map((v, i) => v * mask[i]);
}

/** Throws RangeError unless `rate` is a share of elements that leaves some. */
export function checkRate(rate: number): void {
  if (!(rate >= 0 && rate < 1)) throw new RangeError(`dropout: "rate" expected 0 ≤ rate < 1, got ${rate}`);
}
