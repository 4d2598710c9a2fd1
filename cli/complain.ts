import { columns, wrapped } from '../properties/wrapped.ts';

const longest = 10;

/**
 * What went wrong: in lines of 80 columns for a terminal, else line by line, to be searched and filtered. Cut where it is
 * long, since messages of others, such as what a function threw, have no bound.
 */
export function complaint(text: string, isTerminal: boolean = process.stderr.isTTY === true): string {
  const lines = text
    .trimEnd()
    .split('\n')
    .flatMap(isTerminal ? wrapped : cut);
  const more = lines.length - longest;
  return `${(more > 0 ? [...lines.slice(0, longest), `… and ${more} more lines`] : lines).join('\n')}\n`;
}

function cut(line: string): string {
  const most = longest * columns;
  return line.length <= most ? line : `${line.slice(0, most)}… and ${line.length - most} more characters`;
}

/** Says on stderr what went wrong. */
export function complain(text: string): void {
  process.stderr.write(complaint(text));
}
