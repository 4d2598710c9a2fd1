import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import type { BranchName, Constraint, Sharing } from '../../../reference/case.ts';
import { random } from '../../../reference/random.ts';
import { sizeOf } from '../../../reference/shape.ts';
import { availableBackends } from '../available-for-tests.ts';
import { backward, forward } from '../composed.ts';
import { activationPool } from '../op.ts';
import { layoutOf } from '../parameters.ts';
import { backwardKernel, forwardKernel } from './kernel.ts';

/** Sizes on both sides of every stretch of vectors, of blocks of rows, of columns and of runs, and of blocks of terms. */
const shapes: readonly (readonly [number[], Sharing])[] = [
  [[1, 1], 'unit'],
  [[2, 3], 'unit'],
  [[3, 4], 'unit'],
  [[5, 21], 'unit'],
  [[7, 37], 'unit'],
  [[300, 19], 'unit'],
  [[5, 9001], 'unit'],
  [[2, 3, 9001], { sharedAxes: [2] }],
  [[3, 61, 301], { sharedAxes: [2] }],
  [[9, 1], 'layer'],
  [[3, 7], 'layer'],
  [[37, 61], 'layer'],
  [[66_001], 'layer'],
  [[6, 5, 3], 'channel'],
  [[4, 3, 35], { sharedAxes: [2] }],
  [[4, 2, 3, 2], { sharedAxes: [2] }],
  [[2, 2, 3, 2, 3], { sharedAxes: [2, 4] }],
];
const constraints: readonly Constraint[] = [
  { kind: 'free' },
  { kind: 'fixed' },
  { kind: 'sumToOne' },
  { kind: 'clip', bounds: [0.5, 2, Infinity] },
];
const branches: readonly BranchName[] = ['relu', 'step', 'negative'];

for (const backend of await availableBackends()) {
  // Eighths below 4, and few enough that every sum of their products is exact in float32.
  const drawEighths = (size: number, seed: number) => {
    const draw = random(seed, 'kernels');
    return Float32Array.from({ length: size }, () => (draw.below(63) - 31) / 8);
  };

  describe(`kernels on ${backend.name}`, () => {
    it('are there', () => {
      backend.use();
      for (const name of [forwardKernel, backwardKernel]) expect(tf.getKernel(name, tf.getBackend())).toBeDefined();
    });

    it.each(shapes)('agree with the composed form, exactly where that is exact: %j %j', async (shape, sharing) => {
      backend.use();
      for (const constraint of constraints) {
        const pool = { branches, sharing, constraint };
        const layout = layoutOf('test', pool, shape);
        const made = tf.tidy(() => {
          const size = sizeOf(shape);
          const [x, dy] = [1, 2].map((seed) => tf.tensor(drawEighths(size, seed), shape)) as [tf.Tensor, tf.Tensor];
          const alphaSize = sizeOf(layout.alphaShape);
          const alpha = tf.tensor(drawEighths(alphaSize, 3), [...layout.alphaShape]);
          const { value, grads } = tf.valueAndGrads((v, a) => activationPool(v, a, pool))([x, alpha], dy);
          return [value, ...grads, forward(x, alpha, pool), ...backward(dy, x, alpha, pool, layout)];
        });
        const [y, dx, dalpha, ...composed] = await Promise.all(
          made.map(async (t) => Array.from(await t.data(), (v) => v + 0)),
        );
        tf.dispose(made);
        expect([y, dx, dalpha]).toEqual(composed);
      }
    });

    it('can be differentiated twice where axes are shared by turns', async () => {
      backend.use();
      const shape = [2, 2, 3, 2, 3, 2];
      const pool = { branches, sharing: { sharedAxes: [2, 4] }, constraint: { kind: 'free' } } as const;
      const made = tf.tidy(() => {
        const x = tf.tensor(drawEighths(144, 1), shape);
        const alpha = tf.tensor(drawEighths(24, 3), [3, 2, 1, 2, 1, 2]);
        const slope = tf.grads((v, a) => tf.sum(activationPool(v, a, pool)));
        const [dx, dalpha] = tf.grads((v, a) => tf.sum(tf.square(slope([v, a])[0])))([x, alpha]) as tf.Tensor[];
        return [dx, dalpha, x, alpha];
      });
      const [dx, dalpha, x, alpha] = await Promise.all(made.map(async (t) => [...(await t.data())]));
      tf.dispose(made);
      // Σ (P·[x > 0] + Q·[x < 0])², its gradients 0 to x and to step's coefficient.
      const expected = new Array<number>(24).fill(0);
      for (const [i, v] of x.entries()) {
        const [a, b, c] = [Math.floor(i / 36) % 2, Math.floor(i / 6) % 2, i % 2] as const;
        const place = (2 * a + b) * 2 + c + (v > 0 ? 0 : 16);
        if (v !== 0) expected[place] += 2 * alpha[place];
      }
      expect(dx.every((v) => v === 0)).toBe(true);
      expect(dalpha.map((v) => v + 0)).toEqual(expected);
    });

    it('leaves results alone while others are computed', async () => {
      backend.use();
      const alpha = tf.tensor2d([2, 2, 2, 3, 3, 3], [2, 3]);
      const apply = (v: number) =>
        tf.valueAndGrads((x, a) => activationPool(x, a))([tf.fill([4, 3], v), alpha], tf.fill([4, 3], v));
      const made = tf.tidy(() => [1, 8, -1].map((v) => apply(v)));
      const values = await Promise.all(
        made.flatMap(({ value, grads: [dx, dalpha] }) => [value, dx, dalpha].map((t) => t.data())),
      );
      const sets = values.map((each) => [...new Set(each)].map((v) => v + 0));
      expect(sets).toEqual([[5], [2], [4], [19], [16], [256, 32], [0], [0], [0]]);
      tf.dispose([alpha, ...made.map(({ value, grads }) => [value, ...grads])]);
    });

    it('reads an array that its owner writes into as the ops of TensorFlow.js do', async () => {
      backend.use();
      const buffer = Float32Array.of(1, 2, 3);
      const x = tf.tensor1d(buffer);
      const alpha = tf.ones([1]);
      const both = () => [activationPool(x, alpha, { branches: ['relu'], sharing: 'layer' }), tf.mul(x, 1)] as const;
      const before = both();
      buffer.fill(100);
      const [pool, stock] = both();
      expect([...(await pool.data())]).toEqual([...(await stock.data())]);
      tf.dispose([x, alpha, ...before, pool, stock]);
    });
  });
}
