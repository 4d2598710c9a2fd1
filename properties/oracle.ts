import type { CustomBranch } from '../reference/branches.ts';
import type { BranchName } from '../reference/case.ts';
import { expressionBranch } from './expression-branch.ts';

/**
 * The built-in branches from the formulas of spec §2 alone, by mathjs: the independent oracle of the reference and of
 * `functions.ts`, with which it shares no code.
 */
export const formulas: Readonly<Record<BranchName, CustomBranch>> = {
  relu: expressionBranch('max(0, x)', { kinks: [0] }),
  step: expressionBranch('x > 0 ? 1 : 0', { kinks: [0] }),
  halfSquare: expressionBranch('x > 0 ? x^2 / 2 : 0', { kinks: [0] }),
  negative: expressionBranch('min(0, x)', { kinks: [0] }),
  identity: expressionBranch('x'),
  // (e²ˣ - 1) / (e²ˣ + 1), in a form that has its limits at ±∞.
  tanh: expressionBranch('1 - 2 / (exp(2 x) + 1)'),
  sigmoid: expressionBranch('1 / (1 + exp(-x))'),
  softplus: expressionBranch('log(1 + exp(x))'),
};
