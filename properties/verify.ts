import * as fc from 'fast-check';
import { checkArray, checkInteger, shown } from '../reference/arguments.ts';
import type { BranchRef, Case } from '../reference/case.ts';
import { checkCase } from '../reference/parameters.ts';
import { fnv1a } from '../reference/random.ts';
import type { Subject } from '../reference/subject.ts';
import { type CaseKind, cases } from './cases.ts';
import {
  checkCallback,
  checkLawArgument,
  checkOptions,
  checkPath,
  checkSubject,
  largestSeed,
  leadsNowhere,
} from './check-arguments.ts';
import { heldFormat } from './dtypes.ts';
import type { Failure } from './failure.ts';
import { Recorder, shortestHistory, shrinkHistory } from './history.ts';
import type { expectation } from './interval.ts';
import type { Law } from './law.ts';
import { copyCase } from './transform.ts';
import { type Counts, LawBroken, SubjectError, SubjectTimeout, Trial } from './trial.ts';

/** A Subject that broke while a law was checked: no verdict. */
export interface Breakage {
  readonly message: string;
  readonly case: Case;
  readonly seed: number;
  readonly kind: CaseKind;
  readonly path: string;
}

/** What came of one law on one Subject. `inapplicable` names what the Subject lacks. */
export interface LawResult {
  readonly law: string;
  readonly subject: string;
  readonly outcome: 'held' | 'failed' | 'broke' | 'inapplicable';
  /** Cases on which the law compared at least one element, by kind. */
  readonly cases: Readonly<Record<CaseKind, number>>;
  readonly counts: Readonly<Counts>;
  readonly milliseconds: number;
  readonly failures: readonly Failure[];
  readonly breakage?: Breakage;
  readonly inapplicable?: string;
}

/** Options of `checkLaw`. */
export interface CheckLawOptions {
  /** Cases of each law, half of them dyadic. */
  readonly runs: number;
  readonly seed: number;
  /** Branches of your own that the Cases are drawn with. */
  readonly branches?: readonly BranchRef[];
  /** Makes a Subject without a past: counterexamples are then shrunk on fresh ones. */
  readonly fresh?: () => Subject;
  /** Called after each Case; not for those tried while a counterexample is shrunk. */
  readonly onCase?: (law: Law) => void;
  /** Milliseconds that the Subject may take for one answer by a promise; 30,000 unless given. */
  readonly timeout?: number;
}

/**
 * Checks one law on a Subject against `runs` fresh Cases; a Case that the law has nothing to say about does not count.
 *
 * @throws TypeError, RangeError naming the argument; nothing for what the Subject does
 */
export async function checkLaw(law: Law, subject: Subject, options: CheckLawOptions): Promise<LawResult> {
  checkArguments('checkLaw', law, subject, options, runOptions);
  checkCallback('checkLaw: "onCase"', options.onCase);
  const { runs, seed, branches = [], fresh, onCase, timeout } = options;
  checkInteger('checkLaw: "runs"', runs, 1);
  const start = performance.now();
  const cases: Record<CaseKind, number> = { dyadic: 0, general: 0 };
  const counts: Counts = { compared: 0, open: 0, vacuous: 0 };
  const failures: Failure[] = [];
  let breakage: Breakage | undefined;
  const missing = lackOf(subject, law);
  if (missing === undefined) {
    const kinds = law.kinds ?? (['dyadic', 'general'] as const);
    for (const [k, kind] of kinds.entries()) {
      const share = Math.floor(runs / kinds.length) + (k < runs % kinds.length ? 1 : 0);
      const start = {
        kind,
        seed,
        runs: share,
        branches,
        ...(fresh && { fresh }),
        ...(timeout !== undefined && { timeout }),
      };
      const outcome = await checkKind(law, subject, start, (trial) => {
        cases[kind]++;
        counts.compared += trial.compared;
        counts.open += trial.open;
        counts.vacuous += trial.vacuous;
        onCase?.(law);
      });
      if (outcome === undefined) continue;
      if ('finding' in outcome) failures.push(outcome);
      else breakage ??= outcome;
    }
  }
  return {
    law: law.id,
    subject: subject.name,
    outcome: missing ? 'inapplicable' : breakage ? 'broke' : failures.length > 0 ? 'failed' : 'held',
    cases,
    counts,
    milliseconds: performance.now() - start,
    failures,
    ...(breakage && { breakage }),
    ...(missing && { inapplicable: missing }),
  };
}

