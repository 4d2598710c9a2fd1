import { wrapped } from '../properties/wrapped.ts';

/** What went wrong in lines of 80 columns: messages of others, such as what a function threw, have no bound. */
export function complaint(text: string): string {
  const lines = text.trimEnd().split('\n').flatMap(wrapped);
  const more = lines.length - longest;
  return `${(more > 0 ? [...lines.slice(0, longest), `… and ${more} more lines`] : lines).join('\n')}\n`;
}

const longest = 10;

/** Says on stderr what went wrong. */
export function complain(text: string): void {
  process.stderr.write(complaint(text));
}
