import { checkArray, checkInput, shown } from '../../reference/arguments.ts';
import { sizeOf } from '../../reference/shape.ts';
import { wrapped } from '../wrapped.ts';
import { describeStructure } from './layout.ts';
import type { ComparedElement, GradcheckFailure, GradcheckReport, InputReport } from './report.ts';

/** Failures that are written out; the others are counted. */
const failuresShown = 8;
const kinksShown = 2;

/** A larger share of elements that were left open is worth a warning. */
const fewOpen = 0.05;

/** Lines of a report. */
const lineCount = 40;

/**
 * A report for people: at most 40 lines of 80 columns, unless one word is longer.
 *
 * @throws TypeError naming the part that a report must have
 */
export function gradcheckText(report: GradcheckReport): string {
  checkInput('gradcheckText', 'report', report);
  checkInput('gradcheckText', 'report.calls', report.calls);
  for (const part of ['outputShape', 'inputs', 'failures', 'checks'] as const) {
    checkArray('gradcheckText', `report.${part}`, report[part]);
  }
  const { name, dtype, seed, outputShape, inputs, failures, calls, checks, override } = report;
  const runs = Object.entries(calls).filter(([, n]) => n > 0);
  const compared = inputs.reduce((sum, input) => sum + input.compared, 0);
  const isVacuous = compared > 0 && inputs.every((input) => input.compared === input.vacuous);
  const open = inputs.reduce((sum, input) => sum + input.open, 0);
  // Of a projected input directions are compared, not elements.
  const all = inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const lines = [
    `gradcheck ${name}: ${outcomeText(report)}`,
    `${dtype}, y [${outputShape.join(', ')}], seed ${seed}; ${runs.map(([part, n]) => `${n} ${part}`).join(', ')}`,
    ...overrideLines(override),
    ...(isVacuous ? ['VACUOUS: no derivative that was compared can be told from 0'] : []),
    ...openWarning(open, all),
    ...failureLines(failures, inputs),
    ...inputs.flatMap(inputText),
    `checked: ${checks.join('; ')}`,
  ].map(wrapped);
  return shortened(lines).join('\n');
}

/** Of one report or of a run, a warning if more than 5 % of all elements were left open. */
export function openWarning(open: number, all: number): string[] {
  return open > fewOpen * all ? [`WARNING: ${open} of ${all} elements were left open, and may be wrong`] : [];
}

function overrideLines({ tolerance, rounding }: NonNullable<GradcheckReport['override']> = {}): string[] {
  return [
    ...(tolerance !== undefined ? [`OVERRIDE: relative tolerance ${tolerance} in place of the derived intervals`] : []),
    ...(rounding ? ['OVERRIDE: rounding as the caller bounds it, in place of the estimated or declared'] : []),
  ];
}

/** What failed, an input whose gradient is wrong once, though another dy shows it too. */
function failureLines(failures: readonly GradcheckFailure[], inputs: readonly InputReport[]): string[] {
  const wrongInputs = new Set(failures.flatMap((f) => (f.code === 'gradient' && f.what === 'vjp' ? [f.input] : [])));
  const isAgain = (f: GradcheckFailure) =>
    f.code === 'gradient' && f.what.startsWith('vjp of another dy') && wrongInputs.has(f.input);
  const again = new Set(failures.flatMap((f) => (f.code === 'gradient' && isAgain(f) ? [f.input] : [])));
  const lines = failures
    .filter((f) => !isAgain(f))
    .map((f) => {
      const too = f.code === 'gradient' && f.what === 'vjp' && again.has(f.input) ? '; of another dy too' : '';
      return `FAIL ${describeGradcheckFailure(f)}${too}${isOfFound(f, inputs) ? declareHint : ''}`;
    });
  const more = lines.length - failuresShown;
  return more > 0 ? [...lines.slice(0, failuresShown), `… and ${more} more`] : lines;
}

