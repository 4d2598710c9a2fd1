import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BackendName, type OpenBackend, openBackend } from '../impl/tfjs/backends.ts';
import { pap, relu } from '../reference/activations.ts';
import type { Protocol } from '../reference/protocol.ts';
import { permutation, random } from '../reference/random.ts';
import type { TrainAndTest } from './data/sources.ts';
import { type MnistProgress, runMnist } from './mnist-run.ts';
import { author2016, protocols } from './protocols.ts';

/** Two classes of images that differ in which half is bright, so that a network must get above chance. */
const data = ((): TrainAndTest => {
  const source = random(1, 'halves');
  const make = (n: number) => {
    const order = permutation(source, n);
    const labels = Uint8Array.from(order, (i) => i % 2);
    const images = Uint8Array.from({ length: n * 16 }, (_, at) => {
      const bright = (at % 16 < 8 ? 0 : 1) === labels[Math.floor(at / 16)];
      return source.below(bright ? 256 : 128);
    });
    return { images, labels };
  };
  return { train: make(330), test: make(50) };
})();

const protocol: Protocol = { ...author2016, sizes: [16, 12, 12, 2], epochs: 2 };

for (const name of ['cpu', 'wasm'] as const satisfies readonly BackendName[]) {
  describe(`a run on ${name}`, () => {
    let backend: OpenBackend;
    beforeAll(async () => {
      backend = await openBackend(name);
    });
    afterAll(() => {
      expect(backend.tf.memory().numTensors).toBe(0);
    });

    it('has a row for each activation and an epoch for each epoch, checked, reported, and the same again', async () => {
      const seen: MnistProgress[] = [];
      const run = () =>
        runMnist({ backend, protocol, activations: [relu, pap], data, seed: 3, onProgress: (p) => seen.push(p) });
      const rows = await run();
      expect(rows.map(({ activation }) => activation)).toEqual(['relu', 'pap']);
      for (const { lockstep, epochs, ...row } of rows) {
        expect(row).toMatchObject({ protocol: 'author-2016', backend: name, seed: 3 });
        expect(lockstep?.held, JSON.stringify(lockstep)).toBe(true);
        expect(lockstep?.steps).toBe(10);
        expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
        expect(epochs[1].testAccuracy).toBeGreaterThan(0.8);
        expect(epochs[1].testLoss).toBeLessThan(Math.log(2));
        expect(epochs[1].stepMs).toBeGreaterThan(0);
      }
      // 330 images in batches of 32: 11 updates an epoch.
      expect(seen.filter(({ activation, phase }) => activation === 'relu' && phase !== 'testing')).toHaveLength(22);
      expect(seen.every(({ steps }) => steps === 22)).toBe(true);
      const figures = (all: typeof rows) =>
        all.map(({ epochs, lockstep }) => [
          lockstep,
          epochs.map(({ testLoss, testAccuracy }) => [testLoss, testAccuracy]),
        ]);
      expect(figures(await run())).toEqual(figures(rows));
    });

    it('without lockstep is the same training', async () => {
      const run = (lockstepSteps: number) =>
        runMnist({ backend, protocol, activations: [pap], data, seed: 3, epochs: 1, lockstepSteps });
      const [checked] = await run(5);
      const [plain] = await run(0);
      expect(plain.lockstep).toBeNull();
      expect(plain.epochs[0].testLoss).toBe(checked.epochs[0].testLoss);
    });

    it('of two updates the median lies in the middle', async () => {
      const two = {
        ...data,
        train: { images: data.train.images.slice(0, 64 * 16), labels: data.train.labels.slice(0, 64) },
      };
      const [row] = await runMnist({
        backend,
        protocol,
        activations: [pap],
        data: two,
        seed: 3,
        epochs: 1,
        lockstepSteps: 0,
      });
      const [{ stepMs, trainMs }] = row.epochs;
      expect(stepMs).toBeCloseTo(trainMs / 2, 9);
    });
  });
}

describe('protocols', () => {
  it('are known by their names', () => {
    for (const [name, protocol] of protocols) expect(protocol.name).toBe(name);
    expect(protocols.get('author-2016')).toMatchObject({ sizes: [784, 512, 512, 10], batch: 32, epochs: 20 });
  });
});
