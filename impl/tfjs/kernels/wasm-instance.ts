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
}

/** Whether this engine has WebAssembly with 128-bit SIMD, which all have since 2023. */
export function hasSimd(): boolean {
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(assemble(wasmKernelCode(['relu'], true), false));
}
