import { formats } from '../dtypes.ts';
import type { Asked } from './calls.ts';
import type { FloatDtype, Tensors } from './differentiable.ts';

/** Relative moves of all inputs, the smallest first. */
const moves: readonly number[] = [20, 17, 14, 11, 8, 5].flatMap((k) => [2 ** -k, -(2 ** -k)]);
/** By so many bounds the twin has to change for the values beside it to be told from it. */
const clearly = 8;

/**
 * The bounds of the rounding error of `y`, larger where it lies on steps: where the twin has moved by eight bounds and y
 * has not by within two of it, terms cancel that are rounded to more than is left of them. They are taken to be as large as
 * the twin is at the other side of 0, and their rounding as K·u times that.
 */
export async function valueNoise(
  asked: Asked,
  inputs: Tensors,
  y: Float64Array,
  twin: Float64Array,
  bound: Float64Array,
  roundings: number,
  dtype: FloatDtype,
): Promise<Float64Array> {
  const { round, p } = formats[dtype];
  const isOnSteps = new Uint8Array(y.length);
  const isSeen = new Uint8Array(y.length);
  for (const move of moves) {
    const at = Object.fromEntries(
      Object.entries(inputs).map(([name, v]) => [name, v.map((e) => round(e * (1 + move)))]),
    );
    const [own, exact] = [await asked.forward(at), await asked.numeric(at)];
    for (let i = 0; i < y.length; i++) {
      const change = exact[i]! - twin[i]!;
      if (isSeen[i] === 1 || !(Math.abs(change) >= clearly * bound[i]!)) continue;
      isSeen[i] = 1;
      if (Math.abs(own[i]! - y[i]! - change) > 2 * bound[i]!) isOnSteps[i] = 1;
    }
  }
  const size = new Float64Array(y.length);
  for (const [name, v] of Object.entries(inputs)) {
    const beyond = await asked.numeric({ ...inputs, [name]: v.map((e) => -e) });
    for (const [i, value] of beyond.entries())
      if (Number.isFinite(value)) size[i] = Math.max(size[i]!, Math.abs(value));
  }
  return bound.map((b, i) => (isOnSteps[i] === 1 ? Math.max(b, roundings * 2 ** -p * size[i]!) : b));
}
