import { shareInterval } from '../statistics.ts';
import { type Claim, type Comparison, judge, verdictOf } from './claim.ts';
import { measureOf, sameWeights, surfaceActivations, surfaceCell } from './surfaces.ts';
import { outcomesText, withInterval } from './words.ts';

/** The least pairs that decide: what the published figure drew is not known. */
const enoughPairs = 40;

export const trench: Claim = {
  id: 'trench',
  claimed:
    'The loss over two weights of different layers of a small CIFAR-10 convnet has a clearer, trench-like minimum with a PAP than with ReLU, for most pairs.',
  published: 'pictures of chosen pairs',
  rule: `Each pair of weights is swept in a ReLU and in a PAP network of the same seed. Trench-like: the anisotropy \`1 − |λ₂|/|λ₁|\` of the best-fitting quadratic (0 for a bowl, 1 for a trench) is greater with the PAP; clearer: its minimum is deeper, by \`(mean loss at the border − minimum) / loss of the trained network\`. For each of the two, the share of pairs in which the PAP has more, of at least ${enoughPairs}, with the 95 % interval of Clopper and Pearson: it holds if the whole interval is at least one half, and does not if it is below. Pairs of one network are not independent, which the interval does not know. A pair of which a surface is not finite somewhere, or flat, is left out, and counted in the cells. It holds if both do, does not if neither does, and else holds only where it holds.`,
  commands: ['npx poolproof reproduce landscape'],
  measure({ surfaces }) {
    const pairs = sameWeights(surfaces, 'pap', 'relu');
    const claimed = { from: 0.5 };
    const comparisons = (['anisotropy', 'depth'] as const).flatMap((measure): Comparison[] => {
      const values = pairs
        .map((pair) => pair.map((surface) => measureOf(surface, measure)) as [number, number])
        .filter((both) => both.every(Number.isFinite));
      if (values.length === 0) return [];
      const k = values.filter(([pap, relu]) => pap > relu).length;
      const interval = shareInterval(k, values.length);
      const n = [values.length];
      const outcome = values.length < enoughPairs ? 'open' : judge(interval, claimed, n);
      return [
        {
          where: measure,
          what: 'share of pairs, pap > relu',
          n,
          value: k / values.length,
          interval,
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
      n: `${pairs.length} pairs`,
      sentence: outcomesText(comparisons),
      cells: (['anisotropy', 'depth', 'roughness'] as const).flatMap((measure) =>
        surfaceActivations.flatMap((name) => surfaceCell(surfaces, name, measure)),
      ),
      comparisons,
    };
  },
};
