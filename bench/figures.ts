import { type Run, ranOn } from './run.ts';
import type { Smallest } from './smallest.ts';
import { table } from './table.ts';

/** What the benchmark measured of one checker. */
export interface Row {
  readonly name: string;
  /** Median and quartiles of a check, in milliseconds. */
  readonly median: number;
  readonly quartiles: readonly [number, number];
  /** Calls of one check: the medians over the draws. */
  readonly forward: number;
  readonly backward: number;
  readonly jvp: number;
  /** Of the correct layer on normal draws, the share that passes; and whether it passes with one exact zero. */
  readonly passes: number;
  readonly passesZero: boolean;
  /** Whether the error in one element of dx is seen. */
  readonly sees: { readonly tenfold: boolean; readonly relative3: boolean; readonly relative7: boolean };
}

/** `docs/benchmarks/gradcheck.json`. */
export interface Figures extends Run {
  readonly draws: number;
  readonly rows: readonly Row[];
  readonly smallest: Smallest;
}

const begin = '<!-- The table is written by "npm run bench" from docs/benchmarks/gradcheck.json. -->';
const end = '<!-- End of the table. -->';

/** The page with the table of these figures between its two markers. @throws RangeError if a marker is missing */
export function withTable(page: string, figures: Figures): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new RangeError(`bench: expected the page to hold ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${gradcheckTable(figures)}\n\n${page.slice(to)}`;
}

export function gradcheckTable(figures: Figures): string {
  const { draws, rows, smallest } = figures;
  const { ulps, relative, elements } = smallest;
  const head = [
    'checker',
    'median, quartiles',
    'forward',
    'backward',
    'correct layer passes',
    'with one exact 0',
    'sees ×10',
    'sees 1e-3',
    'sees 1e-7',
  ];
  const lines = rows.map((row) => [
    row.name,
    `${time(row.median)} (${time(row.quartiles[0])} to ${time(row.quartiles[1])})`,
    `${row.forward}${row.jvp > 0 ? ` + ${row.jvp} jvp` : ''}`,
    `${row.backward}`,
    `${Math.round(100 * row.passes)} %`,
    yes(row.passesZero),
    yes(row.sees.tenfold),
    yes(row.sees.relative3),
    yes(row.sees.relative7),
  ]);
  return `${table(head, lines)}

${draws} normal draws, all checkers by turns in one run; ${ranOn(figures)}

The smallest error of one element that is seen, in each of ${elements} elements tried: by differences of the float64 forward
alone a relative ${relative.dx} in dx and ${relative.dalpha} in dalpha; by the oracle, as a Subject of float32, ${ulps.y} ulp in y and
${ulps.dx} in dx on normal draws, ${ulps.dalpha} in dalpha on a dyadic Case.`;
}

function time(ms: number): string {
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Number(ms.toPrecision(2))} ms`;
}

function yes(is: boolean): string {
  return is ? 'yes' : 'no';
}
