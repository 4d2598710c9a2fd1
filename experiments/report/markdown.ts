import { type Block, linesOf, spansOf } from './block.ts';

/** The report as Markdown, its figures as files in `folder`, beside it. */
export function markdown(blocks: readonly Block[], folder: string): string {
  return `${blocks.map((block) => markdownOf(block, folder)).join('\n\n')}\n`;
}

function markdownOf(block: Block, folder: string): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${inline(block.text)}`;
    case 'text':
      return inline(block.text);
    case 'list':
      return block.items.map((item, k) => `${k + 1}. ${inline(item)}`).join('\n');
    case 'table':
      return table(
        block.head.map(inline),
        block.rows.map((cells) => cells.map((cell) => linesOf(cell).map(inline).join('<br>'))),
      );
    case 'folded':
      return `<details><summary>${inline(block.summary)}</summary>\n\n${markdown(block.blocks, folder)}\n</details>`;
    case 'figure': {
      const { name, caption } = block.figure;
      return `![${name}](${folder}/${name}.svg)\n\n*${inline(caption)}*`;
    }
    case 'commands':
      return ['```sh', ...block.lines, '```'].join('\n');
  }
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What rows say can't become markup: every character that could is escaped. */
function inline(text: string): string {
  return spansOf(text.replaceAll(/[^\S\u00a0]+/g, ' '))
    .map((span) => {
      if (span.kind === 'code') return `\`${span.text.replaceAll('|', '\\|')}\``;
      return span.kind === 'link' ? `[${escaped(span.text)}](#${span.to})` : escaped(span.text);
    })
    .join('');
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|]/g, '\\$&');
}

/** A figure as a file: on white, since a page can't say what is behind an image. */
export function svgFile(svg: string): string {
  return `${svg.replace('<svg ', '<svg style="background:#fff;color:#1f2328;--plot-background:#fff" ')}\n`;
}
