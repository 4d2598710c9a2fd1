import type { Verdict } from '../claims/claim.ts';
import { published } from '../claims/relu-and-pap.ts';
import { accuracyOf, lossOf, runsOf } from '../claims/runs.ts';
import { figure } from '../claims/words.ts';
import { atMapRate, author2016, rates } from '../protocols.ts';
import { mean } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';

const both = ['relu', 'pap'] as const;
type Name = (typeof both)[number];
const titles = { relu: 'ReLU', pap: 'PAP' } as const;

/** In plain words, a paragraph each, what was measured of PAP against ReLU, and how the claims came out. */
export function answer(
  rows: readonly TrialRow[],
  verdicts: readonly { readonly id: string; readonly verdict: Verdict }[],
): string[] {
  const sentences = [atPublishedRate(rows), atBestRates(rows), onSmall(rows)].filter((sentence) => sentence !== '');
  const asked = sentences.length > 0 ? ['Is a PAP better than ReLU?', ...sentences] : [];
  return [...(asked.length > 0 ? [asked.join(' ')] : []), outcomes(verdicts)];
}

function outcomes(verdicts: readonly { readonly id: string; readonly verdict: Verdict }[]): string {
  const parts = (
    [
      ['holds', 'holds', 'hold'],
      ['holds only where', 'holds for some parts only', 'hold for some parts only'],
      ['decided in part', 'is decided in part', 'are decided in part'],
      ['does not hold', 'does not hold', 'do not hold'],
      ['not decided yet', 'is not decided', 'are not decided'],
      ['not measured yet', 'is not measured', 'are not measured'],
    ] as const
  ).flatMap(([kind, one, several]) => {
    const ids = verdicts.flatMap(({ id, verdict }) => (verdict.kind === kind ? [id] : []));
    return ids.length > 0 ? [`${ids.length} ${ids.length === 1 ? one : several} (${ids.join(', ')})`] : [];
  });
  return `Of ${verdicts.length} claims, each on the protocol that decides it, ${parts.join(', ')}.`;
}

function meanLoss(rows: readonly TrialRow[], protocol: string, name: Name): number {
  return mean(runsOf(rows, protocol, name).map(lossOf).filter(Number.isFinite));
}

function atPublishedRate(rows: readonly TrialRow[]): string {
  const [relu, pap] = both.map((name) => meanLoss(rows, author2016.name, name)) as [number, number];
  if (!Number.isFinite(pap / relu)) return '';
  const n = both.map((name) => runsOf(rows, author2016.name, name).length);
  const [slowRelu, slowPap] = both.map((name) => meanLoss(rows, 'author-2016/rate-0.05', name)) as [number, number];
  const atHalf = Number.isFinite(slowPap / slowRelu)
    ? `; at half of that rate ${figure(slowRelu)} and ${figure(slowPap)}`
    : '';
  const { relu: thatRelu, pap: thatPap } = published;
  return `On the published network, at the published rate of ${author2016.learningRate}, the mean test loss is ${figure(relu)} with ReLU (published: ${thatRelu.loss.mean}) and ${figure(pap)} with PAP (published: ${thatPap.loss.mean}), of ${n.join(' and ')} trials${atHalf}.`;
}

/** The rate of the map at which the mean loss is least. */
function bestOf(rows: readonly TrialRow[], name: Name): string {
  const known = rates.flatMap((rate) => {
    const runs = runsOf(rows, atMapRate(rate), name);
    const loss = meanLoss(rows, atMapRate(rate), name);
    return Number.isFinite(loss) ? [{ rate, loss, accuracy: mean(runs.map(accuracyOf)), n: runs.length }] : [];
  });
  const [best] = known.toSorted((a, b) => a.loss - b.loss);
  if (!best) return '';
  const { rate, loss, accuracy, n } = best;
  return `${titles[name]} ends at a loss of ${loss.toFixed(4)} and an accuracy of ${accuracy.toFixed(4)} (rate ${rate}, n = ${n})`;
}

function atBestRates(rows: readonly TrialRow[]): string {
  const best = both.map((name) => bestOf(rows, name));
  if (best.includes('')) return '';
  return `Much of the difference is the rate: each at its own best rate of the learning-rate map, with batches of 128, ${best.join(', ')}, of too few trials to tell the two apart.`;
}

function onSmall(rows: readonly TrialRow[]): string {
  const ratio = meanLoss(rows, 'small', 'pap') / meanLoss(rows, 'small', 'relu');
  if (!Number.isFinite(ratio)) return '';
  return `On small networks with plain SGD the loss of PAP is ${ratio.toFixed(2)} times that of ReLU.`;
}
