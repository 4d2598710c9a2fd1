import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../../reference/random.ts';
import { openBackend } from '../backends.ts';
import { installWasmKernels } from './install.ts';

let restore = (): void => {};
beforeAll(async () => {
  await openBackend('wasm');
  restore = installWasmKernels();
});
afterAll(() => restore());

type Draw = (seed: number) => () => number;

const uniform: Draw = (seed) => {
  const source = random(seed, 'matmul');
  return () => Math.fround(source.uniform(-1, 1));
};

/** So small that every sum of a thousand products is exact. */
const integers: Draw = (seed) => {
  const source = random(seed, 'matmul');
  return () => source.below(15) - 7;
};

const tensor = (shape: number[], draw: () => number): tf.Tensor =>
  tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, draw), shape);

/** The last two axes exchanged. */
const turned = (t: tf.Tensor): tf.Tensor => {
  const axes = t.shape.map((_, i) => i);
  return tf.transpose(t, [...axes.slice(0, -2), t.rank - 1, t.rank - 2]);
};

const bits = (t: tf.Tensor): number[] => [...new Uint32Array((t.dataSync() as Float32Array).slice().buffer)];

/** `Σ aᵢₚ·bₚⱼ` and `Σ |aᵢₚ·bₚⱼ|` in float64, of batch axes as in `shapes`. */
function exact(a: tf.Tensor, b: tf.Tensor): { value: number[]; magnitude: number[] } {
  const [n, k, m] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const [va, vb] = [a.dataSync(), b.dataSync()];
  const [countA, countB] = [a.shape, b.shape].map((shape) => tf.util.sizeFromShape(shape.slice(0, -2)));
  const value: number[] = [];
  const magnitude: number[] = [];
  for (let t = 0; t < Math.max(countA, countB); t++) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        let [sum, size] = [0, 0];
        for (let p = 0; p < k; p++) {
          const term = va[((t % countA) * n + i) * k + p] * vb[((t % countB) * k + p) * m + j];
          sum += term;
          size += Math.abs(term);
        }
        value.push(sum);
        magnitude.push(size);
      }
    }
  }
  return { value, magnitude };
}

// Tiles are 4 by 8, blocks 256 rows and 512 terms.
const shapes: readonly [batchA: number[], batchB: number[], n: number, k: number, m: number][] = [
  [[], [], 1, 1, 1],
  [[], [], 4, 4, 8],
  [[], [], 3, 5, 7],
  [[], [], 5, 9, 17],
  [[], [], 32, 784, 65],
  [[], [], 259, 50, 10],
  [[], [], 4, 1025, 24],
  [[], [], 0, 3, 2],
  [[], [], 3, 0, 2],
  [[], [], 3, 2, 0],
  [[3], [3], 5, 6, 7],
  [[3], [1], 5, 60, 7],
  [[1], [4], 5, 6, 7],
  [[2, 3], [2, 3], 3, 4, 5],
  [[2, 3], [1, 1], 3, 4, 5],
];

describe('the wasm matrix product', () => {
  for (const [batchA, batchB, n, k, m] of shapes) {
    const name = `[${[...batchA, n, k]}]·[${[...batchB, k, m]}]`;
    const operands = (draw: Draw): [a: tf.Tensor, b: tf.Tensor] => [
      tensor([...batchA, n, k], draw(1)),
      tensor([...batchB, k, m], draw(2)),
    ];

    it(`${name} is exact on integers, and otherwise within the bound of any order of summation`, () => {
      const u = 2 ** -24;
      const bound = (1.01 * k * u) / (1 - k * u);
      for (const [draw, share] of [
        [integers, 0],
        [uniform, bound],
      ] as const) {
        const [a, b] = operands(draw);
        const { value, magnitude } = exact(a, b);
        const c = tf.matMul(a, b);
        expect(c.shape).toEqual([...(batchA.length > 0 && batchA[0] === 1 ? batchB : batchA), n, m]);
        expect(c.size).toBe(value.length);
        for (const [i, found] of c.dataSync().entries()) {
          expect(Math.abs(found - value[i])).toBeLessThanOrEqual(share * magnitude[i]);
        }
        tf.dispose([a, b, c]);
      }
    });

    it(`${name} is the same, bit for bit, with transposed operands, and leaves nothing behind`, () => {
      const [a, b] = operands(uniform);
      const [at, bt] = [turned(a), turned(b)];
      const expected = tf.matMul(a, b);
      const [tensors, buffers] = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const actual = tf.matMul(transposeA ? at : a, transposeB ? bt : b, transposeA, transposeB);
          expect(actual.shape).toEqual(expected.shape);
          expect(bits(actual)).toEqual(bits(expected));
          actual.dispose();
        }
      }
      expect(tf.memory().numTensors).toBe(tensors);
      expect(tf.engine().backend.numDataIds()).toBe(buffers);
      tf.dispose([a, b, at, bt, expected]);
    });
  }

  it('lets batch axes of different lengths broadcast against each other', () => {
    const [a, b] = [tensor([2, 1, 3, 4], integers(1)), tensor([3, 4, 2], integers(2))];
    const c = tf.matMul(a, b);
    expect(c.shape).toEqual([2, 3, 3, 2]);
    for (const i of [0, 1]) {
      for (const j of [0, 1, 2]) {
        const one = (t: tf.Tensor, at: number[]): tf.Tensor =>
          tf.squeeze(tf.slice(t, [...at, 0, 0], [...at.map(() => 1)]));
        const single = tf.matMul(one(a, [i, 0]) as tf.Tensor2D, one(b, [j]) as tf.Tensor2D);
        expect(bits(one(c, [i, j]))).toEqual(bits(single));
      }
    }
  });

  it('passes NaN and infinity on, and only to where they belong', () => {
    const a = tf.tensor2d([NaN, 1, 0, 1, Infinity, 0, 1, 1, 0], [3, 3]);
    const b = tf.ones([3, 9]);
    const rows = tf.matMul(a, b).arraySync() as number[][];
    expect(rows.map((row) => new Set(row))).toEqual([new Set([NaN]), new Set([Infinity]), new Set([2])]);
  });

  it('refuses what does not fit', () => {
    const run = (a: tf.Tensor, b: tf.Tensor) => () =>
      tf.engine().runKernel(tf.BatchMatMul, { a, b }, { transposeA: false, transposeB: false });
    expect(run(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow('BatchMatMul: expected float32 matrices that fit');
    expect(run(tf.ones([2, 3], 'int32'), tf.ones([3, 2]))).toThrow('got int32 [2,3]');
  });
});

