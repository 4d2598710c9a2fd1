import type { DataType, TensorInfo } from '@tensorflow/tfjs';
import type { NativeBackend } from '../native.ts';
import { backwardArrays, forwardArrays } from './arrays.ts';
import type { PoolKernels } from './kernel.ts';

/** How a backend's tensors are read and made by the host. */
interface Host<Backend> {
  read(tensor: TensorInfo, backend: Backend): Float32Array;
  make(shape: number[], values: Float32Array, backend: Backend): TensorInfo;
}

/** Kernels of a backend whose tensors are arrays of JavaScript, or can be had as such at once. */
function hostKernels<Backend>({ read, make }: Host<Backend>): PoolKernels<Backend> {
  return {
    forward(x, alpha, attributes, backend) {
      return make(x.shape, forwardArrays(read(x, backend), read(alpha, backend), attributes), backend);
    },
    backward(dy, x, alpha, attributes, backend) {
      const result = backwardArrays(read(dy, backend), read(x, backend), read(alpha, backend), attributes);
      return [make(x.shape, result.dx, backend), make(alpha.shape, result.dalpha, backend)];
    },
  };
}

/** What is used of `MathBackendCPU`. */
interface CpuBackend {
  readonly data: { get(dataId: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: DataType, values: Float32Array): TensorInfo;
}

export const cpuKernels: PoolKernels<CpuBackend> = hostKernels<CpuBackend>({
  read: ({ dataId }, backend) => backend.data.get(dataId).values,
  make: (shape, values, backend) => backend.makeTensorInfo(shape, 'float32', values),
});

/** What was read of TensorFlow's memory, whose values never change: backward sees the x of forward again. */
const known = new WeakMap<object, Float32Array>();

/**
 * Native TensorFlow on the CPU: reading two tensors and writing two takes less than the ten to twenty stock ops of the
 * composed form, forward and backward.
 */
export const nativeKernels: PoolKernels<NativeBackend> = hostKernels<NativeBackend>({
  read: ({ dataId }, backend) => {
    // `get` moves what lies on another backend: the x of forward, where another one is chosen before backward.
    const given = backend.tensorMap.get(dataId).values;
    if (given !== null) return given;
    const values = known.get(dataId) ?? (backend.readSync(dataId) as Float32Array);
    known.set(dataId, values);
    return values;
  },
  make: (shape, values, backend) => ({ dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32' }),
});
