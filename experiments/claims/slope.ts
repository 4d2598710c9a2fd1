import { experiments } from '../experiments.ts';
import { author2016, isOfMap, mapName, protocols, reluAndMrelus } from '../protocols.ts';
import { isRegistered } from '../registry.ts';
import { clusterMeans, geometricMean, mean } from '../statistics.ts';
import type { GradientRow, TrialRow } from '../trial.ts';
import {
  type Cell,
  type Claim,
  type Comparison,
  commonRule,
  type Evidence,
  judge,
  type MeasuredSurface,
  partsLink,
  verdictOf,
} from './claim.ts';
import { cellOf, cellOfValues, isDead, pairsOf, protocolsWith, runsOf } from './runs.ts';
import { measureOf, sameWeights, surfaceCells, surfaceProtocolsOf } from './surfaces.ts';
import { countText, outcomesText, valuesOn } from './words.ts';

const on = author2016.name;
const smaller = { to: 1 };
const order = [
  ['mrelu-0.8', 'relu'],
  ['mrelu-0.5', 'relu'],
  ['mrelu-0.5', 'mrelu-0.8'],
] as const;

/** `‖dL/dW‖₂` over the weights of all layers together, at the start. */
function gradientOf({ gradients }: TrialRow | GradientRow): number {
  return Math.hypot(...gradients);
}

/** Mean `|l[k − 1] − 2·l[k] + l[k + 1]|` of the test loss over the epochs; NaN for fewer than three finite ones. */
export function roughnessOf({ epochs }: TrialRow): number {
  const losses = epochs.map(({ loss }) => loss ?? Number.NaN);
  const bends = losses.slice(1, -1).map((loss, k) => Math.abs(losses[k] - 2 * loss + losses[k + 2]));
  return bends.length > 0 ? mean(bends) : Number.NaN;
}

