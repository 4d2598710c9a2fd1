import * as tf from '@tensorflow/tfjs';
import { addressOf, kernel, product } from './module.ts';

const float = 4;

/**
 * `Σₙ x[n, ·]`, the gradient of whatever was added to every row, as the product `1ᵀ·x`; other sums are left to `shipped`,
 * which transposes x before it sums. x: float32 `[N, ...]`, not empty.
 */
export function columnSums(shipped: tf.KernelConfig): tf.KernelConfig {
  return kernel(tf.Sum, ({ x }, attrs, backend) => {
    const { axis, keepDims } = attrs as unknown as tf.SumAttrs;
    const [N, ...rest] = x.shape;
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const columns = tf.util.sizeFromShape(rest);
    const isFirst = axes.length === 1 && axes[0] === 0 && rest.length > 0;
    if (!isFirst || x.dtype !== 'float32' || N * columns === 0) {
      return shipped.kernelFunc({ inputs: { x }, attrs: { axis, keepDims }, backend });
    }
    const ones = backend.makeOutput([N], 'float32');
    const sums = backend.makeOutput(keepDims ? [1, ...rest] : rest, 'float32');
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
