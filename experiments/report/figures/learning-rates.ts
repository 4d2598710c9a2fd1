import * as Plot from '@observablehq/plot';
import { atMapRate, mapActivations } from '../../claims/high-lr.ts';
import { accuracyOf, isDead, lossOf, runsOf } from '../../claims/runs.ts';
import { roughnessOf } from '../../claims/slope.ts';
import { rates } from '../../protocols.ts';
import { median } from '../../statistics.ts';
import type { TrialRow } from '../../trial.ts';
import type { Figure } from '../block.ts';
import { colorOf, legend, picture, plotted, symbolOf, words } from './picture.ts';

interface Point {
  readonly rate: number;
  readonly activation: string;
  readonly runs: readonly TrialRow[];
}

function pointsOf(rows: readonly TrialRow[]): Point[] {
  return mapActivations.flatMap((activation) =>
    rates.flatMap((rate) => {
      const runs = runsOf(rows, atMapRate(rate), activation);
      return runs.length > 0 ? [{ rate, activation, runs }] : [];
    }),
  );
}

const tickRates = rates.filter((rate) => ![0.15, 0.25, 0.3].includes(rate));

/** A line for each activation over the learning rate: the median of a quantity of its runs. */
function lines(
  points: readonly Point[],
  label: string,
  of: (row: TrialRow) => number,
  height: number,
  y: Plot.ScaleOptions,
): string {
  const values = points
    .map(({ rate, activation, runs }) => ({
      rate,
      activation,
      value: median(runs.map(of).filter(Number.isFinite)),
      isWhole: !runs.some(isDead),
    }))
    .filter(({ value }) => Number.isFinite(value));
  return plotted({
    width: 760,
    height,
    marginLeft: 64,
    marginBottom: 42,
    marginTop: 30,
    marginRight: 16,
    x: {
      type: 'log',
      label: 'learning rate',
      labelAnchor: 'center',
      labelArrow: 'none',
      axis: null,
    },
    y: { label, labelArrow: 'none', grid: true, ...y },
    marks: [
      // A logarithmic axis of its own accord leaves out the labels of 0.05 and 0.5.
      Plot.axisX(tickRates, {
        text: String,
        label: 'learning rate, logarithmic',
        labelAnchor: 'center',
        labelArrow: 'none',
      }),
      Plot.line(values, {
        x: 'rate',
        y: 'value',
        z: 'activation',
        stroke: ({ activation }) => colorOf(activation),
        strokeWidth: 1.8,
      }),
      Plot.dot(values, {
        x: 'rate',
        y: 'value',
        symbol: ({ activation }: (typeof values)[number]) => symbolOf(activation),
        stroke: ({ activation }) => colorOf(activation),
        strokeWidth: 1.6,
        fill: ({ activation, isWhole }) => (isWhole ? colorOf(activation) : 'var(--plot-background)'),
        r: 4,
      }),
    ],
  });
}

/** The learning-rate map: median loss, median error, dead runs. */
export function mapFigure(rows: readonly TrialRow[]): Figure[] {
  const points = pointsOf(rows);
  if (points.length === 0) return [];
  const present = mapActivations.filter((name) => points.some(({ activation }) => activation === name));
  const dead = points.map((point) => ({ ...point, dead: point.runs.filter(isDead).length }));
  const strip = plotted({
    width: 760,
    height: 64 + 22 * present.length,
    marginLeft: 84,
    marginBottom: 40,
    marginTop: 6,
    marginRight: 16,
    x: {
      type: 'band',
      domain: rates,
      label: 'learning rate',
      labelAnchor: 'center',
      labelArrow: 'none',
      tickFormat: String,
    },
    y: { type: 'band', domain: present, label: null },
    marks: [
      Plot.cell(dead, {
        x: 'rate',
        y: 'activation',
        fill: 'currentColor',
        fillOpacity: (d) => 0.06 + (0.24 * d.dead) / d.runs.length,
        inset: 1,
      }),
      Plot.text(dead, { x: 'rate', y: 'activation', text: (d) => `${d.dead} of ${d.runs.length}`, fontSize: 11 }),
    ],
  });
  const height = 30 + 270 + 270 + 26 + 64 + 22 * present.length;
  return [
    {
      name: 'learning-rates',
      svg: picture(760, height, 'test loss, test error and dead runs by learning rate and activation', [
        legend(64, 4, present),
        {
          x: 0,
          y: 30,
          svg: lines(points, 'median test loss after the last epoch (nats)', lossOf, 270, {
            type: 'log',
            tickFormat: '~g',
            ticks: 5,
          }),
        },
        {
          x: 0,
          y: 300,
          svg: lines(
            points,
            'median test error after the last epoch (1 − accuracy)',
            (row) => 1 - accuracyOf(row),
            270,
            { type: 'log', domain: [0.01, 1], tickFormat: '~g', ticks: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] },
          ),
        },
        words(0, 586, 'Dead runs', 'font-weight="600"'),
        { x: 0, y: 594, svg: strip },
      ]),
      caption:
        'The learning-rate map: author-2016 with batches of 128. Medians of all runs, dead ones included, a loss only where it is finite: a hollow marker is of a rate at which runs died, and its loss may be that of the survivors alone. Below, how many runs are dead. At low rates pap-clipped lies on mrelu-0.5.',
    },
  ];
}

