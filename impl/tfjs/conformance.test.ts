import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { describe, expect, inject, it } from 'vitest';
import { failureText } from '../../properties/failure-text.ts';
import { laws } from '../../properties/laws.ts';
import { checkLaw } from '../../properties/verify.ts';
import { type BackendName, type OpenBackend, openBackend } from './backends.ts';
import { tfjsSubject } from './subject.ts';

/** Every law on the backend of this Vitest project, in Node or in a browser (vitest.conformance.ts). */

const { target, runs, required, absent } = inject('conformance');

/** The backend, or why it is not there, which is an error only where it must be. */
async function open(): Promise<OpenBackend | string> {
  try {
    if (absent !== undefined) throw new Error(absent);
    // As the development server of the tests has them.
    if (target.startsWith('chromium:wasm')) setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
    return await openBackend(target.replace('chromium:', '') as BackendName);
  } catch (error) {
    if (required) throw error;
    return (error as Error).message;
  }
}

const backend = await open();

if (typeof backend === 'string') {
  console.warn(`not tested: ${target}: ${backend}`);
  it.skip(`${target} is not tested: ${backend}`, () => {});
} else {
  const subject = tfjsSubject(backend);
  describe(`${target}, ${backend.version}`, () => {
    const applicable = laws.filter(({ needs }) => needs === undefined || subject[needs] !== undefined);

    it.each(applicable.map((law) => [law.id, law] as const))('%s', async (_, law) => {
      const kinds = law.kinds?.length ?? 2;
      const { outcome, failures, breakage } = await checkLaw(law, subject, { runs: runs * kinds, seed: 1 });
      expect([...failures.map(failureText), ...(breakage ? [breakage.message] : [])].join('\n\n')).toBe('');
      expect(outcome).toBe('held');
    });
  });
}
