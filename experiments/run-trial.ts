import type { OpenBackend } from '../impl/tfjs/backends.ts';
import { batches } from '../reference/batches.ts';
import { nameOf } from '../reference/branches.ts';
import { kappa } from '../reference/constraints.ts';
import { backward, forward, initialParameters, type Layer, widen, widenBatch } from '../reference/network.ts';
import type { Protocol } from '../reference/protocol.ts';
import type { TrainAndTest } from './data/sources.ts';
import { digits, digitsOrNull } from './digits.ts';
import { quantiles } from './statistics.ts';
import { type TrainProgress, train } from './train.ts';
import {
  type GradientRow,
  type LayerCoefficients,
  quantileLevels,
  rowBase,
  type Trial,
  type TrialRow,
} from './trial.ts';

/** A pathway counts as off when the sum of its coefficients is smaller in size. */
const offBelow = 0.1;

/** Trains one network and says what came of it. */
export async function runTrial(
  { protocol, seed }: Trial<Protocol>,
  backend: OpenBackend,
  data: TrainAndTest,
  onProgress: (progress: TrainProgress) => void = () => {},
): Promise<TrialRow> {
  const start = performance.now();
  const { epochs, parameters } = await train({ backend, protocol, data, seed, onProgress });
  return {
    ...rowBase({ protocol, seed }, backend.name, { [backend.name]: backend.version }, start),
    epochs: epochs.map(({ testLoss, testAccuracy, trainLoss }) => ({
      loss: digitsOrNull(testLoss),
      accuracy: digits(testAccuracy),
      trainLoss: digitsOrNull(trainLoss),
    })),
    stepMs: digits(Math.min(...epochs.map(({ stepMs }) => stepMs))),
    gradients: firstGradients({ protocol, seed }, data).map(digits),
    coefficients: coefficientsOf(protocol, parameters),
  };
}

/** The gradients of a network before its first update: of one that is never trained. */
export function runGradients(trial: Trial<Protocol>, data: TrainAndTest): GradientRow {
  const start = performance.now();
  // The reference refuses a protocol of no epochs, of which gradients at the start know nothing.
  const gradients = firstGradients({ ...trial, protocol: { ...trial.protocol, epochs: 1 } }, data).map(digits);
  return { ...rowBase(trial, 'reference', {}, start), gradients };
}

function coefficientsOf(protocol: Protocol, parameters: readonly Layer<Float32Array>[]): LayerCoefficients[] {
  const { pool, trained, start } = protocol.activation;
  if (!trained.some((flag) => flag)) return [];
  return parameters.flatMap(({ alpha }) => {
    if (alpha === null) return [];
    const positions = alpha.length / start.length;
    const c = Array.from({ length: positions }, (_, at) => {
      const rows = start.map((_, row) => alpha[row * positions + at]);
      return kappa(pool.constraint, rows, pool.branches.length).c;
    });
    const sums = c.map((values) => values.reduce((sum, v) => sum + v, 0));
    const spread = (values: readonly number[]) => quantiles(values, quantileLevels).map(digits);
    return [
      {
        quantiles: {
          ...Object.fromEntries(pool.branches.map((ref, i) => [nameOf(ref), spread(c.map((values) => values[i]))])),
          sum: spread(sums),
        },
        off: digits(sums.filter((sum) => Math.abs(sum) < offBelow).length / positions),
      },
    ];
  });
}

function firstGradients({ protocol, seed }: Trial<Protocol>, data: TrainAndTest): number[] {
  const parameters = widen(initialParameters(protocol, seed));
  const batch = widenBatch(batches(protocol, data.train, seed).next().value);
  const { gradients } = backward(protocol, parameters, batch, forward(protocol, parameters, batch).stages);
  return gradients.map(({ W }) => Math.sqrt(W.reduce((sum, g) => sum + g * g, 0)));
}
