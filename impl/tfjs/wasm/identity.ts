import * as tf from '@tensorflow/tfjs';
import { wasmKernel } from './module.ts';

/** `y = x` on the same memory, as on cpu: the gradient keeps a clone of every operand, which the shipped kernel copies. */
export const identity: tf.KernelConfig = wasmKernel(tf.Identity, ({ x: { dataId, shape, dtype } }, _attrs, backend) => {
  backend.incRef(dataId);
  return { dataId, shape, dtype };
});
