import { type Run, ranOn } from './run.ts';
import { table } from './table.ts';

/** As many trials as there are cores: all at once on a thread each, and one after the other on all threads. */
export interface TrialsRow {
  readonly protocol: string;
  readonly epochs: number;
  /** Quartiles and median, in seconds for all of them. */
  readonly atOnce: readonly [number, number, number];
  readonly inTurn: readonly [number, number, number];
  /** The median over rounds of in turn / at once. */
  readonly ratio: number;
}

/** `docs/benchmarks/trials.json`. */
export interface TrialsFigures extends Run {
  readonly backend: string;
  readonly rounds: number;
  readonly rows: readonly TrialsRow[];
}

/** The section on trials side by side. */
export function trialsSection(figures: TrialsFigures): string {
  const { machine, backend, rounds, rows } = figures;
  const spread = ([low, median, high]: TrialsRow['atOnce']) =>
    `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
  return `## Trials side by side

\`poolproof reproduce\` runs a trial on each core, each on one thread. Seconds, median and quartiles, of ${machine.cores} trials of PAP
on ${backend}: side by side, and one after the other on all threads.

${table(
  ['protocol', 'epochs', 'side by side', 'one after the other', 'one after the other / side by side'],
  rows.map(({ protocol, epochs, atOnce, inTurn, ratio }) => [
    protocol,
    `${epochs}`,
    spread(atOnce),
    spread(inTurn),
    ratio.toFixed(2),
  ]),
)}

${rounds} rounds, both by turns; ${ranOn(figures)}`;
}
