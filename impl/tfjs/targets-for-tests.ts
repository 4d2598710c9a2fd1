import type { BackendName } from './backends.ts';

/** Where a backend is certified: in Node by its name alone, in a browser with `chromium:` before it. */
export type Target = BackendName | `chromium:${BackendName}`;

/** Every backend and place that is certified. */
export const targets: readonly Target[] = [
  'cpu',
  'wasm',
  'tensorflow',
  'webgpu',
  'chromium:webgl',
  'chromium:webgl-f16',
  'chromium:webgpu',
  'chromium:wasm',
  'chromium:wasm-threads',
];

/** The targets that `POOLPROOF_BACKENDS` (names separated by commas) says must be there. @throws RangeError */
export function requiredTargets(expected: string = process.env.POOLPROOF_BACKENDS ?? ''): readonly Target[] {
  const names = expected.split(',').flatMap((name) => name.trim() || []);
  for (const name of names) {
    if (!targets.includes(name as Target)) {
      throw new RangeError(`POOLPROOF_BACKENDS: expected names among ${targets.join(', ')}, got "${name}"`);
    }
  }
  return names as Target[];
}
