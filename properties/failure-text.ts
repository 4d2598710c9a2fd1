import { checkInput } from '../reference/arguments.ts';
import { nameOf } from '../reference/branches.ts';
import type { Case } from '../reference/case.ts';
import { checkCase } from '../reference/parameters.ts';
import { describeFinding, type Failure } from './failure.ts';
import { positionsOf } from './positions.ts';

/** Elements of a tensor that are shown; a shrunk Case seldom has more. */
const shown = 12;

/**
 * A failure for people: the Subject, the law, where its counterexample comes from, the shrunk Case, the worst element,
 * and the line that runs it again.
 *
 * @throws TypeError, RangeError naming the part of the failure that is missing or wrong
 */
export function failureText(failure: Failure): string {
  checkInput('failureText', 'failure', failure);
  checkInput('failureText', 'failure.case', failure.case);
  checkInput('failureText', 'failure.finding', failure.finding);
  return [`FAIL on ${failure.subject}`, ...failureLines(failure), againLine(failure)].join('\n');
}

/** The call that runs a counterexample again; `laws`, `checkKind` are exports of poolproof. */
export function againLine({ law, kind, seed, path }: Pick<Failure, 'law' | 'kind' | 'seed' | 'path'>): string {
  const start = `{ kind: '${kind}', seed: ${seed}, runs: 1, path: '${path}' }`;
  return `again: await checkKind(laws.find(({ id }) => id === '${law}'), subject, ${start})`;
}

/** What `failureText` says, without the Subject's name and the last line. */
export function failureLines({ law, statement, source, kind, seed, path, shrinks, ...failure }: Failure): string[] {
  return [
    `${law}: ${statement}`,
    `source: ${source}`,
    `found by seed ${seed}, kind ${kind}, path ${path}, after ${shrinks} shrinks:`,
    ...(failure.history ?? []).flatMap((c) => ['  asked first', ...caseText(c).map((line) => `    ${line}`)]),
    ...caseText(failure.case).map((line) => `  ${line}`),
    ...(failure.directions ?? []).map(
      ({ name, shape, values }) => `  ${name.padEnd(5)} = ${tensorText(values, shape)}`,
    ),
    describeFinding(failure.finding),
  ];
}

/**
 * A Case in a few lines: its pool, dtype and tensors, nested as their shapes are.
 *
 * @throws TypeError, RangeError naming what does not fit
 */
export function caseText(input: Case): string[] {
  checkCase('caseText', input);
  const { pool, dtype, shape, x, alpha, dy } = input;
  const { branches, sharing, constraint } = pool;
  const { rows, shape: kept } = positionsOf(pool, shape);
  const by = typeof sharing === 'string' ? sharing : `sharedAxes [${sharing.sharedAxes.join(', ')}]`;
  const bounds = constraint.kind === 'clip' ? ` at ${tensorText(constraint.bounds, [constraint.bounds.length])}` : '';
  return [
    `pool [${branches.map(nameOf).join(', ')}], sharing ${by}, constraint ${constraint.kind}${bounds}, ${dtype}`,
    `x     = ${tensorText(x, shape)}`,
    `alpha = ${tensorText(alpha, [rows, ...kept])}`,
    `dy    = ${tensorText(dy, shape)}`,
  ];
}

/** `[[1, -0], [NaN, 2]]`; of a long tensor the first elements and its shape. */
export function tensorText(values: ArrayLike<number>, shape: readonly number[]): string {
  const list = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => numberText(values[from + i])).join(', ');
  if (values.length > shown) return `[${list(0, shown)}, …] of shape [${shape.join(', ')}]`;
  if (values.length === 0) return `[] of shape [${shape.join(', ')}]`;
  const nest = (axis: number, from: number, size: number): string => {
    if (axis === shape.length) return numberText(values[from]);
    const part = size / shape[axis];
    return `[${Array.from({ length: shape[axis] }, (_, i) => nest(axis + 1, from + i * part, part)).join(', ')}]`;
  };
  return nest(0, 0, values.length);
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
