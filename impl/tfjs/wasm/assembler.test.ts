import { describe, expect, it } from 'vitest';
import { assemble, call, type Definition, define, either, f32, i32, least, leave, when } from './assembler.ts';
import { nesterovCode } from './nesterov-code.ts';
import { productCode, scratchBytes } from './product-code.ts';

interface Memory {
  readonly buffer: ArrayBuffer;
}

declare const WebAssembly: {
  readonly Memory: new (options: { initial: number; maximum?: number; shared?: boolean }) => Memory;
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Record<string, (...n: number[]) => void> };
};

const pages = (bytes: number): number => Math.ceil(bytes / 65536);

function load(functions: readonly Definition[], shared = false, initial = 1) {
  const memory = new WebAssembly.Memory(shared ? { initial, maximum: 65536, shared } : { initial });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(functions, shared)), {
    env: { memory },
  });
  return { ...exports, floats: new Float32Array(memory.buffer) } as typeof exports & { floats: Float32Array };
}

describe('the assembler', () => {
  it('encodes numbers of every length', () => {
    const values = [0, 1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31)];
    for (const value of values) {
      const wasm = load([
        define('same', (f) => {
          const x = f.parameter();
          return when(i32.equal(x.get, i32.const(value)), f32.store(i32.const(128), f32.load(i32.const(300)), 1 << 14));
        }),
      ]);
      wasm.floats[75] = 7;
      wasm.same(value + 1);
      expect(wasm.floats[(128 + (1 << 14)) / 4]).toBe(0);
      wasm.same(value);
      expect(wasm.floats[(128 + (1 << 14)) / 4]).toBe(7);
    }
  });

  it('loops, chooses, calls and leaves', () => {
    const wasm = load([
      define('put', (f) => {
        const [at, from] = [f.parameter(), f.parameter()];
        return f32.store(at.get, f32.load(from.get));
      }),
      define('run', (f) => {
        const [end, limit] = [f.parameter(), f.parameter()];
        const i = f.variable();
        return [
          ...f.loop(i, i32.const(0), least(end.get, limit.get), 4, call(0, i32.add(i32.const(64), i.get), i.get)),
          ...when(i32.equal(limit.get, i32.const(0)), leave),
          ...f32.store(i32.const(128), either('f32', i32.less(end.get, limit.get), f32.load(i32.const(0)), f32.zero)),
        ];
      }),
    ]);
    wasm.floats.set([1, 2, 3, 4]);
    wasm.floats[32] = 9;
    wasm.run(12, 0);
    expect([...wasm.floats.subarray(16, 20), wasm.floats[32]]).toEqual([0, 0, 0, 0, 9]);
    wasm.run(12, 8);
    expect([...wasm.floats.subarray(16, 20), wasm.floats[32]]).toEqual([1, 2, 0, 0, 0]);
    wasm.run(12, 16);
    expect([...wasm.floats.subarray(16, 20), wasm.floats[32]]).toEqual([1, 2, 3, 0, 1]);
  });
});

describe('our functions on memory that threads share, as the threaded backend has it', () => {
  const shared = load([...productCode, nesterovCode], true, pages(scratchBytes) + 1);

  it('product: C = A·B, then C += A·B', () => {
    const { floats } = shared;
    const scratch = 4096;
    floats.set([1, 2, 3, 4, 5, 6], 0);
    floats.set([1, 0, 2, 1, 0, 3], 16);
    for (const adds of [0, 1]) {
      shared.product(128, 0, 12, 4, 64, 8, 4, 2, 3, 2, adds, scratch);
      expect([...floats.subarray(32, 36)]).toEqual([5, 11, 14, 23].map((value) => value * (adds + 1)));
    }
  });

  it('nesterov: four at a time and the rest, and not one more', () => {
    const { floats } = shared;
    const [next, moved, w, v, g] = [0, 8, 16, 24, 32];
    floats.fill(9, 0, 40);
    for (let i = 0; i < 5; i++) {
      floats[w + i] = i;
      floats[v + i] = 2;
      floats[g + i] = 8;
    }
    // v' = ½·2 - ¼·8, w' = w + ½·v' - ¼·8.
    shared.nesterov(4 * next, 4 * moved, 4 * w, 4 * v, 4 * g, 5, 0.25, 0.5);
    expect([...floats.subarray(moved, moved + 6)]).toEqual([-1, -1, -1, -1, -1, 9]);
    expect([...floats.subarray(next, next + 6)]).toEqual([-2.5, -1.5, -0.5, 0.5, 1.5, 9]);
  });
});
