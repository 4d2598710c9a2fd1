import * as tf from '@tensorflow/tfjs';
import type { Case } from '../../reference/case.ts';
import type { Subject } from '../../reference/subject.ts';
import type { OpenBackend } from './backends.ts';
import { kappa } from './constraints.ts';
import { layoutOf } from './parameters.ts';

/** The pools that a stock op of TensorFlow.js answers. */
export interface StockPool {
  readonly name: string;
  answers(input: Case): boolean;
  /** `y` at x by the coefficients c, each of shape S. */
  y(x: tf.Tensor, c: readonly tf.Tensor[], input: Case): tf.Tensor;
  /** So many coefficients, the last ones, are constants of the op: no gradient comes of them, NaN is answered. */
  readonly constants?: number;
}

/** Answers pools by a stock op and its own gradient, by `tf.valueAndGrads`. */
export function stockSubject(backend: OpenBackend, pool: StockPool): Subject {
  return {
    name: `stock ${pool.name}, tfjs-${backend.name}`,
    dtype: 'f32',
    // Stock sums promise no order.
    facets: backend.facets.filter((facet) => facet !== 'pairwise'),
    async answer(input) {
      backend.use();
      const tensors = tf.tidy(() => evaluate(pool, input));
      try {
        const [y, dx, dalpha] = await Promise.all(tensors.map(async (t) => Float64Array.from(await t.data())));
        return { y: y, dx: dx, dalpha: dalpha };
      } finally {
        tf.dispose(tensors);
      }
    },
    liveTensors: () => tf.memory().numTensors,
  };
}

function evaluate({ y, constants = 0 }: StockPool, input: Case): [y: tf.Tensor, dx: tf.Tensor, dalpha: tf.Tensor] {
  const { pool, shape } = input;
  const n = pool.branches.length;
  const { alphaShape } = layoutOf('stock op', pool, shape);
  const S = alphaShape.slice(1);
  const tensor = (values: Float64Array, of: readonly number[]) => tf.tensor(new Float32Array(values), [...of]);
  const [x, dy, alpha] = [tensor(input.x, shape), tensor(input.dy, shape), tensor(input.alpha, alphaShape)];
  const { coefficients, pullBack } = kappa(pool.constraint, n);
  if (x.size === 0) {
    // Without a sum: of nothing it is garbage on wasm, and throws on webgpu (docs/findings.md).
    const c = pool.branches.map(() => tf.ones(S));
    const { value, grad } = tf.valueAndGrad((v) => y(v, c, input))(x, dy);
    return [value, grad, tf.zerosLike(alpha)];
  }
  const c = tf.split(coefficients(alpha), n).map((row) => tf.reshape(row, S));
  const [free, fixed] = [c.slice(0, n - constants), c.slice(n - constants)];
  const { value, grads } = tf.valueAndGrads((v, ...own) => y(v, [...own, ...fixed], input))([x, ...free], dy);
  const [dx, ...dc] = grads as [tf.Tensor, ...tf.Tensor[]];
  const unknown = fixed.map((row) => tf.fill(row.shape, Number.NaN));
  return [value, dx, pullBack(tf.stack([...dc, ...unknown]), alpha)];
}
