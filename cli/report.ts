import type { MnistRow } from '../experiments/mnist-run.ts';
import type { BackendName, PassedOver } from '../impl/tfjs/backends.ts';
import type { LawResult } from '../properties/verify.ts';
import type { Dtype } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';
import { exitCodes } from './exit-codes.ts';

/** What came of one Subject. */
export interface SubjectReport {
  readonly name: string;
  /**
   * `absent`: not installed; `broken`: it does not load or fails its self-test; `died`: its process ended or the check
   * itself threw, after the results that are there.
   */
  readonly state: 'checked' | 'absent' | 'broken' | 'died';
  /** Why it is not `checked`. */
  readonly reason?: string;
  readonly version?: string;
  readonly dtype?: Dtype;
  readonly facets?: readonly Facet[];
  readonly results: readonly LawResult[];
  readonly milliseconds: number;
}

/** What came of the training. */
export type MnistReport =
  | { readonly state: 'left out' }
  | { readonly state: 'not run' | 'broke'; readonly reason: string }
  | {
      readonly state: 'run';
      readonly protocol: string;
      readonly backend: BackendName;
      readonly version: string;
      readonly passedOver: readonly PassedOver[];
      readonly rows: readonly MnistRow[];
      /** The test accuracy that each network must exceed after its last epoch. */
      readonly requiredAccuracy: number;
    };

/** What `poolproof verify` found. */
export interface Report {
  readonly poolproof: string;
  readonly node: string;
  readonly platform: string;
  readonly seed: number;
  readonly runs: number;
  /** Whether the Subjects were named one by one, so that a missing one is an error. */
  readonly named: boolean;
  readonly laws: readonly { readonly id: string; readonly statement: string; readonly source: string }[];
  readonly subjects: readonly SubjectReport[];
  readonly mnist: MnistReport;
  readonly milliseconds: number;
}

/** Sums over the laws of one Subject. */
export interface Totals {
  readonly cases: number;
  readonly failures: number;
  readonly compared: number;
  readonly open: number;
  readonly vacuous: number;
}

export function totals(results: readonly LawResult[]): Totals {
  const sum = (of: (result: LawResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    cases: sum(({ cases }) => cases.dyadic + cases.general),
    failures: sum(({ failures }) => failures.length),
    compared: sum(({ counts }) => counts.compared),
    open: sum(({ counts }) => counts.open),
    vacuous: sum(({ counts }) => counts.vacuous),
  };
}

/** Whether a Subject that was named, or that was there, could not be checked to the end. */
export function broke({ named, subjects, mnist }: Report): boolean {
  if (mnist.state === 'broke') return true;
  return subjects.some(({ state, results }) => {
    if (state === 'died' || results.some(({ outcome }) => outcome === 'broke')) return true;
    return named && state !== 'checked';
  });
}

const inLockstep = ({ lockstep }: MnistRow) => lockstep === null || lockstep.held;

/** Whether a network has learned: its accuracy after the last epoch is above what is required. */
export function hasLearned({ epochs }: MnistRow, { requiredAccuracy }: { readonly requiredAccuracy: number }): boolean {
  const last = epochs.at(-1);
  return last !== undefined && last.testAccuracy > requiredAccuracy;
}

export function exitCodeOf(report: Report): number {
  const { failures, cases } = totals(report.subjects.flatMap(({ results }) => results));
  const { mnist } = report;
  if (failures > 0) return exitCodes.failed;
  if (mnist.state === 'run' && !mnist.rows.every((row) => inLockstep(row) && hasLearned(row, mnist))) {
    return exitCodes.failed;
  }
  if (broke(report)) return exitCodes.broke;
  return cases === 0 || mnist.state === 'not run' ? exitCodes.notRun : exitCodes.held;
}
