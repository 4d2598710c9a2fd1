import * as Plot from '@observablehq/plot';
import type { MeasuredSurface } from '../../claims/claim.ts';
import { measureOf, surfaceActivations, surfaceProtocolsOf } from '../../claims/surfaces.ts';
import type { Figure } from '../block.ts';
import { distributions, heightOf } from './distributions.ts';
import { picture, plotted, words } from './picture.ts';

const labels = {
  anisotropy: 'anisotropy, 0 for a bowl to 1 for a trench',
  depth: 'depth of the minimum, in losses of the trained network',
  roughness: 'roughness, mean |second difference| in shares of the range',
} as const;

/** The measures of all surfaces of networks that have learned, by protocol and activation. */
export function measuresFigure(all: readonly MeasuredSurface[]): Figure[] {
  const surfaces = all.filter(({ learned }) => learned);
  if (surfaces.length === 0) return [];
  let y = 0;
  const parts = (['anisotropy', 'depth', 'roughness'] as const).map((measure) => {
    const samples = groupsOf(surfaces).map(({ protocol, activation, own }) => ({
      name: activation,
      detail: protocol,
      values: own.map((surface) => measureOf(surface, measure)),
    }));
    const top = y;
    y += heightOf(samples) + 12;
    const ends = measure === 'anisotropy' ? { ends: [0, 1] as const } : {};
    return { x: 0, y: top, svg: distributions(labels[measure], samples, { marginLeft: 196, ...ends }) };
  });
  return [
    {
      name: 'surface-measures',
      svg: picture(760, y, 'measures of the loss surfaces by protocol and activation', parts),
      caption:
        'Each dot is a pair of weights of different layers of a convnet that has learned; boxes reach from quartile to quartile, with the median.',
    },
  ];
}

/** The surfaces of each protocol and activation that there are any of. */
function groupsOf(
  surfaces: readonly MeasuredSurface[],
): { protocol: string; activation: string; own: MeasuredSurface[] }[] {
  return surfaceProtocolsOf(surfaces).flatMap((protocol) =>
    surfaceActivations
      .map((activation) => ({
        protocol,
        activation,
        own: surfaces.filter((surface) => surface.protocol === protocol && surface.activation === activation),
      }))
      .filter(({ own }) => own.length > 0),
  );
}

/** Of each network the surfaces of highest, median and lowest anisotropy, as contours and in three dimensions. */
export function surfaceFigures(surfaces: readonly MeasuredSurface[]): Figure[] {
  const measured = surfaces.filter(({ learned, measures }) => learned && measures !== undefined);
  return groupsOf(measured).flatMap(({ protocol, activation, own }) => {
    const sorted = own.toSorted((a, b) => measureOf(b, 'anisotropy') - measureOf(a, 'anisotropy'));
    const chosen = [
      ['highest', sorted[0]],
      ['median', sorted[Math.floor(sorted.length / 2)]],
      ['lowest', sorted.at(-1)!],
    ] as const;
    const width = 250;
    const parts = chosen.flatMap(([rank, surface], k) => {
      const x = k * (width + 5);
      return [
        words(x + 4, 18, `${rank}: anisotropy ${measureOf(surface, 'anisotropy').toFixed(2)}`, 'font-weight="600"'),
        { x, y: 26, svg: contours(surface, width) },
        { x, y: 276, svg: colorBar(surface, width) },
        { x, y: 316, svg: relief(surface, width) },
      ];
    });
    return [
      {
        name: `surface-${protocol.replaceAll('/', '-')}-${activation}`,
        svg: picture(3 * (width + 5), 316 + 230, `loss surfaces of ${activation} on ${protocol}`, parts),
        caption: `${activation} on ${protocol}: the loss over two weights, of ${sorted.length} pairs those with the highest, the median and the lowest anisotropy. The cross is the trained network; weights are moved in units of the norm of their unit; each surface has its own scale of the loss, which its bar of colours tells.`,
      },
    ];
  });
}

function nameOf({ weights }: MeasuredSurface, k: 0 | 1): string {
  return `a weight of ${weights[k].layer}, in norms`;
}

function lossesOf({ losses }: MeasuredSurface): { values: number[]; low: number; high: number } {
  const values = losses.flat() as number[];
  return { values, low: Math.min(...values), high: Math.max(...values) };
}

function contours(surface: MeasuredSurface, width: number): string {
  const { offsets } = surface;
  const { values } = lossesOf(surface);
  const points = values.map((loss, at) => ({
    first: offsets[Math.floor(at / offsets.length)],
    second: offsets[at % offsets.length],
    loss,
  }));
  const axis = { labelAnchor: 'center', labelArrow: 'none', ticks: 5, inset: 0 } as const;
  return plotted({
    width,
    height: 246,
    marginLeft: 44,
    marginBottom: 40,
    marginTop: 6,
    marginRight: 8,
    x: { ...axis, label: nameOf(surface, 0) },
    y: { ...axis, label: nameOf(surface, 1) },
    color: { scheme: 'viridis' },
    marks: [
      Plot.contour(points, {
        x: 'first',
        y: 'second',
        fill: 'loss',
        interpolate: 'barycentric',
        thresholds: 14,
        stroke: '#fff',
        strokeWidth: 0.4,
        strokeOpacity: 0.6,
      }),
      Plot.dot([[0, 0]], { symbol: 'times', r: 5, stroke: '#fff', strokeWidth: 2 }),
    ],
  });
}

