/** A table in Markdown. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Milliseconds to three digits. */
export function ms(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}
