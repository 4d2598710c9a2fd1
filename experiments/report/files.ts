import type { Measured } from './evidence.ts';
import { html } from './html.ts';
import { markdown, svgFile } from './markdown.ts';
import { resultsPage, title } from './page.ts';

/** The files of the report, by their paths: `results.md`, its figures in `results/`, and `results.html`. */
export function reportFiles(measured: Measured): ReadonlyMap<string, string> {
  const blocks = resultsPage(measured);
  return new Map([
    ['results.md', markdown(blocks, 'results')],
    ['results.html', html(title, blocks)],
    ...blocks.flatMap((block): [string, string][] =>
      block.kind === 'figure' ? [[`results/${block.figure.name}.svg`, svgFile(block.figure.svg)]] : [],
    ),
  ]);
}
