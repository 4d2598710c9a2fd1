import { type Target, targets } from '../../impl/tfjs/targets-for-tests.ts';

/** What is printed on some of the targets. */
export type Printed = Partial<Record<Target, string>>;

function on(names: readonly Target[], printed: string): Printed {
  return Object.fromEntries(names.map((name) => [name, printed]));
}

export function all(printed: string): Printed {
  return on(targets, printed);
}

export function wasm(printed: string): Printed {
  return on(['wasm', 'chromium:wasm', 'chromium:wasm-threads'], printed);
}

export function webgl(printed: string): Printed {
  return on(['chromium:webgl', 'chromium:webgl-f16'], printed);
}

export function webgpu(printed: string): Printed {
  return on(['webgpu', 'chromium:webgpu'], printed);
}
