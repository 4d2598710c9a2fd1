import { checkFloats, checkTensor } from './arguments.ts';
import { product, transpose } from './matrix.ts';

/**
 * `y = x·W + b`
 *
 * x: `[N, inputs]`, W: `[inputs, units]`, b: `[units]`, y: `[N, units]`, float64, row-major; N is `x.length / inputs`.
 *
 * @throws TypeError unless the tensors are Float64Arrays, RangeError naming the one whose length does not match
 */
export function denseForward(x: Float64Array, W: Float64Array, b: Float64Array, inputs: number): Float64Array {
  const N = rows('denseForward', 'x', x, inputs);
  checkFloats('denseForward', 'b', b);
  const units = b.length;
  checkTensor('denseForward', 'W', W, [inputs, units]);
  const y = product(x, W, N, inputs, units);
  for (let i = 0; i < N; i++) for (let j = 0; j < units; j++) y[i * units + j] += b[j];
  return y;
}

/**
 * `dW = xᵀ·dy`, `db = Σ_batch dy`
 *
 * dy: `[N, units]`, x: `[N, inputs]`; dW: `[inputs, units]`, db: `[units]`.
 *
 * @throws TypeError unless the tensors are Float64Arrays, RangeError naming the one whose length does not match
 */
export function denseBackward(
  dy: Float64Array,
  x: Float64Array,
  inputs: number,
  units: number,
): { dW: Float64Array; db: Float64Array } {
  const N = rows('denseBackward', 'x', x, inputs);
  checkTensor('denseBackward', 'dy', dy, [N, units]);
  const dW = product(transpose(x, N, inputs), dy, inputs, N, units);
  const db = new Float64Array(units);
  for (let i = 0; i < N; i++) for (let j = 0; j < units; j++) db[j] += dy[i * units + j];
  return { dW, db };
}

/**
 * `dx = dy·Wᵀ`, apart from the rest because the first layer has no use for it.
 *
 * dy: `[N, units]`, W: `[inputs, units]`, dx: `[N, inputs]`.
 *
 * @throws TypeError unless the tensors are Float64Arrays, RangeError naming the one whose length does not match
 */
export function denseBackwardInput(dy: Float64Array, W: Float64Array, inputs: number): Float64Array {
  const units = rows('denseBackwardInput', 'W', W, inputs);
  const N = rows('denseBackwardInput', 'dy', dy, units);
  return product(dy, transpose(W, inputs, units), N, units, inputs);
}

/** The number of rows of a matrix with `columns` columns. For W, `[inputs, units]`, units = size / inputs likewise. */
function rows(where: string, name: string, values: Float64Array, columns: number): number {
  checkFloats(where, name, values);
  const n = values.length / columns;
  if (!Number.isInteger(columns) || columns < 1 || !Number.isInteger(n)) {
    throw new RangeError(`${where}: "${name}" expected rows of ${columns} elements, got ${values.length} elements`);
  }
  return n;
}
