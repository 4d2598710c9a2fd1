import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { inject } from 'vitest';
import { type BackendName, type OpenBackend, openBackend } from './backends.ts';

const page = globalThis as { navigator?: object };

/** The backend of this Vitest project, or why it is not there, which is an error only where it must be. */
export async function openTarget(): Promise<OpenBackend | string> {
  const { target, required, absent } = inject('conformance');
  try {
    if (absent !== undefined) throw new Error(absent);
    // As the development server of the tests has them.
    if (target.startsWith('chromium:wasm')) setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
    // One thread for two cores is what tfjs takes, and a machine for tests may have no more.
    if (target.endsWith('-threads')) Object.defineProperty(page.navigator!, 'hardwareConcurrency', { value: 4 });
    return await openBackend(target.replace('chromium:', '') as BackendName);
  } catch (error) {
    if (required) throw error;
    return (error as Error).message;
  }
}
