import { figure } from '../claims/words.ts';
import { median } from '../statistics.ts';
import type { Row } from '../trial.ts';
import { type Block, heading, text } from './block.ts';
import type { Measured } from './evidence.ts';
import { progressOf } from './plan.ts';

/** The trials that the claims still lack, and how long they take. */
export function remainingSection({ rows, networks, gradients }: Measured): Block[] {
  const seconds = secondsOf([...rows, ...networks, ...gradients]);
  const lines = progressOf([...rows, ...networks, ...gradients]).map(({ command, lines }) => {
    const [asked, done] = [lines, lines].map((of, k) =>
      of.reduce((sum, line) => sum + (k === 0 ? line.asked : line.done), 0),
    );
    const left = lines.map((line) => (line.asked - line.done) * (seconds.get(nameOf(line)) ?? Number.NaN));
    const hours = left.reduce((sum, value) => sum + value, 0) / 3600;
    const isKnown = Number.isFinite(hours);
    return [
      `\`${command}\``,
      `${done} of ${asked}`,
      asked === done ? '' : isKnown ? `${figure(hours)} h` : 'not known yet',
    ];
  });
  return [
    heading(2, 'What is left'),
    text(
      'Each command goes on where its rows end; the time is that of one core, from the median trial of the same protocol and activation. `npx poolproof reproduce status` prints the same of the rows on this machine.',
    ),
    { kind: 'table', head: ['command', 'trials', 'left'], rows: lines },
  ];
}

/** Median seconds of a trial, by protocol and activation. */
function secondsOf(rows: readonly Row[]): ReadonlyMap<string, number> {
  const found = new Map<string, number[]>();
  for (const row of rows) found.set(nameOf(row), [...(found.get(nameOf(row)) ?? []), row.seconds]);
  return new Map([...found].map(([name, values]) => [name, median(values)]));
}

function nameOf({ protocol, activation }: { protocol: string; activation: string }): string {
  return `${protocol} ${activation}`;
}
