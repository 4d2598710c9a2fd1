import type { Target } from '../../impl/tfjs/targets-for-tests.ts';
import { ofActivations } from './activations.ts';
import type { Finding } from './finding.ts';
import { ofOps } from './ops.ts';

/** The versions of which the list speaks, as the backends say them. */
export const versions: Readonly<Partial<Record<Target, string>>> = {
  cpu: 'tfjs 4.22.0',
  wasm: 'tfjs-backend-wasm 4.22.0',
  tensorflow: 'tfjs-node 4.22.0, TensorFlow 2.16.2',
  webgpu: 'tfjs-backend-webgpu 4.22.0',
  'chromium:webgl': 'tfjs-backend-webgl 4.22.0',
  'chromium:webgl-f16': 'tfjs-backend-webgl 4.22.0',
  'chromium:webgpu': 'tfjs-backend-webgpu 4.22.0',
  'chromium:wasm': 'tfjs-backend-wasm 4.22.0',
  'chromium:wasm-threads': 'tfjs-backend-wasm 4.22.0',
};

/**
 * What is known to be wrong in TensorFlow.js itself, the one list of it. A test runs every snippet and every Case on
 * every backend (impl/tfjs/stock-ops.test.ts): it fails where one of them gives what is not stated here, also when that
 * is the right answer. docs/findings.md is written from it by "npm run docs".
 */
export const findings: readonly Finding[] = [...ofActivations, ...ofOps];
