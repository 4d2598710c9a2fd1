import type { DataType, TensorInfo } from '@tensorflow/tfjs';
import { arrayKappa } from './kappa.ts';
import type { PoolKernels } from './kernel.ts';
import { WasmInstances } from './wasm-instance.ts';

/** What is used of `MathBackendCPU`. */
interface CpuBackend {
  readonly data: { get(dataId: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: DataType, values: Float32Array): TensorInfo;
}

/** Elements of each tensor that are computed at a time: three such blocks stay in the caches of a core. */
const blockSize = 8192;

/**
 * The same WebAssembly kernels as on wasm, on a memory of their own: plain loops of JavaScript take 5 to 10 times longer.
 * Tensors pass through it block by block.
 */
export const cpuKernels: PoolKernels<CpuBackend> = {
  forward(x, alpha, { branches, constraint, view }, backend) {
    const [A, B, C] = view;
    const values = valuesOf(backend, x);
    const c = arrayKappa(constraint, branches.length, B).coefficients(valuesOf(backend, alpha));
    const y = new Float32Array(values.length);
    const scratch = new Scratch();
    const cAt = scratch.put(c);
    const kernels = instances.of(branches, false);
    for (const { start, end, A: rows, C: run } of blocks(A, B, C)) {
      const [xAt, yAt] = scratch.room(2, end - start);
      scratch.floats.set(values.subarray(start, end), xAt! / 4);
      if (run === 1) kernels.forwardColumns(xAt!, cAt, yAt!, rows, B);
      else kernels.forwardRuns(xAt!, cAt, yAt!, rows, B, run);
      y.set(scratch.floats.subarray(yAt! / 4, yAt! / 4 + end - start), start);
    }
    return backend.makeTensorInfo(x.shape, 'float32', y);
  },

  backward(dy, x, alpha, { branches, constraint, view }, backend) {
    const [A, B, C] = view;
    const [cotangents, values, parameters] = [dy, x, alpha].map((t) => valuesOf(backend, t)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const kappa = arrayKappa(constraint, branches.length, B);
    const sums = constraint.kind !== 'fixed';
    const dx = new Float32Array(values.length);
    const scratch = new Scratch();
    const cAt = scratch.put(kappa.coefficients(parameters));
    const dcAt = scratch.zeros(sums ? branches.length * B : 0);
    const kernels = instances.of(branches, sums);
    for (const { start, end, A: rows, C: run } of blocks(A, B, C)) {
      const [dyAt, xAt, dxAt] = scratch.room(3, end - start);
      scratch.floats.set(cotangents.subarray(start, end), dyAt! / 4);
      scratch.floats.set(values.subarray(start, end), xAt! / 4);
      if (run === 1) kernels.backwardColumns(dyAt!, xAt!, cAt, dxAt!, dcAt, rows, B);
      else kernels.backwardRuns(dyAt!, xAt!, cAt, dxAt!, dcAt, rows, B, run);
      dx.set(scratch.floats.subarray(dxAt! / 4, dxAt! / 4 + end - start), start);
    }
    const dc = new Float64Array(instances.memory.buffer, dcAt, sums ? branches.length * B : 0);
    return [
      backend.makeTensorInfo(dy.shape, 'float32', dx),
      backend.makeTensorInfo(alpha.shape, 'float32', kappa.pullBack(dc, parameters)),
    ];
  },
};

const instances = new WasmInstances(new WebAssembly.Memory({ initial: 1 }));

function valuesOf(backend: CpuBackend, { dataId }: TensorInfo): Float32Array {
  return backend.data.get(dataId).values;
}

/** The parts of `[A, B, C]` that are computed at a time: whole rows, and parts of the one run if there is only one. */
function* blocks(A: number, B: number, C: number): Generator<{ start: number; end: number; A: number; C: number }> {
  const isOneRun = A === 1 && B === 1;
  const row = isOneRun ? 1 : B * C;
  const rows = isOneRun ? C : A;
  const step = Math.max(1, Math.floor(blockSize / row));
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const part = isOneRun ? { A: 1, C: count } : { A: count, C };
    yield { start: first * row, end: (first + count) * row, ...part };
  }
}

/** Places in the memory, one after the other from its start; the memory grows when they need it. */
class Scratch {
  #end = 0;

  /** All of the memory as it is now. */
  get floats(): Float32Array {
    return new Float32Array(instances.memory.buffer);
  }

  put(values: Float32Array): number {
    const at = this.#take(values.byteLength);
    this.floats.set(values, at / 4);
    return at;
  }

  zeros(doubles: number): number {
    const at = this.#take(8 * doubles);
    new Float64Array(instances.memory.buffer, at, doubles).fill(0);
    return at;
  }

  /** Room for so many tensors of a block, the same at every call. */
  room(tensors: number, elements: number): number[] {
    const end = this.#end;
    const at = Array.from({ length: tensors }, () => this.#take(4 * elements));
    this.#end = end;
    return at;
  }

  #take(bytes: number): number {
    const at = this.#end;
    // Float64 wants a multiple of 8, vectors are faster on one of 16.
    this.#end = Math.ceil((at + bytes) / 16) * 16;
    const { memory } = instances;
    const missing = this.#end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    return at;
  }
}
