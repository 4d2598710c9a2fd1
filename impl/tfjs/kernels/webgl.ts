import { env, getKernel, Reshape, type TensorInfo } from '@tensorflow/tfjs';
import { isEmpty, type PoolAttributes, type PoolKernels, parameters, zerosLike } from './kernel.ts';
import { glsl, PoolShader } from './shader.ts';

/** What is used of `MathBackendWebGL`, and of its programs. */
interface WebglBackend {
  compileAndRun(
    program: WebglProgram,
    inputs: readonly TensorInfo[],
    dtype: 'float32',
    uniforms: readonly (readonly number[])[],
  ): TensorInfo;
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
}

interface WebglProgram {
  readonly variableNames: readonly string[];
  readonly outputShape: readonly number[];
  readonly userCode: string;
  readonly enableShapeUniforms: boolean;
  readonly customUniforms: readonly { readonly name: string; readonly type: 'int' }[];
}

/**
 * Terms that one fragment sums; the sums of blocks are summed in their turn. Where textures hold half precision a sum must
 * not be stored before it is complete, and one fragment makes it all.
 */
const block = 256;

const uniforms = ['sizeB', 'sizeC', 'sizeN', 'terms'] as const;

const accessors: Readonly<Record<string, string>> = {
  X: 'float xAt(int a, int b, int c) { return getX((a * sizeB + b) * sizeC + c); }',
  DY: 'float dyAt(int a, int b, int c) { return getDY((a * sizeB + b) * sizeC + c); }',
  ALPHA: 'float alphaAt(int row, int b) { return getALPHA(row * sizeB + b); }',
  PARTIAL: 'float termAt(int k, int i, int b) { return getPARTIAL((k * sizeN + i) * sizeB + b); }',
};

/** Fragment programs, one fragment for each element of their output. */
export const webglKernels: PoolKernels<WebglBackend> = {
  forward(x, alpha, attributes, backend) {
    const shader = new PoolShader(glsl, attributes);
    const main = 'setOutput(poolValue(getX(at), (at / sizeC) % sizeB));';
    return run(backend, attributes, x.shape, { X: x, ...parameters(alpha) }, [shader.value()], main);
  },

  backward(dy, x, alpha, attributes, backend) {
    const shader = new PoolShader(glsl, attributes);
    const main = 'setOutput(getDY(at) * poolSlope(getX(at), (at / sizeC) % sizeB));';
    const inputs = { DY: dy, X: x, ...parameters(alpha) };
    return [
      run(backend, attributes, x.shape, inputs, [shader.slope()], main),
      sums(dy, x, alpha, attributes, shader, backend),
    ];
  },
};

function sums(
  dy: TensorInfo,
  x: TensorInfo,
  alpha: TensorInfo,
  attributes: PoolAttributes,
  shader: PoolShader,
  backend: WebglBackend,
): TensorInfo {
  if (attributes.constraint.kind === 'fixed' || isEmpty(alpha)) return zerosLike(alpha, 'webgl', backend);
  const [A, B, C] = attributes.view;
  const n = attributes.branches.length;
  const storesFloat32 = env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
  let terms: Readonly<Record<string, TensorInfo>> = { DY: dy, X: x };
  let functions = ['int runOf() { return sizeC; }', shader.terms(), shader.total()];
  let count = A * C;
  const made: TensorInfo[] = [];
  while (count > block && storesFloat32) {
    const blocks = Math.ceil(count / block);
    const main = `
      int first = at / (sizeB * sizeN) * ${block};
      setOutput(total(first, min(first + ${block}, terms), (at / sizeB) % sizeN, at % sizeB));`;
    const partial = run(backend, attributes, [blocks, n, B], terms, functions, main, count);
    made.push(partial);
    terms = { PARTIAL: partial };
    functions = [shader.total()];
    count = blocks;
  }
  const main = 'setOutput(pullBack(at / sizeB, at % sizeB, terms));';
  const inputs = shader.pullsBackByAlpha ? { ...terms, ALPHA: alpha } : terms;
  const dalpha = run(backend, attributes, alpha.shape, inputs, [...functions, shader.pullBack()], main, count);
  for (const tensor of made) backend.disposeIntermediateTensorInfo(tensor);
  return dalpha;
}

/**
 * Runs a program on flat tensors. Of other shapes the backend (4.22) may keep one program for two layouts of a texture:
 * its key leaves out whether the shape, without axes of length 1, is that of the texture.
 */
function run(
  backend: WebglBackend,
  { branches, view }: PoolAttributes,
  outputShape: readonly number[],
  inputs: Readonly<Record<string, TensorInfo>>,
  functions: readonly string[],
  main: string,
  count = 0,
): TensorInfo {
  const names = Object.keys(inputs);
  const [, B, C] = view;
  const program: WebglProgram = {
    variableNames: names,
    outputShape: [sizeOf(outputShape)],
    userCode: [
      ...names.map((name) => accessors[name]),
      ...functions,
      `void main() {\nint at = getOutputCoords();\n${main}\n}`,
    ].join('\n'),
    enableShapeUniforms: true,
    customUniforms: uniforms.map((name) => ({ name, type: 'int' })),
  };
  const flat = Object.values(inputs).map((input) => reshape(backend, input, [sizeOf(input.shape)]));
  const result = backend.compileAndRun(program, flat, 'float32', [[B], [C], [branches.length], [count]]);
  const shaped = reshape(backend, result, outputShape);
  for (const tensor of [...flat, result]) backend.disposeIntermediateTensorInfo(tensor);
  return shaped;
}

/** By the backend's own kernel, which counts the references to a texture and repacks it where it must. */
function reshape(backend: WebglBackend, x: TensorInfo, shape: readonly number[]): TensorInfo {
  return getKernel(Reshape, 'webgl').kernelFunc({
    inputs: { x },
    backend,
    attrs: { shape: [...shape] },
  }) as TensorInfo;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
