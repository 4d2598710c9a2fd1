import { checkFloats, checkInteger, checkTensor, shown } from './arguments.ts';
import { checkSource, type Random } from './random.ts';

/**
 * Inverted dropout's mask: each element is 0 with probability `rate`, else `1 / (1 - rate)` rounded to float32, so
 * that `E[mask] = 1` and nothing has to be scaled when the network is used. The rate is met to 2⁻³²: within that of 1, none is kept.
 *
 * mask: float32, `length` elements, an integer from 0.
 *
 * @throws TypeError for another kind, RangeError unless 0 ≤ rate < 1. Source: Srivastava et al. 2014.
 */
export function dropoutMask(source: Random, length: number, rate: number): Float32Array {
  checkSource('dropoutMask', source);
  checkInteger('dropoutMask: "length"', length, 0);
  checkRate(rate);
  const kept = 1 / (1 - rate);
  const dropped = rate * 2 ** 32;
  const mask = new Float32Array(length);
  // A product rather than a choice, which no branch predictor could foresee: half the time.
  for (let i = 0; i < length; i++) mask[i] = kept * Number(source.bits() >= dropped);
  return mask;
}

/**
 * `y = mask · x`, element by element.
 *
 * x, mask, y: float64, one length.
 *
 * @throws TypeError unless they are Float64Arrays, RangeError if their lengths differ. Source: Srivastava et al. 2014.
 */
export function dropoutForward(x: Float64Array, mask: Float64Array): Float64Array {
  checkFloats('dropoutForward', 'x', x);
  checkTensor('dropoutForward', 'mask', mask, [x.length]);
  return x.map((v, i) => v * mask[i]);
}

/**
 * `dx = mask · dy`, element by element.
 *
 * dy, mask, dx: float64, one length.
 *
 * @throws TypeError unless they are Float64Arrays, RangeError if their lengths differ
 */
export function dropoutBackward(dy: Float64Array, mask: Float64Array): Float64Array {
  checkFloats('dropoutBackward', 'dy', dy);
  checkTensor('dropoutBackward', 'mask', mask, [dy.length]);
  return dy.map((v, i) => v * mask[i]);
}

/** Throws RangeError unless `rate` is a share of elements that leaves some. */
export function checkRate(rate: number): void {
  if (typeof rate === 'number' && rate >= 0 && rate < 1) return;
  throw new RangeError(`dropout: "rate" expected 0 ≤ rate < 1, got ${shown(rate)}`);
}
