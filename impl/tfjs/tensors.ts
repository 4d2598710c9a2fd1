import * as tf from '@tensorflow/tfjs';
import { list, shown } from './parameters.ts';

/** Throws TypeError unless `tensor` is a live float32 tensor, of any backend; `where` opens the message. */
export function checkLiveFloat32(where: string, name: string, tensor: unknown): asserts tensor is tf.Tensor {
  const expected = `${where}: "${name}" expected a float32 tensor`;
  if (!(tensor instanceof tf.Tensor)) throw new TypeError(`${expected}, got ${shown(tensor)}`);
  if (tensor.dtype !== 'float32') throw new TypeError(`${expected}, got ${tensor.dtype}`);
  if (tensor.isDisposed) throw new TypeError(`${expected}, got one that is disposed`);
}

/** The same for one of the current backend. */
export function checkFloat32(where: string, name: string, tensor: unknown): asserts tensor is tf.Tensor {
  checkLiveFloat32(where, name, tensor);
  const backend = backendOf(tensor);
  if (backend === undefined || backend === tf.backend()) return;
  const other = Object.entries(tf.engine().registry).find(([, registered]) => registered === backend)?.[0];
  throw new TypeError(
    `${where}: "${name}" expected a float32 tensor of the backend ${tf.getBackend()}, got one of ${other ?? 'a backend that is gone'}`,
  );
}

/** Moves a tensor that lies on another backend to the current one, as the ops of TensorFlow.js do with what they read. */
export function moveHere(tensor: tf.Tensor): void {
  const backend = backendOf(tensor);
  if (backend !== undefined && backend !== tf.backend()) tf.engine().moveData(tf.backend(), tensor.dataId);
}

/**
 * Whether `dataSync` can be called: webgpu reads a result at once by drawing it, which Node can't, and by which SwiftShader
 * answers 0 and loses the device.
 */
export function isReadableNow({ dataId }: tf.Tensor): boolean {
  if (tf.getBackend() !== 'webgpu') return true;
  const { tensorMap } = tf.backend() as { tensorMap?: { get(dataId: object): { values?: unknown } | undefined } };
  const kept = tensorMap?.get(dataId);
  return kept === undefined || Boolean(kept.values);
}

function backendOf({ dataId }: tf.Tensor): tf.KernelBackend | undefined {
  return tf.engine().state.tensorInfo.get(dataId)?.backend;
}

/** Throws RangeError unless `tensor` has this shape. */
export function checkShape(where: string, name: string, { shape }: tf.Tensor, expected: readonly number[]): void {
  if (tf.util.arraysEqual(shape, expected as number[])) return;
  throw new RangeError(`${where}: "${name}" expected shape ${list(expected)}, got ${list(shape)}`);
}