/** Where the gradient at the start is the same: a rate does not matter before the first update. */
function placeOf(protocol: string): string {
  const name = protocol.replace(/^gradients\//, '');
  return isOfMap(name) ? mapName : name.replace(/^author-2016\/rate-.*/, author2016.name);
}

/** The networks of which gradients at the start are known, the published one first. */
export function startPlaces({ rows, gradients }: Pick<Evidence, 'rows' | 'gradients'>): string[] {
  const present = new Set([...rows, ...gradients].filter(isRegistered).map(({ protocol }) => placeOf(protocol)));
  return [...new Set([...protocols.keys()].map(placeOf))].filter((place) => present.has(place));
}

/** The gradients at the start of an activation on such a network, by seed: trainings at several rates count once. */
export function startGradients(
  { rows, gradients }: Pick<Evidence, 'rows' | 'gradients'>,
  place: string,
  activation: string,
): ReadonlyMap<number, number> {
  const own = [...rows, ...gradients].filter(
    (row) => row.activation === activation && placeOf(row.protocol) === place && isRegistered(row),
  );
  return new Map(own.toSorted((a, b) => a.seed - b.seed).map((row) => [row.seed, gradientOf(row)]));
}

function comparisonOf(
  protocol: string,
  what: string,
  [a, b]: readonly [string, string],
  ratios: readonly number[],
  withDead?: number,
): Comparison[] {
  const known = ratios.filter((ratio) => Number.isFinite(ratio) && ratio > 0);
  if (known.length === 0) return [];
  const { mean: value, interval } = geometricMean(known);
  const n = [known.length];
  return [
    {
      protocol,
      part: partOf(what, [a, b]),
      what: 'geometric mean of the ratio',
      n,
      value,
      interval,
      ...(withDead !== undefined && { withDead }),
      claimed: smaller,
      tests: [],
      outcome: judge(interval, smaller, n),
    },
  ];
}

const atStart = 'gradient at the start';
const ofCurve = 'roughness of the curve';
const ofSurface = 'roughness of the surface';

function partOf(what: string, [a, b]: readonly [string, string]): string {
  return `${what} (${a} / ${b})`;
}

/** The gradient of each network once, the curve of each that is trained on MNIST, the surface of each on CIFAR-10. */
function needed(protocol: string): string[] {
  const measures = experiments.landscape.protocols.has(protocol)
    ? [ofSurface]
    : [...(placeOf(protocol) === protocol ? [atStart] : []), ...(protocols.has(protocol) ? [ofCurve] : [])];
  return measures.flatMap((what) => order.map((pair) => partOf(what, pair)));
}

function startComparisons(evidence: Evidence, place: string): Comparison[] {
  return order.flatMap(([a, b]) => {
    const [top, bottom] = [startGradients(evidence, place, a), startGradients(evidence, place, b)];
    const ratios = [...top].map(([seed, value]) => value / (bottom.get(seed) ?? Number.NaN));
    return comparisonOf(place, atStart, [a, b], ratios);
  });
}

function curveComparisons(rows: readonly TrialRow[], protocol: string): Comparison[] {
  const ratioOf = ([a, b]: readonly [TrialRow, TrialRow]) => roughnessOf(a) / roughnessOf(b);
  return order.flatMap(([a, b]) => {
    const pairs = pairsOf(runsOf(rows, protocol, a), runsOf(rows, protocol, b));
    const living = pairs.filter((pair) => !pair.some(isDead));
    const all = pairs.map(ratioOf).filter((ratio) => Number.isFinite(ratio) && ratio > 0);
    const withDead = all.length > living.length ? geometricMean(all).mean : undefined;
    return comparisonOf(protocol, ofCurve, [a, b], living.map(ratioOf), withDead);
  });
}

function surfaceComparisons(surfaces: readonly MeasuredSurface[], protocol: string): Comparison[] {
  const own = surfaces.filter((surface) => surface.protocol === protocol);
  return order.flatMap(([a, b]) => {
    const pairs = sameWeights(own, a, b);
    const ratios = pairs
      .map(([x, y]) => ({ cluster: x.seed, value: measureOf(x, 'roughness') / measureOf(y, 'roughness') }))
      .filter(({ value }) => Number.isFinite(value) && value > 0);
    return comparisonOf(protocol, ofSurface, [a, b], clusterMeans(ratios));
  });
}

export const slope: Claim = {
  id: 'slope',
  claimed:
    'More D and less P gives smaller gradients and a more gradual loss: 0.8/0.2 is a little smoother than ReLU, 0.5/0.5 much.',
  published: [{ name: '', value: 'in words and pictures only' }],
  rule: `Three measures: the norm of dL/dW over all layers at the start; the roughness of the test loss over the epochs (mean |second difference|); the roughness of the loss surfaces over two weights (mean |second difference| in shares of the range). For each, on each protocol, the geometric mean of the ratio within pairs of one seed, MReLU 0.8 / ReLU, 0.5 / ReLU and 0.5 / 0.8, with Student's 95 % interval of the logarithm: it holds where the whole interval is at most 1, and does not where it is above. Surfaces are paired by their weights, and the ratios of the pairs of weights of one network, which are not independent, are first averaged: n is the number of networks of each. The curve of a dead run is flat whatever the activation, and so is its surface: only pairs in which both runs live are judged, and the figure with dead ones stands beside. The parts are the three ratios of each measure, the gradient and the curve of networks on MNIST, the surface of those on CIFAR-10. ${partsLink} ${commonRule(on)}`,
  on,
  notes: [
    'No learning rate matters before the first update: the gradient at the start is judged once for each network and size of batch.',
    'A test loss that falls slowly and steadily also bends: the roughness of a curve holds descent and unrest together, and differs in direction between rates, so that each rate stands by itself.',
  ],
  commands: [
    'npx poolproof reproduce gradients',
    'npx poolproof reproduce mnist --activation relu,mrelu-0.8,mrelu-0.5',
  ],
  further: [
    'npx poolproof reproduce gradients --protocol gradients/batch-128',
    'npx poolproof reproduce learning-rate --activation relu,mrelu-0.8,mrelu-0.5',
    'npx poolproof reproduce mnist --protocol small --activation relu,mrelu-0.8,mrelu-0.5',
    'npx poolproof reproduce mnist --protocol small/one-layer --activation relu,mrelu-0.8,mrelu-0.5',
    'npx poolproof reproduce landscape',
    'npx poolproof reproduce landscape --protocol convnet/no-dropout',
  ],
  measure(evidence) {
    const { rows, surfaces } = evidence;
    const comparisons = [
      ...startPlaces(evidence).flatMap((place) => startComparisons(evidence, place)),
      ...[...protocols.keys()].flatMap((protocol) => curveComparisons(rows, protocol)),
      ...surfaceProtocolsOf(surfaces).flatMap((protocol) => surfaceComparisons(surfaces, protocol)),
    ];
    const verdict = verdictOf(comparisons, on, 'gradients of relu and of MReLUs for five seeds', { needed });
    return {
      verdict,
      ours: valuesOn(comparisons, on),
      n: `${countText(comparisons, on)} pairs`,
      sentence: outcomesText(comparisons, verdict, needed),
      cells: [
        ...startPlaces(evidence).flatMap((protocol) =>
          reluAndMrelus.flatMap((activation): Cell[] => {
            const values = [...startGradients(evidence, protocol, activation).values()];
            return values.length === 0 ? [] : [cellOfValues({ protocol, activation, quantity: atStart }, values)];
          }),
        ),
        ...protocolsWith(rows, ['relu', 'mrelu-0.8']).flatMap((protocol) =>
          reluAndMrelus.flatMap((name): Cell[] => {
            const runs = runsOf(rows, protocol, name);
            return runs.length === 0 ? [] : [cellOf(runs, ofCurve, roughnessOf)];
          }),
        ),
        ...reluAndMrelus.flatMap((name) => surfaceCells(surfaces, name, 'roughness')),
      ],
      comparisons,
    };
  },
};