const declareHint = '; measured by the structure that was found, which may be another: declare the structure';

/** Whether a derivative of 0 was measured, as that of what lies outside of a structure that was found. */
function isOfFound(failure: GradcheckFailure, inputs: readonly InputReport[]): boolean {
  if (failure.code !== 'gradient' || failure.numeric !== 0) return false;
  const input = inputs.find(({ name }) => name === failure.input);
  return input !== undefined && !input.declared && input.structure !== 'dense' && input.structure !== 'projected';
}

/** As many of the lines as there is room for, none of them in part, and how many are left out. */
function shortened(lines: readonly (readonly string[])[]): string[] {
  const all = lines.flat();
  if (all.length <= lineCount) return all;
  const shown: string[] = [];
  for (const line of lines) {
    if (shown.length + line.length > lineCount - 1) break;
    shown.push(...line);
  }
  return [...shown, `… and ${all.length - shown.length} more lines`];
}

function outcomeText({ outcome, failures }: GradcheckReport): string {
  if (outcome === 'nothing-compared') return 'NOTHING COMPARED, no element of a gradient could be measured';
  return outcome === 'passed'
    ? 'passed'
    : `FAILED, ${failures.length} ${failures.length === 1 ? 'failure' : 'failures'}`;
}

function inputText({
  name,
  shape,
  structure,
  projection,
  declared,
  compared,
  open,
  vacuous,
  kinks,
  kinkCount,
  worst,
  sees,
}: InputReport): string[] {
  const how =
    structure === 'projected'
      ? `${projection!.together} elements along ${projection!.random} random directions, ${projection!.alone} about kinks alone`
      : `${describeStructure(structure)}, ${declared ? 'declared' : 'found'}`;
  const leftOpen = open > 0 ? `, ${open} left open` : '';
  const vague = vacuous > 0 ? `, ${vacuous} vacuous` : '';
  const lines = [`d${name} [${shape.join(', ')}]: ${how}; ${compared} compared${leftOpen}${vague}`];
  if (worst) {
    const { index, isDirection, at, dy, analytic, numeric, lo, hi, kinkDistance, ratio } = worst;
    const near = Number.isFinite(kinkDistance) ? `, ${short(kinkDistance)} from a kink` : '';
    const where = isDirection
      ? `direction ${index[0] + 1}`
      : `[${index.join(', ')}]${at === undefined ? '' : ` = ${written(at)}`}${dy === undefined ? '' : `, dy ${written(dy)}`}`;
    lines.push(`  worst ${where}: analytic ${analytic}, numeric ${numeric},`);
    lines.push(`    allowed [${lo}, ${hi}] (${short(ratio)} half widths off its middle)${near}`);
  }
  if (sees) {
    const [half, all] = [short(sees.median), short(sees.everywhere)];
    lines.push(
      sees.absolute
        ? `  sees an error in one element alone from ${half} (half of them), ${all} (all)`
        : `  sees an error in one element from ${half} of it (half of them), ${all} (all)`,
    );
  }
  for (const { element, at, declared: known, left, right, jump } of kinks.slice(0, kinksShown)) {
    lines.push(
      `  on a kink: [${element.join(', ')}] = ${at}, ${known ? 'declared' : 'found'}: slopes ${short(left)} and ${short(right)}, jump ${short(jump)}`,
    );
  }
  if (kinkCount > kinksShown) lines.push(`  … ${kinkCount} on kinks in all`);
  return lines;
}

/**
 * One sentence: what is wrong, where, what came, what is allowed.
 *
 * @throws TypeError, RangeError for what is no failure of a report
 */
