import { type Child, htmlPage } from '../../certification/html.ts';
import { anchorOf, type Block, linesOf, spansOf, type TableCell } from './block.ts';

const css = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --text: #1f2328; --soft: #57606a; --line: #d0d7de; --code: #f6f8fa; --back: #fff; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9da7b1; --line: #3d444d; --code: #1c2129; --back: #0d1117; --link: #4493f8; } }
body { max-width: 66rem; margin: 2rem auto; padding: 0 1rem; color: var(--text); background: var(--back); }
h1 { font-size: 1.7rem; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, ol { max-width: 50rem; } ol { padding-left: 1.6rem; } li { margin: .35rem 0; }
a { color: var(--link); } td a { white-space: nowrap; }
.scroll { overflow-x: auto; margin: 1rem 0; }
@media (max-width: 40rem) { td { min-width: 4rem; } td:last-child { min-width: 12rem; } }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
code, pre { font: .85em ui-monospace, monospace; background: var(--code); border-radius: 4px; }
code { padding: .1em .3em; overflow-wrap: anywhere; } pre { padding: .7rem .9rem; overflow-x: auto; }
td code, .unbroken { white-space: nowrap; }
summary { color: var(--link); cursor: pointer; margin: .8rem 0; }
figure { margin: 1.4rem 0; overflow-x: auto; } figcaption { color: var(--soft); font-size: .87rem; max-width: 50rem; }
figure > svg { --plot-background: var(--back); min-width: 36rem; max-width: 100%; height: auto; }
`;

/** The report as one page: figures within it, light or dark as the reader's system is, without scripts. */
export function html(title: string, blocks: readonly Block[]): string {
  const { h, document, text } = htmlPage();
  const inline = (words: string): Child[] =>
    spansOf(words).map((span) => {
      if (span.kind === 'link') return h('a', { href: `#${span.to}` }, span.text);
      return span.kind === 'code' ? h('code', {}, span.text) : span.text;
    });
  const picture = (svg: string): Child => {
    const holder = document.createElement('div');
    // The figure is ours: what rows say in it was made text when it was drawn.
    holder.innerHTML = svg;
    return holder.firstElementChild ?? undefined;
  };
  // A hyphen breaks a line too, where all spaces hold it together.
  const line = (words: string): Child =>
    words.includes('\u00a0') ? h('span', { class: 'unbroken' }, inline(words)) : inline(words);
  const row = (tag: string, cells: readonly TableCell[]) =>
    h(
      'tr',
      {},
      cells.map((cell) =>
        h(
          tag,
          {},
          linesOf(cell).map((words, k) => [k > 0 ? h('br', {}) : undefined, line(words)]),
        ),
      ),
    );
  const element = (block: Block): Child => {
    switch (block.kind) {
      case 'heading':
        return h(`h${block.level}`, block.level === 2 ? { id: anchorOf(block.text) } : {}, inline(block.text));
      case 'text':
        return h('p', {}, inline(block.text));
      case 'list':
        return h(
          'ol',
          {},
          block.items.map((item) => h('li', {}, inline(item))),
        );
      case 'table':
        return h(
          'div',
          { class: 'scroll' },
          h(
            'table',
            {},
            row('th', block.head),
            block.rows.map((cells) => row('td', cells)),
          ),
        );
      case 'folded':
        return h('details', {}, h('summary', {}, inline(block.summary)), block.blocks.map(element));
      case 'figure':
        return h('figure', {}, picture(block.figure.svg), h('figcaption', {}, inline(block.figure.caption)));
      case 'commands':
        return h('pre', {}, block.lines.join('\n'));
    }
  };
  return text(title, css, blocks.map(element));
}
