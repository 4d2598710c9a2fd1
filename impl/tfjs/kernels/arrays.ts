import { arrayKappa } from './kappa.ts';
import type { PoolAttributes } from './kernel.ts';
import { WasmInstances } from './wasm-instance.ts';

/**
 * The kernels on arrays of JavaScript, for backends whose tensors are such arrays or are cheaply read: the same code as on
 * wasm, on a memory of its own, through which tensors pass block by block. Plain loops take 5 to 10 times longer.
 */

/** Elements of each tensor that are computed at a time: three such blocks stay in the caches of a core. */
const blockSize = 8192;

/** `y = Σ cᵢ fᵢ(x)`. */
export function forwardArrays(x: Float32Array, alpha: Float32Array, attributes: PoolAttributes): Float32Array {
  const { branches, constraint, view } = attributes;
  const [A, B, C] = view;
  const y = new Float32Array(x.length);
  const scratch = new Scratch();
  const c = scratch.put(arrayKappa(constraint, branches.length, B).coefficients(alpha));
  const kernels = instances.of(branches, false);
  for (const { start, end, A: rows, C: run } of blocks(A, B, C)) {
    const [xAt, yAt] = scratch.room(2, end - start) as [number, number];
    scratch.floats.set(x.subarray(start, end), xAt / 4);
    if (run === 1) kernels.forwardColumns(xAt, c, yAt, rows, B);
    else kernels.forwardRuns(xAt, c, yAt, rows, B, run);
    y.set(scratch.floats.subarray(yAt / 4, yAt / 4 + end - start), start);
  }
  return y;
}

/** `dx = dy·Σ cᵢ fᵢ′(x)` and `dalpha = κ′ᵀ Σ_shared dy·fᵢ(x)`. */
export function backwardArrays(
  dy: Float32Array,
  x: Float32Array,
  alpha: Float32Array,
  attributes: PoolAttributes,
): { dx: Float32Array; dalpha: Float32Array } {
  const { branches, constraint, view } = attributes;
  const [A, B, C] = view;
  const kappa = arrayKappa(constraint, branches.length, B);
  const sums = constraint.kind !== 'fixed';
  const dx = new Float32Array(x.length);
  const scratch = new Scratch();
  const c = scratch.put(kappa.coefficients(alpha));
  const dcSize = sums ? branches.length * B : 0;
  const dc = scratch.zeros(dcSize);
  const kernels = instances.of(branches, sums);
  for (const { start, end, A: rows, C: run } of blocks(A, B, C)) {
    const [dyAt, xAt, dxAt] = scratch.room(3, end - start) as [number, number, number];
    scratch.floats.set(dy.subarray(start, end), dyAt / 4);
    scratch.floats.set(x.subarray(start, end), xAt / 4);
    if (run === 1) kernels.backwardColumns(dyAt, xAt, c, dxAt, dc, rows, B);
    else kernels.backwardRuns(dyAt, xAt, c, dxAt, dc, rows, B, run);
    dx.set(scratch.floats.subarray(dxAt / 4, dxAt / 4 + end - start), start);
  }
  return { dx, dalpha: kappa.pullBack(new Float64Array(instances.memory.buffer, dc, dcSize), alpha) };
}

const instances = new WasmInstances(new WebAssembly.Memory({ initial: 1 }));

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
