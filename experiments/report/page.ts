import type { Cell, Claim, ClaimId, Comparison, Finding, Region } from '../claims/claim.ts';
import { claims } from '../claims/claims.ts';
import { figure, pText, verdictText, withInterval } from '../claims/words.ts';
import { experiments } from '../experiments.ts';
import { isOfMap } from '../protocols.ts';
import { isRegistered } from '../registry.ts';
import { leastValues, median } from '../statistics.ts';
import type { Row } from '../trial.ts';
import { answer } from './answer.ts';
import { anchorOf, type Block, type Figure, folded, heading, text } from './block.ts';
import { crossingsTable } from './crossings.ts';
import type { Measured } from './evidence.ts';
import { coefficientsFigure } from './figures/coefficients.ts';
import { curvesFigure, mapFigure, roughnessFigure } from './figures/learning-rates.ts';
import { finalFigure } from './figures/losses.ts';
import { gradientsFigure, stepsFigure } from './figures/steps.ts';
import { measuresFigure, surfaceFigures } from './figures/surfaces.ts';
import { progressOf } from './plan.ts';
import { protocolSection } from './protocols.ts';
import { inRegistryOrder, triedIn } from './tried.ts';

/** The title of the report. */
export const title = 'The claims about MReLU and PAP, measured again';

/** The report on what was measured, made from nothing else. */
export function resultsPage(measured: Measured): Block[] {
  const findings = claims.map((claim) => ({ claim, finding: claim.measure(measured) }));
  return [
    heading(1, title),
    text(
      answer(
        measured.rows,
        findings.map(({ claim: { id }, finding: { verdict } }) => ({ id, verdict })),
      ),
    ),
    {
      kind: 'table',
      head: ['claim', 'published', 'ours, on the protocol that decides', 'n', 'verdict'],
      rows: findings.map(({ claim: { id, published }, finding: { ours, n, verdict, caveat } }) => [
        `[${id}](#${anchorOf(id)})`,
        published,
        ours,
        n,
        verdictText(verdict, caveat),
      ]),
    },
    text(
      'The claims are those of a blog post of February 2016 (Clay McLeod, "Parametric Activation Pools greatly increase performance and consistency in ConvNets") and the code its author published in the weeks after. Each is judged by a rule that could go either way, on each protocol by itself, and the published protocol decides. A claim that fails is a result.',
      'Test loss and accuracy are those after the last epoch; n is the number of trials, each a network of a seed of its own; intervals are 95 %. What the names of protocols and activations mean stands under [protocols](#protocols), how figures are made under [method](#method), and every cell under [all figures](#all-figures).',
    ),
    ...findings.flatMap(({ claim, finding }) =>
      section(
        claim,
        finding,
        figuresOf(claim.id, measured),
        claim.id === 'high-lr' ? crossingsTable(measured.rows) : [],
      ),
    ),
    ...protocolSection(),
    ...methodSection(findings.flatMap(({ finding }) => finding.comparisons)),
    ...figuresSection(findings),
    ...triedSection(measured),
    ...remainingSection(measured),
  ];
}

