import * as tf from '@tensorflow/tfjs';
import { backward, forward } from './composed.ts';
import { checkedPool, layoutOf, list, type PoolOptions, shown } from './parameters.ts';

/**
 * `y = Σᵢ cᵢ · fᵢ(x)`, `c = κ(alpha)`: an activation pool, by default the MReLU pool `y = P·relu(x) + D·step(x)`.
 *
 * x, y: `[N, ...U]`, rank 1 or more, any axis may be 0; alpha: `[rows, ...S]` where `rows` is the number of branches
 * (one less under `sumToOne`) and `S` is `[]` for the sharing `layer`, `[C]` (last axis) for `channel`, `U` for `unit`,
 * and `U` with 1 for the shared axes for `{ sharedAxes }`. All float32.
 *
 * Differentiable twice to x and to alpha: `dx = dy · Σᵢ cᵢ fᵢ′(x)`, `dcᵢ = Σ_shared fᵢ(x) · dy`, `dalpha = κ′ᵀ dc`,
 * with the conventions at kinks of spec §2. Under `fixed`, alpha is a constant: `dalpha` is 0.
 *
 * @throws TypeError for a wrong kind, RangeError for a wrong value, naming the argument. Source: spec §1 to §4.
 */
export function activationPool(x: tf.Tensor, alpha: tf.Tensor, options: PoolOptions = {}): tf.Tensor {
  const pool = checkedPool('activationPool', options);
  checkFloat32('x', x);
  checkFloat32('alpha', alpha);
  const layout = layoutOf('activationPool', pool, x.shape);
  checkShape('alpha', alpha, layout.alphaShape);
  const apply = tf.customGrad((...inputs) => {
    const [v, a, save] = inputs as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const value = forward(v, a, pool);
    save([v, a]);
    return {
      value,
      gradFunc: (dy, saved) => {
        checkShape('dy', dy, v.shape);
        return tf.tidy(() => backward(dy, saved[0]!, saved[1]!, pool, layout));
      },
    };
  });
  return apply(x, alpha);
}

function checkFloat32(name: string, tensor: unknown): void {
  if (!(tensor instanceof tf.Tensor)) {
    throw new TypeError(`activationPool: "${name}" expected a float32 tensor, got ${shown(tensor)}`);
  }
  if (tensor.dtype !== 'float32') {
    throw new TypeError(`activationPool: "${name}" expected a float32 tensor, got ${tensor.dtype}`);
  }
  if (tensor.isDisposed) {
    throw new TypeError(`activationPool: "${name}" expected a float32 tensor, got one that is disposed`);
  }
}

function checkShape(name: string, { shape }: tf.Tensor, expected: readonly number[]): void {
  if (tf.util.arraysEqual(shape, expected as number[])) return;
  throw new RangeError(`activationPool: "${name}" expected shape ${list(expected)}, got ${list(shape)}`);
}
