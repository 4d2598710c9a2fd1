import { isOfMap, mapName } from '../protocols.ts';
import type { Interval } from '../statistics.ts';
import {
  type Comparison,
  type Decided,
  type Outcome,
  ofProtocol,
  type PartsNeeded,
  partsOf,
  protocolsOf,
  type Verdict,
} from './claim.ts';

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
  const others = (
    [
      ['holds', 'it holds on'],
      ['holds only where', 'it holds for some parts only on'],
      ['decided in part', 'it is decided in part on'],
      ['does not hold', 'it does not hold on'],
    ] as const satisfies readonly (readonly [Decided, string])[]
  ).flatMap(([kind, words]) => {
    const protocols = verdict.elsewhere[kind];
    return protocols.length > 0 ? [`${words} ${listOf(protocols)}`] : [];
  });
  return [
    `${ownText(verdict)}${caveat ? `, ${caveat}` : ''}`,
    ...(others.length > 0 ? [`elsewhere ${others.join(', ')}`] : []),
  ].join('; ');
}

/** `holds on small only for a`, `decided in part on small: holds for a; open: b`. */
function ownText(verdict: Verdict): string {
  const { on } = verdict;
  switch (verdict.kind) {
    case 'holds only where':
      return `holds on ${on} only for ${partList(verdict.where)}`;
    case 'decided in part': {
      const { holds, fails, open } = verdict;
      return `decided in part on ${on}: ${[
        ...(holds.length > 0 ? [`holds for ${partList(holds)}`] : []),
        ...(fails.length > 0 ? [`does not hold for ${partList(fails)}`] : []),
        `open: ${partList(open)}`,
      ].join('; ')}`;
    }
    default:
      return `${verdict.kind.replace(' yet', '')} on ${on}`;
  }
}

/** `On small it holds. On small/one-layer it holds for a; it does not hold for b; open: c.` */
export function outcomesText(
  comparisons: readonly Comparison[],
  verdict: Verdict,
  needed: PartsNeeded = () => [],
): string {
  if (comparisons.length === 0) return 'There are no trials of it.';
  const said = protocolsOf(comparisons)
    .toSorted((a, b) => Number(b === verdict.on) - Number(a === verdict.on))
    .map((protocol) => ({ protocol, words: partsText(ofProtocol(comparisons, protocol), needed(protocol)) }));
  const groups = [...new Set(said.map(({ words }) => words))].map((words) => {
    const places = said.filter((each) => each.words === words).map(({ protocol }) => protocol);
    return `On ${listOf(places)} ${words}.`;
  });
  const why = 'missing' in verdict ? [`What ${verdict.on} lacks: ${verdict.missing}.`] : [];
  return [...why, ...groups].join(' ');
}

/** `it holds for a, b; it does not hold for c; it is open for d`. */
function partsText(comparisons: readonly Comparison[], needed: readonly string[]): string {
  const found = partsOf(comparisons, needed);
  return (
    [
      ['holds', 'it holds'],
      ['does not hold', 'it does not hold'],
      ['open', 'it is open'],
    ] as const satisfies readonly (readonly [Outcome, string])[]
  )
    .flatMap(([outcome, words]) => {
      const parts = found[outcome];
      if (parts.length === 0) return [];
      return [parts[0] === '' ? words : `${words} for ${partList(parts)}`];
    })
    .join('; ');
}

/** Names of parts after commas: of `a (x)` and `a (y)`, `a (x, y)`. */
function partList(parts: readonly string[]): string {
  const split = parts.map((part) => /^(.*) \((.*)\)$/.exec(part)?.slice(1) ?? [part]);
  return [...new Set(split.map(([measure]) => measure))]
    .map((measure) => {
      const of = split.flatMap(([name, what]) => (name === measure && what !== undefined ? [what] : []));
      return of.length > 0 ? `${measure} (${of.join(', ')})` : measure;
    })
    .join(', ');
}

/** Names after commas; of the learning-rate map only the rates. */
export function listOf(places: readonly string[]): string {
  const rates = places.filter(isOfMap).map((place) => place.replace(/^.*rate-/, ''));
  const others = places.filter((place) => !isOfMap(place));
  return [...others, ...(rates.length > 0 ? [`${mapName} at ${rates.join(', ')}`] : [])].join(', ');
}
