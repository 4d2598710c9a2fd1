import { formats } from '../dtypes.ts';
import { range } from '../transform.ts';
import type { AskedFunction } from './calls.ts';
import type { FloatDtype, Tensors } from './differentiable.ts';

/** Relative moves of all inputs. */
const moves: readonly number[] = range(18).flatMap((k) => [2 ** (k - 22), -(2 ** (k - 22))]);
/** By so many bounds the twin has to change for the values beside it to be told from it; and by no more. */
const [least, most] = [8, 128];

/**
 * The bounds of the rounding error of `y`, larger where it lies on steps: where the twin moves by 8 to 128 bounds and
 * y not by within two of that, terms cancel that are rounded to more than is left of them. They are taken to be as large as
 * the twin is at the other side of 0, and their rounding as K·u times that.
 */
export async function valueNoise(
  asked: AskedFunction,
  inputs: Tensors,
  y: Float64Array,
  twin: Float64Array,
  bound: Float64Array,
  roundings: number,
  dtype: FloatDtype,
): Promise<Float64Array> {
  const { round, p } = formats[dtype];
  const isOnSteps = new Uint8Array(y.length);
  for (const move of moves) {
    const at = Object.fromEntries(
      Object.entries(inputs).map(([name, v]) => [name, v.map((e) => round(e * (1 + move)))]),
    );
    const [own, exact] = [await asked.forward(at), await asked.numeric(at)];
    for (let i = 0; i < y.length; i++) {
      const change = exact[i] - twin[i];
      const isTold = Math.abs(change) >= least * bound[i] && Math.abs(change) <= most * bound[i];
      if (isTold && Math.abs(own[i] - y[i] - change) > 2 * bound[i]) isOnSteps[i] = 1;
    }
  }
  const size = new Float64Array(y.length);
  for (const [name, v] of Object.entries(inputs)) {
    const beyond = await asked.numeric({ ...inputs, [name]: v.map((e) => -e) });
    for (const [i, value] of beyond.entries()) if (Number.isFinite(value)) size[i] = Math.max(size[i], Math.abs(value));
  }
  return bound.map((b, i) => (isOnSteps[i] === 1 ? Math.max(b, roundings * 2 ** -p * size[i]) : b));
}
