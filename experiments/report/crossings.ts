import { atMapRate, mapActivations } from '../claims/high-lr.ts';
import { lossOf, runsOf } from '../claims/runs.ts';
import { rates } from '../protocols.ts';
import { mean } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Block, folded } from './block.ts';

/** The trials that a cell of the map needs where curves cross. */
const needed = 3;

interface Crossing {
  /** Neighbouring rates of the map. */
  readonly between: readonly [number, number];
  readonly names: readonly [string, string];
  /** Trials of the four cells: the first activation at both rates, then the second. */
  readonly trials: readonly number[];
}

/** Where the activation of the lower mean final loss, of two, is not the same at the next rate of the map. */
export function crossingsOf(rows: readonly TrialRow[]): Crossing[] {
  const cellOf = (name: string, rate: number) => {
    const runs = runsOf(rows, atMapRate(rate), name);
    return { n: runs.length, loss: mean(runs.map(lossOf).filter(Number.isFinite)) };
  };
  const curves = mapActivations.map((name) => ({ name, cells: rates.map((rate) => cellOf(name, rate)) }));
  return rates.slice(1).flatMap((rate, k) =>
    curves.flatMap((a, i) =>
      curves.slice(i + 1).flatMap((b): Crossing[] => {
        const [before, after] = [k, k + 1].map((at) => a.cells[at].loss - b.cells[at].loss) as [number, number];
        if (!(before * after < 0)) return [];
        const trials = [a, b].flatMap(({ cells }) => [cells[k].n, cells[k + 1].n]);
        return [{ between: [rates[k], rate], names: [a.name, b.name], trials }];
      }),
    ),
  );
}

/** The crossings of the map as a table, and whether each has the trials that it needs. */
export function crossingsTable(rows: readonly TrialRow[]): Block[] {
  const crossings = crossingsOf(rows);
  if (crossings.length === 0) return [];
  const whole = crossings.filter(({ trials }) => Math.min(...trials) >= needed).length;
  return folded(
    `Where curves of the map cross: ${whole} of ${crossings.length} crossings have ${needed} trials in each of their cells`,
    {
      kind: 'text',
      text: `Two activations cross between neighbouring rates of the map where the lower mean final test loss, over the runs of finite loss, passes from one to the other. The four cells are both activations at both rates; each needs ${needed} trials.`,
    },
    {
      kind: 'table',
      head: [
        'between the rates',
        'activations',
        'trials of the first',
        'trials of the second',
        `${needed} trials each`,
      ],
      rows: crossings.map(({ between, names, trials }) => [
        between.join(' and '),
        names.join(', '),
        trials.slice(0, 2).join(' and '),
        trials.slice(2).join(' and '),
        Math.min(...trials) >= needed ? 'yes' : 'no',
      ]),
    },
  );
}
