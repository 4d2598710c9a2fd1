import type { BranchName } from '../../../reference/case.ts';
import { assemble } from '../wasm/assembler.ts';
import { instantiate } from '../wasm/module.ts';
import { type WasmKernels, wasmKernelCode } from './wasm-kernels.ts';

/** The kernels of pools on one memory, each compiled when it is first asked for. */
export class WasmInstances {
  readonly memory: WebAssembly.Memory;
  readonly #known = new Map<string, WasmKernels>();

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  of(branches: readonly BranchName[], sums: boolean): WasmKernels {
    const key = `${branches} ${sums}`;
    let kernels = this.#known.get(key);
    if (kernels === undefined) {
      kernels = instantiate(wasmKernelCode(branches, sums), this.memory) as WasmKernels;
      this.#known.set(key, kernels);
    }
    return kernels;
  }

  /** Addresses of places of so many bytes in a memory of our own, which grows when they need it. */
  places<const Bytes extends readonly number[]>(bytes: Bytes): { [i in keyof Bytes]: number } {
    let end = 0;
    const at = bytes.map((size) => {
      const start = end;
      // A cache line: vectors are the faster for it, and TensorFlow takes memory as it is from a multiple of 64 on.
      end = Math.ceil((end + size) / 64) * 64;
      return start;
    });
    const missing = end - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    return at as { [i in keyof Bytes]: number };
  }
}

/** Whether this engine has WebAssembly with 128-bit SIMD, which all have since 2023. */
export function hasSimd(): boolean {
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(assemble(wasmKernelCode(['relu'], true), false));
}