/** What the colours of a surface mean: from its lowest loss to its highest. */
function colorBar(surface: MeasuredSurface, width: number): string {
  const { low, high } = lossesOf(surface);
  const color = Plot.scale({ color: { type: 'linear', scheme: 'viridis', domain: [0, 1] } });
  const [left, right, steps] = [44, width - 8, 40];
  const step = (right - left) / steps;
  const cells = Array.from(
    { length: steps },
    (_, k) =>
      `<rect x="${(left + k * step).toFixed(1)}" y="4" width="${(step + 0.5).toFixed(1)}" height="9" fill="${color.apply((k + 0.5) / steps)}"/>`,
  );
  return `<svg width="${width}" height="34" viewBox="0 0 ${width} 34" font-size="11" fill="currentColor">
${cells.join('')}
${words(left, 27, lossText(low), 'text-anchor="start"')}
${words((left + right) / 2, 27, 'loss (nats)', 'text-anchor="middle"')}
${words(right, 27, lossText(high), 'text-anchor="end"')}
</svg>`;
}

/** With as many digits as losses are kept to: surfaces may be flat. */
function lossText(value: number): string {
  return `${Number(value.toPrecision(6))}`;
}

/** Isometric: the first weight to the right and front, the second to the left and front, the loss upwards. */
function relief(surface: MeasuredSurface, width: number): string {
  const { losses } = surface;
  const { low, high } = lossesOf(surface);
  const k = losses.length - 1;
  const [unit, rise] = [(0.82 * width) / (2 * k * Math.cos(Math.PI / 6)), 86];
  const [centre, bottom] = [width / 2, 92];
  const share = (i: number, j: number) => (losses[i][j]! - low) / (high - low);
  const at = (i: number, j: number, height: number): readonly [number, number] => [
    centre + (i - j) * unit * Math.cos(Math.PI / 6),
    bottom + (i + j) * unit * Math.sin(Math.PI / 6) - height * rise,
  ];
  const text = ([x, y]: readonly [number, number]) => `${x.toFixed(1)},${y.toFixed(1)}`;
  const color = Plot.scale({ color: { type: 'linear', scheme: 'viridis', domain: [0, 1] } });
  // From the back to the front, so that what is nearer hides what is farther.
  const cells = Array.from({ length: k * k }, (_, n) => [Math.floor(n / k), n % k] as const).sort(
    ([a, b], [c, d]) => a + b - c - d,
  );
  const faces = cells.map(([i, j]) => {
    const corners = [
      [i, j],
      [i + 1, j],
      [i + 1, j + 1],
      [i, j + 1],
    ] as const;
    const mean = corners.reduce((sum, [a, b]) => sum + share(a, b), 0) / 4;
    return `<polygon points="${corners.map(([a, b]) => text(at(a, b, share(a, b)))).join(' ')}" fill="${color.apply(mean)}"/>`;
  });
  const ground = [at(0, 0, 0), at(k, 0, 0), at(k, k, 0), at(0, k, 0)];
  const [right, front, left] = [ground[1], ground[2], ground[3]];
  const { offsets } = surface;
  const [least, most] = [offsets[0], offsets.at(-1)!].map((offset) => `${offset}`.replace('-', '−')) as [
    string,
    string,
  ];
  return `<svg width="${width}" height="230" viewBox="0 0 ${width} 230" font-size="11" fill="currentColor">
<polygon points="${ground.map(text).join(' ')}" fill="none" stroke="currentColor" stroke-opacity="0.4"/>
<g stroke="#000" stroke-opacity="0.35" stroke-width="0.5" stroke-linejoin="round">${faces.join('')}</g>
${words((right[0] + front[0]) / 2 + 14, (right[1] + front[1]) / 2 + 20, surface.weights[1].layer, 'text-anchor="start"')}
${words((left[0] + front[0]) / 2 - 14, (left[1] + front[1]) / 2 + 20, surface.weights[0].layer, 'text-anchor="end"')}
${words(left[0] - 2, left[1] + 15, least, 'text-anchor="start"')}
${words(front[0] - 10, front[1] + 14, most, 'text-anchor="end"')}
${words(front[0] + 10, front[1] + 14, most, 'text-anchor="start"')}
${words(right[0] + 2, right[1] + 15, least, 'text-anchor="end"')}
</svg>`;
}
