import * as tf from '@tensorflow/tfjs';
import { knownOptions, shown } from '../parameters.ts';
import { columnSums } from './column-sums.ts';
import { convFilterGradient } from './conv-filter-gradient.ts';
import { useHelper } from './helper.ts';
import { identity } from './identity.ts';
import { fusedMatMul, matMul } from './matmul.ts';
import { maxPoolGradient } from './max-pool-gradient.ts';
import { nesterovKernel } from './nesterov-kernel.ts';
import { replacement } from './replace-kernels.ts';
import { hasSimd } from './simd.ts';
import { unsortedSegmentSum } from './unsorted-segment-sum.ts';

const install = replacement(() => [
  matMul,
  fusedMatMul,
  convFilterGradient,
  maxPoolGradient,
  columnSums(tf.getKernel(tf.Sum, 'wasm')),
  identity,
  unsortedSegmentSum,
  nesterovKernel,
]);

/** Options of `installWasmKernels`. */
export interface WasmKernelOptions {
  /**
   * 2 in Node only: a second thread computes half of each large matrix product, to the same bits; by default 1. It serves
   * other callers too, until the last who asked for it restores.
   */
  readonly threads?: 1 | 2;
}

/**
 * Gives the wasm backend (4.22, with SIMD) what training needs and it lacks:
 *
 * - `C = op(A)·op(B)`, op the identity or the transpose of the last two axes, float32, of `tf.matMul` and of every gradient
 *   of a product: no slower where an operand is transposed, where the shipped kernel is 7 to 20 times slower, nor where an
 *   operand is new at each step, which the shipped one packs element by element. The same for `_FusedMatMul`, the forward
 *   pass of `tf.layers.dense`.
 * - `Conv2DBackpropFilter`, which is missing: the gradient of `tf.conv2d` to its filter, channels last.
 * - `UnsortedSegmentSum`, which is missing: the gradient of `tf.gather`, and so of `tf.layers.embedding`.
 * - `MaxPoolGrad`, which is wrong for windows whose maximum is 0 or less.
 * - `Sum` over the first axis, which transposes first; `Identity`, which copies.
 * - `NesterovUpdate`, an update in one pass, for this project's own trainings; `tf.train` does not use it.
 *
 * What stays missing: the gradient of a depthwise convolution, which throws.
 *
 * Returns the function that gives the shipped kernels back, once it is called as often as this one; what somebody else has
 * registered since then stays.
 *
 * @throws Error if the wasm backend has not been imported or there is no SIMD; TypeError, RangeError naming the option
 */
export function installWasmKernels(options: WasmKernelOptions = {}): () => void {
  const { threads = 1 } = knownOptions('installWasmKernels', options, ['threads']);
  const most = tf.env().getBool('IS_NODE') ? 2 : 1;
  if (threads !== 1 && threads !== most) {
    throw new RangeError(`installWasmKernels: "threads" expected 1${most > 1 ? ' or 2' : ''}, got ${shown(threads)}`);
  }
  if (!tf.findBackendFactory('wasm')) {
    throw new Error('installWasmKernels: the wasm backend is not registered, import it first');
  }
  if (!hasSimd()) throw new Error('installWasmKernels: expected WebAssembly with SIMD, which this engine lacks');
  // First the helper, which may fail to start.
  const release = threads === 2 ? useHelper() : () => {};
  const restore = install();
  return () => {
    release();
    restore();
  };
}
