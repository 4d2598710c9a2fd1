import type { Cell, Claim, ClaimId, Comparison, Finding, Region } from '../claims/claim.ts';
import { claims } from '../claims/claims.ts';
import { figure, pText, verdictText, withInterval } from '../claims/words.ts';
import { experiments } from '../experiments.ts';
import { isRegistered } from '../registry.ts';
import { median, resamples } from '../statistics.ts';
import type { Row } from '../trial.ts';
import { anchorOf, type Block, type Figure, heading, text } from './block.ts';
import type { Measured } from './evidence.ts';
import { coefficientsFigure } from './figures/coefficients.ts';
import { curvesFigure, mapFigure, roughnessFigure } from './figures/learning-rates.ts';
import { finalFigure } from './figures/losses.ts';
import { gradientsFigure, stepsFigure } from './figures/steps.ts';
import { measuresFigure, surfaceFigures } from './figures/surfaces.ts';
import { progressOf } from './plan.ts';
import { inRegistryOrder, triedIn } from './tried.ts';

/** The title of the report. */
export const title = 'The claims about MReLU and PAP, measured again';

/** The report on what was measured, made from nothing else. */
export function resultsPage(measured: Measured): Block[] {
  const findings = claims.map((claim) => ({ claim, finding: claim.measure(measured) }));
  return [
    heading(1, title),
    text(
      'A blog post of February 2016 (Clay McLeod, "Parametric Activation Pools greatly increase performance and consistency in ConvNets") and the code its author published in the weeks after make nine claims.',
      'Each is judged here by a rule that could go either way. Its bounds were written down before the rows were judged, and have not been moved; added since are that networks that have not learned are not judged by their surfaces, that trench is judged on a second protocol too, and that the learning-rate map is one place of training-time.',
      'A claim that fails is a result.',
    ),
    {
      kind: 'table',
      head: ['claim', 'published', 'ours, 95 % interval', 'n', 'verdict'],
      rows: findings.map(({ claim: { id, published }, finding: { ours, n, verdict } }) => [
        `[${id}](#${anchorOf(id)})`,
        published,
        ours,
        n,
        verdictText(verdict),
      ]),
    },
    text(
      'Test loss and accuracy are those after the last epoch. No run is left out but by a rule: a loss that is not finite has no mean, and is counted as excluded; a run that ends below an accuracy of 0.2, or with a loss that is not finite, is dead, and counted in every cell; where there are dead runs, the figure without them stands beside.',
      `Means have Student's intervals, ratios percentile bootstrap intervals of ${resamples.toLocaleString('en')} resamples; n is the number of trials, each a network of a seed of its own. p-values are not corrected for how many there are: verdicts follow from the intervals.`,
    ),
    ...findings.flatMap(({ claim, finding }) => section(claim, finding, figuresOf(claim.id, measured))),
    ...triedSection(measured),
    ...remainingSection(measured),
  ];
}

function figuresOf(id: ClaimId, { rows, surfaces }: Measured): Figure[] {
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
      return [...gradientsFigure(rows), ...roughnessFigure(rows)];
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

function section(claim: Claim, finding: Finding, figures: readonly Figure[]): Block[] {
  return [
    heading(2, claim.id),
    text(claim.claimed, `Published: ${claim.published}.`),
    heading(3, `Verdict: ${verdictText(finding.verdict)}`),
    text(finding.sentence),
    text(`The rule: ${claim.rule}`),
    ...(claim.notes === undefined ? [] : [text(claim.notes)]),
    ...comparisonTable(finding.comparisons.filter(({ where }) => !isOfMap(where))),
    ...comparisonTable(
      finding.comparisons.filter(({ where }) => isOfMap(where)),
      'The same over the learning-rate map',
    ),
    ...figures.map((each): Block => ({ kind: 'figure', figure: each })),
    ...(drawnElsewhere.includes(claim.id) && finding.cells.length > 0
      ? [text('The losses are drawn with [mean-loss](#mean-loss).')]
      : []),
    ...cellTable(finding.cells),
    text('Measured again by:'),
    { kind: 'commands', lines: claim.commands },
  ];
}

function isOfMap(where: string): boolean {
  return where.startsWith('batch-128/');
}

function comparisonTable(comparisons: readonly Comparison[], folded?: string): Block[] {
  if (comparisons.length === 0) return [];
  const hasTests = comparisons.some(({ tests }) => tests.length > 0);
  const hasDead = comparisons.some(({ alive }) => alive !== undefined);
  const hasWithDead = comparisons.some(({ withDead }) => withDead !== undefined);
  return [
    {
      kind: 'table',
      ...(folded !== undefined && { folded }),
      head: [
        'where',
        'figure',
        'n',
        'value, 95 % interval',
        ...(hasDead ? ['without dead runs'] : []),
        ...(hasWithDead ? ['with dead runs'] : []),
        'claimed',
        ...(hasTests ? ['tests'] : []),
        'outcome',
      ],
      rows: comparisons.map(({ where, what, n, value, interval, alive, withDead, claimed, tests, outcome }) => [
        where,
        what,
        n.join(' + '),
        withInterval(value, interval),
        ...(hasDead ? [alive === undefined ? '' : figure(alive)] : []),
        ...(hasWithDead ? [withDead === undefined ? '' : figure(withDead)] : []),
        regionText(claimed),
        ...(hasTests ? [tests.map(({ name, p }) => `${name} ${pText(p)}`).join(', ')] : []),
        outcome,
      ]),
    },
  ];
}

function cellTable(cells: readonly Cell[]): Block[] {
  if (cells.length === 0) return [];
  const protocols = new Set(cells.map(({ protocol }) => protocol)).size;
  const hasDead = cells.some(({ dead }) => dead > 0);
  return [
    {
      kind: 'table',
      ...(cells.length > 12 && {
        folded: `All ${cells.length} cells, of ${protocols} protocol${protocols === 1 ? '' : 's'}`,
      }),
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

function triedSection({ rows, networks }: Measured): Block[] {
  const tried = triedIn(rows);
  const hours = [...rows, ...networks].reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
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
      `${rows.length} trials on MNIST and ${networks.length} networks on CIFAR-10, ${figure(hours)} hours of one core.`,
      `Measured on ${[...versions].map(([said, n]) => `${said} (${n} rows)`).join('; ') || 'nothing yet'}.`,
      `Rows whose protocol is not the one of the registry, such as one with fewer epochs, are protocols of their own: they are listed here, and in no cell above; there are ${others}.`,
    ),
    ...(tried.length === 0
      ? []
      : [
          {
            kind: 'table' as const,
            ...(tried.length > 12 && { folded: `The trials on MNIST, of ${tried.length} trainings that differ` }),
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
          },
        ]),
    ...(networks.length === 0
      ? []
      : [
          {
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
          },
        ]),
  ];
}

function remainingSection({ rows, networks }: Measured): Block[] {
  const seconds = secondsOf([...rows, ...networks]);
  const lines = progressOf([...rows, ...networks]).map(({ command, lines }) => {
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
