/** A part of a report, which is written as Markdown and as HTML. In texts `code` and [links](#to-a-heading) are marked up. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  /** A numbered list. */
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly TableCell[])[];
    }
  /** What is folded away under a line that says what it is. */
  | { readonly kind: 'folded'; readonly summary: string; readonly blocks: readonly Block[] }
  | { readonly kind: 'figure'; readonly figure: Figure }
  | { readonly kind: 'commands'; readonly lines: readonly string[] };

/** What stands in a table: a text, or several lines. */
export type TableCell = string | readonly string[];

/** A picture: one `<svg>` that draws in `currentColor` on nothing. */
export interface Figure {
  /** Of its file, without `.svg`. */
  readonly name: string;
  readonly svg: string;
  /** What is seen, and by what rule it was chosen. */
  readonly caption: string;
}

/** The same, never broken between lines: of a figure with its interval. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00a0');
}

/** The lines of a cell. */
export function linesOf(cell: TableCell): readonly string[] {
  return typeof cell === 'string' ? [cell] : cell;
}

export function heading(level: 1 | 2 | 3, text: string): Block {
  return { kind: 'heading', level, text };
}

export function text(...sentences: readonly string[]): Block {
  return { kind: 'text', text: sentences.filter((sentence) => sentence !== '').join(' ') };
}

/** Plain text, code or a link. */
export type Span =
  | { readonly kind: 'plain' | 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly to: string };

export function folded(summary: string, ...blocks: readonly Block[]): Block[] {
  return blocks.length === 0 ? [] : [{ kind: 'folded', summary, blocks }];
}

/** The spans of a text. */
export function spansOf(text: string): Span[] {
  return text.split(/(`[^`]*`|\[[^\][]*\]\(#[a-z0-9-]+\))/).flatMap((part, k): Span[] => {
    if (k % 2 === 0) return part === '' ? [] : [{ kind: 'plain', text: part }];
    if (part.startsWith('`')) return [{ kind: 'code', text: part.slice(1, -1) }];
    const [, label, to] = /^\[(.*)\]\(#(.*)\)$/.exec(part)!;
    return [{ kind: 'link', text: label, to: to }];
  });
}

/** The anchor of a heading, as GitHub makes it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
