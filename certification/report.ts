import type { EncodedCase } from '../fixtures/case.ts';
import type { EncodedFinding } from '../fixtures/finding.ts';
import type { Curve } from './curve.ts';
import type { Diagnosis } from './diagnosis.ts';
import type { ErrorStatistics } from './errors.ts';
import type { Profile } from './plan.ts';
import type { Announcement, Op } from './wire.ts';

/** The version of this format; a number that a reader doesn't know it must refuse. */
export const reportFormat = 'poolproof-certification/1';

/** What was wrong with one reply, or with what came instead of one. */
export type Trouble =
  | EncodedFinding
  | { readonly code: 'refused' | 'unsupported' | 'error' | 'answered' | 'fault'; readonly why: string }
  | { readonly code: 'differs'; readonly quantity: string; readonly why: string }
  | { readonly code: 'digest'; readonly expected: string; readonly actual: string };

/** The groups of checks, in the order in which they are made. */
export const checkGroups = ['vectors', 'invalid', 'accumulated', 'challenge', 'repeated'] as const;
export type CheckGroup = (typeof checkGroups)[number];

/** The groups in words. */
export const checkGroupNames: Readonly<Record<CheckGroup, string>> = {
  vectors: 'vectors',
  invalid: 'invalid requests',
  accumulated: 'accumulated',
  challenge: 'fresh requests',
  repeated: 'asked again',
};

/** What of an announcement reports show. */
export const shownCapabilities = ['ops', 'dtypes', 'branches', 'sharing', 'constraints', 'facets'] as const;

/** One check that failed, with all that is needed to look into it. */
export interface CheckFailure {
  readonly kind: CheckGroup;
  readonly id: string;
  readonly note: string;
  readonly op: Op;
  /** The law that is broken, as `poolproof laws` lists it. */
  readonly law: string;
  readonly trouble: Trouble;
  /** The trouble in words. */
  readonly description: string;
  /** None where a request was to be refused. */
  readonly case?: EncodedCase;
}

/** How many checks there were in one group. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

/** Crashes, timeouts and replies that break the protocol. */
export interface ReportedFault {
  readonly reason: string;
  /** The id and the op of the request that led to it; none where that could not be found. */
  readonly request?: string;
  /** The last words of the process on stderr. */
  readonly stderr: string;
}

/** What one certification found: JSON as it stands, numbers that JSON would lose as hex. */
export interface CertificationReport {
  readonly format: typeof reportFormat;
  readonly poolproof: string;
  readonly outcome: Outcome;
  readonly exitCode: number;
  /** `own`: the vectors are others than those of poolproof. */
  readonly suite: { readonly version: string; readonly digest: string; readonly own: boolean };
  readonly command: readonly string[];
  /** The folder of the vectors, if they are not those of the package. */
  readonly fixtures?: string;
  readonly announcement?: Announcement;
  readonly profile: Profile;
  /** The number of the caller's choice, from which with the suite and the subject's name the fresh Cases are drawn. */
  readonly seed: number;
  /** Fresh Cases that were asked for. */
  readonly runs: number;
  readonly checks: Readonly<Record<CheckGroup, Totals>>;
  /** What the profile needs and the subject did not announce. */
  readonly missing: readonly string[];
  /** What was not asked, since the subject did not announce it, with the number of vectors. */
  readonly lacking: Readonly<Record<string, number>>;
  readonly elements: { readonly compared: number; readonly open: number; readonly vacuous: number };
  readonly errors: ErrorStatistics;
  /** The first failures of each group. */
  readonly failures: readonly CheckFailure[];
  /** The first failure with the smallest Case that was found to fail in the same way. */
  readonly smallest?: CheckFailure;
  /** The first failure, if a process that is asked nothing else answers it rightly: the reply depends on earlier requests. */
  readonly rightAlone?: string;
  readonly diagnosis?: Diagnosis;
  /** What the subject computes around the worst element of the first failure. */
  readonly curve?: Curve;
  readonly faults: readonly ReportedFault[];
  /** Why the run ended early, if it did. */
  readonly ended?: string;
  /** The ids of vectors and fresh Cases, if no others were asked: a replay, whose verdict is of these alone. */
  readonly only?: readonly string[];
  /** Checks that were listed as known to fail, and did. */
  readonly knownFailing: readonly string[];
  /** Those that did not. */
  readonly unexpectedlyPassed: readonly string[];
  /** Ids that were listed as known to fail, or alone to be asked, and belong to nothing that was asked. */
  readonly notAsked: readonly string[];
  /** Checks of vectors and fresh Cases below which nothing is certified. */
  readonly minCases: number;
  /** Milliseconds that a reply may take. */
  readonly timeout: number;
  readonly milliseconds: number;
}

/** The vectors in words: a version only of those that have one from us. */
export function suiteText({ version, digest, own }: CertificationReport['suite']): string {
  return `${own ? 'own vectors' : `suite ${version}`} (${digest.slice(0, 12)})`;
}

/** A fault in words, with the request that led to it. */
export function faultText({ reason, request }: ReportedFault): string {
  return request === undefined ? reason : `${request}: ${reason}`;
}

/** What the first failure is headed by, if it fails alone: a Case that breaks the subject is not made smaller. */
export function smallestHeading({ trouble }: CheckFailure): string {
  return trouble.code === 'fault' ? 'The first failure, asked alone' : 'The first failure, made as small as it gets';
}

/** What is said of the first failure, if it does not fail alone. */
export function rightAloneText(failure: string): string {
  return `${failure} is right by itself: the reply depends on earlier requests`;
}

export type Outcome = keyof typeof outcomes;

/** What a certification says, with its exit code and in words. */
export const outcomes = {
  conforms: { exitCode: 0, text: 'CONFORMS' },
  fails: { exitCode: 1, text: 'DOES NOT CONFORM' },
  'broke the protocol': { exitCode: 3, text: 'BROKE THE PROTOCOL' },
  'not started': { exitCode: 2, text: 'NOT STARTED' },
  'too little was run': { exitCode: 5, text: 'NOTHING CERTIFIED' },
} as const;

/** Broken replies come before wrong ones: what comes after a fault says less. */
export function outcomeOf(
  report: Pick<CertificationReport, 'checks' | 'missing' | 'faults' | 'ended' | 'unexpectedlyPassed' | 'minCases'>,
): Outcome {
  const { checks, missing, faults, ended, unexpectedlyPassed, minCases } = report;
  if (faults.length > 0 || ended !== undefined) return 'broke the protocol';
  const hasFailed = checkGroups.some((group) => checks[group].failed > 0);
  if (hasFailed || unexpectedlyPassed.length > 0 || missing.length > 0) return 'fails';
  return checks.vectors.passed + checks.challenge.passed < Math.max(1, minCases) ? 'too little was run' : 'conforms';
}
