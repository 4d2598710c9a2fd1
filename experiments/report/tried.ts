import { accuracyOf, isDead, lossOf } from '../claims/runs.ts';
import { figure, formatOf } from '../claims/words.ts';
import { type Experiment, experiments } from '../experiments.ts';
import { activations, protocols } from '../protocols.ts';
import { isRegistered } from '../registry.ts';
import { mean, median, standardDeviation } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Block, folded, heading, text } from './block.ts';
import type { Measured } from './evidence.ts';

/** The rows of one protocol with one activation and one number of epochs. */
export interface Tried {
  readonly protocol: string;
  readonly activation: string;
  readonly hash: string;
  readonly isRegistered: boolean;
  readonly epochs: number;
  readonly n: number;
  readonly dead: number;
  /** Of the test loss after the last epoch, where it is finite. */
  readonly loss: number;
  readonly sd: number;
  readonly accuracy: number;
  /** Median seconds of a trial. */
  readonly seconds: number;
}

/** All that was tried, by protocol and activation in the order of the registry; what it does not know comes last. */
export function triedIn(rows: readonly TrialRow[]): Tried[] {
  const found = [...new Set(rows.map(({ hash }) => hash))].map((hash): Tried => {
    const group = rows.filter((row) => row.hash === hash);
    const { protocol, activation } = group[0];
    const losses = group.map(lossOf).filter(Number.isFinite);
    return {
      protocol,
      activation,
      hash,
      isRegistered: isRegistered(group[0]),
      // A run whose loss is not finite ends early.
      epochs: Math.max(...group.map(({ epochs }) => epochs.length)),
      n: group.length,
      dead: group.filter(isDead).length,
      loss: mean(losses),
      sd: standardDeviation(losses),
      accuracy: mean(group.map(accuracyOf)),
      seconds: median(group.map(({ seconds }) => seconds)),
    };
  });
  return inRegistryOrder(found, { protocols, activations });
}

/** By protocol, then by activation, each in the order of its registry; what it does not know comes last. */
function inRegistryOrder<T extends { readonly protocol: string; readonly activation: string }>(
  found: readonly T[],
  known: Pick<Experiment, 'protocols' | 'activations'>,
): T[] {
  const [protocolNames, activationNames] = [[...known.protocols.keys()], [...known.activations.keys()]];
  const placeOf = (names: readonly string[], name: string): number =>
    names.includes(name) ? names.indexOf(name) : names.length;
  return found.toSorted(
    (a, b) =>
      placeOf(protocolNames, a.protocol) - placeOf(protocolNames, b.protocol) ||
      placeOf(activationNames, a.activation) - placeOf(activationNames, b.activation),
  );
}

/** What is trained on CIFAR-10. */
const convnets = {
  protocols: new Map([...experiments.landscape.protocols].concat([...experiments.sharing.protocols])),
  activations: new Map([...experiments.landscape.activations].concat([...experiments.sharing.activations])),
};

/** Every row there is, those of no claim too. */
export function triedSection({ rows, networks, gradients }: Measured): Block[] {
  const tried = triedIn(rows);
  const hours = [...rows, ...networks, ...gradients].reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  const others =
    tried.filter((each) => !each.isRegistered).reduce((sum, { n }) => sum + n, 0) +
    networks.filter((network) => !isRegistered(network)).length;
  const versions = new Map<string, number>();
  for (const { backend, versions: of } of [...rows, ...networks]) {
    const said = `${backend}: ${Object.values(of).join(', node ')}`;
    versions.set(said, (versions.get(said) ?? 0) + 1);
  }
  return [
    heading(2, 'All that was tried'),
    text(
      `${rows.length} trials on MNIST and ${networks.length} networks on CIFAR-10, ${gradients.length} gradients without training; ${figure(hours)} hours of one core.`,
      `Measured on ${[...versions].map(([said, n]) => `${said} (${n} rows)`).join('; ') || 'nothing yet'}.`,
      `Rows whose protocol is not the one of the registry, such as one with fewer epochs, are protocols of their own: they are listed here, and in no cell above; there are ${others}.`,
    ),
    ...(tried.length === 0
      ? []
      : folded(`The trials on MNIST, of ${tried.length} trainings that differ`, {
          kind: 'table' as const,
          head: [
            'protocol',
            'activation',
            'hash',
            'epochs',
            'trials',
            'dead',
            'mean loss',
            'sd',
            'mean accuracy',
            's a trial',
          ],
          rows: tried.map((each) => [
            each.protocol,
            each.activation,
            `\`${each.hash}\`${each.isRegistered ? '' : ', another protocol'}`,
            `${each.epochs}`,
            `${each.n}`,
            `${each.dead}`,
            figure(each.loss),
            figure(each.sd),
            formatOf('accuracy')(each.accuracy),
            figure(each.seconds),
          ]),
        })),
    ...(networks.length === 0
      ? []
      : folded('The networks on CIFAR-10', {
          kind: 'table' as const,
          head: ['protocol', 'activation', 'hash', 'seed', 'surfaces', 'test loss', 'test accuracy', 's'],
          rows: inRegistryOrder(
            networks.toSorted((a, b) => a.seed - b.seed),
            convnets,
          ).map((network) => {
            const { protocol, activation, hash, seed, surfaces, test, seconds } = network;
            return [
              protocol,
              activation,
              `\`${hash}\`${isRegistered(network) ? '' : ', another protocol'}`,
              `${seed}`,
              `${surfaces.length}`,
              figure(test.loss ?? Number.NaN),
              formatOf('accuracy')(test.accuracy),
              figure(seconds),
            ];
          }),
        })),
  ];
}
