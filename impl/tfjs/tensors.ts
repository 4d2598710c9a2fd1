import * as tf from '@tensorflow/tfjs';
import { list, shown } from './parameters.ts';

/** Throws TypeError unless `tensor` is a live float32 tensor; `where` opens the message. */
export function checkFloat32(where: string, name: string, tensor: unknown): asserts tensor is tf.Tensor {
  const expected = `${where}: "${name}" expected a float32 tensor`;
  if (!(tensor instanceof tf.Tensor)) throw new TypeError(`${expected}, got ${shown(tensor)}`);
  if (tensor.dtype !== 'float32') throw new TypeError(`${expected}, got ${tensor.dtype}`);
  if (tensor.isDisposed) throw new TypeError(`${expected}, got one that is disposed`);
}

/** Throws RangeError unless `tensor` has this shape. */
export function checkShape(where: string, name: string, { shape }: tf.Tensor, expected: readonly number[]): void {
  if (tf.util.arraysEqual(shape, expected as number[])) return;
  throw new RangeError(`${where}: "${name}" expected shape ${list(expected)}, got ${list(shape)}`);
}
