import * as tf from '@tensorflow/tfjs';
import { float } from './assembler.ts';
import { sharedProduct } from './helper.ts';
import { addressOf, kernel, type Matrix } from './module.ts';

/** `C = op(A)·op(B)`, op the identity or the transpose of the last two axes; batch axes broadcast. */
export const matMul: tf.KernelConfig = kernel(tf.BatchMatMul, ({ a, b }, attrs, backend) => {
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  const [A, B] = [matrix(a, transposeA), matrix(b, transposeB)];
  if (a.dtype !== 'float32' || b.dtype !== 'float32' || A.columns !== B.rows) {
    throw new Error(
      `BatchMatMul: expected float32 matrices that fit, got ${a.dtype} [${a.shape}] and ${b.dtype} [${b.shape}], transposed: ${transposeA}, ${transposeB}`,
    );
  }
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const c = backend.makeOutput([...batch, A.rows, B.columns], 'float32');
  if (A.columns === 0) backend.typedArrayFromHeap(c).fill(0);
  else {
    const [C, fromA, fromB] = [c, a, b].map((tensor) => addressOf(backend, tensor));
    for (let i = 0; i < tf.util.sizeFromShape(batch); i++) {
      const at = (address: number, index: number, { rows, columns }: Shape): number =>
        address + index * rows * columns * float;
      sharedProduct(
        backend,
        at(C, i, { rows: A.rows, columns: B.columns }),
        { ...A, address: at(fromA, operand(i, batch, batchA), A) },
        { ...B, address: at(fromB, operand(i, batch, batchB), B) },
      );
    }
  }
  return c;
});

type Shape = Pick<Matrix, 'rows' | 'columns'>;

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
