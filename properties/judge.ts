import type { Answer, Case } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';
import type { Finding } from './failure.ts';
import { expectation } from './interval.ts';
import { type Counts, LawBroken, Trial } from './trial.ts';

/** Parts of an answer, by name. */
export type Tensors = ReadonlyMap<keyof Answer, Float64Array>;

export interface Judgement {
  /** The first tensor that is wrong, by its worst element; `undefined` if all are right. */
  readonly finding?: Finding;
  readonly counts: Readonly<Counts>;
}

/**
 * Whether tensors of an answer lie in what spec §3 and §5 allow; `dalpha` is not judged under `fixed`.
 *
 * `expect` computes what is allowed; `expectation` unless given.
 */
export function judge(
  input: Case,
  facets: readonly Facet[],
  tensors: Tensors,
  expect: typeof expectation = expectation,
): Judgement {
  const trial = new Trial({ name: '', dtype: input.dtype, facets, answer: unasked }, undefined, expect);
  const allowed = trial.expect(input);
  let finding: Finding | undefined;
  for (const [name, values] of tensors) {
    if (name === 'dalpha' && input.pool.constraint.kind === 'fixed') continue;
    try {
      trial.within(input, name, values, allowed[name]);
    } catch (error) {
      if (!(error instanceof LawBroken)) throw error;
      finding ??= error.finding;
    }
  }
  return { ...(finding && { finding }), counts: trial.counts };
}

function unasked(): never {
  throw new Error('judge: the answer is given, and nobody is asked');
}
