import { bootstrapRatio, brownForsythe, mean, standardDeviation, welch } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Cell, type Claim, type Comparison, commonRule, judge, type Region, verdictOf } from './claim.ts';
import { accuracyOf, cellOf, isDead, lossOf, protocolsWith, runsOf } from './runs.ts';
import { listOf, outcomesText, withInterval } from './words.ts';

/** The table of the post; what follows its ± is taken as a standard deviation, since the post does not say. */
export const published = {
  relu: { loss: { mean: 0.1102, sd: 0.0078 }, accuracy: { mean: 0.9671, sd: 0.0024 } },
  pap: { loss: { mean: 0.0672, sd: 0.0022 }, accuracy: { mean: 0.9788, sd: 0.0007 } },
} as const;

const quantities = { loss: lossOf, accuracy: accuracyOf } as const;
const both = ['relu', 'pap'] as const;
const kinds = ['loss', 'accuracy'] as const;
const missing = 'trials of relu and pap on one protocol, five of each';

const commands = [
  'npx poolproof reproduce mnist --protocol author-2016',
  'npx poolproof reproduce mnist --protocol author-2016/rate-0.05',
  'npx poolproof reproduce mnist --protocol iters-94',
  'npx poolproof reproduce mnist --protocol small',
  'npx poolproof reproduce mnist --protocol small/one-layer',
  'npx poolproof reproduce learning-rate',
];

function cellsOf(rows: readonly TrialRow[]): Cell[] {
  return protocolsWith(rows, both).flatMap((protocol) =>
    both.flatMap((activation) =>
      kinds.map((kind) => cellOf(runsOf(rows, protocol, activation), `test ${kind}`, quantities[kind])),
    ),
  );
}

/** `30 relu, 30 pap` over all protocols. */
function countOf(comparisons: readonly Comparison[]): string {
  const decided = comparisons.filter(({ outcome }) => outcome !== 'open');
  const shown = decided.length > 0 ? decided : comparisons;
  const [first] = shown;
  if (!first) return '0';
  const smallest = Math.min(...shown.flatMap(({ n }) => n));
  const largest = Math.max(...shown.flatMap(({ n }) => n));
  const each = smallest === largest ? `${smallest}` : `${smallest} to ${largest}`;
  const places = new Set(shown.map(({ where }) => where)).size;
  return `${each} each${places > 1 ? `, ${places} protocols` : ''}`;
}

export const mnistTable: Claim = {
  id: 'mnist-table',
  claimed: 'On MNIST, after 20 epochs, PAP and ReLU end at the test losses and accuracies of the published table.',
  published: 'PAP loss 0.0672 ± 0.0022, accuracy 0.9788 ± 0.0007; ReLU loss 0.1102 ± 0.0078, accuracy 0.9671 ± 0.0024',
  rule: `For each protocol that both were trained on, four figures: each is as published if the 95 % interval of our mean lies within the published mean ± 2 standard deviations (what follows the ± of the table is taken as a standard deviation; the post does not say), and is not if it lies outside. A protocol needs all four. ${commonRule}`,
  commands,
  measure({ rows }) {
    const comparisons = protocolsWith(rows, both).flatMap((protocol) =>
      both.flatMap((activation) =>
        kinds.map((kind): Comparison => {
          const runs = runsOf(rows, protocol, activation);
          const { n, interval, mean: value, alive } = cellOf(runs, kind, quantities[kind]);
          const { mean: at, sd } = published[activation][kind];
          const claimed = { from: at - 2 * sd, to: at + 2 * sd };
          return {
            where: protocol,
            what: `mean ${kind}, ${activation}`,
            n: [n],
            value,
            interval,
            ...(alive !== undefined && { alive }),
            claimed,
            tests: [],
            outcome: judge(interval, claimed, [n]),
          };
        }),
      ),
    );
    const headline = comparisons.filter(({ where }) => where === comparisons[0]?.where);
    return {
      verdict: verdictOf(comparisons, missing),
      ours:
        headline.length > 0
          ? `${headline[0]!.where}: ${headline.map(({ what, value, interval }) => `${what} ${withInterval(value, interval)}`).join('; ')}`
          : '–',
      n: countOf(comparisons),
      sentence: outcomesText(comparisons),
      cells: cellsOf(rows),
      comparisons,
    };
  },
};

