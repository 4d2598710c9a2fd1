import { checkInput, shown } from '../reference/arguments.ts';
import type { Case } from '../reference/case.ts';
import type { CaseKind } from './cases.ts';
import type { GradcheckFailure } from './gradcheck/report.ts';
import { describeGradcheckFailure } from './gradcheck/report-text.ts';

/** What was wrong with one answer, as data: the worst element with what came and what is allowed. */
export type Finding =
  | {
      readonly code: 'outside';
      /** `y`, `dx`, `dalpha`, or what a law computes from them. */
      readonly quantity: string;
      readonly index: readonly number[];
      readonly actual: number;
      readonly expected: number;
      readonly lo: number;
      readonly hi: number;
      /** How many elements are wrong, of how many that were compared. */
      readonly wrong: number;
      readonly compared: number;
    }
  | { readonly code: 'kind'; readonly quantity: string; readonly expected: string; readonly actual: string }
  | { readonly code: 'shape'; readonly quantity: string; readonly expected: number; readonly actual: number }
  | { readonly code: 'mutated'; readonly quantity: string; readonly index: readonly number[] }
  | { readonly code: 'aliased'; readonly quantity: string; readonly with: string }
  | { readonly code: 'leaked'; readonly tensors: number; readonly calls: number }
  | { readonly code: 'gradcheck'; readonly failure: GradcheckFailure };

/** A tensor that a Subject was asked with beside the Case: `tx`, `talpha` of forward mode, `ddx`, `ddalpha` of double backward. */
export interface Direction {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** A law that a Subject broke: the shrunk Case, the finding, and what replays it. */
export interface Failure {
  readonly law: string;
  readonly statement: string;
  readonly source: string;
  readonly subject: string;
  readonly kind: CaseKind;
  readonly seed: number;
  readonly path: string;
  readonly shrinks: number;
  /** What a fresh Subject must be asked first for the law to fail, if its answers depend on earlier ones. */
  readonly history?: readonly Case[];
  readonly case: Case;
  readonly directions?: readonly Direction[];
  readonly finding: Finding;
}

/**
 * One sentence: which element, what came, what was expected, what is allowed.
 *
 * @throws TypeError, RangeError for what is no finding
 */
export function describeFinding(finding: Finding): string {
  checkInput('describeFinding', 'finding', finding);
  switch (finding.code) {
    case 'outside': {
      const { quantity, index, actual, expected, lo, hi, wrong, compared } = finding;
      const allowed = lo > hi ? 'no number' : Object.is(lo, hi) || lo === hi ? `exactly ${lo}` : `[${lo}, ${hi}]`;
      return `${quantity}[${index.join(', ')}] is ${actual}, expected ${expected}, allowed ${allowed} (${wrong} of ${compared} elements wrong)`;
    }
    case 'kind':
      return `${finding.quantity} is ${finding.actual}, expected ${finding.expected}`;
    case 'shape':
      return `${finding.quantity} has ${finding.actual} elements, expected ${finding.expected}`;
    case 'mutated':
      return `the input ${finding.quantity}${finding.index.length > 0 ? `[${finding.index.join(', ')}]` : ''} was changed`;
    case 'aliased':
      return `${finding.quantity} lies in the memory of ${finding.with}: who changes one changes the other`;
    case 'gradcheck':
      return describeGradcheckFailure(finding.failure);
    case 'leaked':
      return `${finding.tensors} tensors more are alive after ${finding.calls} calls`;
    default:
      throw new RangeError(
        `describeFinding: "finding.code" expected that of a Finding, got ${shown((finding as { code: unknown }).code)}`,
      );
  }
}
