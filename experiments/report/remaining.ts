import { timeText } from '../claims/words.ts';
import { type Block, heading, text } from './block.ts';
import { crossingsText } from './crossings.ts';
import type { Measured } from './evidence.ts';
import { progressOf } from './plan.ts';

/** The trials that the claims still lack, and how long they take. */
export function remainingSection({ rows, networks, gradients }: Measured): Block[] {
  const progress = progressOf([...rows, ...networks, ...gradients]);
  return [
    heading(2, 'What is left'),
    text(
      'Each command resumes after the rows that there are. The time is that of one core, estimated from the median trial of the same protocol and activation. `npx poolproof reproduce status` says the same of the rows on your machine.',
      crossingsText(rows),
    ),
    {
      kind: 'table',
      head: ['command', 'trials', 'left'],
      rows: progress.map(({ command, asked, done, secondsLeft }) => [
        `\`${command}\``,
        `${done} of ${asked}`,
        done === asked ? '' : leftText(secondsLeft),
      ]),
    },
  ];
}

/** `29 min`. */
export function leftText(seconds: number): string {
  return Number.isFinite(seconds) ? timeText(seconds) : 'unknown';
}
