import type { Activation } from '../reference/activations.ts';
import type { Protocol } from '../reference/protocol.ts';
import { atRate, rates } from './protocols.ts';
import type { Trial } from './trial.ts';

/** Trainings that belong together: each activation on each protocol, once for each seed. */
export interface Experiment {
  readonly summary: string;
  /** The protocols that are trained for one that is named. */
  variants(protocol: Protocol): readonly Protocol[];
  readonly defaultProtocol: string;
  /** By default, for one protocol. */
  activations(protocol: string): readonly string[];
  readonly trials: number;
}

export type ExperimentName = 'mnist' | 'learning-rate' | 'sharing';

export const experiments: Readonly<Record<ExperimentName, Experiment>> = {
  mnist: {
    summary: 'test loss and accuracy of activations on MNIST',
    variants: (protocol) => [protocol],
    defaultProtocol: 'author-2016',
    activations: (protocol) =>
      protocol.startsWith('small') ? ['relu', 'prelu', 'mrelu-0.8', 'pap', 'concat'] : ['relu', 'pap'],
    trials: 94,
  },
  'learning-rate': {
    summary: `test loss and accuracy at ${rates.length} learning rates`,
    variants: ({ epochs }) => rates.map((rate) => ({ ...atRate(rate), epochs })),
    defaultProtocol: 'batch-128/rate-0.1',
    activations: () => ['relu', 'prelu', 'mrelu-0.8', 'mrelu-0.5', 'pap', 'pap-clipped', 'pap-layer'],
    trials: 3,
  },
  sharing: {
    summary: 'one alpha for a layer or for each unit',
    variants: (protocol) => [protocol],
    defaultProtocol: 'small',
    activations: () => ['pap', 'pap-layer'],
    trials: 94,
  },
};

/** The trials of an experiment: all activations with one seed, then with the next, so that any part is balanced. */
export function trialsOf(
  variants: readonly Protocol[],
  chosen: readonly Activation[],
  { trials, epochs }: { readonly trials: number; readonly epochs: number | undefined },
): Trial[] {
  return Array.from({ length: trials }, (_, i) => i + 1).flatMap((seed) =>
    variants.flatMap((protocol) =>
      chosen.map((activation) => ({
        protocol: { ...protocol, activation, epochs: epochs ?? protocol.epochs },
        seed,
      })),
    ),
  );
}

/** The file, in the folder of results, that holds the rows of a protocol. */
export function fileOf(protocol: string): string {
  return `${protocol.split('/')[0]}.ndjson`;
}
