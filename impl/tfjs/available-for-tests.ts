import { BackendError, type BackendName, type OpenBackend, openBackend } from './backends.ts';
import { requiredTargets } from './targets-for-tests.ts';

/** The backends whose values can be read at once, by `dataSync`. */
const synchronous = ['tensorflow', 'wasm', 'cpu'] as const satisfies readonly BackendName[];

/**
 * Every synchronous backend that opens here; the last one opened is current, so call `use()` before each use.
 *
 * Says on stderr which ones don't open and why. Those that `expected`, by default the environment variable
 * `POOLPROOF_BACKENDS`, names must: nothing drops out of a test silently.
 *
 * @throws BackendError of an expected backend that does not open, RangeError for a name that is none.
 */
export async function availableBackends(expected?: string): Promise<OpenBackend[]> {
  const required = requiredTargets(expected);
  const open: OpenBackend[] = [];
  for (const name of synchronous) {
    try {
      open.push(await openBackend(name));
    } catch (error) {
      if (!(error instanceof BackendError) || required.includes(name)) throw error;
      console.warn(`not tested: ${error.message}`);
    }
  }
  return open;
}
