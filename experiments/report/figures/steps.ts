import { protocolsWith, runsOf } from '../../claims/runs.ts';
import { gradientOf } from '../../claims/slope.ts';
import { stepTimes } from '../../claims/training-time.ts';
import type { TrialRow } from '../../trial.ts';
import type { Figure } from '../block.ts';
import { distributions, heightOf, type Sample } from './distributions.ts';
import { picture, words } from './picture.ts';

/** The ratio of the times of an update, pair by pair. */
export function stepsFigure(rows: readonly TrialRow[]): Figure[] {
  const samples = stepTimes(rows).map(
    ({ where, ratios }): Sample => ({ name: where, color: '#d55e00', values: ratios }),
  );
  if (samples.length === 0) return [];
  const svg = distributions('time of an update, PAP / ReLU', samples, { marginLeft: 160, region: [1.05, 1.15] });
  return [
    {
      name: 'step-ratios',
      svg: picture(760, heightOf(samples), 'ratio of the times of an update', [{ x: 0, y: 0, svg }]),
      caption:
        'Each dot is a pair of trials with one protocol, seed and backend; boxes reach from quartile to quartile. Grey: what was claimed, 1.05 to 1.15.',
    },
  ];
}

/** The gradients at the start, where ReLU and MReLUs were trained. */
export function gradientsFigure(rows: readonly TrialRow[]): Figure[] {
  const names = ['relu', 'mrelu-0.8', 'mrelu-0.5'];
  // At the start no rate of the map differs from another: the one with most runs stands for all.
  const found = protocolsWith(rows, ['relu', 'mrelu-0.8']);
  const most = found
    .filter((name) => name.startsWith('batch-128/'))
    .toSorted((a, b) => runsOf(rows, b, 'relu').length - runsOf(rows, a, 'relu').length)[0];
  const shown = found.filter((name) => name === most || !name.startsWith('batch-128/'));
  if (shown.length === 0) return [];
  let y = 0;
  const parts = shown.flatMap((protocol) => {
    const samples = names
      .map((name) => ({ name, values: runsOf(rows, protocol, name).map(gradientOf) }))
      .filter(({ values }) => values.length > 0);
    const top = y;
    y += 30 + heightOf(samples);
    return [
      words(0, top + 18, protocol, 'font-weight="600" font-size="13"'),
      { x: 0, y: top + 26, svg: distributions('norm of dL/dW over all layers, at the start', samples) },
    ];
  });
  return [
    {
      name: 'gradients',
      svg: picture(760, y, 'gradients at the start by activation', parts),
      caption:
        'The gradient on the first batch, before any update. Each dot is one network; boxes reach from quartile to quartile.',
    },
  ];
}
