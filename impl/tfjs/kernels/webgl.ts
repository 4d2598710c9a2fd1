import { env, getKernel, Reshape, type TensorInfo } from '@tensorflow/tfjs';
import { gpuKernels, sizeOf } from './gpu.ts';
import type { PoolKernels } from './kernel.ts';
import { glsl } from './shader.ts';

/** What is used of `MathBackendWebGL`, and of its programs. */
interface WebglBackend {
  compileAndRun(
    program: WebglProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly (readonly number[])[],
  ): TensorInfo;
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
  readonly texData: { get(dataId: object): { readonly isPacked?: boolean } };
  unpackTensor(tensor: TensorInfo): TensorInfo;
}

interface WebglProgram {
  readonly variableNames: readonly string[];
  readonly outputShape: readonly number[];
  readonly userCode: string;
  readonly enableShapeUniforms: boolean;
  readonly customUniforms: readonly { readonly name: string; readonly type: 'int' }[];
}

/**
 * Fragment programs on flat tensors. Of other shapes the backend (4.22) may keep one program for two layouts of a texture:
 * its key leaves out whether the shape, without axes of length 1, is that of the texture.
 */
export const webglKernels: PoolKernels<WebglBackend> = gpuKernels<WebglBackend>({
  name: 'webgl',
  dialect: glsl,
  storesFloat32: () => env().getBool('WEBGL_RENDER_FLOAT32_ENABLED'),
  // The results of stock ops hold four elements a texel.
  readable: (tensor, backend) => (backend.texData.get(tensor.dataId).isPacked ? backend.unpackTensor(tensor) : tensor),
  dispose: (tensor, backend) => backend.disposeIntermediateTensorInfo(tensor),
  run({ inputs, outputShape, code, uniforms }, backend) {
    const program: WebglProgram = {
      variableNames: Object.keys(inputs),
      outputShape: [sizeOf(outputShape)],
      userCode: `${code}\nvoid main() { setOutput(elementAt(getOutputCoords())); }`,
      enableShapeUniforms: true,
      customUniforms: Object.keys(uniforms).map((name) => ({ name, type: 'int' })),
    };
    const flat = Object.values(inputs).map((input) => reshape(backend, input, [sizeOf(input.shape)]));
    const integers = Object.values(uniforms).map((value) => [value]);
    const result = backend.compileAndRun(program, flat, 'float32', integers);
    const shaped = reshape(backend, result, outputShape);
    for (const tensor of [...flat, result]) backend.disposeIntermediateTensorInfo(tensor);
    return shaped;
  },
});

/** By the backend's own kernel, which counts the references to a texture and repacks it where it must. */
function reshape(backend: WebglBackend, x: TensorInfo, shape: readonly number[]): TensorInfo {
  const attrs = { shape: [...shape] };
  return getKernel(Reshape, 'webgl').kernelFunc({ inputs: { x }, backend, attrs }) as TensorInfo;
}
