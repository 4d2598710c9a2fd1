import type { OpenBackend } from '../impl/tfjs/backends.ts';
import { createTrainer, type Trainer } from '../impl/tfjs/training/train.ts';
import { installWasmKernels } from '../impl/tfjs/wasm/install.ts';
import { batches, scalePixels, stepsPerEpoch } from '../reference/batches.ts';
import { initialParameters, type Layer } from '../reference/network.ts';
import type { Protocol } from '../reference/protocol.ts';
import type { TrainAndTest } from './data/sources.ts';
import { turnOfTheEventLoop } from './event-loop.ts';
import { type Lockstep, runLockstep } from './lockstep/lockstep-run.ts';
import { median } from './statistics.ts';

export interface TrainOptions {
  readonly backend: OpenBackend;
  readonly protocol: Protocol;
  readonly data: TrainAndTest;
  readonly seed: number;
  /** Updates at the start that are checked against float64; default 0. */
  readonly lockstepSteps?: number;
  readonly onProgress?: (progress: TrainProgress) => void;
}

export interface TrainProgress {
  readonly phase: 'lockstep' | 'training' | 'testing';
  readonly step: number;
  readonly steps: number;
  /** Loss of the last update. */
  readonly loss: number;
}

export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean of the losses before each update, with dropout. */
  readonly trainLoss: number;
  /** On the test images, without dropout. */
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** Milliseconds for the updates, without lockstep and test. */
  readonly trainMs: number;
  /** Median milliseconds of one update. */
  readonly stepMs: number;
}

export interface Trained {
  /** Fewer than the protocol's if the test loss was not finite after the last of them: nothing comes back from there. */
  readonly epochs: readonly Epoch[];
  /** `null` if it was not asked for. */
  readonly lockstep: Lockstep | null;
  readonly parameters: readonly Layer<Float32Array>[];
}

/** Trains the protocol's network on the training images from what `seed` draws, and tests it after every epoch. */
export async function train(options: TrainOptions): Promise<Trained> {
  const { backend, protocol, data, seed, lockstepSteps = 0, onProgress } = options;
  backend.use();
  const restore = backend.name === 'wasm' ? installWasmKernels() : () => {};
  const initial = initialParameters(protocol, seed);
  const trainer = createTrainer(protocol, initial);
  try {
    const source = batches(protocol, data.train, seed);
    const perEpoch = stepsPerEpoch(protocol, data.train);
    const steps = perEpoch * protocol.epochs;
    const report = (phase: TrainProgress['phase'], loss: number): void =>
      onProgress?.({ phase, step: trainer.iterations, steps, loss });
    const checked = Math.min(lockstepSteps, perEpoch);
    const lockstep =
      checked === 0
        ? null
        : await runLockstep(protocol, initial, trainer, source, checked, (loss) => report('lockstep', loss));
    const test = { x: scalePixels(data.test.images), labels: data.test.labels };
    const epochs: Epoch[] = [];
    for (let epoch = 1; epoch <= protocol.epochs; epoch++) {
      const { times, meanLoss } = await trainUntil(trainer, epoch * perEpoch, source, (loss) =>
        report('training', loss),
      );
      report('testing', Number.NaN);
      const { loss, accuracy } = await trainer.evaluate(test);
      epochs.push({
        epoch,
        trainLoss: meanLoss,
        testLoss: loss,
        testAccuracy: accuracy,
        trainMs: times.reduce((sum, ms) => sum + ms, 0),
        stepMs: median(times),
      });
      if (!Number.isFinite(loss)) break;
    }
    return { epochs, lockstep, parameters: (await trainer.state()).parameters };
  } finally {
    trainer.dispose();
    restore();
  }
}

/** Milliseconds between turns of the event loop. */
const turn = 100;

/** Updates until `iterations` are made; the milliseconds of each, the making of its batch included, and the mean loss. */
async function trainUntil(
  trainer: Trainer,
  iterations: number,
  source: ReturnType<typeof batches>,
  report: (loss: number) => void,
): Promise<{ times: number[]; meanLoss: number }> {
  const times: number[] = [];
  let sum = 0;
  let turned = performance.now();
  while (trainer.iterations < iterations) {
    const start = performance.now();
    const loss = await trainer.step(source.next().value);
    times.push(performance.now() - start);
    sum += loss;
    report(loss);
    if (start - turned > turn) {
      await turnOfTheEventLoop();
      turned = start;
    }
  }
  return { times, meanLoss: sum / times.length };
}