/** A ratio of one statistic of the final losses on every protocol that both were trained on. */
function ratios(
  rows: readonly TrialRow[],
  what: string,
  statistic: (values: readonly number[]) => number,
  [top, bottom]: readonly ['relu' | 'pap', 'relu' | 'pap'],
  claimed: Region,
): Comparison[] {
  return protocolsWith(rows, both).map((protocol) => {
    const runs = [top, bottom].map((name) => runsOf(rows, protocol, name));
    const [a, b] = runs.map((found) => found.map(lossOf).filter(Number.isFinite)) as [number[], number[]];
    const interval = bootstrapRatio(`${what}/${protocol}`, statistic, a, b);
    const n = [a.length, b.length];
    const living = runs.map((found) => statistic(found.filter((row) => !isDead(row)).map(lossOf))) as [number, number];
    return {
      where: protocol,
      what: `${what}, ${top} / ${bottom}`,
      n,
      value: statistic(a) / statistic(b),
      interval,
      ...(runs.flat().some(isDead) && { alive: living[0] / living[1] }),
      claimed,
      tests: [
        { name: 'Welch', p: welch(a, b) },
        { name: 'Brown–Forsythe', p: brownForsythe(a, b) },
      ],
      outcome: judge(interval, claimed, n),
    };
  });
}

/** `author-2016: 0.61 (0.55 to 0.68)`, of the first that is decided, or else the first. */
function headlineOf(comparisons: readonly Comparison[]): string {
  const first = comparisons.find(({ outcome }) => outcome !== 'open') ?? comparisons[0];
  return first ? `${first.where}: ${withInterval(first.value, first.interval)}` : '–';
}

function ratioClaim(
  claim: Omit<Claim, 'measure' | 'commands'>,
  what: string,
  statistic: (values: readonly number[]) => number,
  order: readonly ['relu' | 'pap', 'relu' | 'pap'],
  claimed: Region,
  beyond: Region,
): Claim {
  return {
    ...claim,
    commands,
    measure({ rows }) {
      const comparisons = ratios(rows, what, statistic, order, claimed);
      const further = comparisons.filter(({ interval, n }) => judge(interval, beyond, n) === 'holds');
      return {
        verdict: verdictOf(comparisons, missing),
        ours: headlineOf(comparisons),
        n: countOf(comparisons),
        sentence: `${outcomesText(comparisons)}${
          further.length > 0
            ? ` The effect is larger than claimed for ${listOf(further.map(({ where }) => where))}.`
            : ''
        }`,
        cells: cellsOf(rows).filter(({ quantity }) => quantity === 'test loss'),
        comparisons,
      };
    },
  };
}

export const meanLoss: Claim = ratioClaim(
  {
    id: 'mean-loss',
    claimed: "The mean test loss of PAP is about 60 % of ReLU's.",
    published: '0.61 (0.0672 / 0.1102)',
    rule: `The ratio of the mean final test losses, PAP / ReLU, with its 95 % percentile bootstrap interval: it holds where the whole interval is at most 0.72 (0.6 and a fifth more; where it is at most 0.48 the effect is larger than claimed, which is said, and holds too), and does not where it is above. Dead runs of finite loss are included; the ratio without them stands beside. ${commonRule}`,
  },
  'mean loss',
  mean,
  ['pap', 'relu'],
  { to: 0.72 },
  { to: 0.48 },
);

export const consistency: Claim = ratioClaim(
  {
    id: 'consistency',
    claimed: "The standard deviation of PAP's test loss is 3 to 4 times smaller than that of ReLU's.",
    published: '3.5 (0.0078 / 0.0022)',
    rule: `The ratio of the standard deviations of the final test losses, ReLU / PAP, with its 95 % percentile bootstrap interval: it holds where the whole interval is at least 2.5 (3 less a sixth; where it is at least 4.8 the effect is larger than claimed, which is said, and holds too), and does not where it is below. The test for unequal spread is Brown and Forsythe's. Dead runs of finite loss are included; the ratio without them stands beside. ${commonRule}`,
  },
  'sd of the loss',
  standardDeviation,
  ['relu', 'pap'],
  { from: 2.5 },
  { from: 4.8 },
);
