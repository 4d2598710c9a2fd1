import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { random } from '../../../reference/random.ts';
import { withWasmKernels } from './installed-for-tests.ts';

withWasmKernels();

type Shape = [number, number, number, number];

interface Convolution {
  readonly x: Shape;
  readonly filter: Shape;
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
}

const convolutions: readonly Convolution[] = [
  { x: [1, 1, 1, 1], filter: [1, 1, 1, 1], strides: 1, pad: 'valid' },
  { x: [2, 5, 6, 3], filter: [3, 2, 3, 4], strides: 1, pad: 'valid' },
  { x: [2, 5, 6, 3], filter: [3, 3, 3, 9], strides: 1, pad: 'same' },
  { x: [2, 5, 6, 3], filter: [2, 4, 3, 4], strides: 1, pad: 'same' },
  // Strides that do not divide: the last rows and columns meet no window.
  { x: [2, 8, 9, 2], filter: [3, 3, 2, 5], strides: [2, 3], pad: 'valid' },
  { x: [2, 8, 9, 2], filter: [3, 3, 2, 5], strides: [3, 2], pad: 'same' },
  { x: [1, 7, 7, 2], filter: [2, 2, 2, 3], strides: 4, pad: 'same' },
  // Filters larger than the image, and padding wider than the filter.
  { x: [3, 2, 2, 2], filter: [5, 5, 2, 2], strides: 1, pad: 'same' },
  { x: [1, 3, 4, 2], filter: [2, 2, 2, 2], strides: 1, pad: 3 },
  {
    x: [1, 3, 4, 2],
    filter: [2, 2, 2, 2],
    strides: 2,
    pad: [
      [0, 0],
      [1, 0],
      [2, 1],
      [0, 0],
    ],
  },
  { x: [0, 5, 6, 3], filter: [3, 3, 3, 4], strides: 1, pad: 'same' },
];

/** What the backend says of `dW`, on integers so small that every right answer is exact. */
async function gradient(backend: 'cpu' | 'wasm', { x, filter, strides, pad }: Convolution): Promise<tf.Tensor> {
  await tf.setBackend(backend);
  const source = random(1, 'convolution');
  const draw = (shape: Shape): tf.Tensor4D =>
    tf.tensor4d(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => 2 * source.below(4) - 3),
      shape,
    );
  const image = draw(x);
  const { outShape } = tf.backend_util.computeConv2DInfo(x, filter, strides, 1, pad);
  const dW = tf.grad((W) => tf.conv2d(image, W as tf.Tensor4D, strides, pad))(
    tf.zeros(filter),
    draw(outShape as Shape),
  );
  return dW;
}

describe('the wasm gradient of a convolution to its filter', () => {
  for (const convolution of convolutions) {
    const { x, filter, strides, pad } = convolution;
    it(`x [${x}], filter [${filter}], strides ${strides}, pad ${pad}: equals that of cpu exactly`, async () => {
      const expected = [...(await gradient('cpu', convolution)).dataSync()];
      const actual = await gradient('wasm', convolution);
      expect(actual.shape).toEqual(filter);
      expect([...actual.dataSync()]).toEqual(expected);
      if (x[0] > 0) expect(expected.some((value) => value !== 0)).toBe(true);
    });
  }

  it('refuses channels first', () => {
    const run = () =>
      tf
        .engine()
        .runKernel(
          tf.Conv2DBackpropFilter,
          { x: tf.ones([1, 2, 4, 4]), dy: tf.ones([1, 3, 4, 4]) },
          { strides: 1, pad: 'same', dataFormat: 'NCHW', filterShape: [3, 3, 2, 3] },
        );
    expect(run).toThrow('expected "dataFormat" NHWC, got NCHW');
  });
});
