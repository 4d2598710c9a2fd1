import { isOfMap, mapName, rates } from '../protocols.ts';
import type { Interval } from '../statistics.ts';
import {
  type Comparison,
  type Decided,
  directionOf,
  type NamedValue,
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

/** How values of a quantity are written: accuracies as they were published, with four decimals. */
export function formatOf(quantity: string): (value: number) => string {
  return quantity.includes('accuracy') ? (value) => (Number.isFinite(value) ? value.toFixed(4) : '–') : figure;
}

/** `0.612 (0.580 to 0.650)`. */
export function withInterval(
  value: number,
  interval: Interval | undefined,
  format: (value: number) => string = figure,
): string {
  return interval ? `${format(value)} (${format(interval[0])} to ${format(interval[1])})` : format(value);
}

/** `45 s`, `29 min`, `4.4 h`. */
export function timeText(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 100 ? `${Math.ceil(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}

/** `p = 0.012`, or `p < 0.0001`. */
export function pText(p: number | undefined): string {
  return p === undefined ? 'no p' : p < 1e-4 ? 'p < 0.0001' : `p = ${p.toPrecision(2)}`;
}

/** What came on the protocol that decides; parts of one measure, `depth (a / b)`, stand under its name. */
export function valuesOn(comparisons: readonly Comparison[], on: string): NamedValue[] {
  const own = ofProtocol(comparisons, on).map(({ part, what, value, interval }) => ({
    ...measureAndWhat(part ?? what),
    value: withInterval(value, interval, formatOf(what)),
  }));
  return [...new Set(own.map(({ measure }) => measure))].flatMap((measure) => {
    const of = own.filter((each) => each.measure === measure);
    return of.length === 1
      ? of.map(({ what, value }) => ({ name: what === undefined ? measure : `${measure} (${what})`, value }))
      : [{ name: `${measure}:`, value: '' }, ...of.map(({ what = '', value }) => ({ name: what, value }))];
  });
}

/** `10 + 10`, the least values of a figure on the protocol that decides. */
export function countText(comparisons: readonly Comparison[], on: string): string {
  const counts = ofProtocol(comparisons, on).map(({ n }) => n);
  const [least] = counts.toSorted((a, b) => Math.min(...a) - Math.min(...b));
  return least ? least.join(' + ') : '0';
}

/** `but PAP takes longer`: the direction of a ratio, where its size alone is open on the protocol that decides. */
export function directionText(
  comparisons: readonly Comparison[],
  on: string,
  words: Readonly<Record<'above' | 'below', string>>,
): string | undefined {
  const [direction] = ofProtocol(comparisons, on).map(directionOf);
  return direction && `but ${words[direction]} (the whole interval lies ${direction} 1)`;
}

/** `does not hold on author-2016`, `decided in part on small: holds for a; open: b`: on the protocol that decides. */
export function verdictText(verdict: Verdict, caveat?: string): string {
  return `${judgementText(verdict)}${caveat ? `, ${caveat}` : ''}`;
}

function judgementText(verdict: Verdict): string {
  const { on } = verdict;
  switch (verdict.kind) {
    case 'holds only where':
      return `holds on ${on} only for ${partList(verdict.where)}`;
    case 'decided in part': {
      const { holds, fails, open } = verdict;
      const said = (words: string, parts: readonly string[], ...others: readonly (readonly string[])[]) =>
        parts.length > 0 ? [`${words} ${partList(parts, others.flat())}`] : [];
      return `decided in part on ${on}: ${[
        ...said('holds for', holds, fails, open),
        ...said('does not hold for', fails, holds, open),
        ...said('open:', open, holds, fails),
      ].join('; ')}`;
    }
    default:
      return `${verdict.kind.replace(' yet', '')} on ${on}`;
  }
}

/** `holds: small`, `does not hold: iters-94`: what is decided on other protocols, a line for each outcome. */
export function elsewhereLines({ elsewhere }: Verdict): string[] {
  return (
    [
      ['holds', 'holds'],
      ['holds only where', 'holds for some parts'],
      ['decided in part', 'decided in part'],
      ['does not hold', 'does not hold'],
    ] as const satisfies readonly (readonly [Decided, string])[]
  ).flatMap(([kind, words]) => (elsewhere[kind].length > 0 ? [`${words}: ${listOf(elsewhere[kind])}`] : []));
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

const outcomes: readonly Outcome[] = ['holds', 'does not hold', 'open'];

/** `it holds for a, b; it does not hold for c; it is open for d`. */
function partsText(comparisons: readonly Comparison[], needed: readonly string[]): string {
  const found = partsOf(comparisons, needed);
  const others = (outcome: Outcome) => outcomes.filter((each) => each !== outcome).flatMap((each) => found[each]);
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
      return [parts[0] === '' ? words : `${words} for ${partList(parts, others(outcome))}`];
    })
    .join('; ');
}

/** Names of parts after commas: of `a (x)` and `a (y)`, `a (x, y)`, or `a` alone if no part of it is among `others`. */
function partList(parts: readonly string[], others: readonly string[] = parts): string {
  const split = parts.map(measureAndWhat);
  const elsewhere = others.map((part) => measureAndWhat(part).measure);
  return [...new Set(split.map(({ measure }) => measure))]
    .map((measure) => {
      const of = split.flatMap((each) => (each.measure === measure && each.what !== undefined ? [each.what] : []));
      const isWhole = of.length > 1 && !elsewhere.includes(measure);
      return of.length > 0 && !isWhole ? `${measure} (${of.join(', ')})` : measure;
    })
    .join(', ');
}

/** Of `gradient (a / b)` its two halves. */
function measureAndWhat(part: string): { measure: string; what?: string } {
  const [, measure, what] = /^(.*) \((.*)\)$/.exec(part) ?? [];
  return measure === undefined ? { measure: part } : { measure, what };
}

/** Names after commas; of the learning-rate map only the rates. */
export function listOf(places: readonly string[]): string {
  const ofMap = places.filter(isOfMap).map((place) => place.replace(/^.*rate-/, ''));
  const others = places.filter((place) => !isOfMap(place));
  const at = ofMap.length === rates.length ? 'every rate' : ofMap.join(', ');
  return [...others, ...(ofMap.length > 0 ? [`${mapName} at ${at}`] : [])].join(', ');
}
