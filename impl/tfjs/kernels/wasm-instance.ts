import type { BranchName } from '../../../reference/case.ts';
import { type WasmKernels, wasmModule } from './wasm-kernels.ts';

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
      const isShared = typeof SharedArrayBuffer !== 'undefined' && this.memory.buffer instanceof SharedArrayBuffer;
      const module = new WebAssembly.Module(wasmModule(branches, sums, isShared));
      const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } });
      kernels = exports as unknown as WasmKernels;
      this.#known.set(key, kernels);
    }
    return kernels;
  }
}

/** Whether this engine has WebAssembly with 128-bit SIMD, which all have since 2023. */
export function hasSimd(): boolean {
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(wasmModule(['relu'], true, false));
}