describe('the fused product of tf.layers.dense', () => {
  const activations: readonly [name: tf.fused.Activation, f: (x: tf.Tensor, alpha: tf.Tensor) => tf.Tensor][] = [
    ['linear', (x) => x],
    ['relu', (x) => tf.relu(x)],
    ['relu6', (x) => tf.relu6(x)],
    ['elu', (x) => tf.elu(x)],
    ['sigmoid', (x) => tf.sigmoid(x)],
    ['leakyrelu', (x) => tf.leakyRelu(x, 0.125)],
    ['prelu', (x, alpha) => tf.prelu(x, alpha)],
  ];

  it.each(activations)('%s: is the product, then the bias, then the activation, bit for bit', (activation, f) => {
    const [a, b, bias, alpha] = [[6, 9], [9, 17], [17], [17]].map((shape, i) => tensor(shape, uniform(i + 1)));
    const [at, bt] = [turned(a), turned(b)];
    for (const withBias of [true, false]) {
      const expected = tf.tidy(() => f(withBias ? tf.add(tf.matMul(a, b), bias) : tf.matMul(a, b), alpha));
      for (const [transposeA, transposeB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ]) {
        const before = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
        const actual = tf.fused.matMul({
          a: transposeA ? at : a,
          b: transposeB ? bt : b,
          transposeA,
          transposeB,
          activation,
          leakyreluAlpha: 0.125,
          ...(withBias && { bias }),
          ...(activation === 'prelu' && { preluActivationWeights: alpha }),
        });
        expect(actual.shape).toEqual([6, 17]);
        expect(bits(actual)).toEqual(bits(expected));
        actual.dispose();
        expect([tf.memory().numTensors, tf.engine().backend.numDataIds()]).toEqual(before);
      }
    }
  });

  it('leaves nothing when the kernel for the bias or the activation throws', () => {
    const inputs = { a: tf.ones([2, 3]), b: tf.ones([3, 4]), bias: tf.ones([4]) };
    const buffers = tf.engine().backend.numDataIds();
    const failing = (kernelName: string) => {
      const shipped = tf.getKernel(kernelName, 'wasm');
      const kernelFunc = () => {
        throw new Error(`no ${kernelName}`);
      };
      tf.unregisterKernel(kernelName, 'wasm');
      tf.registerKernel({ ...shipped, kernelFunc });
      const attrs = { transposeA: false, transposeB: false, activation: 'relu' };
      expect(() => tf.engine().runKernel('_FusedMatMul', inputs, attrs)).toThrow(`no ${kernelName}`);
      tf.unregisterKernel(kernelName, 'wasm');
      tf.registerKernel(shipped);
      expect(tf.engine().backend.numDataIds()).toBe(buffers);
    };
    failing('Add');
    failing('Relu');
    tf.dispose(inputs);
  });

  it('refuses what does not fit, and an activation that it does not know', () => {
    const run = (a: tf.Tensor, b: tf.Tensor, activation: string) => () =>
      tf.engine().runKernel(tf._FusedMatMul, { a, b }, { transposeA: false, transposeB: false, activation });
    expect(run(tf.ones([1, 2, 3]), tf.ones([1, 2, 3]), 'linear')).toThrow('_FusedMatMul: expected float32 matrices');
    expect(run(tf.ones([1, 2, 3]), tf.ones([1, 3, 3]), 'toString')).toThrow(
      '_FusedMatMul: "activation" expected linear, relu, relu6, elu, sigmoid, leakyrelu, prelu, got toString',
    );
  });
});
