import { afterAll, beforeAll } from 'vitest';
import { openBackend } from '../backends.ts';
import { installWasmKernels } from './install.ts';

/** Opens cpu and wasm, and installs the kernels of wasm for the tests of the file that calls it. */
export function withWasmKernels(): void {
  let restore = (): void => {};
  beforeAll(async () => {
    await openBackend('cpu');
    await openBackend('wasm');
    restore = installWasmKernels();
  });
  afterAll(() => restore());
}
