import { checkFinite, checkFloats, checkInput, checkInteger, checkTensor } from './arguments.ts';

/** What stochastic gradient descent is told, under Keras' names. */
export interface SgdOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly decay: number;
}

/**
 * Keras' time decay (1.x, 2.x): `rate(t) = learningRate / (1 + decay · t)`, t the number of updates already made.
 *
 * @throws TypeError for another kind, RangeError unless the numbers are finite and from 0 and `iterations` is an integer
 */
export function learningRateAt(options: SgdOptions, iterations: number): number {
  checkInput('learningRateAt', 'options', options);
  const { learningRate, decay } = options;
  checkFinite('learningRateAt: "learningRate"', learningRate, 0);
  checkFinite('learningRateAt: "decay"', decay, 0);
  checkInteger('learningRateAt: "iterations"', iterations, 0);
  return learningRate / (1 + decay * iterations);
}

/**
 * One update of SGD with Nesterov momentum, in place, in Keras' form:
 * `v ← momentum · v - rate · g`, then `w ← w + momentum · v - rate · g`.
 *
 * w, v, g: float64 of one length; rate is `learningRateAt(options, t)`. With momentum 0 it is plain `w ← w - rate · g`.
 *
 * @throws TypeError for another kind, RangeError if a length does not match
 */
export function nesterovUpdate(
  w: Float64Array,
  v: Float64Array,
  g: Float64Array,
  rate: number,
  momentum: number,
): void {
  checkFloats('nesterovUpdate', 'w', w);
  checkTensor('nesterovUpdate', 'v', v, [w.length]);
  checkTensor('nesterovUpdate', 'g', g, [w.length]);
  checkFinite('nesterovUpdate: "rate"', rate);
  checkFinite('nesterovUpdate: "momentum"', momentum);
  for (let i = 0; i < w.length; i++) {
    v[i] = momentum * v[i] - rate * g[i];
    w[i] += momentum * v[i] - rate * g[i];
  }
}
