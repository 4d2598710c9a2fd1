import type { OpenBackend } from '../impl/tfjs/backends.ts';
import { createTrainer, type Trainer } from '../impl/tfjs/train.ts';
import { installWasmKernels } from '../impl/tfjs/wasm/install.ts';
import type { Activation } from '../reference/activations.ts';
import { batches, scalePixels, stepsPerEpoch } from '../reference/batches.ts';
import { initialParameters } from '../reference/network.ts';
import type { Protocol } from '../reference/protocol.ts';
import { type Lockstep, runLockstep } from './lockstep-run.ts';
import type { Mnist } from './mnist.ts';

export interface MnistRunOptions {
  readonly backend: OpenBackend;
  readonly protocol: Protocol;
  /** Each is trained in place of the protocol's own. */
  readonly activations: readonly Activation[];
  readonly data: Mnist;
  readonly seed: number;
  /** Default: the protocol's. */
  readonly epochs?: number;
  /** Updates at the start of each training that are checked against float64; default 10, 0 for none. */
  readonly lockstepSteps?: number;
  readonly onProgress?: (progress: MnistProgress) => void;
}

export interface MnistProgress {
  readonly activation: string;
  readonly phase: 'lockstep' | 'training' | 'testing';
  readonly step: number;
  readonly steps: number;
  /** Loss of the last update. */
  readonly loss: number;
}

export interface MnistEpoch {
  /** From 1. */
  readonly epoch: number;
  /** On the test images, without dropout. */
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** Milliseconds for the updates, without lockstep and test. */
  readonly trainMs: number;
  /** Median milliseconds of one update. */
  readonly stepMs: number;
}

export interface MnistRow {
  readonly activation: string;
  readonly protocol: string;
  readonly backend: string;
  readonly seed: number;
  readonly epochs: readonly MnistEpoch[];
  /** `null` if it was not asked for. */
  readonly lockstep: Lockstep | null;
}

/**
 * Trains the protocol's network on MNIST once with each activation, from the same seed, and tests it after every epoch.
 * The first updates of the very training that is measured are checked against the float64 reference.
 */
export async function runMnist(options: MnistRunOptions): Promise<MnistRow[]> {
  const rows: MnistRow[] = [];
  options.backend.use();
  const restore = options.backend.name === 'wasm' ? installWasmKernels() : () => {};
  try {
    for (const activation of options.activations) rows.push(await trainOnce(options, activation));
  } finally {
    restore();
  }
  return rows;
}

async function trainOnce(options: MnistRunOptions, activation: Activation): Promise<MnistRow> {
  const { backend, data, seed, lockstepSteps = 10, onProgress } = options;
  const protocol = { ...options.protocol, activation, epochs: options.epochs ?? options.protocol.epochs };
  const initial = initialParameters(protocol, seed);
  const trainer = createTrainer(protocol, initial);
  try {
    const source = batches(protocol, data.train, seed);
    const perEpoch = stepsPerEpoch(protocol, data.train);
    const steps = perEpoch * protocol.epochs;
    const report = (phase: MnistProgress['phase'], loss: number): void =>
      onProgress?.({ activation: activation.name, phase, step: trainer.iterations, steps, loss });
    const checked = Math.min(lockstepSteps, perEpoch);
    const lockstep =
      checked === 0
        ? null
        : await runLockstep(protocol, initial, trainer, source, checked, (loss) => report('lockstep', loss));
    const test = { x: scalePixels(data.test.images), labels: data.test.labels };
    const epochs: MnistEpoch[] = [];
    for (let epoch = 1; epoch <= protocol.epochs; epoch++) {
      const times = await trainUntil(trainer, epoch * perEpoch, source, (loss) => report('training', loss));
      report('testing', Number.NaN);
      const { loss, accuracy } = await trainer.evaluate(test);
      epochs.push({
        epoch,
        testLoss: loss,
        testAccuracy: accuracy,
        trainMs: times.reduce((sum, ms) => sum + ms, 0),
        stepMs: times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN,
      });
    }
    return { activation: activation.name, protocol: protocol.name, backend: backend.name, seed, epochs, lockstep };
  } finally {
    trainer.dispose();
  }
}

/** Updates until `iterations` are made; the milliseconds of each, the making of its batch included. */
async function trainUntil(
  trainer: Trainer,
  iterations: number,
  source: ReturnType<typeof batches>,
  report: (loss: number) => void,
): Promise<number[]> {
  const times: number[] = [];
  while (trainer.iterations < iterations) {
    const start = performance.now();
    const loss = await trainer.step(source.next().value);
    times.push(performance.now() - start);
    report(loss);
  }
  return times;
}
