import type * as tf from '@tensorflow/tfjs';
import { attribute, type NativeBackend } from '../native-backend.ts';
import { sizeOf } from '../shape.ts';
import { backwardArrays, forwardArrays } from './arrays.ts';
import { arrayKappa } from './kappa.ts';
import type { PoolKernels } from './kernel.ts';
import { OwnWasmInstances, runBackward, runForward } from './wasm-instance.ts';

/**
 * Native TensorFlow on the CPU: the code of wasm on a memory that TensorFlow itself reads and writes, which takes two copies
 * for each tensor less than to have the binding read it, into pages that are new.
 */
export const nativeKernels: PoolKernels<NativeBackend> = {
  forward(x, alpha, attributes, backend) {
    const { branches, constraint, view } = attributes;
    const B = view[1];
    const [n, size] = [branches.length, sizeOf(view)];
    if (size + n * B > mostElements || !writesInPlace(backend)) {
      return write(x.shape, forwardArrays(read(x, backend), read(alpha, backend), attributes), backend);
    }
    const [c, xAt, yAt] = instances.places([4 * n * B, 4 * size, 4 * size]);
    floats(c, n * B).set(arrayKappa(constraint, n, B).coefficients(read(alpha, backend)));
    copyTo(floats(xAt, size), x, backend);
    const kernels = instances.of(branches, false);
    runForward(kernels, xAt, c, yAt, view);
    return copyOf(floats(yAt, size), x.shape, backend);
  },
  backward(dy, x, alpha, attributes, backend) {
    const { branches, constraint, view } = attributes;
    const B = view[1];
    const [n, size] = [branches.length, sizeOf(view)];
    const alphas = read(alpha, backend);
    if (size + n * B > mostElements || !writesInPlace(backend)) {
      const { dx, dalpha } = backwardArrays(read(dy, backend), read(x, backend), alphas, attributes);
      return [write(x.shape, dx, backend), write(alpha.shape, dalpha, backend)];
    }
    const [dcAt, c, dyAt, xAt, dxAt] = instances.places([8 * n * B, 4 * n * B, 4 * size, 4 * size, 4 * size]);
    const kappa = arrayKappa(constraint, n, B);
    floats(c, n * B).set(kappa.coefficients(alphas));
    copyTo(floats(dyAt, size), dy, backend);
    copyTo(floats(xAt, size), x, backend);
    const dc = new Float64Array(instances.buffer, dcAt, n * B).fill(0);
    const kernels = instances.of(branches, constraint.kind !== 'fixed');
    runBackward(kernels, [dyAt, xAt, c, dxAt, dcAt], view);
    return [copyOf(floats(dxAt, size), x.shape, backend), write(alpha.shape, kappa.pullBack(dc, alphas), backend)];
  },
};

/** Elements of x and coefficients up to which whole tensors pass through the memory, which keeps its size: at most 400 MB. */
const mostElements = 2 ** 24;

const instances = new OwnWasmInstances();

function floats(address: number, length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(instances.buffer, address, length);
}

let isInPlace: boolean | undefined;

/** Whether what TensorFlow writes arrives in our memory: so in every build that was tried, but its API does not promise it. */
function writesInPlace(backend: NativeBackend): boolean {
  if (isInPlace !== undefined) return isInPlace;
  const values = Float32Array.from({ length: 16 }, (_, i) => i + 1);
  const dataId = backend.write(values, [16], 'float32');
  try {
    const [at] = instances.places([values.byteLength]);
    const target = floats(at, 16).fill(0);
    copyTo(target, { dataId, shape: [16], dtype: 'float32' }, backend);
    isInPlace = target.every((v, i) => v === values[i]);
  } catch {
    // A TensorFlow that has no such operation.
    isInPlace = false;
  } finally {
    backend.disposeData(dataId);
  }
  return isInPlace;
}

/** Has TensorFlow write a tensor into `values`, by an operation that is known to write in place. */
function copyTo(values: Float32Array, t: tf.TensorInfo, backend: NativeBackend): void {
  const { binding } = backend;
  const { TF_FLOAT, TF_INT32, TF_ATTR_TYPE } = binding;
  const T = attribute('T', TF_ATTR_TYPE, TF_FLOAT);
  const row = [1, values.length];
  const made: number[] = [];
  const keep = (id: number): number => {
    made.push(id);
    return id;
  };
  try {
    const shape = keep(binding.createTensor([2], TF_INT32, Int32Array.from(row)));
    const inputs = [...backend.getInputTensorIds([t as tf.Tensor]), shape];
    const from = keep(binding.executeOp('Reshape', [T, attribute('Tshape', TF_ATTR_TYPE, TF_INT32)], inputs, 1)[0].id);
    const first = keep(binding.createTensor([1], TF_INT32, Int32Array.of(0)));
    const to = keep(binding.createTensor(row, TF_FLOAT, values));
    keep(binding.executeOp('InplaceUpdate', [T], [to, first, from], 1)[0].id);
  } finally {
    for (const id of made) binding.deleteTensor(id);
  }
}

/** A tensor of `values`, in memory of TensorFlow's own. */
function copyOf(values: Float32Array, shape: number[], backend: NativeBackend): tf.Tensor {
  const { binding } = backend;
  const { TF_FLOAT, TF_ATTR_TYPE } = binding;
  const id = binding.createTensor(shape, TF_FLOAT, values);
  try {
    const [copy] = binding.executeOp('DeepCopy', [attribute('T', TF_ATTR_TYPE, TF_FLOAT)], [id], 1);
    return backend.createOutputTensor(copy);
  } finally {
    binding.deleteTensor(id);
  }
}

function read({ dataId }: tf.TensorInfo, backend: NativeBackend): Float32Array {
  // `get` moves what lies on another backend, which `readSync` does not know.
  return backend.tensorMap.get(dataId).values ?? (backend.readSync(dataId) as Float32Array);
}

function write(shape: number[], values: Float32Array, backend: NativeBackend): tf.TensorInfo {
  return { dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32' };
}
