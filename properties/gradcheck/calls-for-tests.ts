import { AskedFunction } from './calls.ts';
import type { Declared, Differentiable, Tensors } from './differentiable.ts';

export function floats(...values: number[]): Float64Array {
  return Float64Array.from(values);
}

export const inputs: Tensors = { x: floats(1, 2, 3), w: floats(4) };

/** `y = w·x` with all of its parts. */
export const right: Differentiable = {
  forward: ({ x, w }) => x.map((v) => w[0] * v),
  vjp: ({ x, w }, dy) => ({
    x: dy.map((d) => w[0] * d),
    w: floats(dy.reduce((sum, d, i) => sum + d * x[i], 0)),
  }),
  jvp: ({ x, w }, { x: tx, w: tw }) => x.map((v, i) => w[0] * tx[i] + v * tw[0]),
};

/** The same with some of its parts changed. */
export function ask(change: Partial<Differentiable> = {}, declared: Declared = {}): AskedFunction {
  return new AskedFunction({ ...right, ...change }, declared, { x: [3], w: [1] });
}

export const dy: Float64Array = floats(1, 0, -1);
