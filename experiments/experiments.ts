import type { Activation } from '../reference/activations.ts';
import type { Protocol } from '../reference/protocol.ts';
import { convnet, papChannel, papNearReluChannel, type SurfaceProtocol, surfaceProtocols } from './convnet-protocol.ts';
import {
  activations,
  atRate,
  author2016,
  mapActivations,
  mapName,
  protocols,
  rates,
  reluAndMrelus,
  startProtocols,
} from './protocols.ts';
import type { Trial } from './trial.ts';

type AnyProtocol = Protocol | SurfaceProtocol;

/** Trainings that belong together: each activation on each protocol, once for each seed. */
export interface Experiment {
  readonly summary: string;
  /** The protocols that can be asked for, by name; the first is taken if none is. */
  readonly protocols: ReadonlyMap<string, AnyProtocol>;
  /** What is trained for one that is asked for. */
  readonly variants: (protocol: AnyProtocol) => readonly AnyProtocol[];
  readonly activations: ReadonlyMap<string, Activation>;
  /** Those that are taken if none is asked for, by the name of the protocol. */
  readonly chosen: (protocol: string) => readonly string[];
  /** Seeds, 1 to this, if no number is asked for. */
  readonly trials: number;
  /** The data that it needs. */
  readonly data: 'mnist' | 'cifar10';
}

export type ExperimentName = 'mnist' | 'learning-rate' | 'gradients' | 'sharing' | 'landscape';

const onMnist = { protocols, variants: (protocol: AnyProtocol) => [protocol], activations, data: 'mnist' as const };

export const experiments: Readonly<Record<ExperimentName, Experiment>> = {
  mnist: {
    ...onMnist,
    summary: 'test loss and accuracy of activations on MNIST',
    chosen: (protocol) =>
      protocol === 'author-2016/rate-0.35'
        ? reluAndMrelus
        : protocol.startsWith('small')
          ? ['relu', 'prelu', 'mrelu-0.8', 'pap', 'concat']
          : ['relu', 'pap'],
    trials: 94,
  },
  'learning-rate': {
    ...onMnist,
    summary: `test loss and accuracy at ${rates.length} learning rates`,
    protocols: new Map([[mapName, { ...author2016, name: mapName, batch: 128 }]]),
    variants: ({ epochs }) => rates.map((rate) => ({ ...atRate(rate), epochs })),
    chosen: () => mapActivations,
    trials: 3,
  },
  gradients: {
    ...onMnist,
    summary: 'gradients before the first update, without training',
    protocols: startProtocols,
    chosen: () => reluAndMrelus,
    trials: 94,
  },
  sharing: {
    ...onMnist,
    summary: 'one alpha for a layer against one for each unit, on MNIST',
    protocols: new Map([...protocols].sort(([a], [b]) => Number(b === 'small') - Number(a === 'small'))),
    chosen: () => ['pap', 'pap-layer'],
    trials: 94,
  },
  landscape: {
    summary: 'the loss over two weights of a trained convnet, on CIFAR-10',
    protocols: surfaceProtocols,
    variants: (protocol) => [protocol],
    activations: new Map(activations).set(papChannel.name, papChannel).set(papNearReluChannel.name, papNearReluChannel),
    chosen: (protocol) =>
      protocol.startsWith('convnet/pilot/')
        ? ['pap']
        : ['relu', 'mrelu-0.8', 'mrelu-0.5', 'pap', ...(protocol === convnet.name ? ['pap-0.8'] : [])],
    trials: 2,
    data: 'cifar10',
  },
};

/** What the claims need, in the order in which it says most: what `status` lists, and `all` runs. */
export const plan: readonly (readonly [ExperimentName, protocol: string])[] = [
  ['gradients', 'gradients/author-2016'],
  ['gradients', `gradients/${mapName}`],
  ['mnist', 'author-2016'],
  ['mnist', 'author-2016/rate-0.05'],
  ['mnist', 'author-2016/rate-0.35'],
  ['mnist', 'small'],
  ['mnist', 'small/one-layer'],
  ['mnist', 'iters-94'],
  ['sharing', 'small'],
  ['learning-rate', mapName],
  ['landscape', 'convnet'],
  ['landscape', 'convnet/no-dropout'],
];

/** The trials of an experiment: all activations with one seed, then with the next, so that any part is balanced. */
export function trialsOf(
  variants: readonly AnyProtocol[],
  chosen: readonly Activation[],
  { trials, epochs }: { readonly trials: number; readonly epochs: number | undefined },
): Trial[] {
  return Array.from({ length: trials }, (_, i) => i + 1).flatMap((seed) =>
    variants.flatMap((protocol) =>
      chosen.map((activation) => ({
        protocol: {
          ...protocol,
          activation,
          // What is not trained has no epochs, whatever is asked for: `all` trains some, and not others.
          epochs: protocol.epochs && (epochs ?? protocol.epochs),
        },
        seed,
      })),
    ),
  );
}

/** The file, in the folder of results, that holds the rows of a protocol. */
export function fileOf(protocol: string): string {
  return `${protocol.split('/')[0]}.ndjson`;
}
