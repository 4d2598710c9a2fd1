import type { EncodedCase } from '../fixtures/case.ts';
import type { Finding } from '../properties/failure.ts';
import type { Profile } from './plan.ts';
import type { Announcement, Op } from './wire.ts';

/** What was wrong with one reply, or with what came instead of one. */
export type Trouble =
  | Finding
  | { readonly code: 'refused' | 'unsupported' | 'error'; readonly why: string }
  | { readonly code: 'answered'; readonly why: string }
  | { readonly code: 'differs'; readonly quantity: string; readonly why: string }
  | { readonly code: 'digest'; readonly expected: string; readonly actual: string }
  | { readonly code: 'fault'; readonly why: string };

/** One check that failed, with all that is needed to look into it. */
export interface CheckFailure {
  readonly id: string;
  readonly note: string;
  readonly op: Op;
  readonly trouble: Trouble;
  /** The smallest Case that was found to fail; none where a request was to be refused. */
  readonly case?: EncodedCase;
}

/** How many checks there were of one kind. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

/** What one certification found. */
export interface CertificationReport {
  readonly format: 'poolproof-certification/1';
  readonly poolproof: string;
  readonly suite: { readonly version: string; readonly digest: string };
  readonly command: readonly string[];
  readonly announcement?: Announcement;
  readonly profile: Profile;
  /** What the fresh Cases were drawn from. */
  readonly seed: number;
  readonly vectors: Totals;
  readonly invalid: Totals;
  readonly accumulated: Totals;
  readonly challenge: Totals;
  /** Requests that were asked again, in the same process and in a second one. */
  readonly repeated: Totals;
  /** What was not asked, since the subject did not announce it, with the number of vectors. */
  readonly lacking: Readonly<Record<string, number>>;
  readonly elements: { readonly checked: number; readonly unchecked: number; readonly vacuous: number };
  /** The first failures of each kind. */
  readonly failures: readonly CheckFailure[];
  /** Crashes, timeouts and replies that break the protocol. */
  readonly faults: readonly { readonly reason: string; readonly stderr: string }[];
  /** Why the run ended early, if it did. */
  readonly ended?: string;
  /** Ids that were listed as known to fail, and did not. */
  readonly unexpectedlyPassed: readonly string[];
  /** Checks that were listed as known to fail, and did. */
  readonly knownFailing: readonly string[];
  /** Checks of vectors and fresh Cases below which nothing is certified. */
  readonly minCases: number;
  readonly milliseconds: number;
}

/** 0 conforms, 1 does not, 3 the protocol was broken, 5 too little was run. */
export function certificationExitCode(report: CertificationReport): 0 | 1 | 3 | 5 {
  const { vectors, invalid, accumulated, challenge, repeated, faults, ended, unexpectedlyPassed, minCases } = report;
  const kinds = [vectors, invalid, accumulated, challenge, repeated];
  const faulty = faults.length > 0 || ended !== undefined;
  if (kinds.some(({ failed }) => failed > 0) || unexpectedlyPassed.length > 0) return faulty ? 3 : 1;
  if (faulty) return 3;
  return vectors.passed + challenge.passed < Math.max(1, minCases) ? 5 : 0;
}
