import type { Answer, Case, Dtype, GradientCotangents, SecondOrder, Tangents } from './case.ts';

/** Documented freedoms of an implementation, a closed list (spec §5). None widens a tolerance for anybody else. */
export type Facet = 'ftz' | 'faithful' | 'pairwise' | 'storage:f16' | 'storage:bf16';

/**
 * Anything that answers a Case: the reference, a TensorFlow.js backend, a foreign process, a deliberately wrong one.
 * Answers hold values of the Subject's dtype in float64 arrays. A Subject may answer at once or by a promise, and may be
 * asked again before that is kept.
 */
export interface Subject {
  readonly name: string;
  readonly dtype: Dtype;
  readonly facets: readonly Facet[];
  /** `y`, and the vector-Jacobian product `dx`, `dalpha` for `case.dy`. */
  answer(input: Case): Answer | Promise<Answer>;
  /** `ty` for the tangents, if the Subject has forward mode. */
  jvp?(input: Case, tangents: Tangents): Float64Array | Promise<Float64Array>;
  /** Double backward, if the Subject can be differentiated twice. */
  doubleVjp?(input: Case, cotangents: GradientCotangents): SecondOrder | Promise<SecondOrder>;
  /** Number of tensors alive, if the Subject manages memory by hand. */
  liveTensors?(): number;
}
