import type { Worker } from 'node:worker_threads';
import { float } from './assembler.ts';
import { compile, type Matrix, memoryOf, product, type WasmBackend } from './module.ts';
import { productCode, scratchBytes } from './product-code.ts';

/**
 * A second thread for matrix products, on a memory that both threads see: operands are copied there, and results back.
 * Node only, whose wasm backend has no threads.
 */

/** Multiplications from which half of a product takes longer than the copies and the wait for the other thread. */
const leastProducts = 2 ** 23;

/** Elements of A, B and C up to which a product is shared: the memory keeps its size, of 256 MB then. */
const mostElements = 2 ** 26;

/**
 * Rows that a thread takes at a time: about 64 to 128, since each time B is laid out anew; and whole tiles, so that it makes
 * no difference to any bit who computes them.
 */
function chunkOf(rows: number): number {
  const chunks = 2 * Math.ceil(rows / 256);
  return 4 * Math.ceil(rows / chunks / 4);
}

/**
 * `C = A·B`, C: the address of `[A.rows, B.columns]`; each thread takes the next rows that nobody has taken, so that a helper
 * that is not given a core costs no more than the copies. Returns how many rows the helper has computed.
 *
 * @throws Error if the helper has failed or died; later products are computed without it
 */
export function sharedProduct(backend: WasmBackend, C: number, A: Matrix, B: Matrix): number {
  const [m, k, n] = [A.rows, A.columns, B.columns];
  const isWorthIt = m >= 64 && m * k * n >= leastProducts && m * k + k * n + m * n <= mostElements;
  if (helper === undefined || !isWorthIt || !helper.isIdle) {
    product(backend, C, A, B, false);
    return 0;
  }
  const heap = memoryOf(backend);
  const [row, chunk] = [n * float, chunkOf(m)];
  helper.begin(heap, A, B, chunk);
  const own = new Set<number>();
  for (let first = helper.take(chunk); first < m; first = helper.take(chunk)) {
    own.add(first);
    const rows = Math.min(chunk, m - first);
    product(backend, C + first * row, { ...A, address: A.address + first * A.rowStride, rows }, B, false);
  }
  return helper.finish(heap, C, { rows: m, row, chunk, own });
}

let helper: Helper | undefined;
let users = 0;

/** Starts the helper, which serves until what is returned has been called as often as this. */
export function useHelper(): () => void {
  if (users === 0) helper = new Helper();
  users++;
  let isUsed = true;
  return () => {
    if (!isUsed) return;
    isUsed = false;
    users--;
    if (users > 0) return;
    helper?.close();
    helper = undefined;
  };
}

/** What the helper is doing. */
const state = { starting: 0, idle: 1, busy: 2, failed: 3 } as const;

/** `C = A·B` as the helper is given it: addresses and strides in bytes, shapes, and how many rows are taken at a time. */
const jobFields = ['c', 'a', 'aRow', 'aColumn', 'b', 'bRow', 'bColumn', 'm', 'k', 'n', 'chunk'] as const;
type Job = Readonly<Record<(typeof jobFields)[number], number>>;

/** Where what both threads see lies, in integers of 32 bits: the state, the next row that is not taken, the job. */
const at = { state: 0, row: 1, job: 2 } as const;
const sharedBytes = (at.job + jobFields.length) * Int32Array.BYTES_PER_ELEMENT;

/** Milliseconds that a thread looks at the state before it sleeps, from which to be woken takes 0.1: the gaps of a training step. */
const patience = 0.5;

/**
 * Milliseconds after which a helper that has not finished its last rows, at most 2³³ multiplications or some seconds, is
 * taken for dead: it gets no other work.
 */
const longest = 60_000;

