/** `poolproof/reference`: activation pools in float64, forward and backward, and the small network that MNIST needs. */
export { type Branch, branches, branchNames, type Kink } from './branches.ts';
export type {
  Answer,
  BranchName,
  Case,
  Constraint,
  Dtype,
  GradientCotangents,
  Gradients,
  Pool,
  PoolInput,
  SecondOrder,
  Sharing,
  Tangents,
} from './case.ts';
export { type MReLUSetting, mrelu, mreluPool, mreluSettings, mreluVjp } from './mrelu.ts';
export { initialAlpha, type ParameterLayout, parameterLayout } from './parameters.ts';
export { doubleVjp, forward, jvp, type PoolBackward, vjp } from './pool.ts';
export type { Facet, Subject } from './subject.ts';
export { ExactSum } from './sum.ts';
