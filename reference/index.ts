/** `poolproof/reference`: activation pools in float64, forward and backward, and the small network that MNIST needs. */

export type { Activation } from './activations.ts';
export * as activations from './activations.ts';
export { batches, type Dataset, scalePixels, stepsPerEpoch } from './batches.ts';
export { type Branch, branches, branchNames, branchOf, type CustomBranch, type Kink, nameOf } from './branches.ts';
export type {
  Answer,
  BranchName,
  BranchRef,
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
export { crossEntropyBackward, crossEntropyForward } from './cross-entropy.ts';
export { denseBackward, denseBackwardInput, denseForward } from './dense.ts';
export { dropoutBackward, dropoutForward, dropoutMask } from './dropout.ts';
export { type Initializer, initialWeights } from './initializers.ts';
export { type MReLUSetting, mreluForward, mreluPool, mreluSettings, mreluVjp } from './mrelu.ts';
export { type Batch, initialParameters, type Layer, widen, widenBatch, zerosLike } from './network.ts';
export { initialAlpha, type ParameterLayout, parameterLayout } from './parameters.ts';
export { doubleVjp, forward, jvp, type VjpInput, vjp } from './pool.ts';
export type { Protocol } from './protocol.ts';
export { type Random, random } from './random.ts';
export { learningRateAt, nesterovUpdate } from './sgd.ts';
export type { Facet, Subject } from './subject.ts';
export { ExactSum } from './sum.ts';
export { type Training, trainStep } from './train.ts';
