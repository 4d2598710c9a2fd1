import { isOfMap, rates } from '../protocols.ts';
import { clusterMeans, geometricMean, jackknifeRatio, mean, welch } from '../statistics.ts';
import { type Claim, type Comparison, commonRule, enough, jackknifeText, judge, verdictOf } from './claim.ts';
import { atMapRate } from './high-lr.ts';
import { accuracyOf, cellOf, isDead, lossOf, pairsOf, protocolsWith, runsOf } from './runs.ts';
import { countText, outcomesText, pText, valuesText } from './words.ts';

const both = ['pap', 'pap-layer'] as const;
const on = 'small';
const claimed = { to: 1 };

export const sharing: Claim = {
  id: 'sharing',
  claimed:
    'Open question of the post, judged as: one alpha for each unit gives a lower test loss than one for the layer.',
  published: 'none',
  rule: `The ratio of the mean final test losses, one alpha a unit / one a layer, with its 95 % interval (${jackknifeText}), on each protocol outside of the learning-rate map; over the map, the geometric mean of the ratio within pairs of one rate and seed of which both live, averaged first over the rates of each seed, since a seed starts every rate with the same weights, with Student's 95 % interval of the logarithm over the seeds. It holds where the whole interval is at most 1, and does not where it is above. A channel exists in the convnet only, where it is the only sharing that was trained: it is not compared. ${commonRule(`${on}, since the post publishes no figure of it, and there are most trials`)}`,
  on,
  commands: ['npx poolproof reproduce sharing', 'npx poolproof reproduce learning-rate --activation pap,pap-layer'],
  measure({ rows }) {
    const single = protocolsWith(rows, both)
      .filter((protocol) => !isOfMap(protocol))
      .map((protocol): Comparison => {
        const runs = both.map((name) => runsOf(rows, protocol, name));
        const [unit, layer] = runs.map((found) => found.map(lossOf).filter(Number.isFinite)) as [number[], number[]];
        const interval = jackknifeRatio(mean, unit, layer);
        const n = [unit.length, layer.length];
        const living = runs.map((found) => mean(found.filter((row) => !isDead(row)).map(lossOf)));
        return {
          protocol,
          what: 'mean loss, pap / pap-layer',
          n,
          value: mean(unit) / mean(layer),
          interval,
          ...(runs.flat().some(isDead) && { alive: living[0] / living[1] }),
          claimed,
          tests: [{ name: 'Welch', p: welch(unit, layer) }],
          outcome: judge(interval, claimed, n),
        };
      });
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
    const comparisons = [...single, ...map];
    const verdict = verdictOf(comparisons, on, 'trials of pap and pap-layer, five of each');
    const [unit, layer] = both.map((name) => runsOf(rows, on, name).map(accuracyOf)) as [number[], number[]];
    const isOther = unit.length >= enough && layer.length >= enough && mean(unit) < mean(layer);
    const ofMap = both.map((name) => rates.flatMap((rate) => runsOf(rows, atMapRate(rate), name)));
    const [deadUnit, deadLayer] = ofMap.map((runs) => `${runs.filter(isDead).length} of ${runs.length}`);
    return {
      verdict,
      ours: valuesText(comparisons, on),
      n: countText(comparisons, on),
      ...(isOther && { caveat: 'by the loss; by the accuracy the layer is better' }),
      sentence: [
        outcomesText(comparisons, verdict),
        isOther
          ? ` The accuracy says the opposite on ${on}: ${mean(unit).toFixed(4)} for pap, ${mean(layer).toFixed(4)} for pap-layer (Welch ${pText(welch(unit, layer))}).`
          : '',
        ofMap.some(({ length }) => length > 0)
          ? ` In the learning-rate map ${deadUnit} runs of pap die, and ${deadLayer} of pap-layer; the figure of the map is of pairs of which both live.`
          : '',
        ' Sharing by channel is not compared.',
      ].join(''),
      cells: protocolsWith(rows, both).flatMap((protocol) =>
        both.flatMap((name) => {
          const runs = runsOf(rows, protocol, name);
          return [cellOf(runs, 'test loss', lossOf), cellOf(runs, 'test accuracy', accuracyOf)];
        }),
      ),
      comparisons,
    };
  },
};
