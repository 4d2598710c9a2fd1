import { protocols } from '../protocols.ts';
import { isRegistered } from '../registry.ts';
import { mean, meanInterval, standardDeviation } from '../statistics.ts';
import type { Row, TrialRow } from '../trial.ts';
import type { Cell } from './claim.ts';

/** The runs of an activation on a protocol, by seed. */
export function runsOf(rows: readonly TrialRow[], protocol: string, activation: string): TrialRow[] {
  return rows
    .filter((row) => row.protocol === protocol && row.activation === activation && isRegistered(row))
    .toSorted((a, b) => a.seed - b.seed);
}

/** Protocols of the registry on which every one of these activations has runs. */
export function protocolsWith(rows: readonly TrialRow[], names: readonly string[]): string[] {
  return [...protocols.keys()].filter((protocol) => names.every((name) => runsOf(rows, protocol, name).length > 0));
}

/** The test loss after the last epoch; NaN if it is not finite. */
export function lossOf({ epochs }: TrialRow): number {
  return epochs.at(-1)!.loss ?? Number.NaN;
}

/** The test accuracy after the last epoch. */
export function accuracyOf({ epochs }: TrialRow): number {
  return epochs.at(-1)!.accuracy;
}

/** Twice the accuracy that guessing gives. */
const deadBelow = 0.2;

/** Ended below that accuracy, or with a loss that is not finite; of surfaces, the network that they are of. */
export function isDead(row: Row): boolean {
  if ('surfaces' in row) return row.test.loss === null || row.test.accuracy < deadBelow;
  return 'epochs' in row && (accuracyOf(row) < deadBelow || !Number.isFinite(lossOf(row)));
}

/** Pairs of runs that share protocol, seed and backend. */
export function pairsOf(a: readonly TrialRow[], b: readonly TrialRow[]): [TrialRow, TrialRow][] {
  return a.flatMap((row) => {
    const other = b.find(
      ({ protocol, seed, backend }) => protocol === row.protocol && seed === row.seed && backend === row.backend,
    );
    return other ? [[row, other] as [TrialRow, TrialRow]] : [];
  });
}

/** The cell of a quantity over these runs; a value that is not finite is excluded, and counted. */
export function cellOf(runs: readonly TrialRow[], quantity: string, of: (row: TrialRow) => number): Cell {
  const { protocol, activation } = runs[0];
  const dead = runs.filter(isDead).length;
  const living = runs.filter((row) => !isDead(row)).map(of);
  return {
    ...cellOfValues({ protocol, activation, quantity }, runs.map(of)),
    dead,
    ...(dead > 0 && { alive: mean(living.filter(Number.isFinite)) }),
  };
}

/** The same of values without runs. */
export function cellOfValues(
  names: Pick<Cell, 'protocol' | 'activation' | 'quantity'>,
  values: readonly number[],
): Cell {
  const finite = values.filter(Number.isFinite);
  return {
    ...names,
    n: finite.length,
    dead: 0,
    excluded: values.length - finite.length,
    mean: mean(finite),
    interval: meanInterval(finite),
    sd: standardDeviation(finite),
  };
}
