import type { Evidence } from '../../claims/claim.ts';
import { startGradients, startPlaces } from '../../claims/slope.ts';
import { stepTimes } from '../../claims/training-time.ts';
import { reluAndMrelus } from '../../protocols.ts';
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
  const svg = distributions('time of an update, PAP / ReLU', samples, {
    marginLeft: 160,
    region: [1.05, 1.15],
    ends: [0.85, 1.25],
  });
  return [
    {
      name: 'step-ratios',
      svg: picture(760, heightOf(samples), 'ratio of the times of an update', [{ x: 0, y: 0, svg }]),
      caption:
        'Each dot is a pair of trials with one protocol, seed and backend; boxes reach from quartile to quartile. Grey: what was claimed, 1.05 to 1.15. Ratios beyond the ends of the scale are written there.',
    },
  ];
}

/** The gradients at the start, of ReLU and MReLUs. */
export function gradientsFigure(evidence: Pick<Evidence, 'rows' | 'gradients'>): Figure[] {
  // A network of one activation alone compares nothing.
  const shown = startPlaces(evidence).filter((place) => startGradients(evidence, place, 'mrelu-0.8').size > 0);
  if (shown.length === 0) return [];
  let y = 0;
  const parts = shown.flatMap((place) => {
    const samples = reluAndMrelus
      .map((name) => ({ name, values: [...startGradients(evidence, place, name).values()] }))
      .filter(({ values }) => values.length > 0);
    const top = y;
    y += 30 + heightOf(samples);
    return [
      words(0, top + 18, place, 'font-weight="600" font-size="13"'),
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
