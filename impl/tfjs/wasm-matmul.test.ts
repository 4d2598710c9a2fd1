import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { openBackend } from './backends.ts';
import { installWasmMatMul } from './wasm-matmul.ts';

beforeAll(async () => {
  await openBackend('wasm');
});

let release: (() => void) | undefined;
afterEach(() => {
  release?.();
  release = undefined;
});

const tensor = (shape: number[], seed: number): tf.Tensor => {
  const source = random(seed, 'matmul');
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => source.uniform(-1, 1)),
    shape,
  );
};

/** The last two axes exchanged. */
const turned = (t: tf.Tensor): tf.Tensor => {
  const axes = t.shape.map((_, i) => i);
  return tf.transpose(t, [...axes.slice(0, -2), t.rank - 1, t.rank - 2]);
};

const bits = (t: tf.Tensor): number[] => [...new Uint32Array((t.dataSync() as Float32Array).slice().buffer)];

const shapes: readonly [batchA: number[], batchB: number[], n: number, k: number, m: number][] = [
  [[], [], 1, 1, 1],
  [[], [], 3, 5, 7],
  [[], [], 32, 784, 65],
  [[], [], 129, 50, 10],
  [[], [], 4, 300, 515],
  [[], [], 0, 3, 2],
  [[3], [3], 5, 6, 7],
  [[3], [1], 5, 60, 7],
  [[1], [4], 5, 6, 7],
  [[2, 3], [2, 3], 3, 4, 5],
  [[2, 3], [1, 1], 3, 4, 5],
];

describe('the wasm matrix product', () => {
  for (const [batchA, batchB, n, k, m] of shapes) {
    it(`[${[...batchA, n, k]}]·[${[...batchB, k, m]}] is, bit for bit, that of explicit transposes`, () => {
      const [a, b] = [tensor([...batchA, n, k], 1), tensor([...batchB, k, m], 2)];
      const [at, bt] = [turned(a), turned(b)];
      const expected = tf.matMul(a, b);
      release = installWasmMatMul();
      const tensors = tf.memory().numTensors;
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const actual = tf.matMul(transposeA ? at : a, transposeB ? bt : b, transposeA, transposeB);
          expect(actual.shape).toEqual(expected.shape);
          expect(bits(actual)).toEqual(bits(expected));
          actual.dispose();
        }
      }
      expect(tf.memory().numTensors).toBe(tensors);
      tf.dispose([a, b, at, bt, expected]);
    });
  }

  it('frees the data of what it makes on the way', () => {
    // Products whose operands are turned, and one, aᵀ·cᵀ, whose result is.
    const [a, b, c] = [tensor([200, 30], 1), tensor([200, 40], 2), tensor([50, 200], 3)];
    release = installWasmMatMul();
    const buffers = tf.engine().backend.numDataIds();
    for (let i = 0; i < 5; i++) tf.matMul(a, b, true, false).dispose();
    for (let i = 0; i < 5; i++) tf.matMul(a, c, true, true).dispose();
    expect(tf.engine().backend.numDataIds()).toBe(buffers);
    tf.dispose([a, b, c]);
  });

  it('gives the shipped kernel back when the last user has released it', () => {
    const shipped = tf.getKernel('BatchMatMul', 'wasm');
    const first = installWasmMatMul();
    const replacement = tf.getKernel('BatchMatMul', 'wasm');
    const second = installWasmMatMul();
    expect(replacement).not.toBe(shipped);
    expect(tf.getKernel('BatchMatMul', 'wasm')).toBe(replacement);
    first();
    first();
    expect(tf.getKernel('BatchMatMul', 'wasm')).toBe(replacement);
    second();
    expect(tf.getKernel('BatchMatMul', 'wasm')).toBe(shipped);
  });
});
