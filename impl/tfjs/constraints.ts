import * as tf from '@tensorflow/tfjs';
import type { Constraint } from '../../reference/case.ts';
import { withGradient } from './stock.ts';

/** κ of spec §1 in tf ops: `alpha` is `[rows, ...S]`, `c` and `dc` are `[n, ...S]`. Both ways can be differentiated. */
interface Kappa {
  /** `c = κ(alpha)` */
  coefficients(alpha: tf.Tensor): tf.Tensor;
  /** `dalpha = κ′ᵀ dc` */
  pullBack(dc: tf.Tensor, alpha: tf.Tensor): tf.Tensor;
}

const free: Kappa = { coefficients: (alpha) => alpha, pullBack: (dc) => dc };

/** alpha is a constant, for the gradient of the gradient too. */
const fixed: Kappa = {
  coefficients: withGradient(
    (alpha) => alpha.clone(),
    (dc) => tf.zerosLike(dc),
  ),
  pullBack: (_, alpha) => tf.zerosLike(alpha),
};

/** `cₙ = 1 - Σ alphaᵢ`, `dalphaᵢ = dcᵢ - dcₙ`. */
const sumToOne: Kappa = {
  coefficients: (alpha) => tf.concat([alpha, tf.sub(1, tf.sum(alpha, 0, true))]),
  pullBack: (dc) => {
    const rows = dc.shape[0] - 1;
    const [first, last] = tf.split(dc, [rows, 1]) as [tf.Tensor, tf.Tensor];
    return tf.sub(first, last);
  },
};

/** `sumToOne` with `n = 1`: no row, `c = 1`. Apart, because a sum over no rows is not 0 on wasm but whatever was there. */
const one: Kappa = {
  coefficients: (alpha) => tf.ones([1, ...alpha.shape.slice(1)]),
  pullBack: (_, alpha) => tf.zerosLike(alpha),
};

/** `cᵢ = exp(alphaᵢ) / Σ exp(alphaⱼ)`, `dalpha = c ∘ (dc - Σ cⱼ dcⱼ)`. */
const softmax: Kappa = {
  coefficients: (alpha) => {
    const e = tf.exp(tf.sub(alpha, tf.max(alpha, 0, true)));
    return tf.div(e, tf.sum(e, 0, true));
  },
  pullBack: (dc, alpha) => {
    const c = softmax.coefficients(alpha);
    return tf.mul(c, tf.sub(dc, tf.sum(tf.mul(c, dc), 0, true)));
  },
};

/** `cᵢ = min(max(alphaᵢ, -bᵢ), bᵢ)`; the derivative is 1 on the closed interval and 0 outside. */
function clip(bounds: readonly number[]): Kappa {
  const column = (values: readonly number[], alpha: tf.Tensor, dtype: 'float32' | 'bool') =>
    tf.tensor([...values], [values.length, ...alpha.shape.slice(1).fill(1)], dtype);
  // By comparison, since textures of 16 bits hold no ∞: a row without a bound is never outside.
  const outside = (alpha: tf.Tensor): { b: tf.Tensor; isOutside: tf.Tensor } => {
    const b = column(
      bounds.map((bound) => (bound === Infinity ? 0 : bound)),
      alpha,
      'float32',
    );
    const isBounded = column(
      bounds.map((bound) => Number(bound !== Infinity)),
      alpha,
      'bool',
    );
    return { b, isOutside: tf.logicalAnd(tf.greater(tf.abs(alpha), b), isBounded) };
  };
  // Chosen, not multiplied by the mask, which would make NaN of ∞ outside; apart, because `greater` has no gradient.
  const masked = (dc: tf.Tensor, alpha: tf.Tensor): tf.Tensor =>
    withGradient(
      (v) => tf.where(outside(alpha).isOutside, tf.zerosLike(v), v),
      (d) => masked(d, alpha),
    )(dc);
  return {
    coefficients: withGradient((alpha) => {
      const { b, isOutside } = outside(alpha);
      return tf.where(isOutside, tf.mul(tf.sign(alpha), b), alpha);
    }, masked),
    pullBack: masked,
  };
}

/** κ for `n` branches. */
export function kappa(constraint: Constraint, n: number): Kappa {
  switch (constraint.kind) {
    case 'free':
      return free;
    case 'fixed':
      return fixed;
    case 'sumToOne':
      return n === 1 ? one : sumToOne;
    case 'softmax':
      return softmax;
    case 'clip':
      return clip(constraint.bounds);
  }
}
