/** `poolproof/tfjs`: activation pools for TensorFlow.js, its backends in Node, and them as Subjects. */
export type { BranchName, Constraint, Sharing } from '../../reference/case.ts';
export {
  BackendError,
  type BackendName,
  backendNames,
  type OpenBackend,
  openAuto,
  openBackend,
  type PassedOver,
} from './backends.ts';
export { ActivationPool, type ActivationPoolOptions } from './layers.ts';
export { MReLU, type MReLUOptions } from './mrelu-layer.ts';
export { activationPool } from './op.ts';
export type { PoolOptions } from './parameters.ts';
export { PReLU, type PReLUOptions } from './prelu-layer.ts';
export { tfjsSubject } from './subject.ts';
export { installWasmKernels, type WasmKernelOptions } from './wasm/install.ts';
