import { sharingConvnet } from '../convnet-protocol.ts';
import { atMapRate, isOfMap, rates } from '../protocols.ts';
import { clusterMeans, geometricMean, mean, welch } from '../statistics.ts';
import type { SurfaceRow } from '../trial.ts';
import {
  type Cell,
  type Claim,
  type Comparison,
  commonRule,
  enough,
  jackknifeText,
  judge,
  type PartsNeeded,
  partsLink,
  verdictOf,
} from './claim.ts';
import { lossRatio } from './loss-ratio.ts';
import { accuracyOf, cellOf, isDead, lossOf, pairsOf, protocolsWith, runsOf, type Trained } from './runs.ts';
import { countText, outcomesText, pText, valuesOn } from './words.ts';

const both = ['pap', 'pap-layer'] as const;
const on = 'small';
const claimed = { to: 1 };
const [top, bottom] = both;
const ratio = { what: 'mean loss', statistic: mean, top, bottom, claimed };

/** Each sharing of the convnet with its name there, from the finest. */
const sharings = [
  ['pap', 'a unit'],
  ['pap-channel', 'a channel'],
  ['pap-layer', 'the layer'],
] as const;

/** The finer of each two sharings against the coarser. */
const partsOfConvnet = sharings.flatMap(([top, finer], i) =>
  sharings.slice(i + 1).map(([bottom, coarser]) => ({ ...ratio, top, bottom, part: `${finer} against ${coarser}` })),
);

function onConvnet(networks: readonly SurfaceRow[]): Comparison[] {
  const { name } = sharingConvnet;
  return partsOfConvnet
    .filter(({ top, bottom }) => [top, bottom].every((each) => runsOf(networks, name, each).length > 0))
    .map(({ part, ...of }) => ({ ...lossRatio(networks, name, of), part }));
}

/** The cells of test loss and accuracy. */
function cellsOf<R extends Trained>(runs: readonly R[]): Cell[] {
  return runs.length === 0 ? [] : [cellOf(runs, 'test loss', lossOf), cellOf(runs, 'test accuracy', accuracyOf)];
}

export const sharing: Claim = {
  id: 'sharing',
  claimed:
    'Open question of the post, judged as: the fewer units share an alpha, the lower is the test loss; a unit against the layer, and in a convnet a channel too.',
  published: [{ name: '', value: 'none' }],
  rule: `The ratio of the mean final test losses, one alpha a unit / one a layer, with its 95 % interval (${jackknifeText}), the finer sharing above, on each protocol outside of the learning-rate map; over the map, the geometric mean of the ratio within pairs of one rate and seed of which both live, averaged first over the rates of each seed, since a seed starts every rate with the same weights, with Student's 95 % interval of the logarithm over the seeds. It holds where the whole interval is at most 1, and does not where it is above. In a dense layer a channel is a unit; on \`${sharingConvnet.name}\`, a convnet of its own, each two of a unit, a channel and the layer are a part. ${partsLink} ${commonRule(`${on}, since the post publishes no figure of it, and there are most trials`)}`,
  on,
  commands: ['npx poolproof reproduce sharing'],
  further: [
    'npx poolproof reproduce learning-rate --activation pap,pap-layer',
    `npx poolproof reproduce sharing --protocol ${sharingConvnet.name} --trials 10`,
  ],
  measure({ rows, networks }) {
    const single = protocolsWith(rows, both)
      .filter((protocol) => !isOfMap(protocol))
      .map((protocol) => lossRatio(rows, protocol, ratio));
    const pairs = rates
      .map(atMapRate)
      .flatMap((protocol) => pairsOf(runsOf(rows, protocol, 'pap'), runsOf(rows, protocol, 'pap-layer')));
    const living = pairs.filter((pair) => !pair.some(isDead));
    const map: Comparison[] = [];
    if (living.length > 0) {
      const ratios = clusterMeans(
        living.map(([unit, layer]) => ({ cluster: unit.seed, value: lossOf(unit) / lossOf(layer) })),
      );
      const { mean: value, interval } = geometricMean(ratios);
      const n = [ratios.length];
      const protocol = 'the learning-rate map';
      const what = `geometric mean of the ratio, of ${living.length} pairs; ${pairs.length - living.length} with a dead run are left out`;
      map.push({ protocol, what, n, value, interval, claimed, tests: [], outcome: judge(interval, claimed, n) });
    }
    const comparisons = [...single, ...map, ...onConvnet(networks)];
    const needed: PartsNeeded = (protocol) =>
      protocol === sharingConvnet.name ? partsOfConvnet.map(({ part }) => part) : [];
    const verdict = verdictOf(comparisons, on, 'trials of pap and pap-layer, five of each', { needed });
    const [unit, layer] = both.map((name) => runsOf(rows, on, name).map(accuracyOf)) as [number[], number[]];
    const isOther = unit.length >= enough && layer.length >= enough && mean(unit) < mean(layer);
    const ofMap = both.map((name) => rates.flatMap((rate) => runsOf(rows, atMapRate(rate), name)));
    const [deadUnit, deadLayer] = ofMap.map((runs) => `${runs.filter(isDead).length} of ${runs.length}`);
    return {
      verdict,
      ours: valuesOn(comparisons, on),
      n: countText(comparisons, on),
      ...(isOther && { caveat: 'by the loss; by the accuracy the layer is better' }),
      sentence: [
        outcomesText(comparisons, verdict, needed),
        isOther
          ? ` The accuracy says the opposite on ${on}: ${mean(unit).toFixed(4)} for pap, ${mean(layer).toFixed(4)} for pap-layer (Welch ${pText(welch(unit, layer))}).`
          : '',
        ofMap.some(({ length }) => length > 0)
          ? ` In the learning-rate map ${deadUnit} runs of pap die, and ${deadLayer} of pap-layer; the figure of the map is of pairs of which both live.`
          : '',
      ].join(''),
      cells: [
        ...protocolsWith(rows, both).flatMap((protocol) =>
          both.flatMap((name) => cellsOf(runsOf(rows, protocol, name))),
        ),
        ...sharings.flatMap(([name]) => cellsOf(runsOf(networks, sharingConvnet.name, name))),
      ],
      comparisons,
    };
  },
};
