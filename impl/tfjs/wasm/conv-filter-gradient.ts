import * as tf from '@tensorflow/tfjs';
import { float } from './assembler.ts';
import { addressOf, output, product, wasmKernel } from './module.ts';

/**
 * `dW[u,v,·,·] = Σ_{n,i} Xᵀ·dY`: for image n and row i of the result, X: `[j, inputs]` is what the filter's element u, v
 * meets at the places j of that row, as far as they lie in the image, and dY: `[j, outputs]` the cotangent there.
 *
 * x: `[N, H, W, inputs]`, dy: `[N, I, J, outputs]`, channels last; dilation is 1, as it is for TensorFlow.js' gradient.
 */
export const convFilterGradient: tf.KernelConfig = wasmKernel(tf.Conv2DBackpropFilter, ({ x, dy }, attrs, backend) => {
  const { filterShape, strides, pad, dimRoundingMode, dataFormat } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  if (dataFormat !== 'NHWC') throw new Error(`Conv2DBackpropFilter: expected "dataFormat" NHWC, got ${dataFormat}`);
  const conv = tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const dW = output(backend, filterShape);
  backend.typedArrayFromHeap(dW).fill(0);
  const [X, dY, to] = [x, dy, dW].map((tensor) => addressOf(backend, tensor));
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, strideHeight, strideWidth } = conv;
  const { top, left } = conv.padInfo;
  const [pixel, place] = [inChannels * float, outChannels * float];
  for (let u = 0; u < conv.filterHeight; u++) {
    const rows = inside(outHeight, strideHeight, u - top, inHeight);
    for (let v = 0; v < conv.filterWidth; v++) {
      const columns = inside(outWidth, strideWidth, v - left, inWidth);
      const used = columns.end - columns.first;
      if (used <= 0) continue;
      const element = to + (u * conv.filterWidth + v) * inChannels * place;
      for (let n = 0; n < conv.batchSize; n++) {
        for (let i = rows.first; i < rows.end; i++) {
          const row = (n * inHeight + i * strideHeight + u - top) * inWidth;
          product(
            backend,
            element,
            {
              address: X + (row + columns.first * strideWidth + v - left) * pixel,
              rows: inChannels,
              columns: used,
              rowStride: float,
              columnStride: strideWidth * pixel,
            },
            {
              address: dY + ((n * outHeight + i) * outWidth + columns.first) * place,
              rows: used,
              columns: outChannels,
              rowStride: place,
              columnStride: float,
            },
            true,
          );
        }
      }
    }
  }
  return dW;
});

/** The i below `count` for which `i·stride + offset` lies in `[0, size)`: from `first` to before `end`. */
function inside(count: number, stride: number, offset: number, size: number): { first: number; end: number } {
  return {
    first: Math.max(0, Math.ceil(-offset / stride)),
    end: Math.min(count, Math.ceil((size - offset) / stride)),
  };
}
