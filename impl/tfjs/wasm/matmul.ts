import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shape.ts';
import { float } from './assembler.ts';
import { sharedProduct } from './helper.ts';
import { addressOf, type Matrix, output, type WasmBackend, wasmKernel } from './module.ts';

/** `C = op(A)·op(B)`, op the identity or the transpose of the last two axes; batch axes broadcast. */
export const matMul: tf.KernelConfig = wasmKernel(tf.BatchMatMul, (inputs, attrs, backend) =>
  multiply(inputs, attrs, backend),
);

/** `f(op(A)·op(B) + bias)`, f by the shipped kernels: the forward pass of `tf.layers.dense`. */
export const fusedMatMul: tf.KernelConfig = wasmKernel(tf._FusedMatMul, (inputs, attrs, backend) => {
  const { bias, preluActivationWeights: alpha } = inputs;
  const { activation, leakyreluAlpha } = attrs as unknown as tf._FusedMatMulAttrs;
  if (!activations.has(activation)) {
    const known = [...activations.keys()].join(', ');
    throw new Error(`_FusedMatMul: "activation" expected ${known}, got ${activation}`);
  }
  const c = multiply(inputs, attrs, backend, tf._FusedMatMul);
  const biased = bias === undefined ? c : then(tf.Add, { a: c, b: bias }, {}, c, backend);
  const f = activations.get(activation);
  if (f === undefined) return biased;
  return then(f, { x: biased, ...(alpha && { alpha }) }, { alpha: leakyreluAlpha ?? 0 }, biased, backend);
});

/** Names of activations, and the kernels that compute them. */
const activations: ReadonlyMap<string, string | undefined> = new Map([
  ['linear', undefined],
  ['relu', tf.Relu],
  ['relu6', tf.Relu6],
  ['elu', tf.Elu],
  ['sigmoid', tf.Sigmoid],
  ['leakyrelu', tf.LeakyRelu],
  ['prelu', tf.Prelu],
]);

/** The answer of a shipped kernel, which takes the place of `before`; that is freed, be there an answer or an error. */
function then(
  name: string,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap,
  before: tf.TensorInfo,
  backend: WasmBackend,
): tf.TensorInfo {
  try {
    return tf.getKernel(name, 'wasm').kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo;
  } finally {
    backend.disposeData(before.dataId);
  }
}

function multiply(
  { a, b }: Readonly<Record<string, tf.TensorInfo>>,
  attrs: Readonly<Record<string, unknown>>,
  backend: WasmBackend,
  name: string = tf.BatchMatMul,
): tf.TensorInfo {
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  const [A, B] = [matrix(a, transposeA), matrix(b, transposeB)];
  if (a.dtype !== 'float32' || b.dtype !== 'float32' || A.columns !== B.rows) {
    throw new Error(
      `${name}: expected float32 matrices that fit, got ${a.dtype} [${a.shape}] and ${b.dtype} [${b.shape}], transposed: ${transposeA}, ${transposeB}`,
    );
  }
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const c = output(backend, [...batch, A.rows, B.columns]);
  if (A.columns === 0) {
    backend.typedArrayFromHeap(c).fill(0);
    return c;
  }
  const [C, fromA, fromB] = [c, a, b].map((tensor) => addressOf(backend, tensor));
  const bytes = (rows: number, columns: number): number => rows * columns * float;
  try {
    for (let i = 0; i < sizeOf(batch); i++) {
      sharedProduct(
        backend,
        C + i * bytes(A.rows, B.columns),
        { ...A, address: fromA + operand(i, batch, batchA) * bytes(A.rows, A.columns) },
        { ...B, address: fromB + operand(i, batch, batchB) * bytes(B.rows, B.columns) },
      );
    }
  } catch (error) {
    backend.disposeData(c.dataId);
    throw error;
  }
  return c;
}

/** The last two axes, exchanged or not. */
function matrix({ shape }: tf.TensorInfo, transposed: boolean): Omit<Matrix, 'address'> {
  const [rows, columns] = shape.slice(-2);
  const rowStride = columns * float;
  return transposed
    ? { rows: columns, columns: rows, rowStride: float, columnStride: rowStride }
    : { rows, columns, rowStride, columnStride: float };
}

/** Which matrix of an operand belongs to the i-th of the result, whose batch axes are `batch`. */
function operand(i: number, batch: readonly number[], own: readonly number[]): number {
  let index = 0;
  let stride = 1;
  let rest = i;
  for (let axis = 1; axis <= own.length; axis++) {
    const [size, mine] = [batch.at(-axis)!, own.at(-axis)!];
    if (mine !== 1) index += (rest % size) * stride;
    rest = Math.floor(rest / size);
    stride *= mine;
  }
  return index;
}
