import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Colours of Okabe and Ito (2008), told apart with every colour vision, on white and on black. */
const colors: Readonly<Record<string, string>> = {
  relu: '#0072b2',
  prelu: '#e69f00',
  'mrelu-0.8': '#56b4e9',
  'mrelu-0.5': '#009e73',
  pap: '#d55e00',
  'pap-0.8': '#9467bd',
  'pap-clipped': '#cc79a7',
  'pap-layer': '#a6761d',
};

/** The colour of an activation, the same in every figure. */
export function colorOf(activation: string): string {
  return colors[activation] ?? '#8c8c8c';
}

/** Shapes that tell lines apart where colours can't. */
const symbols: Readonly<Record<string, Plot.SymbolType>> = {
  relu: 'circle',
  prelu: 'triangle',
  'mrelu-0.8': 'square',
  'mrelu-0.5': 'diamond',
  pap: 'star',
  'pap-0.8': 'hexagon',
  'pap-clipped': 'cross',
  'pap-layer': 'wye',
};

/** The shape of an activation, the same in every figure that needs one. */
export function symbolOf(activation: string): Plot.SymbolType {
  return symbols[activation] ?? 'circle';
}

/** A part of a picture. */
export interface Panel {
  readonly x: number;
  readonly y: number;
  readonly svg: string;
}

/** What Plot draws, as `<svg>` without styles of its own. */
export function plotted(options: Plot.PlotOptions, fontSize = 12): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ document, ...options });
  svg.querySelector('style')?.remove();
  svg.removeAttribute('class');
  svg.setAttribute('font-size', `${fontSize}`);
  return rounded(svg.outerHTML);
}

/** Panels side by side in one `<svg>`, with a line of text above each that has one. */
export function picture(width: number, height: number, label: string, parts: readonly (Panel | string)[]): string {
  const inner = parts.map((part) =>
    typeof part === 'string' ? part : part.svg.replace('<svg ', `<svg x="${part.x}" y="${part.y}" `),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor" role="img" aria-label="${label}">
${inner.join('\n')}
</svg>`;
}

/** 1, 2 and 5 times the powers of ten from `least` to `most`; of more than three decades the powers alone. */
export function logTicks(least: number, most: number): number[] {
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const digits = most / least > 1000 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: to - from + 1 }, (_, k) => digits.map((digit) => Number(`${digit}e${from + k}`)));
  return ticks.flat().filter((tick) => tick >= least / 1.1 && tick <= most * 1.1);
}

/** A line of text. */
export function words(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}

/** The marker of each activation, with its name, in a row. */
export function legend(x: number, y: number, names: readonly string[]): Panel {
  let at = 8;
  const items = names.map((name) => {
    const item = { name, x: at };
    at += 34 + 7 * name.length;
    return item;
  });
  const place = { x: 'x', y: () => 0 } as const;
  const svg = plotted({
    width: at,
    height: 20,
    margin: 0,
    x: { axis: null, domain: [0, at], range: [0, at] },
    y: { axis: null, domain: [-1, 1] },
    symbol: { type: 'identity' } as Plot.ScaleOptions,
    marks: [
      Plot.dot(items, {
        ...place,
        symbol: ({ name }: (typeof items)[number]) => symbolOf(name),
        fill: ({ name }) => colorOf(name),
        r: 4.5,
      }),
      Plot.text(items, { ...place, text: 'name', textAnchor: 'start', dx: 10 }),
    ],
  });
  return { x, y, svg };
}

/** Attributes to a hundredth: of a pixel, less is not seen, and doubles the size of a file. */
function rounded(svg: string): string {
  return svg.replace(/="[^"]*"/g, (attribute) =>
    attribute.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => `${Number(Number(number).toFixed(2))}`),
  );
}
