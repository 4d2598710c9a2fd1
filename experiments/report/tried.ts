import { accuracyOf, isDead, isRegistered, lossOf } from '../claims/runs.ts';
import { activations, protocols } from '../protocols.ts';
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
    const { protocol, activation } = group[0]!;
    const losses = group.map(lossOf).filter(Number.isFinite);
    return {
      protocol,
      activation,
      hash,
      isRegistered: isRegistered(group[0]!),
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
  const placeOf = (registry: ReadonlyMap<string, unknown>, name: string): number =>
    registry.has(name) ? [...registry.keys()].indexOf(name) : registry.size;
  return found.toSorted(
    (a, b) =>
      placeOf(protocols, a.protocol) - placeOf(protocols, b.protocol) ||
      placeOf(activations, a.activation) - placeOf(activations, b.activation),
  );
}
