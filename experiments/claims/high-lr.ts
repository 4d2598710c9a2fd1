import { atMapRate, mapActivations, rates, reluAndMrelus } from '../protocols.ts';
import { isRegistered } from '../registry.ts';
import { shareInterval } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import {
  type Claim,
  type Comparison,
  enough,
  type NamedValue,
  ofProtocol,
  partsLink,
  type Region,
  verdictOf,
} from './claim.ts';
import { accuracyOf, cellOf, lossOf, runsOf } from './runs.ts';
import { countText, figure, formatOf, outcomesText } from './words.ts';

/** The published network with the published batch, and the map's. */
const on = 'author-2016/rate-0.35';
const judgedOn = [on, atMapRate(0.35)];
const [, ...mrelus] = reluAndMrelus;
const needed = () => mrelus;
/** The test accuracy at which a trial learns. */
const bound = 0.9;
const learns = (row: TrialRow): boolean => accuracyOf(row) >= bound;

interface Share {
  readonly k: number;
  readonly n: number;
}

/** How many of the trials learn. */
function shareOf(rows: readonly TrialRow[], protocol: string, activation: string): Share {
  const runs = runsOf(rows, protocol, activation);
  return { n: runs.length, k: runs.filter(learns).length };
}

/** `0 of 5 (0.00 to 0.522)`, of each that there are trials of. */
function namedShares(rows: readonly TrialRow[], protocol: string): NamedValue[] {
  return reluAndMrelus.flatMap((name) => {
    const { k, n } = shareOf(rows, protocol, name);
    const interval = shareInterval(k, n);
    return interval ? [{ name: `learns, ${name}`, value: `${k} of ${n} (${interval.map(figure).join(' to ')})` }] : [];
  });
}

/** `relu 0 of 2, mrelu-0.8 2 of 2`, of those that there are any of. */
function sharesText(rows: readonly TrialRow[], protocol: string): string {
  return reluAndMrelus
    .map((name) => ({ name, ...shareOf(rows, protocol, name) }))
    .flatMap(({ name, k, n }) => (n > 0 ? [`${name} ${k} of ${n}`] : []))
    .join(', ');
}

/** The largest rate of the map at which every trial of an activation learns; undefined if there is none. */
function largestRate(rows: readonly TrialRow[], activation: string): number | undefined {
  return rates.findLast((rate) => {
    const { k, n } = shareOf(rows, atMapRate(rate), activation);
    return n > 0 && k === n;
  });
}

/** The rates of the map at which MReLUs learn and ReLU does not, however few the trials. */
function asClaimedText(rows: readonly TrialRow[]): string {
  const found = rates.map(atMapRate).filter((protocol) => {
    const isMore = ({ k, n }: Share) => n > 0 && k >= (2 / 3) * n;
    const relu = shareOf(rows, protocol, 'relu');
    return relu.n > 0 && relu.k <= relu.n / 3 && mrelus.some((name) => isMore(shareOf(rows, protocol, name)));
  });
  if (found.length === 0) return '';
  return found.map((name) => `on ${name} learn ${sharesText(rows, name)}`).join('; ');
}

/** Where the trials of the deciding protocol end: how near to the bound, and on which side. */
function accuraciesText(rows: readonly TrialRow[]): string {
  const format = formatOf('accuracy');
  const said = reluAndMrelus.flatMap((name) => {
    const found = runsOf(rows, on, name).map(accuracyOf);
    if (found.length === 0) return [];
    const [low, high] = [Math.min(...found), Math.max(...found)];
    return [
      `${name} ${format(low)} to ${format(high)}${low < bound && high >= bound ? ', on both sides of the bound' : ''}`,
    ];
  });
  return said.length > 0 ? ` Trials on ${on} end at test accuracies of ${said.join('; ')}.` : '';
}

/** Trainings on the deciding protocol that were cut short, which are rows of another protocol. */
function shortText(rows: readonly TrialRow[]): string {
  const short = rows.filter((row) => row.protocol === on && !isRegistered(row));
  if (short.length === 0) return '';
  const epochs = Math.max(...short.map(({ epochs }) => epochs.length));
  const accuracies = mapActivations.flatMap((name) => {
    const own = short.filter(({ activation }) => activation === name).toSorted((a, b) => a.seed - b.seed);
    return own.length > 0 ? [`${name} ${own.map((row) => formatOf('accuracy')(accuracyOf(row))).join(' and ')}`] : [];
  });
  return ` Trainings of ${epochs} epochs on ${on}, which are judged nowhere, ended at accuracies of ${accuracies.join(', ')}.`;
}

