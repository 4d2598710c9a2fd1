import type { Claim, ClaimId, Finding } from '../claims/claim.ts';
import { claims } from '../claims/claims.ts';
import { verdictText } from '../claims/words.ts';
import { isOfMap } from '../protocols.ts';
import { answer } from './answer.ts';
import { type Block, type Figure, folded, heading, text } from './block.ts';
import { crossingsTable } from './crossings.ts';
import type { Measured } from './evidence.ts';
import { coefficientsFigure } from './figures/coefficients.ts';
import { curvesFigure } from './figures/curves.ts';
import { mapFigure, roughnessFigure } from './figures/learning-rates.ts';
import { finalFigure } from './figures/losses.ts';
import { gradientsFigure, stepsFigure } from './figures/steps.ts';
import { measuresFigure, surfaceFigures } from './figures/surfaces.ts';
import { methodSection } from './method.ts';
import { protocolSection } from './protocols.ts';
import { remainingSection } from './remaining.ts';
import { summary } from './summary.ts';
import { cellTable, comparisonTable } from './tables.ts';
import { triedSection } from './tried.ts';

/** The title of the report. */
export const title = 'The claims about MReLU and PAP, measured again';

/** The report on what was measured, made from nothing else. */
export function resultsPage(measured: Measured): Block[] {
  const findings = claims.map((claim) => ({ claim, finding: claim.measure(measured) }));
  return [
    heading(1, title),
    ...answer(
      measured.rows,
      findings.map(({ claim: { id }, finding: { verdict } }) => ({ id, verdict })),
    ).map((paragraph) => text(paragraph)),
    ...summary(findings),
    text(
      'The claims are those of a blog post of February 2016 (Clay McLeod, "Parametric Activation Pools greatly increase performance and consistency in ConvNets") and the code its author published in the weeks after. Each is judged by a rule that could go either way, on each protocol by itself, and the published protocol decides. A claim that fails is a result.',
      'Test loss and accuracy are those after the last epoch; n is the number of trials, each a network of a seed of its own; intervals are 95 %. [Protocols](#protocols) says what the names of protocols and activations mean, [method](#method) how figures are made, and [all figures](#all-figures) lists every cell.',
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
    text(
      claim.claimed,
      `Published: ${claim.published.map(({ name, value }) => `${name} ${value}`.trim()).join('; ')}.`,
    ),
    heading(3, `Verdict: ${verdictText(finding.verdict, finding.caveat)}`),
    text(finding.sentence),
    text(`The rule: ${claim.rule}`),
    ...comparisonTable(finding.comparisons.filter(({ protocol }) => !isOfMap(protocol))),
    ...figures.map((each): Block => ({ kind: 'figure', figure: each })),
    ...tables,
    ...(drawnElsewhere.includes(claim.id) && finding.cells.length > 0
      ? [text('The losses are drawn with [mean-loss](#mean-loss).')]
      : []),
    ...folded('How it was measured', ...(claim.notes ?? []).map((paragraph) => text(paragraph))),
    text('Measured again by:'),
    { kind: 'commands', lines: [...claim.commands, ...claim.further] },
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
