import { accuracyOf, isDead, lossOf } from '../claims/runs.ts';
import type { Experiment } from '../experiments.ts';
import { activations, protocols } from '../protocols.ts';
import { isRegistered } from '../registry.ts';
import { mean, median, standardDeviation } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';

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
export function inRegistryOrder<T extends { readonly protocol: string; readonly activation: string }>(
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
