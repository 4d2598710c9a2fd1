import * as tf from '@tensorflow/tfjs';
import { backward } from '../composed.ts';
import { freeTape, withOwnTape } from '../tape.ts';
import { hasSimd } from '../wasm/simd.ts';
import { cpuKernels } from './cpu.ts';
import { backwardKernel, forwardKernel, type PoolAttributes, type PoolKernels } from './kernel.ts';
import { nativeKernels } from './native.ts';
import { wasmKernels } from './wasm.ts';
import { webglKernels } from './webgl.ts';
import { webgpuKernels } from './webgpu.ts';

/** Registers the kernels of every backend that has them, be it loaded or not, and the gradient of the backward one. */
export function registerKernels(): void {
  if (tf.getGradient(backwardKernel) !== undefined) return;
  // cpu and native TensorFlow run the code of wasm too, on a memory of our own.
  if (hasSimd()) {
    register('cpu', cpuKernels);
    register('tensorflow', nativeKernels);
    register('wasm', wasmKernels);
  }
  register('webgl', webglKernels);
  register('webgpu', webgpuKernels);
  registerSecondOrder();
}

function register<Backend extends object>(backendName: string, kernels: PoolKernels<Backend>): void {
  const attributesOf = (attrs: tf.NamedAttrMap | undefined) => attrs as unknown as PoolAttributes;
  tf.registerKernel({
    kernelName: forwardKernel,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      kernels.forward(inputs.x!, inputs.alpha!, attributesOf(attrs), backend as Backend),
  });
  tf.registerKernel({
    kernelName: backwardKernel,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      kernels.backward(inputs.dy!, inputs.x!, inputs.alpha!, attributesOf(attrs), backend as Backend),
  });
}

/** The op has the gradient itself (op.ts); that of the gradient is that of the composed form. */
function registerSecondOrder(): void {
  tf.registerGradient({
    kernelName: backwardKernel,
    inputsToSave: ['dy', 'x', 'alpha'],
    gradFunc: (cotangents, saved, attrs) => {
      const [ddx, ddalpha] = cotangents as tf.Tensor[];
      const { view, ...pool } = attrs as unknown as PoolAttributes;
      const [A, B, C] = view;
      const alphaShape = [saved[2].shape[0], B, 1];
      // As [A, B, C], since native TensorFlow does not broadcast over more axes that are shared by turns.
      const inView = (t: tf.Tensor) => tf.reshape(t, [A, B, C]);
      // Sums of empty tensors throw on webgpu and are garbage on wasm: an alpha without rows stays out of them.
      const inputs = saved.filter((t) => t.size > 0);
      const grads = tf.grads((dy, x, alpha = saved[2]) => {
        const layout = { alphaShape, summedAxes: [0, 2] };
        const [dx, dalpha] = backward(inView(dy), inView(x), tf.reshape(alpha, alphaShape), pool, layout);
        // Plus 0 · t: tf.grads throws for an input on which nothing depends.
        const nothing = [dy, x, alpha].map((t) => tf.mul(t, tf.zerosLike(t)));
        const terms = [tf.mul(dx, inView(ddx)), tf.mul(dalpha, tf.reshape(ddalpha, alphaShape)), ...nothing];
        return terms.flatMap((t) => (t.size > 0 ? [t.sum()] : [])).reduce((sum, term) => tf.add(sum, term));
      });
      const [toDy, toX, toAlpha = tf.zerosLike(saved[2])] = withOwnTape(() => grads(inputs));
      const last = (t: tf.Tensor) => notDifferentiable(t, [ddx, ddalpha, ...saved]);
      return { dy: () => last(toDy), x: () => last(toX), alpha: () => last(toAlpha) };
    },
  });
}

/**
 * `t`, which was computed on a tape of its own from `inputs`: a gradient that reaches it would find nothing that it
 * depends on, and answer 0.
 */
function notDifferentiable(t: tf.Tensor, inputs: readonly tf.Tensor[]): tf.Tensor {
  return tf.customGrad(() => ({
    value: t,
    gradFunc: () => {
      freeTape();
      throw new Error('activationPool: expected to be differentiated at most twice, got a third gradient');
    },
  }))(...inputs);
}
