import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../../reference/random.ts';
import { availableBackends } from '../available-for-tests.ts';
import { installWasmKernels } from '../wasm/install.ts';
import { createVariable } from './variable.ts';

const draw = (seed: number, length: number): Float32Array => {
  const source = random(seed, 'variable');
  return Float32Array.from({ length }, () => source.uniform(-1, 1));
};

for (const backend of await availableBackends()) {
  const ways = backend.name === 'wasm' ? ['of one pass', 'of stock ops'] : ['of its own'];
  for (const way of ways) {
    describe(`a variable on ${backend.name}, with updates ${way}`, () => {
      let restore = (): void => {};
      beforeAll(() => {
        backend.use();
        if (way === 'of one pass') restore = installWasmKernels();
      });
      afterAll(() => restore());

      // One element, less than a vector, vectors with a rest; empty.
      for (const shape of [[1], [3], [5, 7], [2, 3, 8], [0, 4]]) {
        it(`[${shape}]: three updates, each within its roundings of float64`, () => {
          const length = tf.util.sizeFromShape(shape);
          const variable = createVariable(draw(1, length), shape);
          let [w, v] = [Float32Array.from(draw(1, length)), new Float32Array(length)];
          for (const [i, momentum] of [0.9, 0.5, 0].entries()) {
            const rate = 0.3 / (i + 1);
            const g = draw(i + 2, length);
            const gradient = tf.tensor(g, shape);
            variable.update(gradient, { rate, momentum });
            const velocity = variable.velocity();
            const [next, moved] = [variable.value, velocity].map((t) => Float32Array.from(t.dataSync()));
            tf.dispose([gradient, velocity]);
            expect(variable.value.shape).toEqual(shape);
            expect([next.length, moved.length]).toEqual([length, length]);
            for (let j = 0; j < length; j++) {
              const u = 2 ** -24;
              const terms = [momentum * v[j], -rate * g[j]];
              expect(Math.abs(moved[j] - (terms[0] + terms[1]))).toBeLessThanOrEqual(
                3.01 * u * (Math.abs(terms[0]) + Math.abs(terms[1])),
              );
              const change = momentum * moved[j] - rate * g[j];
              expect(Math.abs(next[j] - (w[j] + change))).toBeLessThanOrEqual(
                4.01 * u * (Math.abs(w[j]) + Math.abs(momentum * moved[j]) + Math.abs(rate * g[j])),
              );
            }
            [w, v] = [next, moved];
          }
          variable.dispose();
        });
      }

      it('leaves what was read of it before as it was', () => {
        const variable = createVariable(Float32Array.of(1, 2), [2]);
        const [value, velocity] = [variable.value.clone(), variable.velocity()];
        variable.update(tf.ones([2]), { rate: 0.5, momentum: 0 });
        expect([...value.dataSync()]).toEqual([1, 2]);
        expect([...velocity.dataSync()]).toEqual([0, 0]);
        expect([...variable.value.dataSync()]).toEqual([0.5, 1.5]);
        variable.dispose();
        tf.dispose([value, velocity]);
      });

      it('is alone: two variables of one shape do not share anything', () => {
        const [one, other] = [1, 2].map((value) => createVariable(Float32Array.of(value), [1]));
        one.update(tf.ones([1]), { rate: 1, momentum: 0 });
        expect([one, other].map(({ value }) => value.dataSync()[0])).toEqual([0, 2]);
        one.dispose();
        expect(other.value.dataSync()[0]).toBe(2);
        other.dispose();
      });

      it('keeps no tensor', () => {
        const g = tf.ones([4, 3]);
        const [tensors, buffers] = [tf.memory().numTensors, tf.engine().backend.numDataIds()];
        const variable = createVariable(new Float32Array(12), [4, 3]);
        variable.update(g, { rate: 1, momentum: 0.9 });
        const during = tf.memory().numTensors;
        for (let i = 0; i < 10; i++) variable.update(g, { rate: 1, momentum: 0.9 });
        expect(tf.memory().numTensors).toBe(during);
        variable.dispose();
        expect(tf.memory().numTensors).toBe(tensors);
        expect(tf.engine().backend.numDataIds()).toBe(buffers);
        g.dispose();
      });
    });
  }
}
