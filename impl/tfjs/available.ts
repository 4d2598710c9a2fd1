import { BackendError, type BackendName, backendNames, type OpenBackend, openBackend } from './backends.ts';

/**
 * Every backend that opens here; the last one opened is current, so call `use()` before each use.
 *
 * Says on stderr which ones don't open and why. `expected`, by default the environment variable `POOLPROOF_BACKENDS`
 * (names separated by commas), are those that must: nothing drops out of a test silently.
 *
 * @throws BackendError of an expected backend that does not open, RangeError for a name that is none.
 */
export async function availableBackends(
  expected: string = process.env.POOLPROOF_BACKENDS ?? '',
): Promise<OpenBackend[]> {
  const required = expected.split(',').flatMap((name) => name.trim() || []);
  for (const name of required) {
    if (!backendNames.includes(name as BackendName)) {
      throw new RangeError(`POOLPROOF_BACKENDS: expected names among ${backendNames.join(', ')}, got "${name}"`);
    }
  }
  const open: OpenBackend[] = [];
  for (const name of backendNames) {
    try {
      open.push(await openBackend(name));
    } catch (error) {
      if (!(error instanceof BackendError) || required.includes(name)) throw error;
      console.warn(`not tested: ${error.message}`);
    }
  }
  return open;
}