const program = `
const { memory, module, shared } = require('node:worker_threads').workerData;
const { product } = new WebAssembly.Instance(module, { env: { memory } }).exports;
const become = (next) => {
  Atomics.store(shared, ${at.state}, next);
  Atomics.notify(shared, ${at.state});
};
try {
  for (;;) {
    become(${state.idle});
    const end = performance.now() + ${patience};
    while (Atomics.load(shared, ${at.state}) === ${state.idle} && performance.now() < end);
    Atomics.wait(shared, ${at.state}, ${state.idle});
    const [${jobFields}] = shared.subarray(${at.job});
    for (let first; (first = Atomics.add(shared, ${at.row}, chunk)) < m; ) {
      const rows = Math.min(chunk, m - first);
      product(c + first * n * ${float}, a + first * aRow, aRow, aColumn, b, bRow, bColumn, rows, k, n, 0, 0);
    }
  }
} catch {
  become(${state.failed});
}`;

class Helper {
  readonly #memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  readonly #shared = new Int32Array(new SharedArrayBuffer(sharedBytes));
  readonly #worker: Worker;
  #results = 0;

  constructor() {
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const module = compile(productCode, this.#memory);
    this.#worker = new Worker(program, {
      eval: true,
      workerData: { memory: this.#memory, module, shared: this.#shared },
    });
    // No reason for the process to stay alive.
    this.#worker.unref();
  }

  get isIdle(): boolean {
    return Atomics.load(this.#shared, at.state) === state.idle;
  }

  /** Begins `A·B`; A and B in `heap`, of neighbouring rows or of neighbouring columns. */
  begin({ buffer }: WebAssembly.Memory, A: Matrix, B: Matrix, chunk: number): void {
    const [sizeA, sizeB] = [A.rows * A.columns, B.rows * B.columns];
    // Begun on cache lines.
    const after = (address: number, bytes: number) => address + Math.ceil(bytes / 64) * 64;
    const a = after(0, scratchBytes);
    const b = after(a, sizeA * float);
    this.#results = after(b, sizeB * float);
    const missing = after(this.#results, A.rows * B.columns * float) - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / 65536));
    const floats = new Float32Array(this.#memory.buffer);
    floats.set(new Float32Array(buffer, A.address, sizeA), a / float);
    floats.set(new Float32Array(buffer, B.address, sizeB), b / float);
    const job: Job = {
      c: this.#results,
      a,
      aRow: A.rowStride,
      aColumn: A.columnStride,
      b,
      bRow: B.rowStride,
      bColumn: B.columnStride,
      m: A.rows,
      k: A.columns,
      n: B.columns,
      chunk,
    };
    this.#shared.set(
      jobFields.map((field) => job[field]),
      at.job,
    );
    Atomics.store(this.#shared, at.row, 0);
    Atomics.store(this.#shared, at.state, state.busy);
    Atomics.notify(this.#shared, at.state);
  }

  /** The next row that is not taken; it and the others of its chunk then are. */
  take(chunk: number): number {
    return Atomics.add(this.#shared, at.row, chunk);
  }

  /** Puts the rows, of `row` bytes, of chunks that are not our `own` into C, and returns how many these are. */
  finish(
    { buffer }: WebAssembly.Memory,
    C: number,
    { rows, row, chunk, own }: { rows: number; row: number; chunk: number; own: ReadonlySet<number> },
  ): number {
    // Where none is left the helper may not have begun yet; it will find nothing to do.
    if (own.size * chunk >= rows) return 0;
    const end = performance.now() + patience;
    while (Atomics.load(this.#shared, at.state) === state.busy && performance.now() < end);
    Atomics.wait(this.#shared, at.state, state.busy, longest);
    if (!this.isIdle) throw new Error('BatchMatMul: the second thread has failed');
    const [to, from] = [new Uint8Array(buffer, C), new Uint8Array(this.#memory.buffer, this.#results)];
    let count = 0;
    for (let first = 0; first < rows; first += chunk) {
      if (own.has(first)) continue;
      const end = Math.min(first + chunk, rows);
      to.set(from.subarray(first * row, end * row), first * row);
      count += end - first;
    }
    return count;
  }

  close(): void {
    void this.#worker.terminate();
  }
}
