import * as tf from '@tensorflow/tfjs';

const backendName = 'wasm';

/** How many callers have the replacement installed, and the kernel that it stands in for. */
let users = 0;
let stock: tf.KernelConfig | undefined;

/**
 * Makes the wasm backend's `C = op(A)·op(B)`, op the identity or the transpose of the last two axes, fast where an
 * operand is transposed: the backward pass of a dense layer. The shipped kernel (4.22) then leaves XNNPACK for a scalar
 * loop, 7 to 20 times slower. Here transposes are made first; where it moves less memory the result is, by
 * `op(A)·op(B) = (op(B)ᵀ·op(A)ᵀ)ᵀ`: `dy·Wᵀ` turns only dy and the result, not all of W.
 *
 * Float32, any batch axes, broadcast as in `tf.matMul`. Bit for bit what explicit transposes and the shipped kernel give.
 * Installed until the returned function is called as often as this one; the shipped kernel is then back in its place.
 *
 * @throws Error if the wasm backend has not been imported
 */
export function installWasmMatMul(): () => void {
  if (users === 0) {
    const found = tf.getKernel(tf.BatchMatMul, backendName);
    if (!found) throw new Error('installWasmMatMul: the wasm backend is not registered, import it first');
    stock = found;
    replaceBy({ ...found, kernelFunc: (args) => matMul(found, args) });
  }
  users++;
  let installed = true;
  return () => {
    if (!installed) return;
    installed = false;
    users--;
    if (users === 0 && stock) replaceBy(stock);
  };
}

function replaceBy(kernel: tf.KernelConfig): void {
  tf.unregisterKernel(tf.BatchMatMul, backendName);
  tf.registerKernel(kernel);
}

type KernelArguments = Parameters<tf.KernelFunc>[0];

function matMul(kernel: tf.KernelConfig, { inputs, backend, attrs }: KernelArguments): tf.TensorInfo | tf.TensorInfo[] {
  const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
  const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
  const plain = (left: tf.TensorInfo, right: tf.TensorInfo): tf.TensorInfo =>
    kernel.kernelFunc({
      inputs: { a: left, b: right },
      backend,
      attrs: { transposeA: false, transposeB: false },
    }) as tf.TensorInfo;
  const [sizeA, sizeB] = [tf.util.sizeFromShape(a.shape), tf.util.sizeFromShape(b.shape)];
  const matrices = a.shape.length === 2 && b.shape.length === 2;
  if ((!transposeA && !transposeB) || sizeA === 0 || sizeB === 0) {
    return kernel.kernelFunc({ inputs: { a, b }, backend, attrs: { transposeA, transposeB } });
  }
  const made: tf.TensorInfo[] = [];
  const transposed = (x: tf.TensorInfo): tf.TensorInfo => {
    const t = transpose(x, backend);
    made.push(t);
    return t;
  };
  const sizeC = outer(a, transposeA) * outer(b, !transposeB);
  const turned = (transposeA ? sizeA : 0) + (transposeB ? sizeB : 0);
  const turnedOtherwise = (transposeA ? 0 : sizeA) + (transposeB ? 0 : sizeB) + sizeC;
  const C =
    matrices && turnedOtherwise < turned
      ? transpose(remember(made, plain(transposeB ? b : transposed(b), transposeA ? a : transposed(a))), backend)
      : plain(transposeA ? transposed(a) : a, transposeB ? transposed(b) : b);
  for (const t of made) (backend as tf.KernelBackend).disposeData(t.dataId);
  return C;
}

function remember(made: tf.TensorInfo[], t: tf.TensorInfo): tf.TensorInfo {
  made.push(t);
  return t;
}

/** The size of the axis that the product keeps. */
function outer({ shape }: tf.TensorInfo, last: boolean): number {
  return shape[shape.length - (last ? 1 : 2)];
}

/** The last two axes exchanged. */
function transpose(x: tf.TensorInfo, backend: KernelArguments['backend']): tf.TensorInfo {
  const rank = x.shape.length;
  const perm = x.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  const kernel = tf.getKernel(tf.Transpose, backendName);
  return kernel.kernelFunc({ inputs: { x }, backend, attrs: { perm } }) as tf.TensorInfo;
}
