import * as tf from '@tensorflow/tfjs';
import { list } from '../parameters.ts';
import { sizeOf } from '../shape.ts';
import { output, wasmKernel } from './module.ts';

/**
 * `y[s] = Σ x[n]` over the n whose id is s: the gradient of `tf.gather`, and so of `tf.layers.embedding`. What has an id
 * below 0, or of `numSegments` and more, is in no sum, as on cpu.
 *
 * x: `[N, ...S]`; segmentIds: `[N]`; y: `[numSegments, ...S]`, of the dtype of x.
 */
export const unsortedSegmentSum: tf.KernelConfig = wasmKernel(
  tf.UnsortedSegmentSum,
  ({ x, segmentIds }, attrs, backend) => {
    const { numSegments } = attrs as unknown as tf.UnsortedSegmentSumAttrs;
    const [N, ...inner] = x.shape;
    if (segmentIds.shape.length !== 1 || segmentIds.shape[0] !== N) {
      throw new Error(
        `UnsortedSegmentSum: "segmentIds" expected shape ${list([N])}, an id for each row of x, got ${list(segmentIds.shape)}`,
      );
    }
    const result = output(backend, [numSegments, ...inner], x.dtype);
    const [from, ids, to] = [x, segmentIds, result].map((tensor) => backend.typedArrayFromHeap(tensor));
    to.fill(0);
    const size = sizeOf(inner);
    for (let n = 0; n < N; n++) {
      const id = ids[n];
      if (id < 0 || id >= numSegments) continue;
      for (let i = 0; i < size; i++) to[id * size + i] += from[n * size + i];
    }
    return result;
  },
);
