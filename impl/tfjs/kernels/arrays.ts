import { arrayKappa } from './kappa.ts';
import type { PoolAttributes } from './kernel.ts';
import { WasmInstances } from './wasm-instance.ts';

/**
 * The kernels on arrays of JavaScript, for backends whose tensors are such arrays or are cheaply read: the same code as on
 * wasm, on a memory of its own, through which tensors pass block by block, so that it stays small. Plain loops take 5 to 10
 * times longer.
 */

/** Elements of each tensor, and coefficients, that are in that memory at a time: such blocks stay in the caches of a core. */
const blockSize = 8192;

/** `y = Σ cᵢ fᵢ(x)`. */
export function forwardArrays(x: Float32Array, alpha: Float32Array, attributes: PoolAttributes): Float32Array {
  const { branches, constraint, view } = attributes;
  const n = branches.length;
  const coefficients = arrayKappa(constraint, n, view[1]).coefficients(alpha);
  const y = new Float32Array(x.length);
  const kernels = instances.of(branches, false);
  for (const { positions, blocks } of strips(view, n)) {
    const scratch = new Scratch();
    const c = scratch.put(coefficients, positions);
    for (const { size, pieces, A, B, C } of blocks) {
      const [xAt, yAt] = scratch.room(2, size) as [number, number];
      scratch.load(xAt, x, pieces);
      if (C === 1) kernels.forwardColumns(xAt, c, yAt, A, B);
      else kernels.forwardRuns(xAt, c, yAt, A, B, C);
      scratch.store(y, yAt, pieces);
    }
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
  const n = branches.length;
  const kappa = arrayKappa(constraint, n, view[1]);
  const coefficients = kappa.coefficients(alpha);
  const sums = constraint.kind !== 'fixed';
  const dx = new Float32Array(x.length);
  const dc = new Float64Array(sums ? n * view[1] : 0);
  const kernels = instances.of(branches, sums);
  for (const { positions, blocks } of strips(view, n)) {
    const scratch = new Scratch();
    const c = scratch.put(coefficients, positions);
    const dcAt = scratch.put(dc, sums ? positions : []);
    for (const { size, pieces, A, B, C } of blocks) {
      const [dyAt, xAt, dxAt] = scratch.room(3, size) as [number, number, number];
      scratch.load(dyAt, dy, pieces);
      scratch.load(xAt, x, pieces);
      if (C === 1) kernels.backwardColumns(dyAt, xAt, c, dxAt, dcAt, A, B);
      else kernels.backwardRuns(dyAt, xAt, c, dxAt, dcAt, A, B, C);
      scratch.store(dx, dxAt, pieces);
    }
    if (sums) scratch.store(dc, dcAt, positions);
  }
  return { dx, dalpha: kappa.pullBack(dc, alpha) };
}

const instances = new WasmInstances(new WebAssembly.Memory({ initial: 1 }));

/** Elements of an array that lie side by side. */
interface Piece {
  readonly start: number;
  readonly end: number;
}

/** A block of `[A, B, C]`, of lengths of its own, which the pieces are in their order. */
interface Block {
  readonly A: number;
  readonly B: number;
  readonly C: number;
  readonly size: number;
  readonly pieces: readonly Piece[];
}

/**
 * `[A, B, C]` in strips along B, for which so many coefficients are there at a time, of blocks: whole rows, as many as
 * fit, where a row is no longer than a block.
 */
function* strips(
  [A, B, C]: PoolAttributes['view'],
  n: number,
): Generator<{ positions: readonly Piece[]; blocks: Iterable<Block> }> {
  const run = Math.min(C, blockSize);
  const width = Math.min(B, Math.max(1, Math.floor(blockSize / Math.max(run, n))));
  const height = Math.floor(blockSize / (width * run));
  for (const { start, end } of parts(B, width)) {
    const positions = Array.from({ length: n }, (_, row) => ({ start: row * B + start, end: row * B + end }));
    yield { positions, blocks: blocksOf(start, end) };
  }

  function* blocksOf(start: number, end: number): Generator<Block> {
    for (const rows of parts(A, height)) {
      for (const { start: first, end: last } of parts(C, run)) {
        const block = { A: rows.end - rows.start, B: end - start, C: last - first };
        const length = block.B * block.C;
        const from = (row: number) => (row * B + start) * C + first;
        const pieces =
          length === B * C
            ? [{ start: from(rows.start), end: from(rows.end) }]
            : Array.from({ length: block.A }, (_, row) => from(rows.start + row)).map((at) => ({
                start: at,
                end: at + length,
              }));
        yield { ...block, size: block.A * length, pieces };
      }
    }
  }
}

/** `[0, count)` in parts of `size` or, the last, less. */
function* parts(count: number, size: number): Generator<Piece> {
  for (let start = 0; start < count; start += size) yield { start, end: Math.min(start + size, count) };
}

type Values = Float32Array | Float64Array;

/** Places in the memory, one after the other from its start; the memory grows when they need it. */
class Scratch {
  #end = 0;

  /** Takes a place and loads it. */
  put(values: Values, pieces: readonly Piece[]): number {
    const at = this.#take(values.BYTES_PER_ELEMENT * pieces.reduce((sum, { start, end }) => sum + end - start, 0));
    this.load(at, values, pieces);
    return at;
  }

  /** Room for so many tensors of a block, at the same place at every call. */
  room(tensors: number, elements: number): number[] {
    const end = this.#end;
    const at = Array.from({ length: tensors }, () => this.#take(4 * elements));
    this.#end = end;
    return at;
  }

  load(at: number, from: Values, pieces: readonly Piece[]): void {
    const memory = this.#seenAs(from);
    let to = at / from.BYTES_PER_ELEMENT;
    for (const { start, end } of pieces) {
      memory.set(from.subarray(start, end), to);
      to += end - start;
    }
  }

  store(to: Values, at: number, pieces: readonly Piece[]): void {
    const memory = this.#seenAs(to);
    let from = at / to.BYTES_PER_ELEMENT;
    for (const { start, end } of pieces) {
      to.set(memory.subarray(from, from + end - start), start);
      from += end - start;
    }
  }

  /** All of the memory as it is now. */
  #seenAs(values: Values): Values {
    const { buffer } = instances.memory;
    return values instanceof Float64Array ? new Float64Array(buffer) : new Float32Array(buffer);
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
