import { expect } from 'vitest';
import type { BranchRef } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { failureText } from './failure-text.ts';
import { laws } from './laws.ts';
import { checkLaw } from './verify.ts';

/** Options of `toConform`. */
export interface ConformOptions {
  /** Cases of each law, half of them dyadic; 100 unless given. */
  readonly runs?: number;
  /** 1 unless given, so that a test is the same each time. */
  readonly seed?: number;
  /** Ids or families (`kinks`) of laws; all unless given. */
  readonly laws?: readonly string[];
  /** Branches of your own that the Cases are drawn with. */
  readonly branches?: readonly BranchRef[];
}

/**
 * `await expect(subject).toConform()`: the Subject keeps every law that applies to it.
 * The message of a failure names law, Case and worst element.
 */
async function toConform(
  subject: Subject,
  { runs = 100, seed = 1, laws: wanted, branches = [] }: ConformOptions = {},
): Promise<{ pass: boolean; message: () => string }> {
  const chosen = laws.filter(({ id }) => wanted?.some((name) => id === name || id.startsWith(`${name}/`)) ?? true);
  if (chosen.length === 0) throw new RangeError(`toConform: "laws" expected ids or families of laws, got ${wanted}`);
  const wrong: string[] = [];
  for (const law of chosen) {
    const { failures, breakage } = await checkLaw(law, subject, { runs, seed, branches });
    if (breakage !== undefined) throw new Error(breakage.message);
    wrong.push(...failures.map(failureText));
  }
  return {
    pass: wrong.length === 0,
    message: () => (wrong.length === 0 ? `${subject.name} keeps all ${chosen.length} laws` : wrong.join('\n\n')),
  };
}

expect.extend({ toConform });

declare module 'vitest' {
  interface Matchers<T> {
    /** The Subject keeps every law that applies to it. */
    toConform(options?: ConformOptions): Promise<T>;
  }
}
