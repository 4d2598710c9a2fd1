import { shareInterval } from '../statistics.ts';
import { type Claim, type Comparison, judge, type MeasuredSurface, verdictOf } from './claim.ts';
import { measureOf, sameWeights, surfaceActivations, surfaceCells, surfaceProtocolsOf } from './surfaces.ts';
import { outcomesText, valuesText } from './words.ts';

/** The least pairs that decide: what the published figure drew is not known. */
const enoughPairs = 40;

/** Started at 0.5/0.5, and near ReLU, at 0.8/0.2. */
const paps = ['pap', 'pap-0.8'];

/** The share of pairs in which the PAP has more of a measure; none if no pair can be measured. */
function comparisonOf(
  protocol: string,
  pap: string,
  measure: 'anisotropy' | 'depth',
  pairs: readonly (readonly [MeasuredSurface, MeasuredSurface])[],
): Comparison[] {
  const values = pairs
    .map(([a, b]) => [measureOf(a, measure), measureOf(b, measure)] as const)
    .filter((both) => both.every(Number.isFinite));
  if (values.length === 0) return [];
  const k = values.filter(([a, b]) => a > b).length;
  const interval = shareInterval(k, values.length);
  const claimed = { from: 0.5 };
  const n = [values.length];
  return [
    {
      where: `${measure} (${pap} on ${protocol})`,
      what: `share of pairs, ${pap} > relu`,
      n,
      value: k / values.length,
      interval,
      claimed,
      tests: [],
      outcome: values.length < enoughPairs ? 'open' : judge(interval, claimed, n),
    },
  ];
}

const notes =
  'Why there are two protocols: on `convnet`, the published one, networks of MReLU 0.5 and of PAPs started at 0.5/0.5 die, all outputs become constant, and the loss stays at ln 10 = 2.30. Within 60 updates no input of the fourth activation is positive. Likely, since the gradient does not see the step: a unit whose output disturbs is pushed down until it is off, and from there no gradient brings it back. Lower rates, plain SGD as in the author’s first PAP convnet, a rate that grows by 0.001 an epoch as in his later code, and ReLU in the dense layer, as in the former, were tried in pilots of a PAP, without surfaces, which are listed with [all that was tried](#all-that-was-tried): none learned in ten epochs. Stopped before their end, and so without a row: rate 0.002 (training loss 2.33 after nine epochs), rate 0.001 for 30 epochs (2.35 after four), the growing rate with MReLU 0.5 (2.33 after four), ReLU in the dense layer at rate 0.01 (no input of the fourth activation positive after 55 updates), and without dropout the rates 0.003 (2.33 after half an epoch) and 0.01 (2.15 in the second). Without dropout at rate 0.001 the network lives, but is slow: a test loss of 2.23 after ten epochs. `convnet/no-dropout` is the only change so far whose loss fell in its second epoch: it is `convnet` without dropout, at the published rate, on which ReLU is measured anew too. Its rows show whether a PAP learns on it. What is said of single updates and epochs was printed by those trainings, and is in no row.';

/** ` Networks that have not learned: 2 of 2 of pap on convnet.`, or nothing. */
function notLearnedText(surfaces: readonly MeasuredSurface[]): string {
  const counts = surfaceProtocolsOf(surfaces).flatMap((protocol) =>
    surfaceActivations.flatMap((name) => {
      const own = surfaces.filter((surface) => surface.protocol === protocol && surface.activation === name);
      const seeds = (of: readonly MeasuredSurface[]): number => new Set(of.map(({ seed }) => seed)).size;
      const dead = seeds(own.filter(({ learned }) => !learned));
      return dead > 0 ? [`${dead} of ${seeds(own)} of ${name} on ${protocol}`] : [];
    }),
  );
  return counts.length > 0 ? ` Networks that have not learned: ${counts.join(', ')}.` : '';
}

export const trench: Claim = {
  id: 'trench',
  claimed:
    'The loss over two weights of different layers of a small CIFAR-10 convnet has a clearer, trench-like minimum with a PAP than with ReLU, for most pairs.',
  published: 'pictures of chosen pairs',
  rule: `Each pair of weights is swept in a ReLU network and in PAP networks of the same protocol and seed, started at 0.5/0.5 and at 0.8/0.2. Trench-like: the anisotropy \`1 − |λ₂|/|λ₁|\` of the best-fitting quadratic (0 for a bowl, 1 for a trench) is greater with the PAP; clearer: its minimum is deeper, by \`(mean loss at the border − minimum) / loss of the trained network\`. For each of the two, the share of pairs in which the PAP has more, of at least ${enoughPairs}, with the 95 % interval of Clopper and Pearson: it holds if the whole interval is at least one half, and does not if it is below. Pairs of one network are not independent, which the interval does not know. Left out, and counted in the cells, are surfaces of a network that has not learned (a test accuracy below 0.2: there is no minimum to look at), and those that are not finite somewhere, or flat. It holds if all do, does not if none does, and else holds only where it holds.`,
  notes,
  commands: ['npx poolproof reproduce landscape', 'npx poolproof reproduce landscape --protocol convnet/no-dropout'],
  measure({ surfaces }) {
    const comparisons = surfaceProtocolsOf(surfaces).flatMap((protocol) => {
      const own = surfaces.filter((surface) => surface.protocol === protocol);
      return paps.flatMap((pap) => {
        const pairs = sameWeights(own, pap, 'relu');
        return (['anisotropy', 'depth'] as const).flatMap((measure) => comparisonOf(protocol, pap, measure, pairs));
      });
    });
    return {
      verdict: verdictOf(
        comparisons,
        `loss surfaces over ${enoughPairs} pairs of weights, of relu and of pap networks that have learned`,
        enoughPairs,
      ),
      ours: valuesText(comparisons),
      n: `${Math.max(0, ...comparisons.flatMap(({ n }) => n))} pairs`,
      sentence: `${outcomesText(comparisons)}${notLearnedText(surfaces)}`,
      cells: (['anisotropy', 'depth', 'roughness'] as const).flatMap((measure) =>
        surfaceActivations.flatMap((name) => surfaceCells(surfaces, name, measure)),
      ),
      comparisons,
    };
  },
};
