import { type Comparison, partsRule } from '../claims/claim.ts';
import { figure } from '../claims/words.ts';
import { leastValues } from '../statistics.ts';
import { type Block, heading, text } from './block.ts';

/** How figures are made, how often chance decides them, and what was changed after rows had been seen. */
export function methodSection(comparisons: readonly Comparison[]): Block[] {
  return [
    heading(2, 'Method'),
    text(
      'No run is left out but by a rule: a loss that is not finite has no mean, and is counted as excluded; a run that ends below an accuracy of 0.2, or with a loss that is not finite, is dead, and counted in every cell; where there are dead runs, the figure without them stands beside.',
    ),
    text(
      `Means have Student's intervals; ratios of means and of standard deviations Student's of their logarithm, with the variance of the jackknife and the degrees of freedom of Welch and Satterthwaite; medians those of the sign test. Fewer than ${leastValues} values have none, and fewer than six no interval of a median.`,
      'In simulations of 5, 10 and 20 values a side, those of ratios hold the truth in 95 or 96 of 100 where values are normal; where they are lognormal (skewness 0.95), those of means do too, and those of standard deviations in 93 to 96. Beside each ratio stands the percentile interval of a bootstrap of 10,000 resamples, which is not judged: of so few values it holds the truth less often.',
    ),
    text(
      'p-values are not corrected for how many there are: verdicts follow from the intervals.',
      chanceText(comparisons),
    ),
    text(`Of a claim of several parts: ${partsRule}`),
    text(
      'The bounds of the rules were written down before the rows were judged, and have not been moved. Changed since, after rows had been seen:',
    ),
    { kind: 'list', items: changes },
  ];
}

/** How many figures chance decides wrongly, at most: an interval of 95 % lies past the true value on one side in 2.5 %. */
function chanceText(comparisons: readonly Comparison[]): string {
  const decided = comparisons.filter(({ outcome }) => outcome !== 'open').length;
  const judged = comparisons.filter(({ interval }) => interval !== undefined).length;
  return `Nor are the intervals: each figure is judged at 95 % by itself. Of ${comparisons.length} figures ${judged} have an interval, and ${decided} are decided. If every true value stood on its bound, the worst case, an interval that holds what it says would decide wrongly in 2.5 % of experiments: ${figure(0.025 * judged)} of these figures. One part that differs from the others of its claim says little where its interval only just clears the bound. A claim as a whole needs all its parts to agree, which chance makes rarer. High-lr judges shares, not intervals: its rule says how often chance decides it.`;
}

/** What was changed in how the claims are judged after rows had been seen, and why. */
const changes: readonly string[] = [
  'Networks that have not learned are not judged by their surfaces: there is no minimum to look at.',
  '`pap-0.8`, a PAP started near ReLU, was put under judgement in trench after PAPs started at 0.5/0.5 had died on `convnet`; it is the only activation behind the figures of trench there.',
  'Trench is judged on a second protocol too, `convnet/no-dropout`, for the same reason.',
  'The learning-rate map is one place of training-time, since an update does not know its rate.',
  'The verdict is that of the published protocol. Before, all protocols that were decided had a voice, and small networks overruled the published one. With the rows of then this made of consistency and training-time, which did not hold, claims that are not decided, and of mean-loss, which held only where it was the published network, one that holds there.',
  'Slope is judged on each protocol by itself. Before, the pairs of all protocols were one sample, of which nearly all were networks of 32 units, and what was said was true of those. Gradients of the published network before its first update, which cost no training, were measured for it. With that, slope, which held for some of its figures, does not hold.',
  `High-lr needs ${leastValues} trials a side, as all others do, instead of three, with which a share may be 0.3 or 1; and it is decided by the published batch of 32, not by the map, whose batch is 128. By three trials a side on the map it did not hold; now it is not measured.`,
  'Ratios of means and of standard deviations, and medians, had percentile bootstrap intervals, which are too narrow for so few values: in simulations, those of a ratio of means held the truth in 87 of 100 samples of 5 values and in 92 of 10, those of a ratio of standard deviations in 92 of 10. What replaced them was chosen by its coverage in simulations; no outcome changed with the rows of then.',
  'Pairs of weights of one network, in slope, and pairs of one seed at several rates, in sharing, are averaged first: they are not independent, and the interval over all of them was too narrow. With that, the four figures of the roughness of surfaces, which did not hold, are open: there are two networks of each MReLU. The map of sharing stays open.',
  'A claim of several parts holds, or does not, only where every part that its rule needs is decided. Before, open parts were passed over: one that held beside eight that were open made a claim hold. With that, slope, which did not hold, is decided in part, since no curve of an MReLU was trained on `author-2016`; on `small` and `small/one-layer` too, where it held, and no network of MReLU 0.5 was trained; and trench, which did not hold on `convnet/no-dropout`, is decided in part there.',
  'Sharing is judged on `convnet/sharing` too, where a channel is not a unit; its rule, and how many trials there would be, were written down before its first trial had ended.',
  'Of a ratio whose size is open, the verdict says on which side of 1 the whole interval lies. No outcome changed.',
];
