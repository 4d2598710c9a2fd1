/** `poolproof`: the laws, the Cases they are checked on, what the spec allows as an answer, and the gradient check. */
export type { CustomBranch } from '../reference/branches.ts';
export type { Answer, BranchRef, Case, Constraint, Dtype, Pool, Sharing, Tangents } from '../reference/case.ts';
export type { Facet, Subject } from '../reference/subject.ts';
export { type Allowed, isVacuous, type OpenRule, permits } from './allowed.ts';
export { type CaseKind, type CaseOptions, cases } from './cases.ts';
export { type ExpressionOptions, expressionBranch } from './expression-branch.ts';
export type { ListedKink } from './expressions/expression.ts';
export { describeFinding, type Failure, type Finding } from './failure.ts';
export { caseText, failureText } from './failure-text.ts';
export { GradcheckError } from './gradcheck/calls.ts';
export type {
  Declared,
  DeclaredKink,
  Differentiable,
  DoubleVjpResult,
  OneSided,
  Rounding,
  Shapes,
  Structure,
  Tensors,
} from './gradcheck/differentiable.ts';
export {
  type DrawnInputs,
  type DrawnShapes,
  type DrawOptions,
  drawnInputs,
  type Ranges,
} from './gradcheck/drawn-inputs.ts';
export { gradcheck } from './gradcheck/gradcheck.ts';
export { gradcheckLaw } from './gradcheck/law.ts';
export type { GradcheckOptions } from './gradcheck/options.ts';
export { type GradcheckRun, gradcheckProperty, gradcheckRun } from './gradcheck/property.ts';
export type { GradcheckFailure, GradcheckReport, InputReport, KinkFound } from './gradcheck/report.ts';
export { describeGradcheckFailure, gradcheckText } from './gradcheck/report-text.ts';
export { subjectFunction } from './gradcheck/subject.ts';
export { type GradcheckTarget, gradcheckTarget, type TargetOptions } from './gradcheck/target.ts';
export { layerFunction, type TensorflowFunction, tensorflowFunction } from './gradcheck/tensorflow.ts';
export { type Expectation, expectation } from './interval.ts';
export type { Law } from './law.ts';
export { laws } from './laws.ts';
export { referenceSubject } from './reference-subject.ts';
export { type Counts, LawBroken, SubjectError, Trial } from './trial.ts';
export { ulpsApart } from './ulp.ts';
export {
  type Breakage,
  type CheckKindOptions,
  type CheckLawOptions,
  checkKind,
  checkLaw,
  type LawResult,
} from './verify.ts';
