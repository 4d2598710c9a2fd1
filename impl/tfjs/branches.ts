import * as tf from '@tensorflow/tfjs';
import type { BranchName } from '../../reference/case.ts';
import { relu, step } from './stock.ts';

/** The values of the branches at one `x`, each computed at most once. */
export type BranchesAt = (name: BranchName) => tf.Tensor;

interface Branch {
  /** `f(x)`, NaN for NaN; may use other branches `at` the same x. */
  value(x: tf.Tensor, at: BranchesAt): tf.Tensor;
  /** `f′(x)`; 0 and 1 stand for a derivative that is so everywhere. */
  derivative(x: tf.Tensor, at: BranchesAt): tf.Tensor | 0 | 1;
}

/** The branches of spec §2 in tf ops, each of them differentiable again (spec §4, double backward). */
export const branches: Readonly<Record<BranchName, Branch>> = {
  relu: { value: relu, derivative: (_, at) => at('step') },
  step: { value: step, derivative: () => 0 },
  halfSquare: {
    // Halved first: x² overflows before x²/2 does, and halving is exact wherever x² is not 0.
    value: (_, at) => tf.mul(tf.mul(at('relu'), 0.5), at('relu')),
    derivative: (_, at) => at('relu'),
  },
  negative: { value: (x) => tf.neg(relu(tf.neg(x))), derivative: (x) => step(tf.neg(x)) },
  identity: { value: (x) => x, derivative: () => 1 },
  tanh: { value: (x) => tf.tanh(x), derivative: (_, at) => tf.sub(1, tf.square(at('tanh'))) },
  sigmoid: { value: (x) => tf.sigmoid(x), derivative: (_, at) => tf.mul(at('sigmoid'), tf.sub(1, at('sigmoid'))) },
  softplus: { value: (x) => tf.softplus(x), derivative: (_, at) => at('sigmoid') },
};

/** The branches at `x`. */
export function branchesAt(x: tf.Tensor): BranchesAt {
  const values = new Map<BranchName, tf.Tensor>();
  const at: BranchesAt = (name) => {
    let value = values.get(name);
    if (value === undefined) {
      value = branches[name].value(x, at);
      values.set(name, value);
    }
    return value;
  };
  return at;
}
