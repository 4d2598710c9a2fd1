import { env, getKernel, Reshape, type TensorInfo } from '@tensorflow/tfjs';
import { type PoolAttributes, type PoolKernels, zerosLike } from './kernel.ts';
import { glsl, PoolShader } from './shader.ts';

/** What is used of `MathBackendWebGL`, and of its programs. */
interface WebglBackend {
  compileAndRun(
    program: WebglProgram,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniforms?: readonly (readonly number[])[],
  ): TensorInfo;
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
}

interface WebglProgram {
  readonly variableNames: string[];
  readonly outputShape: number[];
  readonly userCode: string;
  readonly enableShapeUniforms: boolean;
  readonly customUniforms?: { name: string; type: 'int' }[];
}

/**
 * Terms that one fragment sums; the sums of blocks are summed in their turn. Where textures hold half precision a sum must
 * not be stored before it is complete, and one fragment makes it all.
 */
const block = 256;

const accessors: Readonly<Record<string, string>> = {
  X: 'float xAt(int a, int b, int c) { return getX(a, b, c); }',
  DY: 'float dyAt(int a, int b, int c) { return getDY(a, b, c); }',
  ALPHA: 'float alphaAt(int row, int b) { return getALPHA(row, b); }',
  PARTIAL: 'float termAt(int k, int i, int b) { return getPARTIAL(k, i, b); }',
};

function program(
  variableNames: string[],
  outputShape: number[],
  functions: readonly string[],
  main: string,
  uniforms: string[] = [],
): WebglProgram {
  const access = variableNames.map((name) => accessors[name]);
  return {
    variableNames,
    outputShape,
    userCode: [...access, ...functions, `void main() {\n${main}\n}`].join('\n'),
    enableShapeUniforms: true,
    customUniforms: uniforms.map((name) => ({ name, type: 'int' })),
  };
}

/** Fragment programs; tensors are reshaped to `[A, B, C]` and `[rows, B]` first, since a texture's layout follows its shape. */
export const webglKernels: PoolKernels<WebglBackend> = {
  forward(x, alpha, attributes, backend) {
    const view = [...attributes.view];
    return viewed(backend, [x, alpha], [view, alphaView(alpha, attributes)], (inputs) => {
      const main = 'ivec3 at = getOutputCoords();\nsetOutput(poolValue(xAt(at.x, at.y, at.z), at.y));';
      const shader = new PoolShader(glsl, attributes);
      const y = backend.compileAndRun(program(['X', 'ALPHA'], view, [shader.value()], main), inputs, 'float32');
      return [reshaped(backend, y, x.shape)];
    })[0]!;
  },

  backward(dy, x, alpha, attributes, backend) {
    const view = [...attributes.view];
    const shapes = [view, view, alphaView(alpha, attributes)];
    const [dx, dalpha] = viewed(backend, [dy, x, alpha], shapes, (inputs) => {
      const main = [
        'ivec3 at = getOutputCoords();',
        'setOutput(dyAt(at.x, at.y, at.z) * poolSlope(xAt(at.x, at.y, at.z), at.y));',
      ];
      const shader = new PoolShader(glsl, attributes);
      const slope = program(['DY', 'X', 'ALPHA'], view, [shader.slope()], main.join('\n'));
      return [
        reshaped(backend, backend.compileAndRun(slope, inputs, 'float32'), x.shape),
        reshaped(backend, sums(inputs, attributes, shader, backend), alpha.shape),
      ];
    });
    return [dx!, dalpha!];
  },
};

/** `dalpha`, `[rows, B]`, of tensors that have the view's shape. */
function sums(
  [dy, x, alpha]: readonly TensorInfo[],
  { branches, constraint, view }: PoolAttributes,
  shader: PoolShader,
  backend: WebglBackend,
): TensorInfo {
  if (constraint.kind === 'fixed') return zerosLike(alpha!, 'webgl', backend);
  const [A, B, C] = view;
  const n = branches.length;
  const first = ['int runOf() { return run; }', shader.terms()];
  let terms: TensorInfo[] = [dy!, x!];
  let names = ['DY', 'X'];
  let functions = [...first, shader.total()];
  let count = A * C;
  const made: TensorInfo[] = [];
  while (count > block && storesFloat32()) {
    const blocks = Math.ceil(count / block);
    const main = [
      'ivec3 at = getOutputCoords();',
      `int first = at.x * ${block};`,
      `setOutput(total(first, min(first + ${block}, count), at.y, at.z));`,
    ];
    const partial = program(names, [blocks, n, B], functions, main.join('\n'), ['run', 'count']);
    terms = [backend.compileAndRun(partial, terms, 'float32', [[C], [count]])];
    made.push(terms[0]!);
    names = ['PARTIAL'];
    functions = [shader.total()];
    count = blocks;
  }
  const main = 'ivec2 at = getOutputCoords();\nsetOutput(pullBack(at.x, at.y, count));';
  if (shader.pullsBackByAlpha) {
    names = [...names, 'ALPHA'];
    terms = [...terms, alpha!];
  }
  const last = program(names, [...alpha!.shape], [...functions, shader.pullBack()], main, ['run', 'count']);
  const dalpha = backend.compileAndRun(last, terms, 'float32', [[C], [count]]);
  for (const tensor of made) backend.disposeIntermediateTensorInfo(tensor);
  return dalpha;
}

function storesFloat32(): boolean {
  return env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
}

function alphaView({ shape }: TensorInfo, { view }: PoolAttributes): number[] {
  return [shape[0]!, view[1]];
}

/** What `run` makes of these tensors in other shapes. */
function viewed(
  backend: WebglBackend,
  tensors: readonly TensorInfo[],
  shapes: readonly number[][],
  run: (viewed: TensorInfo[]) => TensorInfo[],
): TensorInfo[] {
  const inputs = tensors.map((tensor, i) => reshape(backend, tensor, shapes[i]!));
  const results = run(inputs);
  for (const input of inputs) backend.disposeIntermediateTensorInfo(input);
  return results;
}

/** A result in another shape, in its place. */
function reshaped(backend: WebglBackend, tensor: TensorInfo, shape: number[]): TensorInfo {
  const result = reshape(backend, tensor, shape);
  backend.disposeIntermediateTensorInfo(tensor);
  return result;
}

/** By the backend's own kernel, which counts the references to a texture and repacks it where it must. */
function reshape(backend: WebglBackend, x: TensorInfo, shape: number[]): TensorInfo {
  return getKernel(Reshape, 'webgl').kernelFunc({ inputs: { x }, backend, attrs: { shape } }) as TensorInfo;
}
