import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenBackend, openBackend } from '../impl/tfjs/backends.ts';
import { installWasmKernels } from '../impl/tfjs/wasm/install.ts';
import { farthest, noiseImages, trainConvnet } from './convnet.ts';
import { twoConvolutions } from './convnet-protocol.ts';

const protocol = twoConvolutions(7, 4);
const data = noiseImages(48, 7 ** 2);

const curve = async (steps = 12, parts = 1): Promise<readonly number[]> =>
  (await trainConvnet(protocol, data, { seed: 1, steps, parts })).losses;

describe('a convnet on wasm', () => {
  let [cpu, wasm] = [] as OpenBackend[];
  let restore = (): void => {};
  beforeAll(async () => {
    [cpu, wasm] = [await openBackend('cpu'), await openBackend('wasm')];
    restore = installWasmKernels();
  });
  afterAll(() => restore());

  it('trains as on cpu: the losses of 12 steps agree to 1e-6', async () => {
    cpu.use();
    const expected = await curve();
    const reordered = await curve(12, 2);
    wasm.use();
    const losses = await curve();
    expect(losses.length).toBe(12);
    expect(farthest(losses, expected)).toBeLessThanOrEqual(1e-6);
    // The curve moves by much more than that, and is not the same number for number.
    expect(Math.abs(losses[11] - losses[0])).toBeGreaterThan(0.01);
    expect(farthest(losses, expected)).toBeGreaterThan(0);
    expect(farthest(reordered, expected)).toBeGreaterThan(0);
    expect(farthest(reordered, expected)).toBeLessThanOrEqual(1e-6);
  });

  it('keeps no tensor', async () => {
    wasm.use();
    const before = tf.memory().numTensors;
    await curve(2, 2);
    expect(tf.memory().numTensors).toBe(before);
  });
});