export function describeGradcheckFailure(failure: GradcheckFailure): string {
  checkInput('describeGradcheckFailure', 'failure', failure);
  const at = (index: readonly number[]) => `[${index.join(', ')}]`;
  switch (failure.code) {
    case 'gradient':
      return `${failure.isDirection ? `<d${failure.input}, direction ${failure.index[0] + 1}>` : `d${failure.input}${at(failure.index)}`} of ${failure.what} is ${failure.analytic}, measured ${failure.numeric}, allowed [${failure.lo}, ${failure.hi}] (${failure.wrong} of ${failure.compared} ${failure.isDirection ? 'products' : 'elements'} wrong)${whereText(failure)}`;
    case 'tangent':
      return `jvp: ty${at(failure.index)} is ${failure.analytic}, measured ${failure.numeric}, allowed [${failure.lo}, ${failure.hi}] (${failure.wrong} of ${failure.compared} elements wrong)`;
    case 'adjoint':
      return `jvp and vjp are not adjoint: <ty, dy> is ${failure.forward}, Σ <t, gradient> is ${failure.reverse}, allowed apart ${failure.allowed}`;
    case 'value':
      return `y${at(failure.index)} is ${failure.actual}, expected ${failure.why}, allowed [${failure.lo}, ${failure.hi}]`;
    case 'one-sided':
      return `at the kink ${failure.input} = ${failure.at} the ${failure.side} ${failure.quantity === 'slope' ? 'slope' : 'limit'} of y${at(failure.index)} is ${failure.actual}, declared ${failure.expected}, measured to ${failure.error}`;
    case 'cross-talk':
      return `y${at(failure.index)} changed from ${failure.was} to ${failure.became} although nothing moved that it depends on: ${failure.input} is not ${describeStructure(failure.structure)}`;
    case 'non-deterministic':
      return `${failure.what} is not the same again: element ${failure.element} was ${failure.first}, then ${failure.again}`;
    case 'mutated':
      return `${failure.what} changed its input ${failure.input} (element ${failure.element})`;
    case 'aliased':
      return `${failure.what} answered with the memory of its input ${failure.input}`;
    case 'shared':
      return `${failure.what} answered for ${failure.input} with memory of its answer for ${failure.other}`;
    case 'overwritten':
      return `${failure.what} was written over by a later call (element ${failure.element})`;
    case 'spreads':
      return `${failure.from} spreads: ${failure.to}${at(failure.index)} was ${failure.was}, became ${failure.became}`;
    case 'batch':
      return `a batch of one: ${failure.what}${at(failure.index)} is ${failure.alone} alone, ${failure.together} among the others`;
    case 'second-order':
      return `gradient of the vjp to ${failure.of}: ${describeGradcheckFailure(failure.failure)}`;
    default: {
      const { code } = failure as { code: unknown };
      throw new RangeError(
        `describeGradcheckFailure: "failure.code" expected that of a GradcheckFailure, got ${shown(code)}`,
      );
    }
  }
}

/** `; x[0, 0] = 1, dy 0.5: derivative 1.001, measured 1`: without dy, which was drawn. */
function whereText({ input, index, at, dy, analytic, numeric }: ComparedElement & { readonly input: string }): string {
  if (at === undefined) return '';
  const place = `; ${input}[${index.join(', ')}] = ${written(at)}`;
  if (dy === undefined) return place;
  const of = dy === 0 || !Number.isFinite(dy) ? '' : `: derivative ${apart(analytic / dy, numeric / dy)}`;
  return `${place}, dy ${written(dy)}${of}`;
}

/** Two numbers by six digits, which a division by dy leaves right, or by as many more as tell them apart. */
function apart(analytic: number, numeric: number): string {
  const text = [6, 9, 12, 17].map((digits) => [analytic, numeric].map((v) => written(Number(v.toPrecision(digits)))));
  const [came, measured] = text.find(([a, b]) => a !== b) ?? text[0];
  return `${came}, measured ${measured}`;
}

/** -0 too. */
function written(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function short(value: number): string {
  return value === 0 || !Number.isFinite(value)
    ? String(value)
    : Math.abs(value) >= 0.001 && Math.abs(value) < 1e5
      ? String(Number(value.toPrecision(4)))
      : value.toExponential(1);
}
