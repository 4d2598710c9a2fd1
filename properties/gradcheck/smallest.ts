import { sizeOf } from '../../reference/shape.ts';
import type { DrawnInputs, DrawOptions } from './drawn-inputs.ts';
import type { GradcheckReport } from './report.ts';
import { type LinkedAxes, lengthOf, linkedAxes, type SmallerInputs, smallerInputs } from './smaller-inputs.ts';

/** Inputs that fail, and the way there from a seed, as fast-check writes it: the numbers of the steps of the shrink. */
export interface Failing {
  readonly drawn: DrawnInputs;
  readonly report: GradcheckReport;
  readonly path: string;
}

/** What shrinking one counterexample may take: calls of the function, and milliseconds. */
const shrinkingCalls = 500;
const shrinkingTime = 2000;

/** Lengths of an axis that are tried at once, before it is shrunk step by step. */
const shortLengths = [1, 2, 3];

/**
 * Shrinks inputs that fail to smaller ones that fail in the same way: first to the smallest part around the worst
 * element, wherever it lies; then one step after the other.
 *
 * `test`: the report on such inputs; `undefined` where the function does not take them.
 */
export async function smallest(
  failing: Failing,
  options: DrawOptions,
  test: (drawn: DrawnInputs) => Promise<GradcheckReport | undefined>,
): Promise<Failing> {
  const kind = kindOf(failing.report);
  const end = performance.now() + shrinkingTime;
  let calls = shrinkingCalls;
  const isSpent = () => calls <= 0 || performance.now() > end;
  const attempt = async (drawn: DrawnInputs, path: string): Promise<Failing | undefined> => {
    if (isSpent()) return undefined;
    const report = await test(drawn);
    calls -= report === undefined ? 1 : Object.values(report.calls).reduce((a, b) => a + b, 0);
    return report !== undefined && kindOf(report) === kind ? { drawn, report, path } : undefined;
  };
  let best = failing;
  for (const lengths of partLengths(failing.drawn, options)) {
    const { drawn, path } = partAround(failing, options, lengths);
    const found = await attempt(drawn, path);
    if (found === undefined) continue;
    best = found;
    break;
  }
  for (let next: Failing | undefined = best; next !== undefined && !isSpent(); ) {
    best = next;
    next = undefined;
    let step = 0;
    for (const { make } of smallerInputs(options, best.drawn)) {
      next = await attempt(make(), `${best.path}:${step++}`);
      if (next !== undefined || isSpent()) break;
    }
    best = next ?? best;
  }
  return best;
}

/** By what two failures are of one kind: what was wrong, in what, and whether only on a kink. `undefined` for none. */
function kindOf({ failures: [failure] }: GradcheckReport): string | undefined {
  if (failure === undefined) return undefined;
  const { code, what, input, of, kinkDistance } = failure as Partial<Record<string, unknown>>;
  return JSON.stringify([code, what, input, of, kinkDistance === 0]);
}

/** Short lengths of all axes, those of the fewest elements first. */
function partLengths(drawn: DrawnInputs, { shapes }: DrawOptions): number[][] {
  let lengths: number[][] = [[]];
  for (const axes of linkedAxes(shapes)) {
    const n = lengthOf(drawn, axes);
    const tried = [...shortLengths.filter((length) => length < n), n];
    lengths = lengths.flatMap((before) => tried.map((length) => [...before, length]));
  }
  // The last is the whole.
  return lengths.sort((a, b) => sizeOf(a) - sizeOf(b)).slice(0, -1);
}

/** The part of these lengths in which the worst element lies. */
function partAround(failing: Failing, options: DrawOptions, lengths: readonly number[]): Omit<Failing, 'report'> {
  let { drawn, path } = failing;
  for (const [k, axes] of linkedAxes(options.shapes).entries()) {
    const n = lengthOf(drawn, axes);
    if (lengths[k] === n) continue;
    const start = Math.min(worstAlong(failing, axes), n - lengths[k]);
    const isWanted = ({ part }: SmallerInputs) =>
      part !== undefined &&
      part.axes[0].input === axes[0].input &&
      part.axes[0].axis === axes[0].axis &&
      part.indices.length === lengths[k] &&
      part.indices[0] === start;
    let step = 0;
    for (const smaller of smallerInputs(options, drawn)) {
      if (isWanted(smaller)) {
        drawn = smaller.make();
        path = `${path}:${step}`;
        break;
      }
      step++;
    }
  }
  return { drawn, path };
}

/** The index of the failure along these axes; 0 if it lies elsewhere. */
function worstAlong({ drawn, report }: Failing, axes: LinkedAxes): number {
  const { input, index } = (report.failures[0] ?? {}) as { input?: string; index?: readonly number[] };
  if (index === undefined) return 0;
  const isAs = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((n, k) => n === b[k]);
  const found = axes.find((axis) =>
    input === undefined
      ? isAs(drawn.shapes[axis.input], report.outputShape)
      : axis.input === input && index.length === drawn.shapes[input].length,
  );
  return found === undefined ? 0 : index[found.axis];
}
