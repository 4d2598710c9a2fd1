import { isOfMap, mapName } from '../protocols.ts';
import type { Interval } from '../statistics.ts';
import { type Comparison, type Outcome, ofProtocol, partsOf, protocolsOf, type Verdict } from './claim.ts';

/** Three significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e5)) return value.toExponential(2);
  return size >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

/** `0.612 (0.580 to 0.650)`. */
export function withInterval(value: number, interval: Interval | undefined): string {
  return interval ? `${figure(value)} (${figure(interval[0])} to ${figure(interval[1])})` : figure(value);
}

/** `p = 0.012`, or `p < 0.0001`. */
export function pText(p: number | undefined): string {
  return p === undefined ? 'no p' : p < 1e-4 ? 'p < 0.0001' : `p = ${p.toPrecision(2)}`;
}

/** `steep: 0.612 (0.580 to 0.650); …`, what came on the protocol that decides. */
export function valuesText(comparisons: readonly Comparison[], on: string): string {
  const own = ofProtocol(comparisons, on);
  if (own.length === 0) return '–';
  return own
    .map(({ part, value, interval }) => `${part ? `${part}: ` : ''}${withInterval(value, interval)}`)
    .join('; ');
}

/** `10 + 10`, the least values of a figure on the protocol that decides. */
export function countText(comparisons: readonly Comparison[], on: string): string {
  const counts = ofProtocol(comparisons, on).map(({ n }) => n);
  const [least] = counts.toSorted((a, b) => Math.min(...a) - Math.min(...b));
  return least ? least.join(' + ') : '0';
}

/** `does not hold on author-2016; elsewhere it holds on small`. */
export function verdictText(verdict: Verdict, caveat?: string): string {
  const { kind, on, elsewhere } = verdict;
  const own =
    kind === 'holds only where'
      ? `holds on ${on} only for ${listOf(verdict.where)}`
      : `${kind.replace(' yet', '')} on ${on}`;
  const others = [
    ...(elsewhere.holds.length > 0 ? [`it holds on ${listOf(elsewhere.holds)}`] : []),
    ...(elsewhere['holds only where'].length > 0
      ? [`it holds in part on ${listOf(elsewhere['holds only where'])}`]
      : []),
    ...(elsewhere['does not hold'].length > 0 ? [`it does not hold on ${listOf(elsewhere['does not hold'])}`] : []),
  ];
  return [
    `${own}${caveat ? `, ${caveat}` : ''}`,
    ...(others.length > 0 ? [`elsewhere ${others.join(', ')}`] : []),
  ].join('; ');
}

/** `On small it holds. On small/one-layer it holds for a; it does not hold for b; open: c.` */
export function outcomesText(comparisons: readonly Comparison[], verdict: Verdict): string {
  if (comparisons.length === 0) return 'There are no trials of it.';
  const said = protocolsOf(comparisons)
    .toSorted((a, b) => Number(b === verdict.on) - Number(a === verdict.on))
    .map((protocol) => ({ protocol, words: partsText(ofProtocol(comparisons, protocol)) }));
  const groups = [...new Set(said.map(({ words }) => words))].map((words) => {
    const places = said.filter((each) => each.words === words).map(({ protocol }) => protocol);
    return `On ${listOf(places)} ${words}.`;
  });
  const why = 'missing' in verdict ? [`What ${verdict.on} lacks: ${verdict.missing}.`] : [];
  return [...why, ...groups].join(' ');
}

/** `it holds for a, b; it does not hold for c; open: d`. */
function partsText(comparisons: readonly Comparison[]): string {
  return (
    [
      ['holds', 'it holds', ' for '],
      ['does not hold', 'it does not hold', ' for '],
      ['open', 'it is open', ': '],
    ] as const satisfies readonly (readonly [Outcome, string, string])[]
  )
    .flatMap(([outcome, words, join]) => {
      const parts = partsOf(comparisons, outcome);
      if (parts.length === 0) return [];
      return [parts[0] === '' ? words : `${words}${join}${listOf(parts)}`];
    })
    .join('; ');
}

/** Names after commas; of the learning-rate map only the rates. */
export function listOf(places: readonly string[]): string {
  const rates = places.filter(isOfMap).map((place) => place.replace(/^.*rate-/, ''));
  const others = places.filter((place) => !isOfMap(place));
  return [...others, ...(rates.length > 0 ? [`${mapName} at ${rates.join(', ')}`] : [])].join(', ');
}