/** What the law needs and the Subject does not have, if there is anything. */
export function lackOf(subject: Subject, { needs, asksInfinity }: Law): string | undefined {
  if (needs !== undefined && subject[needs] === undefined) return needs;
  return asksInfinity === true && !heldFormat(subject).infinite ? '±∞' : undefined;
}

/** Options of `checkKind`, where a run or a replay starts: the seed, the kind, and for a replay the path of the counterexample. */
export interface CheckKindOptions {
  readonly kind: CaseKind;
  readonly seed: number;
  readonly runs: number;
  readonly path?: string;
  /** Branches of your own that the Cases are drawn with; a replay needs the same. */
  readonly branches?: readonly BranchRef[];
  /** Whether a counterexample is shrunk; yes unless given. */
  readonly shrink?: boolean;
  /** Makes a Subject without a past: each Case of a shrink or a replay is then asked of a fresh one. */
  readonly fresh?: () => Subject;
  /** For a replay: what a fresh Subject is asked first. */
  readonly history?: readonly Case[];
  /** Computes what is allowed; `expectation` unless given. */
  readonly expect?: typeof expectation;
  readonly timeout?: number;
}

/** Calls of the Subject that shrinking one counterexample may take; one for each 1,024 elements counts, and part of them. */
const shrinkingCalls = 500;
const costOf = ({ x }: Case): number => Math.max(1, Math.ceil(x.length / 1024));

/**
 * Runs one law on Cases of one kind; `undefined` if it held. With a `path` only that counterexample is run again.
 *
 * @throws TypeError, RangeError naming the argument, as what the law needs and the Subject lacks; what the law itself throws
 */
