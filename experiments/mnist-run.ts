import type { OpenBackend } from '../impl/tfjs/backends.ts';
import type { Activation } from '../reference/activations.ts';
import type { Protocol } from '../reference/protocol.ts';
import type { TrainAndTest } from './data/sources.ts';
import { type Epoch, type Trained, type TrainProgress, train } from './train.ts';

export interface MnistRunOptions {
  readonly backend: OpenBackend;
  readonly protocol: Protocol;
  /** Each is trained in place of the protocol's own. */
  readonly activations: readonly Activation[];
  readonly data: TrainAndTest;
  readonly seed: number;
  /** Default: the protocol's. */
  readonly epochs?: number;
  /** Updates at the start of each training that are checked against float64; default 10, 0 for none. */
  readonly lockstepSteps?: number;
  readonly onProgress?: (progress: MnistProgress) => void;
}

export interface MnistProgress extends TrainProgress {
  readonly activation: string;
}

export interface MnistRow {
  readonly activation: string;
  readonly protocol: string;
  readonly backend: string;
  readonly seed: number;
  readonly epochs: readonly Epoch[];
  /** `null` if it was not asked for. */
  readonly lockstep: Trained['lockstep'];
}

/**
 * Trains the protocol's network on MNIST once with each activation, from the same seed, and tests it after every epoch.
 * The first updates of the very training that is measured are checked against the float64 reference.
 */
export async function runMnist(options: MnistRunOptions): Promise<MnistRow[]> {
  const { backend, data, seed, lockstepSteps = 10, onProgress } = options;
  const rows: MnistRow[] = [];
  for (const activation of options.activations) {
    const protocol = { ...options.protocol, activation, epochs: options.epochs ?? options.protocol.epochs };
    const { epochs, lockstep } = await train({
      backend,
      protocol,
      data,
      seed,
      lockstepSteps,
      onProgress: (progress) => onProgress?.({ activation: activation.name, ...progress }),
    });
    rows.push({ activation: activation.name, protocol: protocol.name, backend: backend.name, seed, epochs, lockstep });
  }
  return rows;
}
