import * as tf from '@tensorflow/tfjs';
import { backward, forward } from './composed.ts';
import { forwardKernel, type PoolAttributes } from './kernels/kernel.ts';
import { registerKernels } from './kernels/register.ts';
import { foldedShapes, type View, viewOf } from './kernels/view.ts';
import { type BuiltInPool, checkedPool, type Layout, layoutOf, type PoolOptions } from './parameters.ts';
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
  // An empty x has no kernels: a GPU can't be given any.
  if (x.size === 0) return composed(x, alpha, pool, layout) as T;
  const view = viewOf(x.shape, pool.sharing);
  const isFused = tf.getKernel(forwardKernel, tf.getBackend()) !== undefined;
  const compute = (v: tf.Tensor, a: tf.Tensor, lying: Layout) =>
    isFused ? fused(v, a, pool, view) : composed(v, a, pool, lying);
  const isFolded = view.swaps.length > 0 || x.rank > mostAxes;
  return (isFolded ? folded(x, alpha, view, compute) : compute(x, alpha, layout)) as T;
}

/** Stock ops take so many axes on every backend: of more, a product is garbage on wasm and throws on webgpu. */
const mostAxes = 6;

/** alpha is compared with its bounds in float32, on every backend; a copy, which the caller can't change before backward. */
function inFloat32({ branches, sharing, constraint }: BuiltInPool): BuiltInPool {
  return {
    branches: [...branches],
    sharing,
    constraint: constraint.kind === 'clip' ? { ...constraint, bounds: constraint.bounds.map(Math.fround) } : constraint,
  };
}

/** By our own kernels; the gradients are registered with them. */
function fused(x: tf.Tensor, alpha: tf.Tensor, pool: BuiltInPool, { shape }: View): tf.Tensor {
  const attributes: PoolAttributes = { ...pool, view: shape };
  return tf.engine().runKernel(forwardKernel, { x, alpha }, attributes as unknown as tf.NamedAttrMap) as tf.Tensor;
}

/** What `compute` makes of x and alpha in the shapes of the view, as a tensor that lies as x does. */
function folded(
  x: tf.Tensor,
  alpha: tf.Tensor,
  view: View,
  compute: (x: tf.Tensor, alpha: tf.Tensor, layout: Layout) => tf.Tensor,
): tf.Tensor {
  const shapes = foldedShapes(view, alpha.shape[0]!);
  const swapped = (t: tf.Tensor, shape: readonly number[]) => tf.transpose(tf.reshape(t, [...shape]), [0, 2, 1, 3]);
  return tf.tidy(() => {
    const near = tf.reshape(view.swaps.reduce(swapped, x), shapes.x);
    const layout = { alphaShape: shapes.alpha, summedAxes: shapes.x.length === 2 ? [0] : [0, 2] };
    const y = compute(near, tf.reshape(alpha, shapes.alpha), layout);
    const back = view.swaps.map(([L, own, shared, R]) => [L, shared, own, R]);
    return tf.reshape(back.reduceRight(swapped, y), x.shape);
  });
}

function composed(x: tf.Tensor, alpha: tf.Tensor, pool: BuiltInPool, layout: Layout): tf.Tensor {
  const apply = tf.customGrad((...inputs) => {
    const [v, a, save] = inputs as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    const value = forward(v, a, pool);
    save([v, a]);
    return {
      value,
      gradFunc: (dy, saved) => {
        checkShape('activationPool', 'dy', dy, v.shape);
        return tf.tidy(() => backward(dy, saved[0]!, saved[1]!, pool, layout));
      },
    };
  });
  return apply(x, alpha);
}
