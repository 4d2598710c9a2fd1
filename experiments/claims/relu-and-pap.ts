import { author2016 } from '../protocols.ts';
import { mean, standardDeviation } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import {
  type Cell,
  type Claim,
  type Comparison,
  commonRule,
  jackknifeText,
  judge,
  type Region,
  verdictOf,
} from './claim.ts';
import { lossRatio, type RatioOfLosses } from './loss-ratio.ts';
import { accuracyOf, cellOf, lossOf, protocolsWith, runsOf } from './runs.ts';
import { countText, directionText, listOf, outcomesText, valuesOn } from './words.ts';

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

const commands = ['npx poolproof reproduce mnist'];
const further = [
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
  published: both.flatMap((activation) =>
    kinds.map((kind) => {
      const { mean, sd } = published[activation][kind];
      return { name: `${kind}, ${activation}`, value: `${mean} ± ${sd}` };
    }),
  ),
  rule: `For each protocol that both were trained on, four figures: each is as published if the 95 % interval of our mean lies within the published mean ± 2 standard deviations (what follows the ± of the table is taken as a standard deviation; the post does not say), and is not if it lies outside. A protocol needs all four. ${commonRule(on)}`,
  on,
  commands,
  further,
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
    return {
      verdict,
      ours: valuesOn(comparisons, on),
      n: countText(comparisons, on),
      sentence: outcomesText(comparisons, verdict),
      cells: cellsOf(rows),
      comparisons,
    };
  },
};

/** A claim on a ratio, whose effect may be larger still: `beyond`; what a ratio above and below 1 means is `directions`. */
function ratioClaim(
  claim: Omit<Claim, 'measure' | 'commands' | 'further' | 'on'>,
  ratio: RatioOfLosses,
  beyond: Region,
  directions: Readonly<Record<'above' | 'below', string>>,
): Claim {
  return {
    ...claim,
    on,
    commands,
    further,
    measure({ rows }) {
      const comparisons = protocolsWith(rows, both).map((protocol) => lossRatio(rows, protocol, ratio));
      const larger = comparisons.filter(({ interval, n }) => judge(interval, beyond, n) === 'holds');
      const verdict = verdictOf(comparisons, on, missing);
      const isLarger = larger.some(({ protocol }) => protocol === on);
      const caveat = isLarger ? 'by more than claimed' : directionText(comparisons, on, directions);
      return {
        verdict,
        ours: valuesOn(comparisons, on),
        n: countText(comparisons, on),
        ...(caveat !== undefined && { caveat }),
        sentence: `${outcomesText(comparisons, verdict)}${
          larger.length > 0
            ? ` The effect is larger than claimed on ${listOf(larger.map(({ protocol }) => protocol))}.`
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
    published: [{ name: '', value: '0.61 (0.0672 / 0.1102)' }],
    rule: `The ratio of the mean final test losses, PAP / ReLU, with its 95 % interval (${jackknifeText}): it holds where the whole interval is at most 0.72 (0.6 and a fifth more; where it is at most 0.48 the effect is larger than claimed, which is said, and holds too), and does not where it is above. Dead runs of finite loss are included; the ratio without them stands beside. ${commonRule(on)}`,
  },
  { what: 'mean loss', statistic: mean, top: 'pap', bottom: 'relu', claimed: { to: 0.72 } },
  { to: 0.48 },
  { above: 'the loss of PAP is greater', below: 'the loss of PAP is smaller' },
);

export const consistency: Claim = ratioClaim(
  {
    id: 'consistency',
    claimed: "The standard deviation of PAP's test loss is 3 to 4 times smaller than that of ReLU's.",
    published: [{ name: '', value: '3.5 (0.0078 / 0.0022)' }],
    rule: `The ratio of the standard deviations of the final test losses, ReLU / PAP, with its 95 % interval (${jackknifeText}): it holds where the whole interval is at least 2.5 (3 less a sixth; where it is at least 4.8 the effect is larger than claimed, which is said, and holds too), and does not where it is below. The test for unequal spread is Brown and Forsythe's. Dead runs of finite loss are included; the ratio without them stands beside. ${commonRule(on)}`,
  },
  { what: 'sd of the loss', statistic: standardDeviation, top: 'relu', bottom: 'pap', claimed: { from: 2.5 } },
  { from: 4.8 },
  { above: 'the spread of PAP is smaller', below: 'the spread of PAP is greater' },
);
