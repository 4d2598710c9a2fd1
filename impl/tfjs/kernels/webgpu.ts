import type { TensorInfo } from '@tensorflow/tfjs';
import { isEmpty, type PoolAttributes, type PoolKernels, parameters, zerosLike } from './kernel.ts';
import { PoolShader, wgsl } from './shader.ts';

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

/** Terms that one invocation sums; the sums of blocks are summed in their turn. */
const block = 256;

/** Reads by place: tensors lie row-major, so that none need be reshaped. */
const accessors: Readonly<Record<string, string>> = {
  X: 'fn xAt(a : i32, b : i32, c : i32) -> f32 { return X[(a * uniforms.B + b) * uniforms.C + c]; }',
  DY: 'fn dyAt(a : i32, b : i32, c : i32) -> f32 { return DY[(a * uniforms.B + b) * uniforms.C + c]; }',
  ALPHA: 'fn alphaAt(row : i32, b : i32) -> f32 { return ALPHA[row * uniforms.B + b]; }',
  PARTIAL: 'fn termAt(k : i32, i : i32, b : i32) -> f32 { return PARTIAL[(k * uniforms.n + i) * uniforms.B + b]; }',
};

/** Compute programs, one invocation for each element of their output. */
export const webgpuKernels: PoolKernels<WebgpuBackend> = {
  forward(x, alpha, attributes, backend) {
    const shader = new PoolShader(wgsl, attributes);
    const main = 'setOutputAtIndex(index, poolValue(X[index], (index / uniforms.C) % uniforms.B));';
    return run(backend, attributes, 'y', x.shape, { X: x, ...parameters(alpha) }, [shader.value()], main);
  },

  backward(dy, x, alpha, attributes, backend) {
    const shader = new PoolShader(wgsl, attributes);
    const main = 'setOutputAtIndex(index, DY[index] * poolSlope(X[index], (index / uniforms.C) % uniforms.B));';
    const inputs = { DY: dy, X: x, ...parameters(alpha) };
    return [
      run(backend, attributes, 'dx', x.shape, inputs, [shader.slope()], main),
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
  backend: WebgpuBackend,
): TensorInfo {
  if (attributes.constraint.kind === 'fixed' || isEmpty(alpha)) return zerosLike(alpha, 'webgpu', backend);
  const [A, B, C] = attributes.view;
  const n = attributes.branches.length;
  let terms: Readonly<Record<string, TensorInfo>> = { DY: dy, X: x };
  let functions = ['fn runOf() -> i32 { return uniforms.C; }', shader.terms(), shader.total()];
  let count = A * C;
  const made: TensorInfo[] = [];
  while (count > block) {
    const blocks = Math.ceil(count / block);
    const main = `
      let b = index % uniforms.B;
      let i = (index / uniforms.B) % uniforms.n;
      let first = index / (uniforms.B * uniforms.n) * ${block};
      setOutputAtIndex(index, total(first, min(first + ${block}, uniforms.count), i, b));`;
    const partial = run(backend, attributes, 'partial', [blocks, n, B], terms, functions, main, count);
    made.push(partial);
    terms = { PARTIAL: partial };
    functions = [shader.total()];
    count = blocks;
  }
  const main = 'setOutputAtIndex(index, pullBack(index / uniforms.B, index % uniforms.B, uniforms.count));';
  const inputs = shader.pullsBackByAlpha ? { ...terms, ALPHA: alpha } : terms;
  const dalpha = run(
    backend,
    attributes,
    'dalpha',
    alpha.shape,
    inputs,
    [...functions, shader.pullBack()],
    main,
    count,
  );
  for (const { dataId } of made) backend.disposeData(dataId);
  return dalpha;
}

function run(
  backend: WebgpuBackend,
  { branches, constraint, view }: PoolAttributes,
  what: string,
  outputShape: readonly number[],
  inputs: Readonly<Record<string, TensorInfo>>,
  functions: readonly string[],
  main: string,
  count = 0,
): TensorInfo {
  const names = Object.keys(inputs);
  const [, B, C] = view;
  const size = outputShape.reduce((product, n) => product * n, 1);
  const bounds = constraint.kind === 'clip' ? constraint.bounds : [];
  const program: WebgpuProgram = {
    variableNames: names,
    outputShape,
    // All that the code depends on, since the backend keeps one program for each key.
    shaderKey: `ActivationPool ${what} ${names} ${branches} ${constraint.kind} ${bounds}`,
    uniforms: 'B : i32, C : i32, n : i32, count : i32,',
    workgroupSize: [workgroup, 1, 1],
    dispatchLayout: { x: outputShape.map((_, axis) => axis) },
    dispatch: [Math.ceil(size / workgroup), 1, 1],
    size: true,
    getUserCode: () =>
      [
        ...names.map((name) => accessors[name]),
        ...functions,
        `fn main(index : i32) { if (index < uniforms.size) { ${main} } }`,
      ].join('\n'),
  };
  const integers = [B, C, branches.length, count].map((value) => ({ type: 'int32', data: [value] }) as const);
  return backend.runWebGPUProgram(program, Object.values(inputs), 'float32', integers);
}
