import type { Interval } from '../statistics.ts';
import type { Comparison, Outcome, Verdict } from './claim.ts';
import { placesOf } from './claim.ts';

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

/** `depth (pap): 0.612 (0.580 to 0.650); …`, what was measured where. */
export function valuesText(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return '–';
  return comparisons.map(({ where, value, interval }) => `${where}: ${withInterval(value, interval)}`).join('; ');
}

export function verdictText(verdict: Verdict): string {
  if ('missing' in verdict) return `${verdict.kind} (${verdict.missing})`;
  return verdict.kind === 'holds only where' ? `holds only where: ${listOf(verdict.where)}` : verdict.kind;
}

/** `It holds for a, b; it does not hold for c; d is open.` */
export function outcomesText(comparisons: readonly Comparison[]): string {
  const parts = (
    [
      ['holds', 'it holds for'],
      ['does not hold', 'it does not hold for'],
      ['open', 'open:'],
    ] as const satisfies readonly (readonly [Outcome, string])[]
  ).flatMap(([outcome, words]) => {
    const places = placesOf(comparisons, outcome);
    return places.length > 0 ? [`${words} ${listOf(places)}`] : [];
  });
  const text = parts.join('; ');
  return text === '' ? 'There are no trials of it.' : `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** Names after commas; of the learning-rate map only the rates. */
export function listOf(places: readonly string[]): string {
  const rates = places.flatMap((place) => /^batch-128\/rate-(.*)$/.exec(place)?.[1] ?? []);
  const others = places.filter((place) => !place.startsWith('batch-128/rate-'));
  return [...others, ...(rates.length > 0 ? [`batch-128 at ${rates.join(', ')}`] : [])].join(', ');
}
