/** Columns of text: the first flush left, the others flush right, `gap` spaces apart. */
export function table(rows: readonly (readonly string[])[], gap = 2): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])))
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

/** Text of others, which a terminal must not obey: control characters, reversals and what else is not seen as `\u001b`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}

/** `0.4s`, `12.3s`, `345s`. */
export function seconds(milliseconds: number): string {
  const s = milliseconds / 1000;
  return `${s < 99.95 ? s.toFixed(1) : s.toFixed(0)}s`;
}

/** `1000`, `100k`: a count in five columns. */
export function count(n: number): string {
  return n < 100_000 ? String(n) : n < 99_999_500 ? `${Math.round(n / 1000)}k` : `${Math.round(n / 1e6)}M`;
}

/** `1.2 %`, `0.004 %`. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '-';
  const share = (100 * part) / whole;
  return `${share === 0 ? '0' : share < 0.1 ? share.toPrecision(1) : share.toFixed(1)} %`;
}
