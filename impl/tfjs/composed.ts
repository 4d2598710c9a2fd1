import * as tf from '@tensorflow/tfjs';
import { type BranchesAt, branches, branchesAt } from './branches.ts';
import { kappa } from './constraints.ts';
import type { BuiltInPool, Layout } from './parameters.ts';

/**
 * The pool composed of stock ops, for backends without kernels of ours, for empty tensors, and for the gradient of the
 * gradient everywhere: all of it can be differentiated again.
 *
 * Empty tensors are answered apart: a wasm sum over an empty axis is not 0 but whatever was in memory.
 */

/** `y = Σᵢ cᵢ · fᵢ(x)`, `c = κ(alpha)`. x, y: `[N, ...U]`; alpha: `[rows, ...S]`. */
export function forward(x: tf.Tensor, alpha: tf.Tensor, pool: BuiltInPool): tf.Tensor {
  if (x.size === 0) return tf.zerosLike(x);
  const c = coefficients(alpha, pool);
  const at = branchesAt(x);
  return total(pool.branches.map((name, i) => tf.mul(c[i], at(name))));
}

/**
 * `dx = dy · Σᵢ cᵢ fᵢ′(x)`; `dcᵢ = Σ_shared fᵢ(x) · dy`, `dalpha = κ′ᵀ dc`.
 * dy, x, dx: `[N, ...U]`; alpha, dalpha: `[rows, ...S]`.
 */
export function backward(
  dy: tf.Tensor,
  x: tf.Tensor,
  alpha: tf.Tensor,
  pool: BuiltInPool,
  layout: Layout,
): [dx: tf.Tensor, dalpha: tf.Tensor] {
  if (x.size === 0) return [zeros(x, [dy, x, alpha]), zeros(alpha, [dy, x, alpha])];
  const at = branchesAt(x);
  const dx = tf.mul(dy, slope(x, coefficients(alpha, pool), pool, at));
  if (pool.constraint.kind === 'fixed') return [dx, tf.zerosLike(alpha)];
  const rows = tf.stack(pool.branches.map((name) => tf.sum(tf.mul(dy, at(name)), [...layout.summedAxes])));
  const dcShape = [pool.branches.length, ...alpha.shape.slice(1)];
  const dc = rows.rank === dcShape.length ? rows : tf.reshape(rows, dcShape);
  return [dx, kappa(pool.constraint, pool.branches.length).pullBack(dc, alpha)];
}

/** Zeros of the shape of `like`, which can be differentiated to `inputs`, again and again: all gradients are 0. */
function zeros(like: tf.Tensor, inputs: readonly tf.Tensor[]): tf.Tensor {
  return tf.customGrad((dy, x, alpha, save) => {
    (save as tf.GradSaveFunc)([dy, x, alpha] as tf.Tensor[]);
    return { value: tf.zerosLike(like), gradFunc: (_, saved) => saved.map((t) => zeros(t, saved)) };
  })(...inputs);
}

/** The n coefficients, each of shape `S`. */
function coefficients(alpha: tf.Tensor, pool: BuiltInPool): tf.Tensor[] {
  const c = kappa(pool.constraint, pool.branches.length).coefficients(alpha);
  // The gradient of unstack throws when there is one row only.
  return c.shape[0] === 1 ? [tf.reshape(c, c.shape.slice(1))] : tf.unstack(c);
}

/** `Σᵢ cᵢ fᵢ′(x)`, of a shape that broadcasts to that of x; an MReLU's is P or 0 exactly. */
function slope(x: tf.Tensor, c: readonly tf.Tensor[], pool: BuiltInPool, at: BranchesAt): tf.Tensor {
  const terms = pool.branches.flatMap((name, i) => {
    const derivative = branches[name].derivative(x, at);
    if (derivative === 0) return [];
    return [derivative === 1 ? c[i] : tf.mul(c[i], derivative)];
  });
  // Also a slope that is 0 everywhere depends on x and c, so that it can be differentiated.
  return terms.length > 0 ? total(terms) : tf.mul(c[0], tf.zerosLike(x));
}

function total(terms: readonly tf.Tensor[]): tf.Tensor {
  return terms.reduce((sum, term) => tf.add(sum, term));
}