/** The roughness of the test-loss curve over the learning rate, for ReLU and MReLUs. */
export function roughnessFigure(rows: readonly TrialRow[]): Figure[] {
  const names = ['relu', 'mrelu-0.8', 'mrelu-0.5'];
  const points = pointsOf(rows.filter((row) => !isDead(row))).filter(
    ({ activation, runs }) => names.includes(activation) && runs.some((row) => Number.isFinite(roughnessOf(row))),
  );
  if (points.length === 0) return [];
  const label = 'median roughness of the test-loss curve (mean |second difference|, nats)';
  return [
    {
      name: 'roughness',
      svg: picture(760, 330, 'roughness of the curve by learning rate and activation', [
        legend(64, 4, names),
        { x: 0, y: 30, svg: lines(points, label, roughnessOf, 300, { type: 'log', tickFormat: '~g', ticks: 5 }) },
      ]),
      caption:
        'How uneven the test loss is from epoch to epoch, in the learning-rate map; dead runs, whose curves are flat, are left out.',
    },
  ];
}

/** The test loss over the epochs at 0.35, activation by activation. */
export function curvesFigure(rows: readonly TrialRow[]): Figure[] {
  const points = pointsOf(rows).filter(({ rate }) => rate === 0.35);
  const epochs = points.flatMap(({ activation, runs }) =>
    runs.flatMap(({ seed, epochs }) => epochs.map(({ loss }, k) => ({ activation, seed, epoch: k + 1, loss }))),
  );
  const finite = epochs.filter(({ loss }) => loss !== null) as {
    activation: string;
    seed: number;
    epoch: number;
    loss: number;
  }[];
  if (finite.length === 0) return [];
  const [least, most] = [Math.min(...finite.map(({ loss }) => loss)), Math.max(...finite.map(({ loss }) => loss))];
  const [columns, width, height] = [4, 182, 200];
  const label = 18;
  const hasCurve = ({ activation }: Point) => finite.some((each) => each.activation === activation);
  const without = points.filter((point) => !hasCurve(point));
  const shown = points.filter(hasCurve);
  const panels = shown.map(({ activation, runs }, k) => {
    const own = finite.filter((each) => each.activation === activation);
    const steps = [...new Set(own.map(({ epoch }) => epoch))];
    const band = steps.map((epoch) => {
      const values = own.filter((each) => each.epoch === epoch).map(({ loss }) => loss);
      return { epoch, low: Math.min(...values), middle: median(values), high: Math.max(...values) };
    });
    const [x, y] = [label + (k % columns) * (width + 5), 24 + Math.floor(k / columns) * (height + 26)];
    const svg = plotted({
      width,
      height,
      marginLeft: 44,
      marginBottom: 36,
      marginTop: 8,
      marginRight: 10,
      x: { label: 'epoch', labelAnchor: 'center', labelArrow: 'none', domain: [1, 20], ticks: [1, 5, 10, 15, 20] },
      y: { type: 'log', label: null, domain: [least / 1.1, most * 1.1], grid: true, ticks: 5, tickFormat: '~g' },
      marks: [
        Plot.areaY(band, { x: 'epoch', y1: 'low', y2: 'high', fill: colorOf(activation), fillOpacity: 0.25 }),
        Plot.line(band, { x: 'epoch', y: 'middle', stroke: colorOf(activation), strokeWidth: 2 }),
      ],
    });
    const dead = runs.filter(isDead).length;
    return [
      words(x + 6, y - 2, activation, 'font-weight="600"'),
      words(
        x + width - 6,
        y - 2,
        `${runs.length} runs, ${dead} dead`,
        'text-anchor="end" font-size="11" opacity="0.75"',
      ),
      { x, y, svg },
    ];
  });
  const rowCount = Math.ceil(shown.length / columns);
  const total = 24 + rowCount * (height + 26);
  const none =
    without.length === 0
      ? ''
      : ` Without a finite loss in any epoch, and so without a panel: ${without.map(({ activation, runs }) => `${activation} (${runs.length} runs, ${runs.filter(isDead).length} dead)`).join(', ')}.`;
  return [
    {
      name: 'curves-0.35',
      svg: picture(label + columns * (width + 5), total, 'test loss over the epochs at learning rate 0.35', [
        words(0, 0, 'test loss (nats)', `text-anchor="middle" transform="translate(12 ${total / 2}) rotate(-90)"`),
        ...panels.flat(),
      ]),
      caption: `Test loss (nats, logarithmic, one scale for all) over the epochs at a learning rate of 0.35, in the learning-rate map: the median of the runs, and a band from the lowest to the highest.${none}`,
    },
  ];
}
