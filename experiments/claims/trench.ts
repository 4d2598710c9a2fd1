import { shareInterval } from '../statistics.ts';
import { type Claim, type Comparison, judge, type MeasuredSurface, verdictOf } from './claim.ts';
import { measureOf, sameWeights, surfaceActivations, surfaceCell } from './surfaces.ts';
import { outcomesText, withInterval } from './words.ts';

type MeasuredPair = readonly [MeasuredSurface, MeasuredSurface];

/** The least pairs that decide: what the published figure drew is not known. */
const enoughPairs = 40;

export const trench: Claim = {
  id: 'trench',
  claimed:
    'The loss over two weights of different layers of a small CIFAR-10 convnet has a clearer, trench-like minimum with a PAP than with ReLU, for most pairs.',
  published: 'pictures of chosen pairs',
  rule: `Each pair of weights is swept in a ReLU and in a PAP network of the same seed. Trench-like: the anisotropy \`1 − |λ₂|/|λ₁|\` of the best-fitting quadratic (0 for a bowl, 1 for a trench) is greater with the PAP; clearer: its minimum is deeper, by \`(mean loss at the border − minimum) / loss of the trained network\`. For each of the two, the share of pairs in which the PAP has more, of at least ${enoughPairs}, with the 95 % interval of Clopper and Pearson: it holds if the whole interval is at least one half, and does not if it is below. Pairs of one network are not independent, which the interval does not know. A network that is dead has no minimum that was trained: only pairs in which both networks live are judged, and the share with dead ones stands beside (added when the first networks came out dead). A pair of which a surface is not finite somewhere, or flat, is left out, and counted in the cells. It holds if both do, does not if neither does, and else holds only where it holds.`,
  commands: ['npx poolproof reproduce landscape'],
  measure({ surfaces }) {
    const pairs = sameWeights(surfaces, 'pap', 'relu');
    const living = pairs.filter((pair) => !pair.some(({ isDead }) => isDead));
    const claimed = { from: 0.5 };
    const comparisons = (['anisotropy', 'depth'] as const).flatMap((measure): Comparison[] => {
      const measured = (of: readonly MeasuredPair[]) =>
        of
          .map((pair) => pair.map((surface) => measureOf(surface, measure)) as [number, number])
          .filter((both) => both.every(Number.isFinite));
      const share = (values: readonly (readonly [number, number])[]) =>
        values.filter(([pap, relu]) => pap > relu).length / values.length;
      const [all, values] = [measured(pairs), measured(living)];
      if (all.length === 0) return [];
      const interval = shareInterval(Math.round(share(values) * values.length), values.length);
      const n = [values.length];
      const outcome = values.length < enoughPairs ? 'open' : judge(interval, claimed, n);
      return [
        {
          where: measure,
          what: 'share of pairs, pap > relu',
          n,
          value: share(values),
          interval,
          ...(all.length > values.length && { withDead: share(all) }),
          claimed,
          tests: [],
          outcome,
        },
      ];
    });
    return {
      verdict: verdictOf(
        comparisons,
        `loss surfaces over ${enoughPairs} pairs of weights, of relu and of pap`,
        enoughPairs,
      ),
      ours:
        comparisons.length > 0
          ? comparisons.map(({ where, value, interval }) => `${where}: ${withInterval(value, interval)}`).join('; ')
          : '–',
      n: `${living.length} pairs${pairs.length > living.length ? `, ${pairs.length - living.length} with a dead network apart` : ''}`,
      sentence: outcomesText(comparisons),
      cells: (['anisotropy', 'depth', 'roughness'] as const).flatMap((measure) =>
        surfaceActivations.flatMap((name) => surfaceCell(surfaces, name, measure)),
      ),
      comparisons,
    };
  },
};
