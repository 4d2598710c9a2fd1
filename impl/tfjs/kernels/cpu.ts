import type { DataType, TensorInfo } from '@tensorflow/tfjs';
import { backwardArrays, forwardArrays } from './arrays.ts';
import type { PoolKernels } from './kernel.ts';

/** What is used of `MathBackendCPU`. */
interface CpuBackend {
  readonly data: { get(dataId: object): { values: Float32Array | Int32Array | Uint8Array | number[] } };
  makeTensorInfo(shape: number[], dtype: DataType, values: Float32Array): TensorInfo;
}

export const cpuKernels: PoolKernels<CpuBackend> = {
  forward(x, alpha, attributes, backend) {
    const y = forwardArrays(read(x, backend), read(alpha, backend), attributes);
    return make(x.shape, y, backend);
  },
  backward(dy, x, alpha, attributes, backend) {
    const { dx, dalpha } = backwardArrays(read(dy, backend), read(x, backend), read(alpha, backend), attributes);
    return [make(x.shape, dx, backend), make(alpha.shape, dalpha, backend)];
  },
};

/** A float32 tensor that was cast has the array of what it was cast from. */
function read({ dataId }: TensorInfo, backend: CpuBackend): Float32Array {
  const { values } = backend.data.get(dataId);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

function make(shape: number[], values: Float32Array, backend: CpuBackend): TensorInfo {
  return backend.makeTensorInfo(shape, 'float32', values);
}
