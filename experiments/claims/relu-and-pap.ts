import { author2016 } from '../protocols.ts';
import { brownForsythe, jackknifeRatio, mean, standardDeviation, welch } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import {
  type Cell,
  type Claim,
  type Comparison,
  commonRule,
  jackknifeText,
  judge,
  ofProtocol,
  type Region,
  verdictOf,
} from './claim.ts';
import { accuracyOf, cellOf, isDead, lossOf, protocolsWith, runsOf } from './runs.ts';
import { countText, listOf, outcomesText, valuesText, withInterval } from './words.ts';

/** The table of the post; what follows its ± is taken as a standard deviation, since the post does not say. */
export const published = {
  relu: { loss: { mean: 0.1102, sd: 0.0078 }, accuracy: { mean: 0.9671, sd: 0.0024 } },
  pap: { loss: { mean: 0.0672, sd: 0.0022 }, accuracy: { mean: 0.9788, sd: 0.0007 } },
} as const;

const quantities = { loss: lossOf, accuracy: accuracyOf } as const;
const both = ['relu', 'pap'] as const;
const kinds = ['loss', 'accuracy'] as const;
/** The published experiment. */
const on = author2016.name;
const missing = 'trials of relu and pap, five of each';

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

export const mnistTable: Claim = {
  id: 'mnist-table',
  claimed: 'On MNIST, after 20 epochs, PAP and ReLU end at the test losses and accuracies of the published table.',
  published: 'PAP loss 0.0672 ± 0.0022, accuracy 0.9788 ± 0.0007; ReLU loss 0.1102 ± 0.0078, accuracy 0.9671 ± 0.0024',
  rule: `For each protocol that both were trained on, four figures: each is as published if the 95 % interval of our mean lies within the published mean ± 2 standard deviations (what follows the ± of the table is taken as a standard deviation; the post does not say), and is not if it lies outside. A protocol needs all four. ${commonRule(on)}`,
  on,
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
            protocol,
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
    const verdict = verdictOf(comparisons, on, missing);
    const own = ofProtocol(comparisons, on);
    return {
      verdict,
      ours:
        own.length > 0
          ? own
              .map(({ what, value, interval }) => `${what.replace('mean ', '')}: ${withInterval(value, interval)}`)
              .join('; ')
          : '–',
      n: countText(comparisons, on),
      sentence: outcomesText(comparisons, verdict),
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
    const interval = jackknifeRatio(statistic, a, b);
    const n = [a.length, b.length];
    const living = runs.map((found) => statistic(found.filter((row) => !isDead(row)).map(lossOf))) as [number, number];
    return {
      protocol,
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

function ratioClaim(
  claim: Omit<Claim, 'measure' | 'commands' | 'on'>,
  what: string,
  statistic: (values: readonly number[]) => number,
  order: readonly ['relu' | 'pap', 'relu' | 'pap'],
  claimed: Region,
  beyond: Region,
): Claim {
  return {
    ...claim,
    on,
    commands,
    measure({ rows }) {
      const comparisons = ratios(rows, what, statistic, order, claimed);
      const further = comparisons.filter(({ interval, n }) => judge(interval, beyond, n) === 'holds');
      const verdict = verdictOf(comparisons, on, missing);
      return {
        verdict,
        ours: valuesText(comparisons, on),
        n: countText(comparisons, on),
        ...(further.some(({ protocol }) => protocol === on) && { caveat: 'by more than claimed' }),
        sentence: `${outcomesText(comparisons, verdict)}${
          further.length > 0
            ? ` The effect is larger than claimed on ${listOf(further.map(({ protocol }) => protocol))}.`
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
    rule: `The ratio of the mean final test losses, PAP / ReLU, with its 95 % interval (${jackknifeText}): it holds where the whole interval is at most 0.72 (0.6 and a fifth more; where it is at most 0.48 the effect is larger than claimed, which is said, and holds too), and does not where it is above. Dead runs of finite loss are included; the ratio without them stands beside. ${commonRule(on)}`,
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
    rule: `The ratio of the standard deviations of the final test losses, ReLU / PAP, with its 95 % interval (${jackknifeText}): it holds where the whole interval is at least 2.5 (3 less a sixth; where it is at least 4.8 the effect is larger than claimed, which is said, and holds too), and does not where it is below. The test for unequal spread is Brown and Forsythe's. Dead runs of finite loss are included; the ratio without them stands beside. ${commonRule(on)}`,
  },
  'sd of the loss',
  standardDeviation,
  ['relu', 'pap'],
  { from: 2.5 },
  { from: 4.8 },
);
