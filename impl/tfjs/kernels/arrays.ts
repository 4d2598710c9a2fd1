import { arrayKappa } from './kappa.ts';
import type { PoolAttributes } from './kernel.ts';
import { OwnWasmInstances, runBackward, runForward } from './wasm-instance.ts';

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
  const [c, xAt, yAt] = instances.places([4 * mostCoefficients(n), 4 * blockSize, 4 * blockSize]);
  const kernels = instances.of(branches, false);
  const floats = new Float32Array(instances.buffer);
  for (const { positions, blocks } of stripsOf(view, n)) {
    load(floats, c / 4, coefficients, positions);
    for (const { A, B, C, pieces } of blocks) {
      load(floats, xAt / 4, x, pieces);
      runForward(kernels, xAt, c, yAt, [A, B, C]);
      store(floats, yAt / 4, y, pieces);
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
  const most = mostCoefficients(n);
  const [dcAt, c, dyAt, xAt, dxAt] = instances.places([
    8 * most,
    4 * most,
    4 * blockSize,
    4 * blockSize,
    4 * blockSize,
  ]);
  const kernels = instances.of(branches, sums);
  const { buffer } = instances;
  const [floats, doubles] = [new Float32Array(buffer), new Float64Array(buffer)];
  for (const { positions, blocks } of stripsOf(view, n)) {
    load(floats, c / 4, coefficients, positions);
    if (sums) load(doubles, dcAt / 8, dc, positions);
    for (const { A, B, C, pieces } of blocks) {
      load(floats, dyAt / 4, dy, pieces);
      load(floats, xAt / 4, x, pieces);
      runBackward(kernels, [dyAt, xAt, c, dxAt, dcAt], [A, B, C]);
      store(floats, dxAt / 4, dx, pieces);
    }
    if (sums) store(doubles, dcAt / 8, dc, positions);
  }
  return { dx, dalpha: kappa.pullBack(dc, alpha) };
}

const instances = new OwnWasmInstances();

/** Pieces of an array: `count` times `length` elements that lie side by side, each `stride` behind the one before. */
interface Pieces {
  readonly start: number;
  readonly length: number;
  readonly count: number;
  readonly stride: number;
}

/** A block of `[A, B, C]`, of lengths of its own, and the pieces that it is made of. */
interface Block {
  readonly A: number;
  readonly B: number;
  readonly C: number;
  readonly pieces: Pieces;
}

/** A part of `[A, B, C]` along B: where its coefficients lie in `[n, B]`, and its blocks. */
interface Strip {
  readonly positions: Pieces;
  readonly blocks: readonly Block[];
}

/** The coefficients of a strip are no more than these. */
function mostCoefficients(n: number): number {
  return Math.max(n, blockSize);
}

/** One strip of whole rows, unless a row or its coefficients are more than a block. */
function stripsOf([A, B, C]: PoolAttributes['view'], n: number): Strip[] {
  const run = Math.min(C, blockSize);
  const width = Math.min(B, Math.max(1, Math.floor(blockSize / Math.max(run, n))));
  const rows = Math.floor(blockSize / (width * run));
  return parts(B, width).map(([b, columns]) => {
    const blockAt = (a: number, height: number, c: number, length: number): Block => {
      const start = (a * B + b) * C + c;
      const isWhole = columns * length === B * C;
      const pieces = isWhole
        ? { start, length: height * B * C, count: 1, stride: 0 }
        : { start, length: columns * length, count: height, stride: B * C };
      return { A: height, B: columns, C: length, pieces };
    };
    const blocks = parts(A, rows).flatMap(([a, height]) =>
      parts(C, run).map(([c, length]) => blockAt(a, height, c, length)),
    );
    return { positions: { start: b, length: columns, count: n, stride: B }, blocks };
  });
}

/** `[0, count)` in parts of `size` or, the last, less. */
function parts(count: number, size: number): [start: number, length: number][] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => [i * size, Math.min(size, count - i * size)]);
}

function load<T extends Float32Array | Float64Array>(memory: T, at: number, values: T, pieces: Pieces): void {
  const { start, length, count, stride } = pieces;
  for (let i = 0, from = start; i < count; i++, from += stride) {
    memory.set(values.subarray(from, from + length), at + i * length);
  }
}

function store<T extends Float32Array | Float64Array>(memory: T, at: number, values: T, pieces: Pieces): void {
  const { start, length, count, stride } = pieces;
  for (let i = 0, to = start; i < count; i++, to += stride) {
    values.set(memory.subarray(at + i * length, at + (i + 1) * length), to);
  }
}
