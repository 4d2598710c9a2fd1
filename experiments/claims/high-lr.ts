import { rates } from '../protocols.ts';
import { shareInterval } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Claim, type Comparison, type Outcome, verdictOf } from './claim.ts';
import { accuracyOf, cellOf, lossOf, runsOf } from './runs.ts';
import { outcomesText } from './words.ts';

/** The activations of the learning-rate map. */
export const mapActivations: readonly string[] = [
  'relu',
  'prelu',
  'mrelu-0.8',
  'mrelu-0.5',
  'pap',
  'pap-clipped',
  'pap-layer',
];

/** The name of the protocol at a rate of the map. */
export function atMapRate(rate: number): string {
  return `batch-128/rate-${rate}`;
}

const at = atMapRate(0.35);
const learns = (row: TrialRow): boolean => accuracyOf(row) >= 0.9;

/** The largest rate of the map at which every trial of an activation learns; undefined if there is none. */
function largestRate(rows: readonly TrialRow[], activation: string): number | undefined {
  return rates.findLast((rate) => {
    const runs = runsOf(rows, atMapRate(rate), activation);
    return runs.length > 0 && runs.every(learns);
  });
}

export const highLr: Claim = {
  id: 'high-lr',
  claimed: 'With a learning rate of 0.35 an MReLU network learns where a ReLU network does not.',
  published: 'a plot: MReLU learns at 0.35, ReLU does not',
  rule: 'At 0.35 in the learning-rate map a trial learns if it ends at a test accuracy of 0.9 or more. For each MReLU (0.8/0.2 and 0.5/0.5), with at least three trials of it and of ReLU: it holds if at least two thirds of the MReLU trials learn and at most one third of the ReLU trials; it does not if at least two thirds of the ReLU trials learn, or at most one third of the MReLU trials; in between it is open. All trials count, dead ones too. It holds if it does for each MReLU that is decided, does not if it fails for each, and else holds only where it holds.',
  commands: ['npx poolproof reproduce learning-rate', 'npx poolproof reproduce learning-rate --trials 10'],
  measure({ rows }) {
    const share = (name: string) => {
      const runs = runsOf(rows, at, name);
      return { n: runs.length, k: runs.filter(learns).length };
    };
    const relu = share('relu');
    const comparisons = ['mrelu-0.8', 'mrelu-0.5'].flatMap((name): Comparison[] => {
      const mrelu = share(name);
      if (mrelu.n === 0 || relu.n === 0) return [];
      const few = Math.min(mrelu.n, relu.n) < 3;
      const outcomeOf = (holds: boolean, fails: boolean): Outcome =>
        few ? 'open' : holds ? 'holds' : fails ? 'does not hold' : 'open';
      const [m, r] = [mrelu.k / mrelu.n, relu.k / relu.n];
      const common = { where: name, tests: [] };
      return [
        {
          ...common,
          what: `share that learns, ${name}`,
          n: [mrelu.n],
          value: m,
          interval: shareInterval(mrelu.k, mrelu.n),
          claimed: { from: 2 / 3 },
          outcome: outcomeOf(m >= 2 / 3, m <= 1 / 3),
        },
        {
          ...common,
          what: 'share that learns, relu',
          n: [relu.n],
          value: r,
          interval: shareInterval(relu.k, relu.n),
          claimed: { to: 1 / 3 },
          outcome: outcomeOf(r <= 1 / 3, r >= 2 / 3),
        },
      ];
    });
    const present = mapActivations.filter((name) =>
      rates.some((rate) => runsOf(rows, atMapRate(rate), name).length > 0),
    );
    const largest = present.map((name) => `${name} ${largestRate(rows, name) ?? 'none'}`).join(', ');
    const shares = ['relu', 'mrelu-0.8', 'mrelu-0.5'].map((name) => ({ name, ...share(name) }));
    return {
      verdict: verdictOf(comparisons, 'three trials each of relu and an MReLU at 0.35', 3),
      ours: shares.every(({ n }) => n === 0)
        ? '–'
        : `learn at 0.35: ${shares.map(({ name, k, n }) => `${name} ${k} of ${n}`).join(', ')}`,
      n: shares.map(({ n }) => n).join(' + '),
      sentence: `${outcomesText(comparisons)}${largest === '' ? '' : ` The largest rate of the map at which every trial learns: ${largest}.`}`,
      cells: mapActivations.flatMap((name) => {
        const runs = runsOf(rows, at, name);
        if (runs.length === 0) return [];
        return [cellOf(runs, 'test loss', lossOf), cellOf(runs, 'test accuracy', accuracyOf)];
      }),
      comparisons,
    };
  },
};
