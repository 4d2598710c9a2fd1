import { type Block, spansOf } from './block.ts';

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
    case 'table':
      return [block.head, block.head.map(() => '---'), ...block.rows]
        .map((cells) => `| ${cells.map(inline).join(' | ')} |`)
        .join('\n');
    case 'figure': {
      const { name, caption } = block.figure;
      return `![${inline(caption)}](${folder}/${name}.svg)\n\n*${inline(caption)}*`;
    }
    case 'commands':
      return ['```sh', ...block.lines, '```'].join('\n');
  }
}

/** What rows say can't become markup: every character that could is escaped. */
function inline(text: string): string {
  return spansOf(text.replaceAll(/\s+/g, ' '))
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
  return `${svg.replace('<svg ', '<svg style="background:#fff;color:#1f2328" ')}\n`;
}
