import { getKernel, type TensorInfo, ZerosLike } from '@tensorflow/tfjs';
import type { PoolAttributes, PoolKernels } from './kernel.ts';
import { type Dialect, PoolShader } from './shader.ts';

/** A program with one invocation for each element of its output: `float elementAt(int at)`. */
export interface GpuProgram {
  /** Tells it from every program with other code. */
  readonly key: string;
  /** Tensors by the names under which the code reads them, all of which it does. */
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputShape: readonly number[];
  readonly code: string;
  /** Integers that the code reads besides. */
  readonly uniforms: Readonly<Record<string, number>>;
}

/** What a backend that runs programs does for the kernels. */
export interface Gpu<Backend> {
  readonly name: 'webgl' | 'webgpu';
  readonly dialect: Dialect;
  run(program: GpuProgram, backend: Backend): TensorInfo;
  dispose(tensor: TensorInfo, backend: Backend): void;
  /** The tensor as programs read it, which each of them would else make anew; disposed of if it is another one. */
  readable(tensor: TensorInfo, backend: Backend): TensorInfo;
  /** Whether a partial sum can be stored without being rounded to half precision. */
  storesFloat32(): boolean;
}

/** A program of a pool, from what it consists of. */
interface Work extends Pick<GpuProgram, 'inputs' | 'outputShape'> {
  readonly what: string;
  /** The code that `result`, the element at `at`, calls. */
  readonly functions: readonly string[];
  readonly result: string;
  /** How many each sum has. */
  readonly terms?: number;
}

/** The number of elements of a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/**
 * Terms that one invocation sums; the sums of blocks are summed in their turn. Of 256, a row each, the next invocation
 * would find nothing in the cache any more (webgl on SwiftShader: twice the time).
 */
const block = 64;

/** The kernels of a GPU backend: a program for y, one for dx, and for dalpha one for each level of a tree of blocks. */
export function gpuKernels<Backend extends object>(gpu: Gpu<Backend>): PoolKernels<Backend> {
  const { name, dialect } = gpu;
  const [B, C, N, count] = ['sizeB', 'sizeC', 'sizeN', 'count'].map(dialect.uniform) as [
    string,
    string,
    string,
    string,
  ];
  const { float, int, element } = dialect;
  const reader = (result: string, parameters: readonly string[], value: string) =>
    dialect.fn(
      float,
      result,
      parameters.map((parameter) => [int, parameter] as const),
      `return ${value};`,
    );
  const readers: Readonly<Record<string, string>> = {
    X: reader('xAt', ['a', 'b', 'c'], element('X', `(a * ${B} + b) * ${C} + c`)),
    DY: reader('dyAt', ['a', 'b', 'c'], element('DY', `(a * ${B} + b) * ${C} + c`)),
    ALPHA: reader('alphaAt', ['row', 'b'], element('ALPHA', `row * ${B} + b`)),
    PARTIAL: reader('termAt', ['k', 'i', 'b'], element('PARTIAL', `(k * ${N} + i) * ${B} + b`)),
  };

  const run = (
    { branches, constraint, view }: PoolAttributes,
    { what, outputShape, inputs, functions, result, terms = 0 }: Work,
    backend: Backend,
  ): TensorInfo => {
    const names = Object.keys(inputs);
    const bounds = constraint.kind === 'clip' ? constraint.bounds : [];
    return gpu.run(
      {
        key: `ActivationPool ${what} ${names} ${branches} ${constraint.kind} ${bounds}`,
        inputs,
        outputShape,
        code: [...names.map((input) => readers[input]), ...functions, reader('elementAt', ['at'], result)].join('\n'),
        uniforms: { sizeB: view[1], sizeC: view[2], sizeN: branches.length, count: terms },
      },
      backend,
    );
  };

  /** `dalpha = κ′ᵀ Σ_shared dy·fᵢ(x)`, the sums as trees. */
  const sums = (
    inputs: Readonly<Record<string, TensorInfo>>,
    alpha: TensorInfo,
    attributes: PoolAttributes,
    shader: PoolShader,
    backend: Backend,
  ): TensorInfo => {
    if (attributes.constraint.kind === 'fixed' || isEmpty(alpha)) {
      return getKernel(ZerosLike, name).kernelFunc({ inputs: { x: alpha }, backend }) as TensorInfo;
    }
    const [A, sizeB, sizeC] = attributes.view;
    const partial = `total(at / (${B} * ${N}) * ${block}, min(at / (${B} * ${N}) * ${block} + ${block}, ${count}), (at / ${B}) % ${N}, at % ${B})`;
    let summands: Pick<Work, 'inputs' | 'functions'> & { terms: number } = {
      inputs,
      functions: [shader.terms(), shader.total()],
      terms: A * sizeC,
    };
    const made: TensorInfo[] = [];
    while (summands.terms > block && gpu.storesFloat32()) {
      const blocks = Math.ceil(summands.terms / block);
      const outputShape = [blocks, attributes.branches.length, sizeB];
      const blockSums = run(attributes, { what: 'partial', outputShape, ...summands, result: partial }, backend);
      made.push(blockSums);
      summands = { inputs: { PARTIAL: blockSums }, functions: [shader.total()], terms: blocks };
    }
    const pulledBack: Work = {
      what: 'dalpha',
      outputShape: alpha.shape,
      ...summands,
      inputs: { ...summands.inputs, ...(shader.pullsBackByAlpha && { ALPHA: alpha }) },
      functions: [...summands.functions, shader.pullBack()],
      result: `pullBack(at / ${B}, at % ${B}, ${count})`,
    };
    const dalpha = run(attributes, pulledBack, backend);
    for (const tensor of made) gpu.dispose(tensor, backend);
    return dalpha;
  };

  /** What `use` makes of tensors that can be read. */
  const reading = <T>(tensors: readonly TensorInfo[], backend: Backend, use: (tensors: TensorInfo[]) => T): T => {
    const readable = tensors.map((tensor) => gpu.readable(tensor, backend));
    const result = use(readable);
    for (const [i, tensor] of readable.entries()) if (tensor !== tensors[i]) gpu.dispose(tensor, backend);
    return result;
  };

  const b = `(at / ${C}) % ${B}`;
  return {
    forward(x, alpha, attributes, backend) {
      const shader = new PoolShader(dialect, attributes);
      const y = (X: TensorInfo): Work => ({
        what: 'y',
        outputShape: x.shape,
        inputs: { X, ...parameters(alpha) },
        functions: [shader.value()],
        result: `poolValue(${element('X', 'at')}, ${b})`,
      });
      return reading([x], backend, ([X]) => run(attributes, y(X!), backend));
    },
    backward(dy, x, alpha, attributes, backend) {
      const shader = new PoolShader(dialect, attributes);
      const dx = (inputs: Work['inputs']): Work => ({
        what: 'dx',
        outputShape: x.shape,
        inputs: { ...inputs, ...parameters(alpha) },
        functions: [shader.slope()],
        result: `${element('DY', 'at')} * poolSlope(${element('X', 'at')}, ${b})`,
      });
      return reading([dy, x], backend, ([DY, X]) => {
        const inputs = { DY: DY!, X: X! };
        return [run(attributes, dx(inputs), backend), sums(inputs, alpha, attributes, shader, backend)];
      });
    },
  };
}

function isEmpty({ shape }: TensorInfo): boolean {
  return shape.includes(0);
}

/** alpha as an input, unless it is empty: no program can be given that, and none reads it. */
function parameters(alpha: TensorInfo): { readonly ALPHA?: TensorInfo } {
  return isEmpty(alpha) ? {} : { ALPHA: alpha };
}
