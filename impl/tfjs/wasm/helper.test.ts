import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { random } from '../../../reference/random.ts';
import { openBackend } from '../backends.ts';
import { float } from './assembler.ts';
import { sharedProduct } from './helper.ts';
import { installWasmKernels, type WasmKernelOptions } from './install.ts';
import { addressOf, type WasmBackend } from './module.ts';

beforeAll(async () => {
  await openBackend('wasm');
});

const installed: (() => void)[] = [];
afterEach(() => {
  for (const restore of installed.splice(0)) restore();
});

function install(options: WasmKernelOptions): void {
  installed.push(installWasmKernels(options));
}

function uniform(rows: number, columns: number): tf.Tensor2D {
  const source = random(rows, 'helper');
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => source.uniform(-1, 1)),
    [rows, columns],
  );
}

const bits = (t: tf.Tensor): Buffer => Buffer.from((t.dataSync() as Float32Array).slice().buffer);

/** Makes products of two matrices until the helper has had a part in one; how many rows. */
async function untilShared(a: tf.Tensor2D, b: tf.Tensor2D, c: tf.Tensor2D): Promise<number> {
  const backend = tf.backend() as WasmBackend;
  const matrix = (t: tf.Tensor2D) => {
    const [rows, columns] = t.shape;
    return { address: addressOf(backend, t), rows, columns, rowStride: columns * float, columnStride: float };
  };
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const rows = sharedProduct(backend, addressOf(backend, c), matrix(a), matrix(b));
    if (rows > 0) return rows;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return 0;
}

describe('the helper', () => {
  it('computes some of the rows', async () => {
    install({ threads: 2 });
    const [a, b, c] = [uniform(256, 256), uniform(256, 512), tf.zeros<tf.Rank.R2>([256, 512])];
    const rows = await untilShared(a, b, c);
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThanOrEqual(256);
    expect(bits(c).equals(bits(tf.matMul(a, b)))).toBe(true);
    tf.dispose([a, b, c]);
  });

  // Up to 64 and 256 rows, one more and one less; of few terms and of more than a block.
  it.each([
    [64, 600, 512],
    [65, 1025, 300],
    [129, 300, 512],
    [255, 100, 700],
    [257, 64, 513],
    [784, 128, 512],
  ])('makes no difference to any bit of [%d, %d]·[.., %d]', async (m, k, n) => {
    const [a, b] = [uniform(m, k), uniform(k, n)];
    const [at, bt] = [tf.transpose(a), tf.transpose(b)];
    install({ threads: 1 });
    const alone = bits(tf.matMul(a, b));
    install({ threads: 2 });
    const c = tf.zeros<tf.Rank.R2>([m, n]);
    expect(await untilShared(a, b, c)).toBeGreaterThan(0);
    expect(bits(c).equals(alone)).toBe(true);
    const before = tf.memory();
    for (let turn = 0; turn < 8; turn++) {
      const [transposeA, transposeB] = [turn % 2 === 1, turn % 4 > 1];
      const shared = tf.matMul(transposeA ? at : a, transposeB ? bt : b, transposeA, transposeB);
      expect(bits(shared).equals(alone)).toBe(true);
      shared.dispose();
    }
    expect(tf.memory()).toEqual(before);
    tf.dispose([a, b, at, bt, c]);
  });

  it('serves until its last user has gone, and comes back', async () => {
    const [a, b, c] = [uniform(128, 256), uniform(256, 512), tf.zeros<tf.Rank.R2>([128, 512])];
    const [first, second] = [installWasmKernels({ threads: 2 }), installWasmKernels({ threads: 2 })];
    first();
    first();
    expect(await untilShared(a, b, c)).toBeGreaterThan(0);
    second();
    const backend = tf.backend() as WasmBackend;
    const [A, B] = [a, b].map((t) => ({
      address: addressOf(backend, t),
      rows: t.shape[0],
      columns: t.shape[1],
      rowStride: t.shape[1] * float,
      columnStride: float,
    }));
    expect(sharedProduct(backend, addressOf(backend, c), A, B)).toBe(0);
    install({ threads: 2 });
    expect(await untilShared(a, b, c)).toBeGreaterThan(0);
    tf.dispose([a, b, c]);
  });

  it('that dies over its rows is an error, once, and no wait for ever', async () => {
    const [a, b, c] = [uniform(128, 256), uniform(256, 512), tf.zeros<tf.Rank.R2>([128, 512])];
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const terminated = vi.spyOn(Worker.prototype, 'unref');
    install({ threads: 2 });
    expect(await untilShared(a, b, c)).toBeGreaterThan(0);
    await (terminated.mock.contexts[0] as InstanceType<typeof Worker>).terminate();
    const atomics = Atomics as {
      add(shared: Int32Array, index: number, value: number): number;
      wait(shared: Int32Array, index: number, value: number, timeout?: number): string;
    };
    const { add, wait } = atomics;
    // Rows that were taken by nobody who is alive.
    vi.spyOn(atomics, 'add').mockImplementationOnce((...taken) => {
      add(...taken);
      return add(...taken);
    });
    vi.spyOn(atomics, 'wait').mockImplementationOnce((shared, index, value, timeout) => {
      expect(timeout).toBeGreaterThan(0);
      return wait(shared, index, value, 10);
    });
    const buffers = tf.engine().backend.numDataIds();
    try {
      expect(() => tf.matMul(a, b)).toThrow('the second thread has failed');
      expect(tf.engine().backend.numDataIds()).toBe(buffers);
    } finally {
      vi.restoreAllMocks();
    }
    tf.matMul(a, b).dispose();
    tf.dispose([a, b, c]);
  });

  it.each([
    [{ thread: 2 }, '"options" expected threads, got "thread"'],
    [2, '"options" expected an object, got 2'],
    ['threads', '"options" expected an object, got "threads"'],
    [null, '"options" expected an object, got null'],
    [[], '"options" expected an object, got []'],
  ])('is asked for by an object that says nothing else, not by %j', (options, message) => {
    expect(() => installWasmKernels(options as WasmKernelOptions)).toThrow(
      new TypeError(`installWasmKernels: ${message}`),
    );
    expect(tf.getKernel('NesterovUpdate', 'wasm')).toBeUndefined();
  });

  it.each([0, 3, 1.5, '2'])('is asked for by a number of threads, 1 or 2, not by %j', (threads) => {
    expect(() => installWasmKernels({ threads: threads as 1 })).toThrow(
      `installWasmKernels: "threads" expected 1 or 2, got ${JSON.stringify(threads)}`,
    );
    expect(tf.getKernel('NesterovUpdate', 'wasm')).toBeUndefined();
  });
});
