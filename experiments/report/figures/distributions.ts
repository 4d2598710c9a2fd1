import * as Plot from '@observablehq/plot';
import { random } from '../../../reference/random.ts';
import { quantiles } from '../../statistics.ts';
import { colorOf, plotted } from './picture.ts';

/** A sample, drawn as a row of dots. */
export interface Sample {
  readonly name: string;
  /** By default that of the activation of this name. */
  readonly color?: string;
  readonly values: readonly number[];
  /** A published figure to compare with. */
  readonly published?: number;
}

/** So few values are their own picture: no box is drawn. */
const fewest = 5;

/** Height of a panel of so many samples. */
export function heightOf(samples: readonly Sample[]): number {
  return 58 + 44 * samples.length;
}

/**
 * Every value as a dot; of more than five a box from the lower to the upper quartile with the median, and what was published as a diamond.
 * The scale is logarithmic where the largest value is more than eight times the smallest, unless its ends are given.
 */
export function distributions(
  label: string,
  samples: readonly Sample[],
  {
    width = 760,
    marginLeft = 100,
    region,
    ends,
  }: { width?: number; marginLeft?: number; region?: readonly [number, number]; ends?: readonly [number, number] } = {},
): string {
  const source = random(1, label);
  const dots = samples.flatMap(({ name, color, values }, k) =>
    values.filter(Number.isFinite).map((value) => ({
      value,
      at: k + 0.6 * (source.uniform() - 0.5),
      color: color ?? colorOf(name),
      isFew: values.length <= fewest,
    })),
  );
  const boxes = samples.flatMap(({ values }, k) => {
    const finite = values.filter(Number.isFinite);
    if (finite.length <= fewest) return [];
    const [low, middle, high] = quantiles(finite, [0.25, 0.5, 0.75]);
    return [{ low: low, middle: middle, high: high, at: k }];
  });
  const published = samples.flatMap(({ published }, k) =>
    published === undefined ? [] : [{ value: published, at: k }],
  );
  const all = [...dots, ...published].map(({ value }) => value);
  const [least, most] = ends ?? [Math.min(...all), Math.max(...all)];
  const isLog = ends === undefined && least > 0 && most / least > 8;
  const room = isLog ? 1.1 : 0.04 * (most - least || Math.abs(most) || 1);
  return plotted({
    width,
    height: heightOf(samples),
    marginLeft,
    marginTop: 8,
    marginBottom: 44,
    x: {
      label,
      labelAnchor: 'center',
      labelArrow: 'none',
      type: isLog ? 'log' : 'linear',
      domain: isLog ? [least / room, most * room] : [least - room, most + room],
      ...(isLog ? { ticks: 6, tickFormat: '~g' } : { ticks: 8 }),
      grid: true,
    },
    y: { axis: null, domain: [-0.5, samples.length - 0.5], reverse: true },
    marks: [
      ...(region ? [Plot.rectX([region], { x1: '0', x2: '1', fill: 'currentColor', fillOpacity: 0.08 })] : []),
      Plot.dot(dots, { x: 'value', y: 'at', r: (d) => (d.isFew ? 4 : 2.5), fill: (d) => d.color, fillOpacity: 0.6 }),
      Plot.rect(boxes, {
        x1: 'low',
        x2: 'high',
        y1: (d) => d.at - 0.36,
        y2: (d) => d.at + 0.36,
        fill: 'none',
        stroke: 'currentColor',
      }),
      Plot.ruleX(boxes, {
        x: 'middle',
        y1: (d) => d.at - 0.36,
        y2: (d) => d.at + 0.36,
        stroke: 'currentColor',
        strokeWidth: 2.5,
      }),
      Plot.dot(published, {
        x: 'value',
        y: 'at',
        symbol: 'diamond',
        r: 6,
        fill: 'var(--plot-background)',
        stroke: 'currentColor',
        strokeWidth: 1.8,
      }),
      Plot.text(samples, {
        x: () => (isLog ? least / room : least - room),
        y: (_, k) => k,
        text: ({ name, values }) => `${name}\nn = ${values.filter(Number.isFinite).length}`,
        textAnchor: 'end',
        dx: -10,
        fontSize: 12,
      }),
    ],
  });
}
