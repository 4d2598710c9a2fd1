import * as tf from '@tensorflow/tfjs';
import * as composed from './composed.ts';
import { backwardKernel, forwardKernel, type PoolAttributes } from './kernels/kernel.ts';
import { registerKernels } from './kernels/register.ts';
import { foldedShapes, type View, viewOf } from './kernels/view.ts';
import { type BuiltInPool, checkedPool, type Layout, layoutOf, type PoolOptions } from './parameters.ts';
import { freeTape } from './tape.ts';
import { checkFloat32, checkShape } from './tensors.ts';

registerKernels();

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
export function activationPool<T extends tf.Tensor>(x: T, alpha: tf.Tensor, options: PoolOptions = {}): T {
  const pool = inFloat32(checkedPool('activationPool', options));
  checkFloat32('activationPool', 'x', x);
  checkFloat32('activationPool', 'alpha', alpha);
  const layout = layoutOf('activationPool', pool, x.shape);
  checkShape('activationPool', 'alpha', alpha, layout.alphaShape);
  const { forward, backward } = evaluationFor(x, alpha, pool, layout);
  const apply = tf.customGrad((...inputs) => {
    const [v, a, save] = inputs as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const value = tf.tidy(() => forward(v, a));
    save([v, a]);
    return {
      value,
      gradFunc: (dy, saved) => {
        try {
          checkFloat32('activationPool', 'dy', dy);
          checkShape('activationPool', 'dy', dy, value.shape);
        } catch (error) {
          freeTape();
          throw error;
        }
        return tf.tidy(() => backward(dy, saved[0], saved[1]));
      },
    };
  });
  return apply(x, alpha) as T;
}

/** How a pool is computed; `backward` can be differentiated again. */
interface Evaluation {
  forward(x: tf.Tensor, alpha: tf.Tensor): tf.Tensor;
  backward(dy: tf.Tensor, x: tf.Tensor, alpha: tf.Tensor): tf.Tensor[];
}

/** Stock ops take so many axes on every backend: of more, a product is garbage on wasm and throws on webgpu. */
const mostAxes = 6;

function evaluationFor(x: tf.Tensor, alpha: tf.Tensor, pool: BuiltInPool, layout: Layout): Evaluation {
  // An empty x has no kernels: a GPU can't be given any.
  if (x.size === 0) return byStockOps(pool, layout);
  const view = viewOf(x.shape, pool.sharing);
  const isFused = tf.getKernel(forwardKernel, tf.getBackend()) !== undefined;
  const evaluationIn = (given: Layout) =>
    isFused ? byKernels({ ...pool, view: view.shape }) : byStockOps(pool, given);
  if (view.swaps.length === 0 && x.rank <= mostAxes) return evaluationIn(layout);
  const shapes = foldedShapes(view, alpha.shape[0]);
  const summedAxes = shapes.x.length === 2 ? [0] : [0, 2];
  return folded(evaluationIn({ alphaShape: shapes.alpha, summedAxes }), x.shape, alpha.shape, view);
}

function byKernels(pool: PoolAttributes): Evaluation {
  const attributes = pool as unknown as tf.NamedAttrMap;
  return {
    forward: (x, alpha) => tf.engine().runKernel(forwardKernel, { x, alpha }, attributes) as tf.Tensor,
    backward: (dy, x, alpha) => tf.engine().runKernel(backwardKernel, { dy, x, alpha }, attributes) as tf.Tensor[],
  };
}

function byStockOps(pool: BuiltInPool, layout: Layout): Evaluation {
  return {
    forward: (x, alpha) => composed.forward(x, alpha, pool),
    backward: (dy, x, alpha) => composed.backward(dy, x, alpha, pool, layout),
  };
}

/** An evaluation that takes x and alpha in the shapes of the view, for those that lie otherwise. */
function folded({ forward, backward }: Evaluation, xShape: number[], alphaShape: number[], view: View): Evaluation {
  const shapes = foldedShapes(view, alphaShape[0]);
  const swapped = (t: tf.Tensor, shape: readonly number[]) => tf.transpose(tf.reshape(t, [...shape]), [0, 2, 1, 3]);
  const fold = (t: tf.Tensor) => tf.reshape(view.swaps.reduce(swapped, t), shapes.x);
  const foldAlpha = (t: tf.Tensor) => tf.reshape(t, shapes.alpha);
  const inverse = view.swaps.map(([L, own, shared, R]) => [L, shared, own, R]);
  const unfold = (t: tf.Tensor) => tf.reshape(inverse.reduceRight(swapped, t), xShape);
  return {
    forward: (x, alpha) => unfold(forward(fold(x), foldAlpha(alpha))),
    backward(dy, x, alpha) {
      const [dx, dalpha] = backward(fold(dy), fold(x), foldAlpha(alpha));
      return [unfold(dx), tf.reshape(dalpha, alphaShape)];
    },
  };
}

/** alpha is compared with its bounds in float32, on every backend; a copy, which the caller can't change before backward. */
function inFloat32({ branches, sharing, constraint }: BuiltInPool): BuiltInPool {
  return {
    branches: [...branches],
    sharing,
    constraint: constraint.kind === 'clip' ? { ...constraint, bounds: constraint.bounds.map(Math.fround) } : constraint,
  };
}
