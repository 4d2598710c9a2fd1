import * as tf from '@tensorflow/tfjs';
import { output, wasmKernel } from './module.ts';

/**
 * `dx[p] = Σ dy[w]` over the windows w whose maximum stands at p; of equal ones the first, row by row, as on cpu. NaN is
 * no maximum, nor is -Infinity: a window of these has none. The shipped kernel (4.22) starts from 0 instead, so that a
 * window without anything greater has no gradient.
 *
 * x, dx: `[N, H, W, C]`; dy: `[N, I, J, C]`.
 */
export const maxPoolGradient: tf.KernelConfig = wasmKernel(tf.MaxPoolGrad, ({ dy, input }, attrs, backend) => {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as tf.MaxPoolGradAttrs;
  const pool = tf.backend_util.computePool2DInfo(
    input.shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const result = output(backend, input.shape);
  const [x, dx, g] = [input, result, dy].map((tensor) => backend.typedArrayFromHeap(tensor));
  dx.fill(0);
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth } = pool;
  let at = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < outHeight; i++) {
      const top = i * pool.strideHeight - pool.padInfo.top;
      const [firstRow, endRow] = [Math.max(0, top), Math.min(inHeight, top + filterHeight)];
      for (let j = 0; j < outWidth; j++) {
        const left = j * pool.strideWidth - pool.padInfo.left;
        const [firstColumn, endColumn] = [Math.max(0, left), Math.min(inWidth, left + filterWidth)];
        for (let channel = 0; channel < inChannels; channel++, at++) {
          let most = Number.NEGATIVE_INFINITY;
          let place = -1;
          for (let row = firstRow; row < endRow; row++) {
            for (let column = firstColumn; column < endColumn; column++) {
              const p = ((n * inHeight + row) * inWidth + column) * inChannels + channel;
              if (x[p] > most) {
                most = x[p];
                place = p;
              }
            }
          }
          if (place >= 0) dx[place] += g[at];
        }
      }
    }
  }
  return result;
});
