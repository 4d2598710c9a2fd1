import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pap, prelu, relu } from '../../../reference/activations.ts';
import { batches, scalePixels } from '../../../reference/batches.ts';
import { forward, initialParameters, widen } from '../../../reference/network.ts';
import type { Protocol } from '../../../reference/protocol.ts';
import { random } from '../../../reference/random.ts';
import { availableBackends } from '../available-for-tests.ts';
import { installWasmKernels } from '../wasm/install.ts';
import { createTrainer, type EvaluationSet } from './train.ts';

const protocol: Protocol = {
  name: 'small',
  sizes: [12, 10, 8, 4],
  activation: pap,
  dropout: 0.25,
  initializer: 'heUniform',
  learningRate: 0.1,
  momentum: 0.9,
  decay: 1e-3,
  batch: 8,
  epochs: 1,
};

const source = random(2, 'images');
const data = {
  images: Uint8Array.from({ length: 60 * 12 }, () => source.below(256)),
  labels: Uint8Array.from({ length: 60 }, () => source.below(4)),
};

for (const backend of await availableBackends()) {
  const { name } = backend;
  describe(`training on ${name}`, () => {
    let restore = (): void => {};
    beforeAll(() => {
      backend.use();
      if (name === 'wasm') restore = installWasmKernels();
    });
    afterAll(() => restore());

    it('keeps no tensor, step or traced step, and disposes of all', async () => {
      for (const activation of [relu, pap, prelu]) {
        const before = tf.memory().numTensors;
        const trainer = createTrainer({ ...protocol, activation }, initialParameters({ ...protocol, activation }, 1));
        const batch = batches(protocol, data, 1);
        await trainer.step(batch.next().value);
        const during = tf.memory().numTensors;
        for (let i = 0; i < 5; i++) {
          await trainer.step(batch.next().value);
          await trainer.tracedStep(batch.next().value);
          await trainer.evaluate({ x: scalePixels(data.images), labels: data.labels });
          await trainer.state();
          expect(tf.memory().numTensors).toBe(during);
        }
        trainer.dispose();
        expect(tf.memory().numTensors).toBe(before);
      }
    });

    it('is bit for bit the same from the same seed, traced or not', async () => {
      const run = async (traced: boolean): Promise<unknown> => {
        const trainer = createTrainer(protocol, initialParameters(protocol, 3));
        const batch = batches(protocol, data, 3);
        const losses: number[] = [];
        for (let i = 0; i < 12; i++) {
          const next = batch.next().value;
          losses.push(traced ? (await trainer.tracedStep(next)).loss : await trainer.step(next));
        }
        const state = await trainer.state();
        trainer.dispose();
        return { losses, state, iterations: trainer.iterations };
      };
      const first = await run(false);
      expect(await run(false)).toEqual(first);
      expect(await run(true)).toEqual(first);
    });

    it('traces one chain: the state after a step is that before the next', async () => {
      const initial = initialParameters(protocol, 3);
      const trainer = createTrainer(protocol, initial);
      const batch = batches(protocol, data, 3);
      const first = await trainer.tracedStep(batch.next().value);
      const second = await trainer.tracedStep(batch.next().value);
      trainer.dispose();
      expect(first.before.parameters).toEqual(initial);
      expect(second.before).toEqual(first.after);
      expect([first.iterations, second.iterations]).toEqual([0, 1]);
    });

    it('evaluates all images, in several batches too, as the reference does', async () => {
      const trainer = createTrainer(protocol, initialParameters(protocol, 4));
      const n = 2600;
      const images = Uint8Array.from({ length: n * 12 }, () => source.below(256));
      const test: EvaluationSet = {
        x: scalePixels(images),
        labels: Uint8Array.from({ length: n }, () => source.below(4)),
      };
      const { loss, accuracy } = await trainer.evaluate(test);
      trainer.dispose();
      const ones = [10, 8].map((units) => new Float64Array(n * units).fill(1));
      const batch = { x: Float64Array.from(test.x), labels: test.labels, masks: ones };
      const { loss: expected, stages } = forward(protocol, widen(initialParameters(protocol, 4)), batch);
      const z = stages[2].z;
      const right = test.labels.filter((label, i) => {
        const row = z.subarray(i * 4, i * 4 + 4);
        return row.indexOf(Math.max(...row)) === label;
      }).length;
      // Rounding of one image's loss is below 100 u; a skipped batch of 100 images would show at 1e-3.
      expect(Math.abs(loss - expected)).toBeLessThan(100 * 2 ** -24 * expected);
      expect(accuracy).toBe(right / n);
    });

    it('refuses what does not fit', async () => {
      expect(() => createTrainer(protocol, initialParameters(protocol, 1).slice(1))).toThrow(
        '"initial" expected 3 layers',
      );
      const trainer = createTrainer(protocol, initialParameters(protocol, 1));
      await expect(trainer.evaluate({ x: new Float32Array(5), labels: Uint8Array.of(1) })).rejects.toThrow(
        '"x" expected shape [1, 12]',
      );
      const batch = batches(protocol, data, 1).next().value;
      await expect(trainer.step({ ...batch, labels: batch.labels.map(() => 4) })).rejects.toThrow(
        '"labels" expected integers from 0, below 4, got 4 at 0',
      );
      const before = tf.memory().numTensors;
      const [first, second] = batch.masks as [Float32Array, Float32Array];
      const wrong: [object, string][] = [
        [{ labels: [-1, 0, 0, 0, 0, 0, 0, 0] }, '"labels" expected integers from 0, below 4, got -1 at 0'],
        [{ x: batch.x.subarray(1) }, '"x" expected shape [8, 12], got 95 elements'],
        [{ masks: [first] }, '"masks" expected 2, one for each hidden layer, got 1'],
        [{ masks: [first, second.subarray(1)] }, '"masks" expected shape [8, 8], got 63 elements'],
      ];
      for (const [part, message] of wrong) {
        await expect(trainer.step({ ...batch, ...part })).rejects.toThrow(`batch: ${message}`);
      }
      expect(tf.memory().numTensors).toBe(before);
      trainer.dispose();
      trainer.dispose();
    });
  });
}
