/** Columns of a terminal that tables and sentences keep to; a line to paste may be longer. */
export const columns = 80;

/** A line in several that are not too long, unless one word is; those after the first are indented. */
export function wrapped(line: string): string[] {
  const lines: string[] = [];
  const indent = `${/^ */.exec(line)![0]}  `;
  let rest = line;
  while (rest.length > columns) {
    const end = rest.lastIndexOf(' ', columns);
    if (end <= indent.length) break;
    lines.push(rest.slice(0, end));
    rest = indent + rest.slice(end + 1);
  }
  return [...lines, rest];
}
