import { author2016, isOfMap, protocols } from '../protocols.ts';
import { mean, meanInterval } from '../statistics.ts';
import { quantileLevels, type TrialRow } from '../trial.ts';
import { type Claim, type Comparison, commonRule, judge, partsLink, type Region, verdictOf } from './claim.ts';
import { cellOf, runsOf } from './runs.ts';
import { countText, outcomesText, valuesOn } from './words.ts';

/** The mean over the hidden layers of a quantile of a branch's coefficients; NaN if they have none. */
export function quantileOf(branch: string, level: number): (row: TrialRow) => number {
  const k = quantileLevels.indexOf(level);
  return ({ coefficients }) =>
    coefficients.length > 0
      ? mean(coefficients.map(({ quantiles }) => quantiles[branch]?.[k] ?? Number.NaN))
      : Number.NaN;
}

const on = author2016.name;

const offShare = ({ coefficients }: TrialRow): number =>
  coefficients.length > 0 ? mean(coefficients.map(({ off }) => off)) : Number.NaN;

const parts: readonly {
  readonly name: string;
  readonly what: string;
  readonly of: (row: TrialRow) => number;
  readonly claimed: Region;
}[] = [
  { name: 'turned off', what: 'share of units with |D + P| < 0.1', of: offShare, claimed: { from: 0.05 } },
  { name: 'steep', what: '5 % quantile of D', of: quantileOf('step', 0.05), claimed: { to: 0.1 } },
  { name: 'gradual', what: '95 % quantile of D', of: quantileOf('step', 0.95), claimed: { from: 0.9 } },
];

/** The protocols of the registry, those of the learning-rate map apart, on which PAPs were trained. */
function trainedOn(rows: readonly TrialRow[]): string[] {
  return [...protocols.keys()].filter((name) => !isOfMap(name) && runsOf(rows, name, 'pap').length > 0);
}

export const pathways: Claim = {
  id: 'pathways',
  claimed:
    'Trained alphas turn pathways off (D + P → 0) and set their slope (D → 0 steep, D → 1 gradual); all start at P = D = 0.5.',
  published: [{ name: '', value: 'in words only' }],
  rule: `Three figures of the trained coefficients of PAPs of one alpha a unit, each a mean over the hidden layers, and over trials with Student's 95 % interval. Turned off: at least 5 % of the units have |D + P| < 0.1. Steep: the 5 % quantile of D is at most 0.1. Gradual: the 95 % quantile of D is at least 0.9. Each holds on a protocol where the whole interval is on that side of the bound, and does not where it is on the other. ${partsLink} ${commonRule(on)}`,
  on,
  commands: ['npx poolproof reproduce mnist --activation pap'],
  further: ['author-2016/rate-0.05', 'iters-94', 'small', 'small/one-layer'].map(
    (name) => `npx poolproof reproduce mnist --protocol ${name} --activation pap`,
  ),
  measure({ rows }) {
    const comparisons = parts.flatMap(({ name, what, of, claimed }) =>
      trainedOn(rows).flatMap((protocol): Comparison[] => {
        const values = runsOf(rows, protocol, 'pap').map(of).filter(Number.isFinite);
        if (values.length === 0) return [];
        const interval = meanInterval(values);
        const n = [values.length];
        const outcome = judge(interval, claimed, n);
        return [{ protocol, part: name, what, n, value: mean(values), interval, claimed, tests: [], outcome }];
      }),
    );
    const verdict = verdictOf(comparisons, on, 'five trials of pap');
    return {
      verdict,
      ours: valuesOn(comparisons, on),
      n: `${countText(comparisons, on)} networks`,
      sentence: outcomesText(comparisons, verdict),
      cells: trainedOn(rows).flatMap((protocol) => {
        const runs = runsOf(rows, protocol, 'pap');
        return [
          cellOf(runs, 'share of units off', offShare),
          ...(['relu', 'step', 'sum'] as const).flatMap((branch) =>
            [0.05, 0.5, 0.95].map((level) =>
              cellOf(
                runs,
                `${{ relu: 'P', step: 'D', sum: 'P + D' }[branch]}, ${100 * level} % quantile`,
                quantileOf(branch, level),
              ),
            ),
          ),
        ];
      }),
      comparisons,
    };
  },
};
