import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { expect, it } from 'vitest';
import { installWasmKernels } from './install.ts';

/** A sum, a product and a gradient of max pooling, by our kernels or by the shipped ones; no maximum is 0 or less. */
function results(): number[][] {
  return tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const image = x.reshape([1, 2, 2, 1]) as tf.Tensor4D;
    const pooled = tf.grad((v) => tf.maxPool(v as tf.Tensor4D, 2, 2, 'valid'))(image);
    return [tf.sum(x), tf.sum(x, 0), tf.matMul(x, x), pooled].map((t) => [...t.dataSync()]);
  });
}

const right = [[10], [4, 6], [7, 10, 15, 22], [0, 0, 0, 1]];

// One after the other in a process of their own, where the backend has not been current before the first.
it('kernels installed before their backend is current compute, and those they stood in for after them', async () => {
  const restore = installWasmKernels();
  expect(await tf.setBackend('wasm')).toBe(true);
  expect(results()).toEqual(right);
  restore();
  expect(results()).toEqual(right);
});

it('so it is where the backend is removed and registered again', async () => {
  const restore = installWasmKernels();
  const factory = tf.findBackendFactory('wasm');
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', factory);
  expect(await tf.setBackend('wasm')).toBe(true);
  expect(results()).toEqual(right);
  restore();
  expect(results()).toEqual(right);
});
