import type { Activation } from '../reference/activations.ts';
import type { Protocol } from '../reference/protocol.ts';
import {
  convnet,
  papChannel,
  papNearReluChannel,
  type SurfaceProtocol,
  sharingConvnet,
  surfaceProtocols,
} from './convnet-protocol.ts';
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
}

export type ExperimentName = 'mnist' | 'learning-rate' | 'gradients' | 'sharing' | 'landscape';

const itself = (protocol: AnyProtocol) => [protocol];
const onMnist = { protocols, variants: itself, activations };

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
    summary: 'one alpha for a layer, a channel or each unit; of channels on CIFAR-10',
    protocols: new Map<string, AnyProtocol>(
      [...protocols].sort(([a], [b]) => Number(b === 'small') - Number(a === 'small')),
    ).set(sharingConvnet.name, sharingConvnet),
    activations: new Map(activations).set('pap-channel', { ...papChannel, name: 'pap-channel' }),
    chosen: (protocol) =>
      protocol === sharingConvnet.name ? ['pap', 'pap-channel', 'pap-layer'] : ['pap', 'pap-layer'],
    trials: 94,
  },
  landscape: {
    summary: 'the loss over two weights of a trained convnet, on CIFAR-10',
    protocols: surfaceProtocols,
    variants: itself,
    activations: new Map(activations).set(papChannel.name, papChannel).set(papNearReluChannel.name, papNearReluChannel),
    chosen: (protocol) =>
      protocol.startsWith('convnet/pilot/')
        ? ['pap']
        : ['relu', 'mrelu-0.8', 'mrelu-0.5', 'pap', ...(protocol === convnet.name ? ['pap-0.8'] : [])],
    trials: 2,
  },
};

/** Trials of an experiment on one of its protocols. */
export interface Asked {
  readonly experiment: ExperimentName;
  readonly protocol: string;
  /** Default: those that the experiment chooses. */
  readonly activations?: readonly string[] | undefined;
  /** Default: as many as the experiment has. */
  readonly trials?: number | undefined;
  /** Default: the protocol's. */
  readonly epochs?: number | undefined;
}

/** What the claims need, in the order in which it says most: what `status` lists, and `all` runs. */
export const plan: readonly Asked[] = [
  { experiment: 'gradients', protocol: 'gradients/author-2016' },
  { experiment: 'gradients', protocol: `gradients/${mapName}` },
  { experiment: 'mnist', protocol: 'author-2016' },
  // The curves of slope, of which five decide.
  { experiment: 'mnist', protocol: 'author-2016', activations: ['mrelu-0.8', 'mrelu-0.5'], trials: 5 },
  { experiment: 'mnist', protocol: 'author-2016/rate-0.05' },
  { experiment: 'mnist', protocol: 'author-2016/rate-0.35' },
  { experiment: 'mnist', protocol: 'small' },
  { experiment: 'mnist', protocol: 'small/one-layer' },
  { experiment: 'mnist', protocol: 'iters-94' },
  { experiment: 'sharing', protocol: 'small' },
  { experiment: 'sharing', protocol: sharingConvnet.name, trials: 10 },
  { experiment: 'learning-rate', protocol: mapName },
  { experiment: 'landscape', protocol: 'convnet' },
  // The PAP that learns there has twice the pairs.
  { experiment: 'landscape', protocol: 'convnet', activations: ['relu', 'pap-0.8'], trials: 4 },
  { experiment: 'landscape', protocol: 'convnet/no-dropout' },
];

/** The command that runs them. */
export function commandOf({ experiment, protocol, activations, trials }: Omit<Asked, 'epochs'>): string {
  const first = experiments[experiment].protocols.keys().next().value;
  return [
    `npx poolproof reproduce ${experiment}`,
    ...(protocol === first ? [] : [`--protocol ${protocol}`]),
    ...(activations ? [`--activation ${activations.join(',')}`] : []),
    ...(trials === undefined ? [] : [`--trials ${trials}`]),
  ].join(' ');
}

/** The trials that are asked for: all activations with one seed, then with the next, so that any part is balanced. */
export function trialsOf({ experiment, protocol: asked, activations, trials, epochs }: Asked): Trial[] {
  const { protocols, variants, activations: known, chosen, trials: usual } = experiments[experiment];
  const names = activations ?? chosen(asked);
  return Array.from({ length: trials ?? usual }, (_, i) => i + 1).flatMap((seed) =>
    variants(protocols.get(asked)!).flatMap((protocol) =>
      names.map((name) => ({
        protocol: {
          ...protocol,
          activation: known.get(name)!,
          // What is not trained has no epochs, whatever is asked for: `all` trains some, and not others.
          epochs: protocol.epochs && (epochs ?? protocol.epochs),
        },
        seed,
      })),
    ),
  );
}

/** The data that a protocol trains on. */
export function dataOf(protocol: AnyProtocol): 'mnist' | 'cifar10' {
  return 'image' in protocol ? 'cifar10' : 'mnist';
}

/** The file, in the folder of results, that holds the rows of a protocol. */
export function fileOf(protocol: string): string {
  return `${protocol.split('/')[0]}.ndjson`;
}
