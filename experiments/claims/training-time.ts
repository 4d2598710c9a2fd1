import { bootstrap, median } from '../statistics.ts';
import { type Claim, type Comparison, commonRule, judge, verdictOf } from './claim.ts';
import { cellOf, pairsOf, protocolsWith, runsOf } from './runs.ts';
import { figure, outcomesText, withInterval } from './words.ts';

const claimed = { from: 1.05, to: 1.15 };

export const trainingTime: Claim = {
  id: 'training-time',
  claimed: 'Training with PAP takes about 10 % longer than with ReLU.',
  published: '1.10',
  rule: `The median time of an update, PAP / ReLU, over pairs of trials with the same protocol, seed and backend: the median ratio with its 95 % percentile bootstrap interval. It holds where the whole interval lies in 1.05 to 1.15, and does not where it lies outside, below as above. ${commonRule}`,
  commands: ['npx poolproof reproduce mnist --protocol author-2016', 'npm run bench'],
  measure({ rows, stepRatios }) {
    const comparisons = protocolsWith(rows, ['relu', 'pap']).flatMap((protocol): Comparison[] => {
      const pairs = pairsOf(runsOf(rows, protocol, 'pap'), runsOf(rows, protocol, 'relu'));
      if (pairs.length === 0) return [];
      const ratios = pairs.map(([pap, relu]) => pap.stepMs / relu.stepMs);
      const interval = bootstrap(`step/${protocol}`, median, ratios);
      const n = [ratios.length];
      const outcome = judge(interval, claimed, n);
      return [
        { where: protocol, what: 'step, pap / relu', n, value: median(ratios), interval, claimed, tests: [], outcome },
      ];
    });
    const first = comparisons.find(({ outcome }) => outcome !== 'open') ?? comparisons[0];
    const interleaved = stepRatios
      .filter(({ what }) => what.endsWith('relu') && what.includes(' pap /'))
      .map(({ batch, what, ratio }) => `${figure(ratio)} (${what}, batch ${batch})`);
    return {
      verdict: verdictOf(comparisons, 'pairs of trials of relu and pap, five on one protocol'),
      ours: first ? `${first.where}: ${withInterval(first.value, first.interval)}` : '–',
      n: first ? `${first.n[0]} pairs` : '0',
      sentence: `${outcomesText(comparisons)}${
        interleaved.length > 0
          ? ` Trials run side by side under changing load; the benchmark, where the two take turns step by step, measures ${interleaved.join(', ')}.`
          : ''
      }`,
      cells: protocolsWith(rows, ['relu', 'pap']).flatMap((protocol) =>
        ['relu', 'pap'].map((name) => cellOf(runsOf(rows, protocol, name), 'ms an update', ({ stepMs }) => stepMs)),
      ),
      comparisons,
    };
  },
};
