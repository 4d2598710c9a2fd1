import { author2016, isOfMap, mapName } from '../protocols.ts';
import { median, medianInterval } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Claim, type Comparison, commonRule, judge, type StepRatio, verdictOf } from './claim.ts';
import { cellOf, pairsOf, protocolsWith, runsOf } from './runs.ts';
import { countText, directionText, figure, outcomesText, valuesOn } from './words.ts';

const on = author2016.name;
const claimed = { from: 1.05, to: 1.15 };

/** The ratios of the times of an update, PAP / ReLU, pair by pair. A step knows nothing of its rate: the map is one place. */
export function stepTimes(rows: readonly TrialRow[]): { where: string; ratios: number[] }[] {
  const placeOf = (protocol: string) => (isOfMap(protocol) ? `${mapName}, all rates` : protocol);
  const shared = protocolsWith(rows, ['relu', 'pap']);
  return [...new Set(shared.map(placeOf))].flatMap((where) => {
    const pairs = shared
      .filter((protocol) => placeOf(protocol) === where)
      .flatMap((protocol) => pairsOf(runsOf(rows, protocol, 'pap'), runsOf(rows, protocol, 'relu')));
    return pairs.length > 0 ? [{ where, ratios: pairs.map(([pap, relu]) => pap.stepMs / relu.stepMs) }] : [];
  });
}

/** ` … the benchmark … measures with a batch of 32 wasm 0.976, …`, or nothing. */
function benchmarkText(stepRatios: readonly StepRatio[]): string {
  const found = stepRatios.flatMap(({ batch, what, ratio }) => {
    const [, backend] = /^(\S+) pap \/ \1 relu$/.exec(what) ?? [];
    return backend === undefined ? [] : [{ batch, said: `${backend} ${figure(ratio)}` }];
  });
  if (found.length === 0) return '';
  const batches = [...new Set(found.map(({ batch }) => batch))].map((batch) => {
    const own = found.filter((each) => each.batch === batch).map(({ said }) => said);
    return `with batches of ${batch} ${own.join(', ')}`;
  });
  return ` Trials run side by side under changing load; the benchmark, where the two take turns step by step, measures ${batches.join('; ')}.`;
}

export const trainingTime: Claim = {
  id: 'training-time',
  claimed: 'Training with PAP takes about 10 % longer than with ReLU.',
  published: [{ name: '', value: '1.10' }],
  rule: `The time of an update is the median of those of an epoch, in the epoch of the trial where it is least. Of its ratios, PAP / ReLU, over pairs of trials with the same protocol, seed and backend: the median with its 95 % interval by the sign test, from the k-th lowest to the k-th highest of the ratios, which at least six are needed for. An update does not depend on the learning rate: the learning-rate map is one place. It holds where the whole interval lies in 1.05 to 1.15, and does not where it lies outside, below as above. ${commonRule(on)}`,
  on,
  commands: ['npx poolproof reproduce mnist'],
  further: [
    'npx poolproof reproduce mnist --protocol small/one-layer',
    'npx poolproof reproduce learning-rate --activation relu,pap',
    'npm run bench',
  ],
  measure({ rows, stepRatios }) {
    const comparisons = stepTimes(rows).map(({ where, ratios }): Comparison => {
      const interval = medianInterval(ratios);
      const n = [ratios.length];
      const outcome = judge(interval, claimed, n);
      return {
        protocol: where,
        what: 'time of an update, pap / relu',
        n,
        value: median(ratios),
        interval,
        claimed,
        tests: [],
        outcome,
      };
    });
    const verdict = verdictOf(comparisons, on, 'pairs of trials of relu and pap, five of them');
    const caveat = directionText(comparisons, on, { above: 'PAP takes longer', below: 'PAP takes less time' });
    return {
      verdict,
      ours: valuesOn(comparisons, on),
      n: `${countText(comparisons, on)} pairs`,
      ...(caveat !== undefined && { caveat }),
      sentence: `${outcomesText(comparisons, verdict)}${benchmarkText(stepRatios)}`,
      cells: protocolsWith(rows, ['relu', 'pap']).flatMap((protocol) =>
        ['relu', 'pap'].map((name) => cellOf(runsOf(rows, protocol, name), 'ms an update', ({ stepMs }) => stepMs)),
      ),
      comparisons,
    };
  },
};