function comparisonsOn(rows: readonly TrialRow[], protocol: string): Comparison[] {
  const relu = shareOf(rows, protocol, 'relu');
  return mrelus.flatMap((name): Comparison[] => {
    const mrelu = shareOf(rows, protocol, name);
    if (mrelu.n === 0 || relu.n === 0) return [];
    const isFew = Math.min(mrelu.n, relu.n) < enough;
    const of = (activation: string, { k, n }: Share, claimed: Region, holds: boolean, fails: boolean): Comparison => ({
      protocol,
      part: name,
      what: `share that learns, ${activation}`,
      n: [n],
      value: k / n,
      interval: shareInterval(k, n),
      claimed,
      tests: [],
      outcome: isFew ? 'open' : holds ? 'holds' : fails ? 'does not hold' : 'open',
    });
    const [m, r] = [mrelu.k / mrelu.n, relu.k / relu.n];
    return [
      of(name, mrelu, { from: 2 / 3 }, m >= 2 / 3, m <= 1 / 3),
      of('relu', relu, { to: 1 / 3 }, r <= 1 / 3, r >= 2 / 3),
    ];
  });
}

export const highLr: Claim = {
  id: 'high-lr',
  claimed: 'With a learning rate of 0.35 an MReLU network learns where a ReLU network does not.',
  published: [{ name: '', value: 'a plot: MReLU learns at 0.35, ReLU does not' }],
  rule: `At 0.35 a trial learns if it ends at a test accuracy of ${bound} or more. For each MReLU (0.8/0.2 and 0.5/0.5), with at least ${enough} trials of it and of ReLU: it holds if at least two thirds of the MReLU trials learn and at most one third of the ReLU trials; it does not if at least two thirds of the ReLU trials learn, or at most one third of the MReLU trials; in between it is open. All trials count, dead ones too. The shares themselves are judged, whose intervals are wide: where half of all networks learn, five trials are decided by chance three times in eight. ${partsLink} Each protocol is judged by itself; the verdict is that of ${on}, the published network with its batch of 32, and what batch 128 gives is said beside it.`,
  on,
  commands: ['npx poolproof reproduce mnist --protocol author-2016/rate-0.35'],
  further: [
    'npx poolproof reproduce learning-rate',
    'npx poolproof reproduce mnist --protocol batch-128/rate-0.35 --activation relu,mrelu-0.8,mrelu-0.5 --trials 5',
  ],
  measure({ rows }) {
    const comparisons = judgedOn.flatMap((protocol) => comparisonsOn(rows, protocol));
    const present = mapActivations.filter((name) =>
      rates.some((rate) => runsOf(rows, atMapRate(rate), name).length > 0),
    );
    const largest = present.map((name) => `${name} ${largestRate(rows, name) ?? 'none'}`).join(', ');
    const verdict = verdictOf(comparisons, on, `${enough} trials each of relu and an MReLU`, { needed });
    const asClaimed = asClaimedText(rows);
    const learning = judgedOn.flatMap((protocol) => {
      const shares = sharesText(rows, protocol);
      return shares === '' ? [] : [`on ${protocol} learn ${shares}`];
    });
    return {
      verdict,
      ours: namedShares(rows, on),
      n: countText(comparisons, on),
      ...(learning.length > 0 &&
        ofProtocol(comparisons, on).length === 0 && {
          caveat: `batch 128: ${[...learning, ...(asClaimed === '' ? [] : [`but ${asClaimed}`])].join('; ')}`,
        }),
      sentence: [
        outcomesText(comparisons, verdict, needed),
        largest === '' ? '' : ` The largest rate of the map at which every trial learns: ${largest}.`,
        asClaimed === '' ? '' : ` As claimed, in trials too few to judge: ${asClaimed}.`,
        accuraciesText(rows),
        shortText(rows),
      ].join(''),
      cells: judgedOn.flatMap((protocol) =>
        mapActivations.flatMap((name) => {
          const runs = runsOf(rows, protocol, name);
          if (runs.length === 0) return [];
          return [cellOf(runs, 'test loss', lossOf), cellOf(runs, 'test accuracy', accuracyOf)];
        }),
      ),
      comparisons,
    };
  },
};
