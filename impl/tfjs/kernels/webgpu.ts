import type { TensorInfo } from '@tensorflow/tfjs';
import { sizeOf } from '../shape.ts';
import { wgsl } from './dialect.ts';
import { gpuKernels } from './gpu.ts';
import type { PoolKernels } from './kernel.ts';

/** What is used of `WebGPUBackend`, and of its programs. */
interface WebgpuBackend {
  runWebGPUProgram(
    program: WebgpuProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly { type: 'int32'; data: readonly number[] }[],
  ): TensorInfo;
  disposeData(dataId: object): boolean;
}

interface WebgpuProgram {
  readonly variableNames: readonly string[];
  readonly outputShape: readonly number[];
  readonly shaderKey: string;
  readonly uniforms: string;
  readonly workgroupSize: readonly [number, number, number];
  readonly dispatchLayout: { readonly x: readonly number[] };
  readonly dispatch: readonly [number, number, number];
  readonly size: boolean;
  getUserCode(): string;
}

const workgroup = 64;

/** Compute programs on flat tensors, which lie row-major: the backend knows no more than six axes. */
export const webgpuKernels: PoolKernels<WebgpuBackend> = gpuKernels<WebgpuBackend>({
  name: 'webgpu',
  dialect: wgsl,
  storesFloat32: () => true,
  shapeOf: (tiles) => [tiles],
  readable: (tensor) => tensor,
  dispose: ({ dataId }, backend) => backend.disposeData(dataId),
  run({ inputs, outputShape, code, uniforms }, backend) {
    const size = sizeOf(outputShape);
    const program: WebgpuProgram = {
      variableNames: Object.keys(inputs),
      outputShape: [size],
      // No program may be taken for one with other code.
      shaderKey: code,
      uniforms: Object.keys(uniforms)
        .map((name) => `${name} : i32,`)
        .join(' '),
      workgroupSize: [workgroup, 1, 1],
      dispatchLayout: { x: [0] },
      dispatch: [Math.ceil(size / workgroup), 1, 1],
      size: true,
      getUserCode: () =>
        `${code}\nfn main(index : i32) { if (index < uniforms.size) { setOutputAtIndex(index, tileAt(index)); } }`,
    };
    const integers = Object.values(uniforms).map((value) => ({ type: 'int32', data: [value] }) as const);
    const flat = Object.values(inputs).map((input) => ({ ...input, shape: [sizeOf(input.shape)] }));
    const { dataId, dtype } = backend.runWebGPUProgram(program, flat, 'float32', integers);
    return { dataId, dtype, shape: [...outputShape] };
  },
});
