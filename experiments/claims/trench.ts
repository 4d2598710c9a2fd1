import { convnet } from '../convnet-protocol.ts';
import { shareInterval } from '../statistics.ts';
import {
  type Claim,
  type Comparison,
  judge,
  type MeasuredSurface,
  partsLink,
  protocolRule,
  verdictOf,
} from './claim.ts';
import { measureOf, sameWeights, surfaceActivations, surfaceCells, surfaceProtocolsOf } from './surfaces.ts';
import { countText, figure, outcomesText, valuesOn } from './words.ts';

const on = convnet.name;

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
      protocol,
      part: `${measure} (${pap})`,
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

const notes = [
  'Why there are two protocols: on `convnet`, the published one, networks of MReLU 0.5 and of PAPs started at 0.5/0.5 die, all outputs become constant, and the loss stays at ln 10 = 2.30. Within 60 updates no input of the fourth activation is positive. Likely, since the gradient does not see the step: a unit whose output disturbs is pushed down until it is off, and from there no gradient brings it back.',
  'Lower rates, plain SGD as in the author’s first PAP convnet, a rate that grows by 0.001 an epoch as in his later code, and ReLU in the dense layer, as in the former, were tried in pilots of a PAP, without surfaces, which are listed with [all that was tried](#all-that-was-tried): none learned in ten epochs.',
  'Stopped before their end, and so without a row: rate 0.002 (training loss 2.33 after nine epochs), rate 0.001 for 30 epochs (2.35 after four), the growing rate with MReLU 0.5 (2.33 after four), ReLU in the dense layer at rate 0.01 (no input of the fourth activation positive after 55 updates), and without dropout the rates 0.003 (2.33 after half an epoch) and 0.01 (2.15 in the second).',
  'Without dropout at rate 0.001 the network lives, but is slow: a test loss of 2.23 after ten epochs. `convnet/no-dropout` is the only change so far whose loss fell in its second epoch: it is `convnet` without dropout, at the published rate, on which ReLU is measured anew too. Its rows show whether a PAP learns on it. What is said of single updates and epochs was printed by those trainings, and is in no row.',
];

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

/** How far the loss goes along one weight alone, from the trained network. */
function effects({ losses, offsets }: MeasuredSurface): readonly [number, number] {
  const middle = offsets.indexOf(0);
  const along = [losses.map((row) => row[middle]), losses[middle]] as [number[], number[]];
  const [first, second] = along.map((values) => Math.max(...values) - Math.min(...values)) as [number, number];
  return [first, second];
}

/** Whether the lowest loss is not at the border of what was swept. */
function isMinimumWithin({ losses }: MeasuredSurface): boolean {
  const lowest = Math.min(...(losses.flat() as number[]));
  const k = losses.length - 1;
  return losses.every((row, i) => row.every((loss, j) => loss !== lowest || (i > 0 && i < k && j > 0 && j < k)));
}

/** What the surfaces of the deciding protocol can't show, counted. */
function limitsText(surfaces: readonly MeasuredSurface[]): string {
  const own = surfaces.filter(
    ({ protocol, learned, measures }) => protocol === on && learned && measures !== undefined,
  );
  const compared = own.filter(({ activation }) => activation === 'relu' || paps.includes(activation));
  const long = compared.filter((surface) => measureOf(surface, 'anisotropy') > 0.99);
  if (compared.length === 0) return '';
  const inert = long.filter((surface) => Math.min(...effects(surface)) < 0.02 * Math.max(...effects(surface)));
  const ranges = compared.map(
    ({ losses }) => Math.max(...(losses.flat() as number[])) - Math.min(...(losses.flat() as number[])),
  );
  const within = ['relu', ...paps].flatMap((name) => {
    const of = compared.filter(({ activation }) => activation === name);
    return of.length > 0 ? [`${of.filter(isMinimumWithin).length} of ${of.length} of ${name}`] : [];
  });
  const networks = new Set(compared.map(({ seed }) => seed)).size;
  return ` Limits on ${on}: the pairs are of ${networks} network${networks === 1 ? '' : 's'} of each activation; of the ${long.length} surfaces of relu and PAPs with an anisotropy above 0.99, ${inert.length} have a weight that moves the loss by less than 2 % of what the other does, so that the trench is a weight without effect; the lowest loss lies inside of what was swept for ${within.join(', ')}; the flattest surface has a range of ${figure(Math.min(...ranges))}, and losses are kept to six digits.`;
}

export const trench: Claim = {
  id: 'trench',
  claimed:
    'The loss over two weights of different layers of a small CIFAR-10 convnet has a clearer, trench-like minimum with a PAP than with ReLU, for most pairs.',
  published: [{ name: '', value: 'pictures of chosen pairs' }],
  rule: `Each pair of weights is swept in a ReLU network and in PAP networks of the same protocol and seed, started at 0.5/0.5 and at 0.8/0.2. Trench-like: the anisotropy \`1 − |λ₂|/|λ₁|\` of the best-fitting quadratic (0 for a bowl, 1 for a trench) is greater with the PAP; clearer: its minimum is deeper, by \`(mean loss at the border − minimum) / loss of the trained network\`. For each of the two, the share of pairs in which the PAP has more, of at least ${enoughPairs}, with the 95 % interval of Clopper and Pearson: it holds if the whole interval is at least one half, and does not if it is below. Pairs of one network are not independent, which the interval does not know. Left out, and counted in the cells, are surfaces of a network that has not learned (a test accuracy below 0.2: there is no minimum to look at), and those that are not finite somewhere, or flat. The parts on a protocol are those two of each PAP that was swept and learned there. ${partsLink} ${protocolRule(on)}`,
  on,
  notes,
  commands: [
    'npx poolproof reproduce landscape',
    'npx poolproof reproduce landscape --activation relu,pap-0.8 --trials 4',
  ],
  further: ['npx poolproof reproduce landscape --protocol convnet/no-dropout'],
  measure({ surfaces }) {
    const comparisons = surfaceProtocolsOf(surfaces).flatMap((protocol) => {
      const own = surfaces.filter((surface) => surface.protocol === protocol);
      return paps.flatMap((pap) => {
        const pairs = sameWeights(own, pap, 'relu');
        return (['anisotropy', 'depth'] as const).flatMap((measure) => comparisonOf(protocol, pap, measure, pairs));
      });
    });
    const verdict = verdictOf(
      comparisons,
      on,
      `loss surfaces over ${enoughPairs} pairs of weights, of relu and of pap networks that have learned`,
      { least: enoughPairs },
    );
    return {
      verdict,
      ours: valuesOn(comparisons, on),
      n: `${countText(comparisons, on)} pairs`,
      sentence: `${outcomesText(comparisons, verdict)}${notLearnedText(surfaces)}${limitsText(surfaces)}`,
      cells: (['anisotropy', 'depth', 'roughness'] as const).flatMap((measure) =>
        surfaceActivations.flatMap((name) => surfaceCells(surfaces, name, measure)),
      ),
      comparisons,
    };
  },
};