export async function checkKind(
  law: Law,
  subject: Subject,
  options: CheckKindOptions,
  onCase: (counts: Counts) => void = () => {},
): Promise<Failure | Breakage | undefined> {
  checkArguments('checkKind', law, subject, options, startOptions);
  checkCallback('checkKind: "onCase"', onCase);
  const { kind, seed, runs, path, branches = [], shrink = true, timeout, history = [], expect } = options;
  checkInteger('checkKind: "runs"', runs, 0);
  if (typeof shrink !== 'boolean') {
    throw new TypeError(`checkKind: "shrink" expected true or false, got ${shown(shrink)}`);
  }
  checkArray('checkKind', 'history', history);
  for (const input of history) checkCase('checkKind: "history"', input);
  checkCallback('checkKind: "expect"', expect);
  const missing = lackOf(subject, law);
  if (missing !== undefined) {
    throw new RangeError(
      `checkKind: "subject" expected one with ${missing}, which ${law.id} needs, got ${subject.name} without it`,
    );
  }
  const fresh = options.fresh && checkedFresh(options.fresh);
  checkPath('checkKind', path);
  const drawn = cases({
    dtype: subject.dtype,
    facets: subject.facets,
    kind,
    finite: law.finiteCases ?? false,
    longSums: law.longSums ?? false,
    branches,
  });
  // Asynchronous, because fast-check throws at once for a path that its shrinks don't have.
  // Every law and kind draws its own Cases from one seed.
  const explore = async (test: (c: Case) => Promise<void>, how: fc.Parameters<[Case]>) =>
    fc.check(fc.asyncProperty(drawn, test), { seed: fnv1a(`${law.id} ${kind}`, seed), numRuns: 1, ...how });
  // What the last Trial took, which the next, on a smaller Case, will seldom exceed.
  let calls = 0;
  const attempt = async (
    c: Case,
    asked: Subject,
    first: readonly Case[],
    count: (counts: Counts) => void = () => {},
  ): Promise<void> => {
    const trial = new Trial(asked, timeout, expect);
    try {
      // Of copies, since a wrong Subject may write into what it is given.
      for (const input of first) await trial.ask(copyCase(input));
      await law.check(copyCase(c), trial);
    } catch (error) {
      if (error instanceof LawBroken) count(trial.counts);
      throw error;
    } finally {
      calls = trial.calls;
    }
    // A Case of which the law says nothing is drawn again.
    fc.pre(trial.counts.compared > 0);
    count(trial.counts);
  };

  const recorder = fresh && path === undefined ? new Recorder(subject) : undefined;
  const given = path !== undefined && fresh ? fresh() : (recorder?.subject ?? subject);
  let failed: Case | undefined;
  const found = await explore(
    async (c) => {
      recorder?.mark();
      failed = c;
      await attempt(c, given, history, onCase);
    },
    { endOnFailure: true, ...(path === undefined ? { numRuns: runs } : { path }) },
  ).catch((error: unknown) => {
    throw path === undefined ? error : nowhere(path, error);
  });
  if (!found.failed) return undefined;
  // As of what a pool that holds log(x) does at 0: no Case is counted.
  if (found.counterexample === null && branches.length > 0) return undefined;
  if (found.counterexample === null && path !== undefined) throw nowhere(path);
  if (found.counterexample === null) throw new Error(`${law.id}: no Case of kind ${kind} that the law speaks of`);
  let details: fc.RunDetails<[Case]> = found;
  let after = history;
  let last: unknown;

  // After a Subject that hung no smaller Case is tried.
  if (shrink && path === undefined && !(found.errorInstance instanceof SubjectTimeout)) {
    let left = shrinkingCalls;
    const retry = async (c: Case, first: readonly Case[]) => {
      if (left < calls * costOf(c)) return;
      await attempt(c, fresh?.() ?? subject, first).finally(() => {
        left -= calls * costOf(c);
      });
    };
    const shrunkAfter = (first: readonly Case[]) => explore((c) => retry(c, first), { path: found.counterexamplePath });
    const shrunk = await shrunkAfter([]);
    if (shrunk.failed) details = shrunk;
    else if (recorder !== undefined) {
      const fails = (first: readonly Case[]) =>
        retry(failed!, first).then(
          () => false,
          (error) => {
            if (!(error instanceof LawBroken)) return false;
            last = error;
            return true;
          },
        );
      after = (await shortestHistory(recorder.before, fails)) ?? [];
      if (after.length > 0) {
        const smaller = await shrunkAfter(after);
        if (smaller.failed) {
          details = smaller;
          failed = smaller.counterexample?.[0];
          last = smaller.errorInstance;
        }
        after = await shrinkHistory(after, fails);
      }
    }
  }

  const error = last ?? details.errorInstance;
  const at = { seed, kind, path: details.counterexamplePath ?? '' };
  if (error instanceof LawBroken) {
    const { id, statement, source } = law;
    const shrinks = details.numShrinks;
    return {
      law: id,
      statement,
      source,
      subject: subject.name,
      ...at,
      shrinks,
      ...(after.length > 0 && { history: after }),
      case: error.input,
      ...(error.directions.length > 0 && { directions: error.directions }),
      finding: error.finding,
    };
  }
  if (error instanceof SubjectError) return { message: error.message, case: error.input, ...at };
  // Not the Subject's fault: the law itself is wrong.
  throw error;
}

const runOptions: readonly (keyof CheckLawOptions)[] = ['runs', 'seed', 'branches', 'fresh', 'onCase', 'timeout'];
const startOptions: readonly (keyof CheckKindOptions)[] = [
  ...(['kind', 'seed', 'runs', 'path', 'branches', 'shrink', 'fresh', 'history', 'expect', 'timeout'] as const),
];

function checkArguments(
  where: string,
  law: Law,
  subject: Subject,
  options: CheckLawOptions | CheckKindOptions,
  known: readonly string[],
): void {
  checkLawArgument(where, law);
  checkSubject(where, subject);
  checkOptions(where, options, known);
  checkInteger(`${where}: "seed"`, options.seed, 0, largestSeed);
  if (options.timeout !== undefined) checkInteger(`${where}: "timeout"`, options.timeout, 1, 2 ** 31 - 1);
  checkCallback(`${where}: "fresh"`, options.fresh);
}

const nowhere = (path: string, cause?: unknown) =>
  leadsNowhere('checkKind', 'a Case that the law speaks of', path, cause);

function checkedFresh(fresh: () => Subject): () => Subject {
  return () => {
    const made = fresh();
    checkSubject('checkKind', made, 'fresh()');
    return made;
  };
}
