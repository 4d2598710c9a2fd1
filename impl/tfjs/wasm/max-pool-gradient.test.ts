import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../../reference/random.ts';
import { openBackend } from '../backends.ts';
import { installWasmKernels } from './install.ts';

let restore = (): void => {};
beforeAll(async () => {
  await openBackend('cpu');
  await openBackend('wasm');
  restore = installWasmKernels();
});
afterAll(() => restore());

type Shape = [number, number, number, number];
type Pooling = [
  x: Shape,
  size: number | [number, number],
  strides: number | [number, number],
  pad: 'same' | 'valid' | number,
];

const poolings: readonly Pooling[] = [
  [[1, 1, 1, 1], 1, 1, 'valid'],
  [[2, 6, 6, 3], 2, 2, 'valid'],
  [[2, 7, 5, 3], 2, 2, 'same'],
  [[2, 7, 5, 3], [3, 2], [2, 1], 'valid'],
  [[2, 7, 5, 3], 3, 1, 'same'],
  [[1, 8, 8, 2], 3, 4, 'valid'],
  [[1, 5, 5, 2], 3, 2, 1],
  [[1, 2, 2, 1], 5, 1, 'same'],
  [[0, 6, 6, 3], 2, 2, 'valid'],
];

/** Many equal values, below 0 and above. */
const integer = (source: ReturnType<typeof random>) => (): number => source.below(5) - 3;

async function gradient(
  backend: 'cpu' | 'wasm',
  [shape, size, strides, pad]: Pooling,
  value: (source: ReturnType<typeof random>) => () => number = integer,
): Promise<number[]> {
  await tf.setBackend(backend);
  const source = random(1, 'pooling');
  const x = tf.tensor4d(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, value(source)), shape);
  const pool = (x: tf.Tensor): tf.Tensor4D => tf.maxPool(x as tf.Tensor4D, size, strides, pad);
  const y = pool(x);
  const dy = tf.tensor4d(Float32Array.from({ length: y.size }, integer(source)), y.shape);
  return [...tf.grad(pool)(x, dy).dataSync()];
}

describe('the wasm gradient of max pooling', () => {
  for (const pooling of poolings) {
    const [x, size, strides, pad] = pooling;
    it(`x [${x}], windows ${size}, strides ${strides}, pad ${pad}: equals that of cpu exactly`, async () => {
      const expected = await gradient('cpu', pooling);
      expect(await gradient('wasm', pooling)).toEqual(expected);
      if (x[0] > 0 && x[1] > 1) expect(expected.some((value) => value !== 0)).toBe(true);
    });

    it(`x [${x}], windows ${size}, strides ${strides}, pad ${pad}: NaN and infinities are taken as cpu takes them`, async () => {
      const special = [NaN, -Infinity, -Infinity, -1, Infinity];
      const draw = (source: ReturnType<typeof random>) => () => special[source.below(special.length)];
      expect(await gradient('wasm', pooling, draw)).toEqual(await gradient('cpu', pooling, draw));
    });
  }

  it('goes to the first maximum of a window, also of one below 0', async () => {
    await tf.setBackend('wasm');
    const x = tf.tensor4d([-2, -1, -1, -3], [1, 2, 2, 1]);
    const dx = tf.grad((v) => tf.maxPool(v as tf.Tensor4D, 2, 2, 'valid'))(x, tf.tensor4d([5], [1, 1, 1, 1]));
    expect([...dx.dataSync()]).toEqual([0, 5, 0, 0]);
  });

  it('is needed: that of the shipped kernel is wrong there', async () => {
    await tf.setBackend('wasm');
    restore();
    const x = tf.tensor4d([-2, -1, -1, -3], [1, 2, 2, 1]);
    const dx = tf.grad((v) => tf.maxPool(v as tf.Tensor4D, 2, 2, 'valid'))(x, tf.tensor4d([5], [1, 1, 1, 1]));
    restore = installWasmKernels();
    expect([...dx.dataSync()]).not.toEqual([0, 5, 0, 0]);
  });
});
