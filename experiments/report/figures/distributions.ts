import * as Plot from '@observablehq/plot';
import { random } from '../../../reference/random.ts';
import { quantiles } from '../../statistics.ts';
import { colorOf, logTicks, plotted } from './picture.ts';

/** A sample, drawn as a row of dots. */
export interface Sample {
  readonly name: string;
  /** By default that of the activation of this name. */
  readonly color?: string;
  readonly values: readonly number[];
  /** What stands beside the number of values, below the name. */
  readonly detail?: string;
  /** A published figure to compare with. */
  readonly published?: number;
}

export interface DistributionOptions {
  readonly marginLeft?: number;
  /** Shaded: what was claimed. */
  readonly region?: readonly [number, number];
  /** Of the scale; default: where the values end. */
  readonly ends?: readonly [number, number];
  /** No logarithmic scale, however far values are apart. */
  readonly isLinear?: boolean;
}

/** So few values are their own picture: no box is drawn. */
const fewest = 5;

/** Height of a panel of so many samples. */
export function heightOf(samples: readonly Sample[]): number {
  return 58 + 44 * samples.length;
}

/**
 * Every value as a dot; of more than five a box from quartile to quartile with the median; what was published as a diamond.
 * The scale is logarithmic where the largest value is more than eight times the smallest, unless its ends are given; what
 * lies beyond these is written at the end.
 */
export function distributions(
  label: string,
  samples: readonly Sample[],
  { marginLeft = 100, region, ends, isLinear = false }: DistributionOptions = {},
): string {
  const source = random(1, label);
  const isWithin = (value: number) => ends === undefined || (value >= ends[0] && value <= ends[1]);
  const dots = samples.flatMap(({ name, color, values }, k) =>
    values
      .filter((value) => Number.isFinite(value) && isWithin(value))
      .map((value) => ({
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
  const beyond = samples.flatMap(({ values }, k) => {
    if (ends === undefined) return [];
    const written = (found: readonly number[]) =>
      found
        .toSorted((a, b) => a - b)
        .map((value) => value.toFixed(2))
        .join(', ');
    const [below, above] = [values.filter((value) => value < ends[0]), values.filter((value) => value > ends[1])];
    return [
      ...(below.length > 0 ? [{ at: k, value: ends[0], text: `◂ ${written(below)}`, side: 'start' as const }] : []),
      ...(above.length > 0 ? [{ at: k, value: ends[1], text: `${written(above)} ▸`, side: 'end' as const }] : []),
    ];
  });
  const published = samples.flatMap(({ published }, k) =>
    published === undefined ? [] : [{ value: published, at: k }],
  );
  const all = [...dots, ...published].map(({ value }) => value);
  const [least, most] = ends ?? [Math.min(...all), Math.max(...all)];
  const isLog = !isLinear && ends === undefined && least > 0 && most / least > 8;
  const room = isLog ? 1.1 : 0.04 * (most - least || Math.abs(most) || 1);
  return plotted({
    width: 760,
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
      ...(isLog ? { ticks: logTicks(least, most), tickFormat: '~g' } : { ticks: 8 }),
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
      ...(['start', 'end'] as const).map((side) =>
        Plot.text(
          beyond.filter((each) => each.side === side),
          {
            x: 'value',
            y: 'at',
            text: 'text',
            textAnchor: side,
            fontSize: 11,
            fill: 'currentColor',
            stroke: 'var(--plot-background)',
            strokeWidth: 5,
          },
        ),
      ),
      Plot.text(samples, {
        x: () => (isLog ? least / room : least - room),
        y: (_, k) => k,
        text: ({ name, detail, values }) =>
          `${name}\n${detail === undefined ? '' : `${detail}, `}n = ${values.filter(Number.isFinite).length}`,
        textAnchor: 'end',
        dx: -10,
        fontSize: 12,
      }),
    ],
  });
}
