import { lossOf, runsOf } from '../claims/runs.ts';
import { commandOf } from '../experiments.ts';
import { atMapRate, mapActivations, rates } from '../protocols.ts';
import { mean } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Block, folded, text } from './block.ts';
import { secondsOf } from './plan.ts';

/** The trials that a cell of the map needs where curves cross. */
const needed = 3;

interface Crossing {
  /** Neighbouring rates of the map. */
  readonly between: readonly [number, number];
  readonly names: readonly [string, string];
  /** Trials of the four cells: the first activation at both rates, then the second. */
  readonly trials: readonly number[];
}

/** Cells of one rate of the map that crossings need, and that lack trials. */
export interface Lack {
  readonly rate: number;
  /** The activations, and how many trials there are of each. */
  readonly cells: readonly { readonly name: string; readonly n: number }[];
  /** What brings them. */
  readonly command: string;
  /** Of one core; NaN where nothing of the kind was ever timed. */
  readonly seconds: number;
}

/** Where the activation of the lower mean final loss, of two, is not the same at the next rate of the map. */
export function crossingsOf(rows: readonly TrialRow[]): Crossing[] {
  const cellOf = (name: string, rate: number) => {
    const runs = runsOf(rows, atMapRate(rate), name);
    const finite = runs.map(lossOf).filter(Number.isFinite);
    // Runs that all ended without a finite loss are worse than any that did not.
    const loss = runs.length > 0 && finite.length === 0 ? Number.POSITIVE_INFINITY : mean(finite);
    return { n: runs.length, loss };
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

/** What crossings lack, by rate. */
export function lacksOf(rows: readonly TrialRow[]): Lack[] {
  const cells = crossingsOf(rows).flatMap(({ between, names, trials }) =>
    trials.map((n, k) => ({ rate: between[k % 2], name: names[k < 2 ? 0 : 1], n })),
  );
  const few = cells.filter(({ n }) => n < needed);
  const seconds = secondsOf(rows);
  return rates.flatMap((rate): Lack[] => {
    const protocol = atMapRate(rate);
    const own = mapActivations.flatMap((name) => {
      const cell = few.find((each) => each.rate === rate && each.name === name);
      return cell ? [{ name, n: cell.n }] : [];
    });
    if (own.length === 0) return [];
    return [
      {
        rate,
        cells: own,
        command: commandOf({
          experiment: 'mnist',
          protocol,
          activations: own.map(({ name }) => name),
          trials: needed,
        }),
        seconds: own.reduce((sum, { name, n }) => sum + (needed - n) * seconds({ protocol, activation: name }), 0),
      },
    ];
  });
}

/** How many crossings of the map have the trials that they need; nothing of a map without any. */
export function crossingsText(rows: readonly TrialRow[]): string {
  const crossings = crossingsOf(rows);
  if (crossings.length === 0) return '';
  const whole = crossings.filter(hasAll).length;
  return `Where curves of the learning-rate map cross, ${whole} of ${crossings.length} crossings have ${needed} trials in each of their four cells.`;
}

function hasAll({ trials }: Crossing): boolean {
  return Math.min(...trials) >= needed;
}

/** The crossings of the map as a table, and whether each has the trials that it needs. */
export function crossingsTable(rows: readonly TrialRow[]): Block[] {
  const crossings = crossingsOf(rows);
  if (crossings.length === 0) return [];
  const lacks = lacksOf(rows);
  return [
    text(crossingsText(rows)),
    ...(lacks.length === 0
      ? []
      : [text('What brings the others:'), { kind: 'commands' as const, lines: lacks.map(({ command }) => command) }]),
    ...folded(
      'Where curves of the map cross',
      text(
        `Two activations cross between neighbouring rates of the map where the lower mean final test loss, over the runs of finite loss, passes from one to the other; where all runs ended without a finite loss, it is above all others. The four cells are both activations at both rates; each needs ${needed} trials.`,
      ),
      {
        kind: 'table',
        head: [
          'between the rates',
          'activations',
          'trials of the first',
          'trials of the second',
          `${needed} trials each`,
        ],
        rows: crossings.map((crossing) => [
          crossing.between.join(' and '),
          crossing.names.join(', '),
          crossing.trials.slice(0, 2).join(' and '),
          crossing.trials.slice(2).join(' and '),
          hasAll(crossing) ? 'yes' : 'no',
        ]),
      },
    ),
  ];
}
