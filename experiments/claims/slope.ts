import { protocols } from '../protocols.ts';
import { geometricMean, mean } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Cell, type Claim, type Comparison, commonRule, judge, type MeasuredSurface, verdictOf } from './claim.ts';
import { cellOf, isDead, pairsOf, protocolsWith, runsOf } from './runs.ts';
import { measureOf, sameWeights, surfaceCells } from './surfaces.ts';
import { outcomesText, valuesText } from './words.ts';

const smaller = { to: 1 };
const order = [
  ['mrelu-0.8', 'relu'],
  ['mrelu-0.5', 'relu'],
  ['mrelu-0.5', 'mrelu-0.8'],
] as const;
const compared = ['relu', 'mrelu-0.8', 'mrelu-0.5'] as const;

/** `‖dL/dW‖₂` over the weights of all layers together, at the start. */
export function gradientOf({ gradients }: TrialRow): number {
  return Math.hypot(...gradients);
}

/** Mean `|l[k − 1] − 2·l[k] + l[k + 1]|` of the test loss over the epochs; NaN for fewer than three finite ones. */
export function roughnessOf({ epochs }: TrialRow): number {
  const losses = epochs.map(({ loss }) => loss ?? Number.NaN);
  const bends = losses.slice(1, -1).map((loss, k) => Math.abs(losses[k]! - 2 * loss + losses[k + 2]!));
  return bends.length > 0 ? mean(bends) : Number.NaN;
}

/** Pairs of runs of two activations, over all protocols of the registry. */
function allPairs(rows: readonly TrialRow[], a: string, b: string): [TrialRow, TrialRow][] {
  return [...protocols.keys()].flatMap((protocol) => pairsOf(runsOf(rows, protocol, a), runsOf(rows, protocol, b)));
}

function comparisonOf(what: string, a: string, b: string, ratios: readonly number[], withDead?: number): Comparison[] {
  if (ratios.length === 0) return [];
  const { mean: value, interval } = geometricMean(ratios);
  const n = [ratios.length];
  const outcome = judge(interval, smaller, n);
  const where = `${what} (${a} / ${b})`;
  return [
    {
      where,
      what: `geometric mean of the ratio`,
      n,
      value,
      interval,
      ...(withDead !== undefined && { withDead }),
      claimed: smaller,
      tests: [],
      outcome,
    },
  ];
}

const atStart = 'gradient at the start';

/** The gradient at the start knows nothing of the learning rate: rows that share it count once. */
function startRatios(pairs: readonly (readonly [TrialRow, TrialRow])[]): number[] {
  const seen = new Set<string>();
  return pairs.flatMap(([a, b]) => {
    const key = `${a.seed}/${a.gradients.join()}/${b.gradients.join()}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [gradientOf(a) / gradientOf(b)].filter((ratio) => Number.isFinite(ratio) && ratio > 0);
  });
}

function curveRatios(pairs: readonly (readonly [TrialRow, TrialRow])[]): number[] {
  return pairs.map(([a, b]) => roughnessOf(a) / roughnessOf(b)).filter((ratio) => Number.isFinite(ratio) && ratio > 0);
}

function surfaceRatios(surfaces: readonly MeasuredSurface[], a: string, b: string): number[] {
  return sameWeights(surfaces, a, b)
    .map(([x, y]) => measureOf(x, 'roughness') / measureOf(y, 'roughness'))
    .filter((ratio) => Number.isFinite(ratio) && ratio > 0);
}

export const slope: Claim = {
  id: 'slope',
  claimed:
    'More D and less P gives smaller gradients and a more gradual loss: 0.8/0.2 is a little smoother than ReLU, 0.5/0.5 much.',
  published: 'in words and pictures only',
  rule: `Three measures: the norm of dL/dW over all layers at the start; the roughness of the test loss over the epochs (mean |second difference|); the roughness of the loss surfaces over two weights (mean |second difference| in shares of the range). For each, the geometric mean of the ratio within pairs of one protocol and seed (for surfaces: one pair of weights), MReLU 0.8 / ReLU, 0.5 / ReLU and 0.5 / 0.8, with Student's 95 % interval of the logarithm: it holds where the whole interval is at most 1, and does not where it is above. The curve of a dead run is flat whatever the activation, and so is its surface: only pairs in which both runs live are judged, and the figure with dead ones stands beside. ${commonRule}`,
  commands: [
    'npx poolproof reproduce learning-rate --activation relu,mrelu-0.8,mrelu-0.5',
    'npx poolproof reproduce mnist --protocol small --activation relu,mrelu-0.8,mrelu-0.5',
    'npx poolproof reproduce landscape',
    'npx poolproof reproduce landscape --protocol convnet/no-dropout',
  ],
  measure({ rows, surfaces }) {
    const comparisons = order.flatMap(([a, b]) => {
      const pairs = allPairs(rows, a, b);
      const living = pairs.filter((pair) => !pair.some(isDead));
      const withDead = curveRatios(pairs);
      return [
        ...comparisonOf(atStart, a, b, startRatios(pairs)),
        ...comparisonOf(
          'roughness of the curve',
          a,
          b,
          curveRatios(living),
          withDead.length > living.length ? geometricMean(withDead).mean : undefined,
        ),
        ...comparisonOf('roughness of the surface', a, b, surfaceRatios(surfaces, a, b)),
      ];
    });
    return {
      verdict: verdictOf(comparisons, 'trials of relu and an MReLU with the same seeds'),
      ours: valuesText(comparisons.filter(({ where }) => where.startsWith(atStart))),
      n: comparisons.length > 0 ? `${Math.max(...comparisons.flatMap(({ n }) => n))} pairs` : '0',
      sentence: outcomesText(comparisons),
      cells: [
        ...protocolsWith(rows, ['relu', 'mrelu-0.8']).flatMap((protocol) =>
          compared.flatMap((name): Cell[] => {
            const runs = runsOf(rows, protocol, name);
            if (runs.length === 0) return [];
            return [cellOf(runs, atStart, gradientOf), cellOf(runs, 'roughness of the curve', roughnessOf)];
          }),
        ),
        ...compared.flatMap((name) => surfaceCells(surfaces, name, 'roughness')),
      ],
      comparisons,
    };
  },
};
