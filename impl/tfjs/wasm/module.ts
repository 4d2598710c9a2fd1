import type * as tf from '@tensorflow/tfjs';
import { list } from '../parameters.ts';
import { sizeOf } from '../shape.ts';
import { assemble, type Definition } from './assembler.ts';
import { nesterovCode } from './nesterov-code.ts';
import { productCode, scratchBytes } from './product-code.ts';

/** What is used of the wasm backend (4.22). */
export interface WasmBackend extends tf.KernelBackend {
  readonly wasm: Emscripten;
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array;
}

interface Emscripten {
  readonly wasmMemory?: WebAssembly.Memory;
  readonly asm?: Readonly<Record<string, unknown>>;
  _malloc(bytes: number): number;
}

/** Functions of our own on the backend's memory; addresses and strides in bytes. */
export interface OwnFunctions {
  product(
    c: number,
    a: number,
    aRow: number,
    aColumn: number,
    b: number,
    bRow: number,
    bColumn: number,
    m: number,
    k: number,
    n: number,
    adds: number,
    scratch: number,
  ): void;
  nesterov(
    next: number,
    moved: number,
    w: number,
    v: number,
    g: number,
    length: number,
    rate: number,
    momentum: number,
  ): void;
  readonly scratch: number;
}

const instances = new WeakMap<WasmBackend, OwnFunctions>();

/** Our functions for this backend, compiled when they are first used. @throws Error if its memory can't be reached */
export function ownFunctions(backend: WasmBackend): OwnFunctions {
  let functions = instances.get(backend);
  if (functions === undefined) {
    const exports = instantiate([...productCode, nesterovCode], memoryOf(backend)) as Omit<OwnFunctions, 'scratch'>;
    functions = { ...exports, scratch: allocate(backend, scratchBytes) };
    instances.set(backend, functions);
  }
  return functions;
}

/** The address of so many bytes that are never given back. @throws Error if the heap, of at most 4 GB, has no room */
function allocate({ wasm }: WasmBackend, bytes: number): number {
  const address = wasm._malloc(bytes) >>> 0;
  if (address === 0) throw new Error(`the wasm backend is out of memory: it was asked for ${bytes} bytes to work in`);
  return address;
}

/**
 * A new tensor. The backend itself makes one at address 0 where its heap, of at most 4 GB, has no room, and whoever fills
 * that overwrites memory of others.
 *
 * @throws Error if the heap has no room
 */
export function output(backend: WasmBackend, shape: readonly number[], dtype: tf.DataType = 'float32'): tf.TensorInfo {
  const tensor = backend.makeOutput(shape, dtype);
  if (addressOf(backend, tensor) === 0 && sizeOf(shape) > 0) {
    backend.disposeData(tensor.dataId);
    throw new Error(`the wasm backend is out of memory: it was asked for a tensor of shape ${list(shape)}`);
  }
  return tensor;
}

/** The functions on a memory, be it of one thread or shared with others. */
export function instantiate(functions: readonly Definition[], memory: WebAssembly.Memory): unknown {
  return new WebAssembly.Instance(compile(functions, memory), { env: { memory } }).exports;
}

/** The functions, for such a memory. */
export function compile(functions: readonly Definition[], { buffer }: WebAssembly.Memory): WebAssembly.Module {
  const isShared = typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
  return new WebAssembly.Module(assemble(functions, isShared));
}

/** Emscripten shows its memory under its name, or under a minified one among the exports. */
export function memoryOf({ wasm: { wasmMemory, asm } }: WasmBackend): WebAssembly.Memory {
  const found = [wasmMemory, ...Object.values(asm ?? {})].find((value) => value instanceof WebAssembly.Memory);
  if (found === undefined) throw new Error('the wasm backend does not show its memory; versions known to do so: 4.22');
  return found as WebAssembly.Memory;
}

/** A matrix in the backend's memory: where it starts, and how far apart its rows and columns are, in bytes. */
export interface Matrix {
  readonly address: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** `C = A·B` or, with `adds`, `C += A·B`; C: the address of `[A.rows, B.columns]`. `A.columns` is `B.rows`, at least 1. */
export function product(backend: WasmBackend, C: number, A: Matrix, B: Matrix, adds: boolean): void {
  const own = ownFunctions(backend);
  own.product(
    C,
    A.address,
    A.rowStride,
    A.columnStride,
    B.address,
    B.rowStride,
    B.columnStride,
    A.rows,
    A.columns,
    B.columns,
    adds ? 1 : 0,
    own.scratch,
  );
}

export function addressOf(backend: WasmBackend, { dataId }: tf.TensorInfo): number {
  return backend.dataIdMap.get(dataId).memoryOffset;
}

type Run = (
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  attrs: Readonly<Record<string, unknown>>,
  backend: WasmBackend,
) => tf.TensorInfo | tf.TensorInfo[];

/** A kernel of the wasm backend. */
export function wasmKernel(kernelName: string, run: Run): tf.KernelConfig {
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs, backend }) =>
    run(inputs as Record<string, tf.TensorInfo>, attrs ?? {}, backend as WasmBackend);
  return { kernelName, backendName: 'wasm', kernelFunc };
}
