import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { withWasmKernels } from './installed-for-tests.ts';

withWasmKernels();

/** What `f` answers on a backend, with its shapes and dtypes; nothing of it stays. */
async function on(backend: 'cpu' | 'wasm', f: () => tf.Tensor[]): Promise<unknown> {
  await tf.setBackend(backend);
  const buffers = tf.engine().backend.numDataIds();
  const tensors = tf.tidy(f);
  const found = tensors.map((t) => ({ shape: t.shape, dtype: t.dtype, values: [...t.dataSync()] }));
  tf.dispose(tensors);
  expect(tf.engine().backend.numDataIds()).toBe(buffers);
  return found;
}

/** Small integers, of which every sum is exact. */
const numbers = (shape: number[]) =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => ((i * 7) % 11) - 5),
    shape,
  );

describe('the wasm sum over segments', () => {
  it.each<[shape: number[], ids: number[], segments: number]>([
    [[4], [0, 1, 0, 2], 3],
    [[4, 3], [2, 2, 2, 2], 3],
    [[5, 2, 3], [1, -1, 3, 0, 4], 4],
    [[2, 2], [-7, 9], 2],
    [[3, 0], [0, 1, 1], 2],
    [[1, 4], [0], 1],
  ])('of x [%j] with the ids %j is that of cpu', async (shape, ids, segments) => {
    const sums = () => [tf.unsortedSegmentSum(numbers(shape), tf.tensor1d(ids, 'int32'), segments)];
    expect(await on('wasm', sums)).toEqual(await on('cpu', sums));
  });

  it('of nothing is 0, and of int32 is int32', async () => {
    await tf.setBackend('wasm');
    const ids = (values: number[]) => tf.tensor1d(values, 'int32');
    const none = tf.unsortedSegmentSum(tf.zeros([0, 2]), ids([]), 2);
    expect([none.shape, ...none.dataSync()]).toEqual([[2, 2], 0, 0, 0, 0]);
    const whole = tf.unsortedSegmentSum(tf.tensor1d([3, 4, 5], 'int32'), ids([1, 1, 0]), 2);
    expect([whole.dtype, ...whole.dataSync()]).toEqual(['int32', 5, 7]);
  });

  it('refuses ids that are not one for each row', async () => {
    await tf.setBackend('wasm');
    const sum = () => tf.unsortedSegmentSum(tf.ones([3, 2]), tf.tensor1d([0, 1], 'int32'), 2);
    expect(sum).toThrow('UnsortedSegmentSum: "segmentIds" expected shape [3], an id for each row of x, got [2]');
  });

  it('gives tf.gather its gradient', async () => {
    for (const axis of [0, 1]) {
      const gradient = () => {
        const indices = tf.tensor1d([1, 1, 0], 'int32');
        return [
          tf.grad((x) => tf.mul(tf.gather(x, indices, axis), numbers(axis === 0 ? [3, 3] : [2, 3])))(numbers([2, 3])),
        ];
      };
      expect(await on('wasm', gradient)).toEqual(await on('cpu', gradient));
    }
  });

  it('lets an embedding learn', async () => {
    await tf.setBackend('wasm');
    const layer = tf.layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 4, embeddingsInitializer: 'ones' });
    const model = tf.sequential({ layers: [layer, tf.layers.flatten(), tf.layers.dense({ units: 1 })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.trainOnBatch(tf.tensor2d([[1, 2, 0, 0]]), tf.fill([1, 1], 100));
    const learned = tf.tidy(() => tf.notEqual(layer.getWeights()[0], 1).any(1).arraySync());
    expect(learned).toEqual([1, 1, 1, 0, 0]);
    model.dispose();
  });
});
