import { env, getKernel, Reshape, type TensorInfo } from '@tensorflow/tfjs';
import { glsl } from './dialect.ts';
import { gpuKernels } from './gpu.ts';
import type { PoolKernels } from './kernel.ts';
import { matrices } from './tiles.ts';

/** What is used of `MathBackendWebGL`, and of its programs. */
interface WebglBackend {
  compileAndRun(
    program: WebglProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly (readonly number[])[],
  ): TensorInfo;
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
  readonly texData: { get(dataId: object): { readonly isPacked?: boolean; readonly texture?: object | null } };
  packTensor(tensor: TensorInfo): TensorInfo;
}

interface WebglProgram {
  readonly variableNames: readonly string[];
  readonly outputShape: readonly number[];
  readonly userCode: string;
  readonly packedInputs: true;
  readonly packedOutput: true;
  readonly enableShapeUniforms: boolean;
  readonly customUniforms: readonly { readonly name: string; readonly type: 'int' }[];
}

/**
 * Texels are counted as the backend (4.22) counts them: along the columns, the rows, the batch. A division costs more than
 * a texel does (SwiftShader), and mostly a row of tiles is a row of the texture.
 */
const texels = `
vec4 texelAt(sampler2D tensor, int row, int column, int across) {
  int width = textureSize(tensor, 0).x;
  while (across != width) {
    int t = row * across + column;
    row = t / width;
    column = t - row * width;
    across = width;
  }
  return texelFetch(tensor, ivec2(column, row), 0);
}
vec4 texelHere(sampler2D tensor) {
  return texelAt(tensor, int(gl_FragCoord.y), int(gl_FragCoord.x), (outTexShape[1] + 1) / 2);
}
vec4 inside(vec4 tile, int t, int rows, int columns) {
  int across = (columns + 1) / 2;
  bool isRight = t % across * 2 + 1 < columns;
  bool isBelow = t / across % ((rows + 1) / 2) * 2 + 1 < rows;
  return vec4(tile.x, isRight ? tile.y : 0.0, isBelow ? tile.z : 0.0, isRight && isBelow ? tile.w : 0.0);
}
vec4 sumOfRows(vec4 tile) { return tile + tile.zwxy; }
vec4 sumOfColumns(vec4 tile) { return tile + tile.yxwz; }
`;

/**
 * Fragment programs on packed textures, which the results of stock ops are, with four elements a texel. They find their
 * texels themselves: of its samplers the backend (4.22) may keep one program for two layouts of a texture, since its key
 * leaves out whether the shape, without axes of length 1, is that of the texture.
 */
export const webglKernels: PoolKernels<WebglBackend> = gpuKernels<WebglBackend>({
  name: 'webgl',
  dialect: glsl,
  storesFloat32: () => env().getBool('WEBGL_RENDER_FLOAT32_ENABLED'),
  // As near to a square as it can be: a quad of invocations takes two rows.
  shapeOf(tiles) {
    const width = Math.ceil(Math.sqrt(tiles));
    return [2 * Math.ceil(tiles / width), 2 * width];
  },
  // What is not on the GPU yet is packed when it is loaded.
  readable(tensor, backend) {
    const { texture, isPacked } = backend.texData.get(tensor.dataId);
    return texture && !isPacked ? backend.packTensor(tensor) : tensor;
  },
  dispose: (tensor, backend) => backend.disposeIntermediateTensorInfo(tensor),
  run({ inputs, outputShape, code, uniforms }, backend) {
    const [batch, rows, columns] = matrices(outputShape);
    const integers = { ...uniforms, rows, columns };
    // 0 beyond the edge, since matrix products of TensorFlow.js count what is there.
    const result = rows % 2 === 0 && columns % 2 === 0 ? 'tileAt(t)' : 'inside(tileAt(t), t, rows, columns)';
    const program: WebglProgram = {
      variableNames: Object.keys(inputs),
      outputShape: [batch, rows, columns],
      userCode: `${texels}${code}
void main() {
  int t = int(gl_FragCoord.y) * ((outTexShape[1] + 1) / 2) + int(gl_FragCoord.x);
  setOutput(${result});
}`,
      packedInputs: true,
      packedOutput: true,
      enableShapeUniforms: true,
      customUniforms: Object.keys(integers).map((name) => ({ name, type: 'int' })),
    };
    const matrixInputs = Object.values(inputs).map((input) => reshape(backend, input, matrices(input.shape)));
    const output = backend.compileAndRun(
      program,
      matrixInputs,
      'float32',
      Object.values(integers).map((value) => [value]),
    );
    const shaped = reshape(backend, output, outputShape);
    for (const tensor of [...matrixInputs, output]) backend.disposeIntermediateTensorInfo(tensor);
    return shaped;
  },
});

/** By the backend's own kernel, which counts the references to a texture and repacks it where it must. */
function reshape(backend: WebglBackend, x: TensorInfo, shape: readonly number[]): TensorInfo {
  const attrs = { shape: [...shape] };
  return getKernel(Reshape, 'webgl').kernelFunc({ inputs: { x }, backend, attrs }) as TensorInfo;
}
