import { protocols } from '../protocols.ts';
import { isRegistered } from '../registry.ts';
import { mean, meanInterval, standardDeviation } from '../statistics.ts';
import type { Row, SurfaceRow, TrialRow } from '../trial.ts';
import type { Cell } from './claim.ts';

/** A row of a network that was trained. */
export type Trained = TrialRow | SurfaceRow;

/** The runs of an activation on a protocol, by seed. */
export function runsOf<R extends Row>(rows: readonly R[], protocol: string, activation: string): R[] {
  return rows
    .filter((row) => row.protocol === protocol && row.activation === activation && isRegistered(row))
    .toSorted((a, b) => a.seed - b.seed);
}

/** Protocols of the registry on which every one of these activations has runs. */
export function protocolsWith(rows: readonly Row[], names: readonly string[]): string[] {
  return [...protocols.keys()].filter((protocol) => names.every((name) => runsOf(rows, protocol, name).length > 0));
}

/** The test loss after the last epoch; NaN if it is not finite. */
export function lossOf(row: Trained): number {
  return testOf(row).loss ?? Number.NaN;
}

/** The test accuracy after the last epoch. */
export function accuracyOf(row: Trained): number {
  return testOf(row).accuracy;
}

function testOf(row: Trained): SurfaceRow['test'] {
  return 'test' in row ? row.test : row.epochs.at(-1)!;
}

/** Twice the accuracy that guessing gives. */
const deadBelow = 0.2;

/** Trained, and ended below that accuracy or with a loss that is not finite. */
export function isDead(row: Row): boolean {
  return isTrained(row) && (accuracyOf(row) < deadBelow || !Number.isFinite(lossOf(row)));
}

export function isTrained(row: Row): row is Trained {
  return 'test' in row || 'epochs' in row;
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
export function cellOf<R extends Trained>(runs: readonly R[], quantity: string, of: (row: R) => number): Cell {
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
