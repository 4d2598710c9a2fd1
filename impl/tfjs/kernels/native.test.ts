import * as tf from '@tensorflow/tfjs';
import { describe, expect, it, vi } from 'vitest';
import { availableBackends } from '../available-for-tests.ts';
import { activationPool } from '../op.ts';

const native = (await availableBackends()).find(({ name }) => name === 'tensorflow');

describe.skipIf(native === undefined)('kernels on native TensorFlow', () => {
  it('take more elements than pass through their memory at once', () => {
    native!.use();
    const size = 2 ** 24 + 3;
    const sums = tf.tidy(() => {
      const [x, alpha] = [tf.fill([size], 2), tf.tensor1d([3, 1])];
      const { value, grads } = tf.valueAndGrads((v, a) => activationPool(v, a, { sharing: 'layer' }))(
        [x, alpha],
        tf.fill([size], 0.5),
      );
      const [dx, dalpha] = grads as [tf.Tensor, tf.Tensor];
      return [tf.min(value), tf.max(value), tf.min(dx), tf.max(dx), dalpha];
    });
    expect(sums.flatMap((t) => [...t.dataSync()])).toEqual([7, 7, 1.5, 1.5, Math.fround(size), Math.fround(size / 2)]);
    tf.dispose(sums);
  });

  it('never detach their memory, which would slow every typed array of the process', () => {
    native!.use();
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    for (const size of [2 ** 12, 2 ** 16, 2 ** 20]) {
      const [x, alpha] = [tf.fill([size], 2), tf.tensor1d([3, 1])];
      const dx = tf.grad((v) => activationPool(v, alpha, { sharing: 'layer' }))(x);
      expect(tf.min(dx).dataSync()[0]).toBe(3);
      tf.dispose([x, alpha, dx]);
    }
    expect(grow).not.toHaveBeenCalled();
    grow.mockRestore();
  });

  it('return what they take: memory stays as it is over 5,000 calls of 1 MB each', () => {
    native!.use();
    const [x, alpha] = [tf.ones([128, 512]), tf.ones([2, 512])];
    const grads = tf.grads((v, a) => activationPool(v, a));
    const call = () => tf.dispose(grads([x, alpha], x));
    for (let i = 0; i < 1000; i++) call();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 5000; i++) call();
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
    tf.dispose([x, alpha]);
  });
});
