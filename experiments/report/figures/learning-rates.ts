import * as Plot from '@observablehq/plot';
import { accuracyOf, isDead, lossOf, runsOf } from '../../claims/runs.ts';
import { roughnessOf } from '../../claims/slope.ts';
import { atMapRate, mapActivations, rates, reluAndMrelus } from '../../protocols.ts';
import { median } from '../../statistics.ts';
import type { TrialRow } from '../../trial.ts';
import type { Figure } from '../block.ts';
import { colorOf, legend, logTicks, picture, plotted, symbolOf, words } from './picture.ts';

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
  y: Plot.ScaleOptions = {},
): string {
  const values = points
    .map(({ rate, activation, runs }) => ({
      rate,
      activation,
      value: median(runs.map(of).filter(Number.isFinite)),
      isWhole: !runs.some(isDead),
    }))
    .filter(({ value }) => Number.isFinite(value));
  const [least, most] = [Math.min(...values.map(({ value }) => value)), Math.max(...values.map(({ value }) => value))];
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
    y: { type: 'log', label, labelArrow: 'none', grid: true, tickFormat: '~g', ticks: logTicks(least, most), ...y },
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
  const height = 30 + 360 + 270 + 26 + 64 + 22 * present.length;
  return [
    {
      name: 'learning-rates',
      svg: picture(760, height, 'test loss, test error and dead runs by learning rate and activation', [
        legend(64, 4, present),
        {
          x: 0,
          y: 30,
          svg: lines(points, 'median test loss after the last epoch (nats)', lossOf, 360),
        },
        {
          x: 0,
          y: 390,
          svg: lines(
            points,
            'median test error after the last epoch (1 − accuracy)',
            (row) => 1 - accuracyOf(row),
            270,
            { domain: [0.01, 1], ticks: logTicks(0.01, 1) },
          ),
        },
        words(0, 676, 'Dead runs', 'font-weight="600"'),
        { x: 0, y: 684, svg: strip },
      ]),
      caption:
        'The learning-rate map: author-2016 with batches of 128. Medians of all runs, dead ones included, a loss only where it is finite: a hollow marker is of a rate at which runs died, and its loss may be that of the survivors alone. Below, how many runs are dead. At low rates pap-clipped lies on mrelu-0.5.',
    },
  ];
}

/** The roughness of the test-loss curve over the learning rate, for ReLU and MReLUs. */
export function roughnessFigure(rows: readonly TrialRow[]): Figure[] {
  const points = pointsOf(rows.filter((row) => !isDead(row))).filter(
    ({ activation, runs }) =>
      (reluAndMrelus as readonly string[]).includes(activation) &&
      runs.some((row) => Number.isFinite(roughnessOf(row))),
  );
  if (points.length === 0) return [];
  const label = 'median roughness of the test-loss curve (mean |second difference|, nats)';
  return [
    {
      name: 'roughness',
      svg: picture(760, 330, 'roughness of the curve by learning rate and activation', [
        legend(64, 4, reluAndMrelus),
        { x: 0, y: 30, svg: lines(points, label, roughnessOf, 300) },
      ]),
      caption:
        'How uneven the test loss is from epoch to epoch, in the learning-rate map; dead runs, whose curves are flat, are left out.',
    },
  ];
}
