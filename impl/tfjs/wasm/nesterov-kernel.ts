import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shape.ts';
import { type NesterovAttrs, nesterovKernelName } from '../training/nesterov-update.ts';
import { addressOf, output, ownFunctions, wasmKernel } from './module.ts';

/** `v' = momentum·v - rate·g`, `w' = w + momentum·v' - rate·g` in one pass, into new arrays. */
export const nesterovKernel: tf.KernelConfig = wasmKernel(nesterovKernelName, ({ w, v, g }, attrs, backend) => {
  const { rate, momentum } = attrs as unknown as NesterovAttrs;
  const results = [w, v].map(({ shape }) => output(backend, shape));
  const [next, moved, ...inputs] = [...results, w, v, g].map((tensor) => addressOf(backend, tensor));
  const length = sizeOf(w.shape);
  ownFunctions(backend).nesterov(next, moved, inputs[0], inputs[1], inputs[2], length, rate, momentum);
  return results;
});
