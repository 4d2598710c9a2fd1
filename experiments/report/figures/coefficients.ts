import * as Plot from '@observablehq/plot';
import { runsOf } from '../../claims/runs.ts';
import { isOfMap, protocols } from '../../protocols.ts';
import { median } from '../../statistics.ts';
import { quantileLevels, type TrialRow } from '../../trial.ts';
import type { Figure } from '../block.ts';
import { picture, plotted, words } from './picture.ts';

const branches = [
  { key: 'relu', label: 'P (relu)', start: 0.5, color: '#0072b2' },
  { key: 'step', label: 'D (step)', start: 0.5, color: '#d55e00' },
  { key: 'sum', label: 'P + D', start: 1, color: '#009e73' },
] as const;

/** How the trained coefficients of PAPs are spread over the units of each hidden layer. */
export function coefficientsFigure(rows: readonly TrialRow[]): Figure[] {
  const panels = [...protocols.keys()]
    .filter((name) => !isOfMap(name))
    .map((protocol) => ({
      protocol,
      runs: runsOf(rows, protocol, 'pap').filter(({ coefficients }) => coefficients.length > 0),
    }))
    .filter(({ runs }) => runs.length > 0);
  if (panels.length === 0) return [];
  const drawn = panels.map(({ protocol, runs }) => ({ protocol, runs, bars: barsOf(runs) }));
  const all = drawn.flatMap(({ bars }) => bars.flatMap(({ min, max, start }) => [min, max, start]));
  // One scale for all, so that panels may be compared.
  const domain = [Math.min(0, ...all), Math.max(...all)];
  let y = 0;
  const parts = drawn.flatMap(({ protocol, runs, bars }) => {
    const height = 54 + 26 * bars.length;
    const top = y;
    y += height + 34;
    const svg = plotted({
      width: 760,
      height,
      marginLeft: 120,
      marginBottom: 42,
      marginTop: 6,
      x: { label: 'coefficient', labelAnchor: 'center', labelArrow: 'none', grid: true, domain, nice: true, ticks: 10 },
      y: { type: 'band', domain: bars.map(({ name }) => name), label: null },
      marks: [
        Plot.ruleX([0], { stroke: 'currentColor', strokeOpacity: 0.5 }),
        Plot.ruleY(bars, { y: 'name', x1: 'min', x2: 'max', stroke: 'color', strokeWidth: 1 }),
        Plot.ruleY(bars, { y: 'name', x1: 'q5', x2: 'q95', stroke: 'color', strokeWidth: 4, strokeOpacity: 0.7 }),
        Plot.ruleY(bars, { y: 'name', x1: 'q25', x2: 'q75', stroke: 'color', strokeWidth: 11 }),
        Plot.dot(bars, { y: 'name', x: 'q50', r: 4, fill: 'var(--plot-background)', stroke: 'currentColor' }),
        Plot.dot(bars, { y: 'name', x: 'start', symbol: 'times', r: 4, stroke: 'currentColor', strokeWidth: 1.8 }),
      ],
      color: { type: 'identity' },
    });
    return [
      words(0, top + 18, `${protocol}, ${runs.length} networks`, 'font-weight="600" font-size="13"'),
      { x: 0, y: top + 26, svg },
    ];
  });
  return [
    {
      name: 'coefficients',
      svg: picture(760, y, 'trained coefficients of PAPs by layer', parts),
      caption:
        'Trained coefficients over the units of a layer: all units (thin line), 5 % to 95 % (thick), quartiles (bar), median (circle), and where they started (cross). Each is the median over the networks.',
    },
  ];
}

/** A bar for each branch and layer: quantiles over the units, each the median over the networks. */
function barsOf(runs: readonly TrialRow[]) {
  const layers = runs[0].coefficients.length;
  return branches.flatMap(({ key, label, start, color }) =>
    Array.from({ length: layers }, (_, layer) => {
      const [min, q5, q25, q50, q75, q95, max] = quantileLevels.map((_, k) =>
        median(runs.map(({ coefficients }) => coefficients[layer].quantiles[key][k])),
      );
      return { name: `${label}, layer ${layer + 1}`, start, color, min, q5, q25, q50, q75, q95, max };
    }),
  );
}
