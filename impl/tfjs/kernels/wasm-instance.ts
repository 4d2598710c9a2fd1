import type { BranchName } from '../../../reference/case.ts';
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

type View = readonly [A: number, B: number, C: number];

/** `y = Σ cᵢ fᵢ(x)` of x that is seen as `[A, B, C]`, all at these addresses. */
export function runForward(kernels: WasmKernels, x: number, c: number, y: number, [A, B, C]: View): void {
  if (C === 1) kernels.forwardColumns(x, c, y, A, B);
  else kernels.forwardRuns(x, c, y, A, B, C);
}

/** `dx = dy·Σ cᵢ fᵢ′(x)`; the sums of `dy·fᵢ(x)` are added to dc, of float64. */
export function runBackward(
  kernels: WasmKernels,
  [dy, x, c, dx, dc]: readonly [dy: number, x: number, c: number, dx: number, dc: number],
  [A, B, C]: View,
): void {
  if (C === 1) kernels.backwardColumns(dy, x, c, dx, dc, A, B);
  else kernels.backwardRuns(dy, x, c, dx, dc, A, B, C);
}

/**
 * The same on a memory of our own. Where there is too little of it another takes its place: to grow one detaches its
 * buffer, and from the first buffer that is detached on V8 checks that at each access to any typed array of the process,
 * which takes loops over them 1.3 times as long.
 */
export class OwnWasmInstances {
  #instances = new WasmInstances(new WebAssembly.Memory({ initial: 4 }));

  get buffer(): ArrayBuffer {
    return this.#instances.memory.buffer as ArrayBuffer;
  }

  /** The kernels on the memory as it is until places are asked for again. */
  of(branches: readonly BranchName[], sums: boolean): WasmKernels {
    return this.#instances.of(branches, sums);
  }

  /** Addresses of places of so many bytes; what was in the memory is lost. */
  places<const Bytes extends readonly number[]>(bytes: Bytes): { [i in keyof Bytes]: number } {
    let end = 0;
    const at = bytes.map((size) => {
      const start = end;
      // A cache line: vectors are the faster for it, and TensorFlow takes memory as it is from a multiple of 64 on.
      end = Math.ceil((end + size) / 64) * 64;
      return start;
    });
    const there = this.buffer.byteLength;
    if (end > there) {
      const initial = Math.ceil(Math.max(end, 2 * there) / 65536);
      this.#instances = new WasmInstances(new WebAssembly.Memory({ initial }));
    }
    return at as { [i in keyof Bytes]: number };
  }
}
