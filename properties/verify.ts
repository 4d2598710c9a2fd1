import * as fc from 'fast-check';
import type { BranchRef, Case } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { cases, type Kind } from './cases.ts';
import { checkDtype } from './dtypes.ts';
import type { Failure } from './failure.ts';
import type { Law } from './law.ts';
import { type Counts, LawBroken, SubjectError, Trial } from './trial.ts';

/** A Subject that broke while a law was checked: no verdict. */
export interface Breakage {
  readonly message: string;
  readonly case: Case;
  readonly seed: number;
  readonly kind: Kind;
  readonly path: string;
}

/** What came of one law on one Subject. `inapplicable` names what the Subject lacks. */
export interface LawResult {
  readonly law: string;
  readonly subject: string;
  readonly outcome: 'held' | 'failed' | 'broke' | 'inapplicable';
  /** Cases on which the law compared at least one element, by kind. */
  readonly cases: Readonly<Record<Kind, number>>;
  readonly counts: Readonly<Counts>;
  readonly milliseconds: number;
  readonly failures: readonly Failure[];
  readonly breakage?: Breakage;
  readonly inapplicable?: string;
}

export interface RunOptions {
  /** Cases of each law, half of them dyadic. */
  readonly runs: number;
  readonly seed: number;
  /** Branches of your own that the Cases are drawn with. */
  readonly branches?: readonly BranchRef[];
  /** Called after each Case. */
  readonly onCase?: (law: Law) => void;
}

/**
 * Checks one law on a Subject against `runs` fresh Cases; a Case that the law has nothing to say about does not count.
 *
 * @throws TypeError, RangeError naming the argument; nothing for what the Subject does
 */
export async function checkLaw(
  law: Law,
  subject: Subject,
  { runs, seed, branches = [], onCase }: RunOptions,
): Promise<LawResult> {
  checkCount('checkLaw', 'runs', runs, 1);
  const start = performance.now();
  const cases: Record<Kind, number> = { dyadic: 0, general: 0 };
  const counts: Counts = { checked: 0, unchecked: 0, vacuous: 0 };
  const failures: Failure[] = [];
  let breakage: Breakage | undefined;
  const missing = law.needs !== undefined && subject[law.needs] === undefined ? law.needs : undefined;
  if (missing === undefined) {
    const kinds = law.kinds ?? (['dyadic', 'general'] as const);
    for (const [k, kind] of kinds.entries()) {
      const share = Math.floor(runs / kinds.length) + (k < runs % kinds.length ? 1 : 0);
      const outcome = await checkKind(law, subject, { kind, seed, runs: share, branches }, (trial) => {
        cases[kind]++;
        counts.checked += trial.checked;
        counts.unchecked += trial.unchecked;
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

/** Where a run or a replay starts: the seed, the kind, and for a replay the path of the counterexample. */
export interface Start {
  readonly kind: Kind;
  readonly seed: number;
  readonly runs: number;
  readonly path?: string;
  /** Branches of your own that the Cases are drawn with; a replay needs the same. */
  readonly branches?: readonly BranchRef[];
  /** Whether a counterexample is shrunk; yes unless given. */
  readonly shrink?: boolean;
}

/** Runs one law on Cases of one kind; `undefined` if it held. With a `path` only that counterexample is run again. */
export async function checkKind(
  law: Law,
  subject: Subject,
  { kind, seed, runs, path, branches = [], shrink = true }: Start,
  onCase: (counts: Counts) => void = () => {},
): Promise<Failure | Breakage | undefined> {
  checkCount('checkKind', 'runs', runs, 0);
  checkCount('checkKind', 'seed', seed, 0);
  checkSubject(subject);
  const drawn = cases({
    dtype: subject.dtype,
    kind,
    finite: law.finite ?? false,
    longSums: law.longSums ?? false,
    branches,
  });
  const property = fc.asyncProperty(drawn, async (c) => {
    const trial = new Trial(subject);
    await law.check(c, trial);
    // A Case of which the law says nothing is drawn again.
    fc.pre(trial.counts.checked > 0);
    onCase(trial.counts);
  });
  const details = await fc.check(property, {
    seed: seedOf(seed, law.id, kind),
    numRuns: path === undefined ? runs : 1,
    endOnFailure: !shrink || path !== undefined,
    ...(path !== undefined && { path }),
  });
  if (!details.failed) return undefined;
  const error = details.errorInstance;
  // As of what a pool that holds log(x) does at 0: no Case is counted.
  if (details.counterexample === null && branches.length > 0) return undefined;
  if (details.counterexample === null) throw new Error(`${law.id}: no Case of kind ${kind} that the law speaks of`);
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
      case: error.input,
      finding: error.finding,
    };
  }
  if (error instanceof SubjectError) return { message: error.message, case: error.input, ...at };
  // Not the Subject's fault: the law itself is wrong.
  throw error;
}

function checkCount(where: string, name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${where}: "${name}" expected an integer from ${least}, got ${String(value)}`);
  }
}

function checkSubject(subject: Subject): void {
  if (typeof subject?.answer !== 'function') {
    throw new TypeError(`checkLaw: "subject" expected an object with name, dtype, facets and answer, got ${subject}`);
  }
  if (!Array.isArray(subject.facets)) {
    throw new TypeError(`checkLaw: "subject.facets" expected an array, got ${typeof subject.facets}`);
  }
  checkDtype('checkLaw: "subject"', subject.dtype);
}

/** Every law and kind draws its own Cases from one seed (FNV-1a). */
function seedOf(seed: number, law: string, kind: Kind): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const character of `${law} ${kind}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash | 0;
}
