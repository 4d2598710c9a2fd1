import * as tf from '@tensorflow/tfjs';
import { float } from './assembler.ts';
import { addressOf, output, product, wasmKernel } from './module.ts';

/**
 * `Σₙ x[n, ·]`, the gradient of whatever was added to every row, as the product `1ᵀ·x`, x: float32 `[N, ...]`; and sums of
 * nothing, which are 0. Other sums are left to `shipped`, which transposes x before it sums.
 */
export function columnSums(shipped: tf.KernelConfig): tf.KernelConfig {
  return wasmKernel(tf.Sum, ({ x }, attrs, backend) => {
    const { axis, keepDims } = attrs as unknown as tf.SumAttrs;
    const [N, ...rest] = x.shape;
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const columns = tf.util.sizeFromShape(rest);
    if (tf.util.sizeFromShape(x.shape) === 0) {
      const left = x.shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? 1 : []) : size));
      const zeros = output(backend, left, x.dtype);
      backend.typedArrayFromHeap(zeros).fill(0);
      return zeros;
    }
    const isFirst = axes.length === 1 && axes[0] === 0 && rest.length > 0;
    if (!isFirst || x.dtype !== 'float32') {
      return shipped.kernelFunc({ inputs: { x }, attrs: { axis, keepDims }, backend });
    }
    const ones = output(backend, [N]);
    const sums = output(backend, keepDims ? [1, ...rest] : rest);
    backend.typedArrayFromHeap(ones).fill(1);
    product(
      backend,
      addressOf(backend, sums),
      { address: addressOf(backend, ones), rows: 1, columns: N, rowStride: N * float, columnStride: float },
      { address: addressOf(backend, x), rows: N, columns, rowStride: columns * float, columnStride: float },
      false,
    );
    backend.disposeData(ones.dataId);
    return sums;
  });
}
