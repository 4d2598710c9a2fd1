import { getKernel, type TensorInfo, ZerosLike } from '@tensorflow/tfjs';
import type { Dialect } from './dialect.ts';
import type { PoolAttributes, PoolKernels } from './kernel.ts';
import { PoolShader } from './shader.ts';
import { type Tiles, tilesOf } from './tiles.ts';

/** A program with one invocation for each tile of its output: `T tileAt(int t)`, `T` being the dialect's tile. */
export interface GpuProgram {
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
  /** The shape of a tensor of so many whole tiles. */
  shapeOf(tiles: number): readonly number[];
  /** Whether a partial sum can be stored without being rounded to half precision. */
  storesFloat32(): boolean;
}

/**
 * Terms that one invocation sums; the sums of blocks are summed in their turn. Of more, a row each, the next invocation
 * would find nothing in the cache any more (webgl on SwiftShader: 44 ms of 64, 32 of 32).
 */
const block = 32;

/** WGSL takes 255 parameters of a function; softmax's pull-back has two for each branch, and two more. */
const mostBranches = 126;

/** The kernels of a GPU backend: a program for y, one for dx, and for dalpha one for each level of a tree of blocks. */
export function gpuKernels<Backend extends object>(gpu: Gpu<Backend>): PoolKernels<Backend> {
  const { name, dialect } = gpu;
  const { uniform, tile, int, fn, tileAt } = dialect;
  const [B, count] = [uniform('sizeB'), uniform('count')];
  const partialTerms = fn(
    tile,
    'termAt',
    [
      [int, 'k'],
      [int, 'i'],
      [int, 'p'],
    ],
    `return ${tileAt('PARTIAL', `i * ${count} + k`, 'p', B)};`,
  );
  const blockSums = fn(
    tile,
    'tileAt',
    [[int, 't']],
    [
      dialect.constant(int, 'blocks', `(${count} + ${block - 1}) / ${block}`),
      dialect.constant(int, 'first', `t / ${B} % blocks * ${block}`),
      `return total(first, min(first + ${block}, ${count}), t / ${B} / blocks, t % ${B});`,
    ].join('\n'),
  );

  const tilesFor = (x: TensorInfo, alpha: TensorInfo, { view }: PoolAttributes) =>
    tilesOf(x.shape, view, alpha.shape.length, dialect.tileShape);
  const uniformsOf = ({ view, rows, columns }: Tiles, terms = 0) => ({
    sizeB: view[1],
    sizeC: view[2],
    rowsX: rows,
    columnsX: columns,
    count: terms,
  });

  /** `dalpha = κ′ᵀ Σ_shared dy·fᵢ(x)`, the sums as trees. */
  const sums = (
    inputs: GpuProgram['inputs'],
    alpha: TensorInfo,
    attributes: PoolAttributes,
    tiles: Tiles,
    backend: Backend,
  ): TensorInfo => {
    if (attributes.constraint.kind === 'fixed' || isEmpty(alpha)) {
      return getKernel(ZerosLike, name).kernelFunc({ inputs: { x: alpha }, backend }) as TensorInfo;
    }
    const shader = new PoolShader(dialect, attributes, tiles);
    const [sizeA, sizeB, sizeC] = tiles.view;
    let summands = { inputs, code: shader.terms(), terms: sizeA * sizeC };
    const made: TensorInfo[] = [];
    while (summands.terms > block && gpu.storesFloat32()) {
      const blocks = Math.ceil(summands.terms / block);
      const partial = gpu.run(
        {
          inputs: summands.inputs,
          outputShape: gpu.shapeOf(blocks * attributes.branches.length * sizeB),
          code: [summands.code, shader.total(block, false), blockSums].join('\n'),
          uniforms: uniformsOf(tiles, summands.terms),
        },
        backend,
      );
      made.push(partial);
      summands = { inputs: { PARTIAL: partial }, code: partialTerms, terms: blocks };
    }
    const dalpha = gpu.run(
      {
        inputs: { ...summands.inputs, ...(shader.pullsBackByAlpha && { ALPHA: alpha }) },
        outputShape: alpha.shape,
        code: [summands.code, shader.total(block, summands.terms > block), shader.pullBack()].join('\n'),
        uniforms: uniformsOf(tiles, summands.terms),
      },
      backend,
    );
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

  return {
    forward(x, alpha, attributes, backend) {
      const { length } = attributes.branches;
      if (length > mostBranches) {
        throw new RangeError(`activationPool: "branches" expected at most ${mostBranches} on ${name}, got ${length}`);
      }
      const tiles = tilesFor(x, alpha, attributes);
      const y = (X: TensorInfo): GpuProgram => ({
        inputs: { X, ...parameters(alpha) },
        outputShape: x.shape,
        code: new PoolShader(dialect, attributes, tiles).value(),
        uniforms: uniformsOf(tiles),
      });
      return reading([x], backend, ([X]) => gpu.run(y(X), backend));
    },
    backward(dy, x, alpha, attributes, backend) {
      const tiles = tilesFor(x, alpha, attributes);
      const dx = (inputs: GpuProgram['inputs']): GpuProgram => ({
        inputs: { ...inputs, ...parameters(alpha) },
        outputShape: x.shape,
        code: new PoolShader(dialect, attributes, tiles).slope(),
        uniforms: uniformsOf(tiles),
      });
      return reading([dy, x], backend, ([DY, X]) => {
        const inputs = { DY: DY, X: X };
        return [gpu.run(dx(inputs), backend), sums(inputs, alpha, attributes, tiles, backend)];
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
