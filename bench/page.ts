/** What bench/chromium.ts loads into a page. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');

export { measureKernels } from './kernel-rows.ts';
