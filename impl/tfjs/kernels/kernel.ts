import type { TensorInfo } from '@tensorflow/tfjs';
import type { BuiltInPool } from '../parameters.ts';

/**
 * The two kernels: `y = Σ cᵢ fᵢ(x)`; and `dx = dy·Σ cᵢ fᵢ′(x)` with `dalpha = κ′ᵀ Σ_shared dy·fᵢ(x)`, `c = κ(alpha)`.
 * Every backend has both or none; where it has none the op is composed of stock ops.
 */
export const forwardKernel = 'ActivationPool';
export const backwardKernel = 'ActivationPoolGrad';

/** What both kernels are told besides tensors; x lies in memory as `[A, B, C]`, alpha as `[rows, B]`. */
export interface PoolAttributes extends BuiltInPool {
  readonly view: readonly [A: number, B: number, C: number];
}

/** The kernels of one backend, all tensors float32; x is not empty, alpha may be: `sumToOne` of one branch has no rows. */
export interface PoolKernels<Backend> {
  /** y, of the shape of x. */
  forward(x: TensorInfo, alpha: TensorInfo, attributes: PoolAttributes, backend: Backend): TensorInfo;
  backward(
    dy: TensorInfo,
    x: TensorInfo,
    alpha: TensorInfo,
    attributes: PoolAttributes,
    backend: Backend,
  ): [dx: TensorInfo, dalpha: TensorInfo];
}
