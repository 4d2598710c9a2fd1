import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { random } from '../../../reference/random.ts';
import { withWasmKernels } from './installed-for-tests.ts';

withWasmKernels();

const sums: readonly (readonly [shape: number[], axis: number[] | undefined])[] = [
  [[1, 1], [0]],
  [[130, 7], [0]],
  [[600, 33], [0]],
  [[5, 2, 3], [0]],
  [[5, 2, 3], [-3]],
  [
    [5, 2, 3],
    [0, 1],
  ],
  [[5, 2, 3], [2]],
  [[5, 2, 3], undefined],
  [[6], [0]],
  [[0, 64], [0]],
  [
    [3, 0, 2],
    [1, 2],
  ],
  [[3, 0, 2], [0]],
  [[0], undefined],
];

describe('the wasm sum', () => {
  for (const [shape, axis] of sums) {
    for (const keepDims of [false, true]) {
      for (const dtype of ['float32', 'int32'] as const) {
        it(`of [${shape}], ${dtype}, over ${axis ?? 'all'}, keepDims ${keepDims}: is exact, as on cpu, and keeps nothing`, async () => {
          const on = async (backend: 'cpu' | 'wasm'): Promise<unknown> => {
            await tf.setBackend(backend);
            const source = random(1, 'sums');
            const values = Array.from({ length: tf.util.sizeFromShape(shape) }, () => source.below(15) - 6);
            const x = tf.tensor(values, shape, dtype);
            const buffers = tf.engine().backend.numDataIds();
            const y = tf.sum(x, axis, keepDims);
            const found = { shape: y.shape, dtype: y.dtype, values: [...y.dataSync()] };
            y.dispose();
            expect(tf.engine().backend.numDataIds()).toBe(buffers);
            x.dispose();
            return found;
          };
          const expected = await on('cpu');
          expect(await on('wasm')).toEqual(expected);
        });
      }
    }
  }
});
