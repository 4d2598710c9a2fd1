import { shown } from './arguments.ts';
import { checkArray, checkLength } from './matrix.ts';

/** What stochastic gradient descent is told, under Keras' names. */
export interface SgdOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly decay: number;
}

/**
 * Keras' time decay (1.x, 2.x): `rate(t) = learningRate / (1 + decay · t)`, t the number of updates already made.
 *
 * @throws RangeError unless `iterations` is an integer from 0
 */
export function rateAt({ learningRate, decay }: SgdOptions, iterations: number): number {
  if (!Number.isSafeInteger(iterations) || iterations < 0) {
    throw new RangeError(`rateAt: "iterations" expected an integer from 0, got ${shown(iterations)}`);
  }
  return learningRate / (1 + decay * iterations);
}

/**
 * One update of SGD with Nesterov momentum, in place, in Keras' form:
 * `v ← momentum · v - rate · g`, then `w ← w + momentum · v - rate · g`.
 *
 * w, v, g: float64 of one length; rate is `rateAt(options, t)`. With momentum 0 it is plain `w ← w - rate · g`.
 *
 * @throws RangeError if a length does not match
 */
export function nesterovUpdate(
  w: Float64Array,
  v: Float64Array,
  g: Float64Array,
  rate: number,
  momentum: number,
): void {
  checkArray('nesterovUpdate', 'w', w);
  checkLength('nesterovUpdate', 'v', v, [w.length]);
  checkLength('nesterovUpdate', 'g', g, [w.length]);
  for (let i = 0; i < w.length; i++) {
    v[i] = momentum * v[i] - rate * g[i];
    w[i] += momentum * v[i] - rate * g[i];
  }
}
