import * as Plot from '@observablehq/plot';
import { isDead, runsOf } from '../../claims/runs.ts';
import { atMapRate, mapActivations } from '../../protocols.ts';
import { median } from '../../statistics.ts';
import type { TrialRow } from '../../trial.ts';
import type { Figure } from '../block.ts';
import { colorOf, logTicks, type Panel, picture, plotted, words } from './picture.ts';

const rate = 0.35;
/** The published batch, and that of the map. */
const places = [
  { protocol: `author-2016/rate-${rate}`, said: `batches of 32: author-2016/rate-${rate}` },
  { protocol: atMapRate(rate), said: `batches of 128: ${atMapRate(rate)}` },
];

const [columns, width, height] = [4, 182, 190];
const axis = 18;

interface Curve {
  readonly activation: string;
  readonly runs: readonly TrialRow[];
  /** Of each epoch, over the runs of finite loss. */
  readonly band: readonly {
    readonly epoch: number;
    readonly low: number;
    readonly middle: number;
    readonly high: number;
  }[];
}

/** The test loss over the epochs at 0.35, activation by activation, on the published network and on that of the map. */
export function curvesFigure(rows: readonly TrialRow[]): Figure[] {
  let y = 0;
  const parts = places.flatMap(({ protocol, said }) => {
    const curves = curvesOf(rows, protocol);
    if (curves.length === 0) return [];
    const top = y;
    const below = Math.ceil(curves.length / columns) * (height + 26);
    y += 30 + below + 10;
    return [
      words(0, top + 16, said, 'font-weight="600" font-size="13"'),
      words(
        0,
        0,
        'test loss (nats)',
        `text-anchor="middle" transform="translate(12 ${top + 30 + below / 2}) rotate(-90)"`,
      ),
      ...panels(curves, top + 48),
    ];
  });
  if (parts.length === 0) return [];
  return [
    {
      name: `curves-${rate}`,
      svg: picture(axis + columns * (width + 5), y, `test loss over the epochs at learning rate ${rate}`, parts),
      caption: `Test loss (nats, logarithmic, one scale for each size of batch) over the epochs at a learning rate of ${rate}: the median of the runs of finite loss, and a band from the lowest to the highest.`,
    },
  ];
}

function curvesOf(rows: readonly TrialRow[], protocol: string): Curve[] {
  return mapActivations.flatMap((activation) => {
    const runs = runsOf(rows, protocol, activation);
    if (runs.length === 0) return [];
    const epochs = Math.max(...runs.map(({ epochs }) => epochs.length));
    const band = Array.from({ length: epochs }, (_, k) => {
      const losses = runs.flatMap(({ epochs }) => epochs[k]?.loss ?? []);
      return { epoch: k + 1, low: Math.min(...losses), middle: median(losses), high: Math.max(...losses) };
    });
    return [{ activation, runs, band: band.filter(({ middle }) => Number.isFinite(middle)) }];
  });
}

function panels(curves: readonly Curve[], top: number): (Panel | string)[] {
  const bands = curves.flatMap(({ band }) => band);
  const [least, most] = [Math.min(...bands.map(({ low }) => low)), Math.max(...bands.map(({ high }) => high))];
  return curves.flatMap(({ activation, runs, band }, k): (Panel | string)[] => {
    const [x, y] = [axis + (k % columns) * (width + 5), top + Math.floor(k / columns) * (height + 26)];
    const count = `${runs.length} runs, ${runs.filter(isDead).length} dead`;
    const title = [
      words(x + 6, y - 2, activation, 'font-weight="600"'),
      words(x + width - 6, y - 2, count, 'text-anchor="end" font-size="11" opacity="0.75"'),
    ];
    if (band.length === 0) {
      return [...title, words(x + width / 2, y + height / 2, 'no finite loss', 'text-anchor="middle" opacity="0.75"')];
    }
    const svg = plotted({
      width,
      height,
      marginLeft: 44,
      marginBottom: 36,
      marginTop: 8,
      marginRight: 10,
      x: { label: 'epoch', labelAnchor: 'center', labelArrow: 'none', domain: [1, 20], ticks: [1, 5, 10, 15, 20] },
      y: {
        type: 'log',
        label: null,
        domain: [least / 1.1, most * 1.1],
        grid: true,
        ticks: logTicks(least, most),
        tickFormat: '~g',
      },
      marks: [
        Plot.areaY(band, { x: 'epoch', y1: 'low', y2: 'high', fill: colorOf(activation), fillOpacity: 0.25 }),
        Plot.line(band, { x: 'epoch', y: 'middle', stroke: colorOf(activation), strokeWidth: 2 }),
      ],
    });
    return [...title, { x, y, svg }];
  });
}