function methodSection(comparisons: readonly Comparison[]): Block[] {
  return [
    heading(2, 'Method'),
    text(
      'No run is left out but by a rule: a loss that is not finite has no mean, and is counted as excluded; a run that ends below an accuracy of 0.2, or with a loss that is not finite, is dead, and counted in every cell; where there are dead runs, the figure without them stands beside.',
      `Means have Student's intervals; ratios of means and of standard deviations Student's of their logarithm, with the variance of the jackknife and the degrees of freedom of Welch and Satterthwaite; medians those of the sign test. Fewer than ${leastValues} values have none, and fewer than six no interval of a median. In simulations of 5, 10 and 20 values a side, those of ratios hold the truth in 95 or 96 of 100 where values are normal; where they are lognormal (skewness 0.95), those of means do too, and those of standard deviations in 93 to 96. p-values are not corrected for how many there are: verdicts follow from the intervals.`,
      chanceText(comparisons),
    ),
    text(
      'The bounds of the rules were written down before the rows were judged, and have not been moved. Changed since, after rows had been seen:',
      ...changes.map((change, k) => `(${k + 1}) ${change}`),
    ),
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
];

function figuresOf(id: ClaimId, measured: Measured): Figure[] {
  const { rows, surfaces } = measured;
  switch (id) {
    case 'mnist-table':
      return finalFigure(rows, 'accuracy');
    case 'mean-loss':
      return finalFigure(rows, 'loss');
    case 'training-time':
      return stepsFigure(rows);
    case 'high-lr':
      return [...curvesFigure(rows), ...mapFigure(rows)];
    case 'slope':
      return [...gradientsFigure(measured), ...roughnessFigure(rows)];
    case 'trench':
      return [...measuresFigure(surfaces), ...surfaceFigures(surfaces)];
    case 'pathways':
      return coefficientsFigure(rows);
    case 'consistency':
    case 'sharing':
      return [];
  }
}

/** Claims on the losses that stand with `mean-loss`. */
const drawnElsewhere: readonly ClaimId[] = ['consistency', 'sharing'];

function section(claim: Claim, finding: Finding, figures: readonly Figure[], tables: readonly Block[]): Block[] {
  return [
    heading(2, claim.id),
    text(claim.claimed, `Published: ${claim.published}.`),
    heading(3, `Verdict: ${verdictText(finding.verdict, finding.caveat)}`),
    text(finding.sentence),
    text(`The rule: ${claim.rule}`),
    ...comparisonTable(finding.comparisons.filter(({ protocol }) => !isOfMap(protocol))),
    ...figures.map((each): Block => ({ kind: 'figure', figure: each })),
    ...tables,
    ...(drawnElsewhere.includes(claim.id) && finding.cells.length > 0
      ? [text('The losses are drawn with [mean-loss](#mean-loss).')]
      : []),
    ...(claim.notes === undefined ? [] : folded('How it was measured', text(claim.notes))),
    text('Measured again by:'),
    { kind: 'commands', lines: claim.commands },
  ];
}

/** The long tables, at the end. */
function figuresSection(findings: readonly { readonly claim: Claim; readonly finding: Finding }[]): Block[] {
  return [
    heading(2, 'All figures'),
    ...findings.flatMap(({ claim: { id }, finding: { comparisons, cells } }) => [
      ...folded(
        `${id}: what was judged over the learning-rate map`,
        ...comparisonTable(comparisons.filter(({ protocol }) => isOfMap(protocol))),
      ),
      ...folded(`${id}: all ${cells.length} cells`, ...cellTable(cells)),
    ]),
  ];
}

function comparisonTable(comparisons: readonly Comparison[]): Block[] {
  if (comparisons.length === 0) return [];
  const hasParts = comparisons.some(({ part }) => part !== undefined);
  const hasTests = comparisons.some(({ tests }) => tests.length > 0);
  const hasDead = comparisons.some(({ alive }) => alive !== undefined);
  const hasWithDead = comparisons.some(({ withDead }) => withDead !== undefined);
  return [
    {
      kind: 'table',
      head: [
        'protocol',
        ...(hasParts ? ['part'] : []),
        'figure',
        'n',
        'value, 95 % interval',
        ...(hasDead ? ['without dead runs'] : []),
        ...(hasWithDead ? ['with dead runs'] : []),
        'claimed',
        ...(hasTests ? ['tests'] : []),
        'outcome',
      ],
      rows: comparisons.map(
        ({ protocol, part, what, n, value, interval, alive, withDead, claimed, tests, outcome }) => [
          protocol,
          ...(hasParts ? [part ?? ''] : []),
          what,
          n.join(' + '),
          withInterval(value, interval),
          ...(hasDead ? [alive === undefined ? '' : figure(alive)] : []),
          ...(hasWithDead ? [withDead === undefined ? '' : figure(withDead)] : []),
          regionText(claimed),
          ...(hasTests ? [tests.map(({ name, p }) => `${name} ${pText(p)}`).join(', ')] : []),
          outcome,
        ],
      ),
    },
  ];
}

function cellTable(cells: readonly Cell[]): Block[] {
  if (cells.length === 0) return [];
  const hasDead = cells.some(({ dead }) => dead > 0);
  return [
    {
      kind: 'table',
      head: [
        'protocol',
        'activation',
        'figure',
        'n',
        'dead',
        'excluded',
        'mean, 95 % interval',
        'sd',
        ...(hasDead ? ['mean without dead runs'] : []),
      ],
      rows: cells.map(({ protocol, activation, quantity, n, dead, excluded, mean, interval, sd, alive }) => [
        protocol,
        activation,
        quantity,
        `${n}`,
        `${dead}`,
        `${excluded}`,
        withInterval(mean, interval),
        figure(sd),
        ...(hasDead ? [alive === undefined ? '' : figure(alive)] : []),
      ]),
    },
  ];
}

/** `≤ 0.72`, `≥ 2.5`, `1.05 to 1.15`. */
function regionText({ from, to }: Region): string {
  if (from !== undefined && to !== undefined) return `${figure(from)} to ${figure(to)}`;
  return from === undefined ? `≤ ${figure(to!)}` : `≥ ${figure(from)}`;
}

function triedSection({ rows, networks, gradients }: Measured): Block[] {
  const tried = triedIn(rows);
  const hours = [...rows, ...networks, ...gradients].reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  const others =
    tried.filter((each) => !each.isRegistered).reduce((sum, { n }) => sum + n, 0) +
    networks.filter((network) => !isRegistered(network)).length;
  const versions = new Map<string, number>();
  for (const { backend, versions: of } of [...rows, ...networks]) {
    const said = `${backend}: ${Object.values(of).join(', node ')}`;
    versions.set(said, (versions.get(said) ?? 0) + 1);
  }
  return [
    heading(2, 'All that was tried'),
    text(
      `${rows.length} trials on MNIST and ${networks.length} networks on CIFAR-10, ${gradients.length} gradients without training; ${figure(hours)} hours of one core.`,
      `Measured on ${[...versions].map(([said, n]) => `${said} (${n} rows)`).join('; ') || 'nothing yet'}.`,
      `Rows whose protocol is not the one of the registry, such as one with fewer epochs, are protocols of their own: they are listed here, and in no cell above; there are ${others}.`,
    ),
    ...(tried.length === 0
      ? []
      : folded(`The trials on MNIST, of ${tried.length} trainings that differ`, {
          kind: 'table' as const,
          head: [
            'protocol',
            'activation',
            'hash',
            'epochs',
            'trials',
            'dead',
            'mean loss',
            'sd',
            'mean accuracy',
            's a trial',
          ],
          rows: tried.map((each) => [
            each.protocol,
            each.activation,
            `\`${each.hash}\`${each.isRegistered ? '' : ', another protocol'}`,
            `${each.epochs}`,
            `${each.n}`,
            `${each.dead}`,
            figure(each.loss),
            figure(each.sd),
            figure(each.accuracy),
            figure(each.seconds),
          ]),
        })),
    ...(networks.length === 0
      ? []
      : folded('The networks on CIFAR-10', {
          kind: 'table' as const,
          head: ['protocol', 'activation', 'hash', 'seed', 'surfaces', 'test loss', 'test accuracy', 's'],
          rows: inRegistryOrder(
            networks.toSorted((a, b) => a.seed - b.seed),
            experiments.landscape,
          ).map((network) => {
            const { protocol, activation, hash, seed, surfaces, test, seconds } = network;
            return [
              protocol,
              activation,
              `\`${hash}\`${isRegistered(network) ? '' : ', another protocol'}`,
              `${seed}`,
              `${surfaces.length}`,
              figure(test.loss ?? Number.NaN),
              figure(test.accuracy),
              figure(seconds),
            ];
          }),
        })),
  ];
}

function remainingSection({ rows, networks, gradients }: Measured): Block[] {
  const seconds = secondsOf([...rows, ...networks, ...gradients]);
  const lines = progressOf([...rows, ...networks, ...gradients]).map(({ command, lines }) => {
    const [asked, done] = [lines, lines].map((of, k) =>
      of.reduce((sum, line) => sum + (k === 0 ? line.asked : line.done), 0),
    );
    const left = lines.map((line) => (line.asked - line.done) * (seconds.get(nameOf(line)) ?? Number.NaN));
    const hours = left.reduce((sum, value) => sum + value, 0) / 3600;
    const isKnown = Number.isFinite(hours);
    return [
      `\`${command}\``,
      `${done} of ${asked}`,
      asked === done ? '' : isKnown ? `${figure(hours)} h` : 'not known yet',
    ];
  });
  return [
    heading(2, 'What is left'),
    text(
      'Each command goes on where its rows end; the time is that of one core, from the median trial of the same protocol and activation. `npx poolproof reproduce status` prints the same of the rows on this machine.',
    ),
    { kind: 'table', head: ['command', 'trials', 'left'], rows: lines },
  ];
}

/** Median seconds of a trial, by protocol and activation. */
function secondsOf(rows: readonly Row[]): ReadonlyMap<string, number> {
  const found = new Map<string, number[]>();
  for (const row of rows) found.set(nameOf(row), [...(found.get(nameOf(row)) ?? []), row.seconds]);
  return new Map([...found].map(([name, values]) => [name, median(values)]));
}

function nameOf({ protocol, activation }: { protocol: string; activation: string }): string {
  return `${protocol} ${activation}`;
}
