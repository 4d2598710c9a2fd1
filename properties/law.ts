import type { Case } from '../reference/case.ts';
import type { CaseKind } from './cases.ts';
import type { Trial } from './trial.ts';

/** A law: a statement that every right implementation keeps, and its check of any Subject against any Case. */
export interface Law {
  /** `family/name`, permanent: never reused for another statement. */
  readonly id: string;
  /** What holds, in one line. */
  readonly statement: string;
  /** The section of the spec that it follows from, or the claim that it tests. */
  readonly source: string;
  /** Its Cases hold finite numbers only, and none near overflow. */
  readonly finiteCases?: boolean;
  /** Some dyadic Cases have thousands of elements: the law speaks of their sum, or of each of them. */
  readonly longSums?: boolean;
  /** The kinds of Cases that it can be checked on; both unless given. */
  readonly kinds?: readonly CaseKind[];
  /** What a Subject must have for the law to apply. */
  readonly needs?: 'jvp' | 'doubleVjp' | 'liveTensors';
  /** The law itself asks about ±∞, so it does not apply to a Subject whose storage has none. */
  readonly asksInfinity?: boolean;
  /** Asks the Subject about Cases made from `c` and compares; throws `LawBroken` (by the Trial) if the law is broken. */
  check(c: Case, trial: Trial): Promise<void>;
}
