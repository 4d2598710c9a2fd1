import { assemble, define, f32, f32x4 } from './assembler.ts';

/** Whether this engine has WebAssembly with 128-bit SIMD, which all have since 2023. */
export function hasSimd(): boolean {
  return typeof WebAssembly !== 'undefined' && WebAssembly.validate(assemble([probe], false));
}

const probe = define('probe', (f) => f.variable('v128').set(f32x4.splat(f32.zero)));
