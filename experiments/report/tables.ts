import type { Cell, Comparison, Region } from '../claims/claim.ts';
import { figure, formatOf, pText, withInterval } from '../claims/words.ts';
import { type Block, text, unbroken } from './block.ts';

/** What was judged, a figure a row. */
export function comparisonTable(comparisons: readonly Comparison[]): Block[] {
  if (comparisons.length === 0) return [];
  // What is the same in every row is said once.
  const whats = new Set(comparisons.map(({ what }) => what));
  const isOne = whats.size === 1;
  const hasParts = comparisons.some(({ part }) => part !== undefined);
  const hasTests = comparisons.some(({ tests }) => tests.length > 0);
  const hasBootstrap = comparisons.some(({ bootstrap }) => bootstrap !== undefined);
  const hasDead = comparisons.some(({ alive }) => alive !== undefined);
  const hasWithDead = comparisons.some(({ withDead }) => withDead !== undefined);
  return [
    ...(isOne ? [text(`Each figure: ${[...whats][0]}.`)] : []),
    {
      kind: 'table',
      head: [
        'protocol',
        ...(hasParts ? ['part'] : []),
        ...(isOne ? [] : ['figure']),
        'n',
        'value, 95 % interval',
        ...(hasBootstrap ? ['bootstrap, not judged'] : []),
        ...(hasDead ? ['without dead runs'] : []),
        ...(hasWithDead ? ['with dead runs'] : []),
        'claimed',
        ...(hasTests ? ['tests'] : []),
        'outcome',
      ],
      rows: comparisons.map(
        ({ protocol, part, what, n, value, interval, bootstrap, alive, withDead, claimed, tests, outcome }) => [
          protocol,
          ...(hasParts ? [part ?? ''] : []),
          ...(isOne ? [] : [what]),
          unbroken(n.join(' + ')),
          unbroken(withInterval(value, interval, formatOf(what))),
          ...(hasBootstrap ? [bootstrap === undefined ? '' : unbroken(bootstrap.map(figure).join(' to '))] : []),
          ...(hasDead ? [alive === undefined ? '' : formatOf(what)(alive)] : []),
          ...(hasWithDead ? [withDead === undefined ? '' : figure(withDead)] : []),
          unbroken(regionText(claimed, formatOf(what))),
          ...(hasTests ? [tests.map(({ name, p }) => unbroken(`${name} ${pText(p)}`))] : []),
          unbroken(outcome),
        ],
      ),
    },
  ];
}

/** Every quantity that was measured, a cell a row. */
export function cellTable(cells: readonly Cell[]): Block[] {
  if (cells.length === 0) return [];
  const hasDead = cells.some(({ dead }) => dead > 0);
  return [
    {
      kind: 'table',
      head: [
        'protocol',
        'activation',
        'figure',
        'n',
        'dead',
        'excluded',
        'mean, 95 % interval',
        'sd',
        ...(hasDead ? ['mean without dead runs'] : []),
      ],
      rows: cells.map(({ protocol, activation, quantity, n, dead, excluded, mean, interval, sd, alive }) => [
        protocol,
        activation,
        quantity,
        `${n}`,
        `${dead}`,
        `${excluded}`,
        unbroken(withInterval(mean, interval, formatOf(quantity))),
        figure(sd),
        ...(hasDead ? [alive === undefined ? '' : formatOf(quantity)(alive)] : []),
      ]),
    },
  ];
}

/** `≤ 0.72`, `≥ 2.5`, `1.05 to 1.15`. */
function regionText({ from, to }: Region, format: (value: number) => string): string {
  if (from !== undefined && to !== undefined) return `${format(from)} to ${format(to)}`;
  return from === undefined ? `≤ ${format(to!)}` : `≥ ${format(from)}`;
}
