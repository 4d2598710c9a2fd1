import { published } from '../../claims/relu-and-pap.ts';
import { accuracyOf, lossOf, runsOf } from '../../claims/runs.ts';
import { activations, isOfMap, protocols } from '../../protocols.ts';
import type { TrialRow } from '../../trial.ts';
import type { Figure } from '../block.ts';
import { distributions, heightOf, type Sample } from './distributions.ts';
import { picture, words } from './picture.ts';

/** The final losses, or accuracies, of every run on every protocol but those of the learning-rate map. */
export function finalFigure(rows: readonly TrialRow[], kind: 'loss' | 'accuracy'): Figure[] {
  const names = [...protocols.keys()].filter((name) => !isOfMap(name));
  const panels = names.flatMap((protocol) => {
    const samples = [...activations.keys()].flatMap((activation): Sample[] => {
      const runs = runsOf(rows, protocol, activation);
      if (runs.length === 0) return [];
      const isPublished = protocol.startsWith('author-2016') || protocol === 'iters-94';
      const known =
        isPublished && (activation === 'relu' || activation === 'pap') ? published[activation][kind].mean : undefined;
      return [
        {
          name: activation,
          values: runs.map(kind === 'loss' ? lossOf : accuracyOf),
          ...(known !== undefined && { published: known }),
        },
      ];
    });
    return samples.length > 0 ? [{ protocol, samples }] : [];
  });
  if (panels.length === 0) return [];
  let y = 0;
  const parts = panels.flatMap(({ protocol, samples }) => {
    const top = y;
    y += 30 + heightOf(samples);
    const label =
      kind === 'loss' ? 'test loss after the last epoch (cross-entropy, nats)' : 'test accuracy after the last epoch';
    return [
      words(0, top + 18, protocol, 'font-weight="600" font-size="13"'),
      { x: 0, y: top + 26, svg: distributions(label, samples, { isLinear: kind === 'accuracy' }) },
    ];
  });
  return [
    {
      name: kind === 'loss' ? 'losses' : 'accuracies',
      svg: picture(760, y, `final test ${kind} by protocol and activation`, parts),
      caption: `Each dot is one network; boxes, where there are more than five, reach from quartile to quartile, with the median; diamonds are the published means, where the network is the published one. Scales differ${kind === 'loss' ? ', and are logarithmic where values are far apart' : ''}.`,
    },
  ];
}
