import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { openBackend } from '../backends.ts';
import { installWasmKernels } from './install.ts';
import { ownFunctions, type WasmBackend } from './module.ts';

const names = ['BatchMatMul', 'Conv2DBackpropFilter', 'MaxPoolGrad', 'Sum', 'Identity', 'NesterovUpdate'];
const registered = (): (tf.KernelConfig | undefined)[] => names.map((name) => tf.getKernel(name, 'wasm'));

beforeAll(async () => {
  await openBackend('wasm');
});

it('says so when the heap has no room to work in', () => {
  const full = { wasm: { wasmMemory: new WebAssembly.Memory({ initial: 1 }), _malloc: () => 0 } };
  expect(() => ownFunctions(full as unknown as WasmBackend)).toThrow(/out of memory: it was asked for \d+ bytes/);
});

it('no kernel writes where the heap has no room for its result', () => {
  const restore = installWasmKernels();
  const backend = tf.backend() as unknown as WasmBackend & { wasm: { HEAPU8: Uint8Array; _malloc(n: number): number } };
  const image = tf.ones([1, 4, 4, 1]);
  const matrix = tf.ones([4, 4]);
  const same = { strides: 1, pad: 'same', dimRoundingMode: undefined } as const;
  const pool = { branches: ['relu'], sharing: 'layer', constraint: { kind: 'free' }, view: [16, 1, 1] };
  const [alpha, w] = [tf.ones([1]), matrix];
  const kernels: [name: string, inputs: tf.NamedTensorMap, attrs: object][] = [
    ['BatchMatMul', { a: matrix, b: matrix }, { transposeA: false, transposeB: false }],
    ['Conv2DBackpropFilter', { x: image, dy: image }, { ...same, filterShape: [3, 3, 1, 1], dataFormat: 'NHWC' }],
    ['MaxPoolGrad', { dy: image, input: image, output: image }, { ...same, filterSize: 2 }],
    ['Sum', { x: matrix }, { axis: [0], keepDims: false }],
    ['NesterovUpdate', { w, v: w, g: w }, { rate: 1, momentum: 0 }],
    ['ActivationPool', { x: matrix, alpha }, pool],
    ['ActivationPoolGrad', { dy: matrix, x: matrix, alpha }, pool],
  ];
  const run = ([name, inputs, attrs]: (typeof kernels)[number]) => {
    tf.dispose(tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap));
  };
  // Now, what they need once per backend.
  for (const kernel of kernels) run(kernel);
  const buffers = backend.numDataIds();
  const low = () => backend.wasm.HEAPU8.slice(0, 1024);
  const before = low();
  const malloc = vi.spyOn(backend.wasm, '_malloc').mockReturnValue(0);
  for (const kernel of kernels) expect(() => run(kernel), kernel[0]).toThrow(/out of memory: .* tensor of shape \[/);
  malloc.mockRestore();
  expect(low()).toEqual(before);
  expect(backend.numDataIds()).toBe(buffers);
  tf.dispose([image, matrix, alpha]);
  restore();
});

describe('installWasmKernels', () => {
  it('gives the shipped kernels back when the last user has released it', () => {
    const shipped = registered();
    expect(shipped.map((kernel) => kernel !== undefined)).toEqual([true, false, true, true, true, false]);
    const first = installWasmKernels();
    const own = registered();
    const second = installWasmKernels();
    for (const [i, kernel] of own.entries()) {
      expect(kernel).toBeDefined();
      expect(kernel).not.toBe(shipped[i]);
    }
    expect(registered()).toEqual(own);
    first();
    first();
    expect(registered()).toEqual(own);
    second();
    for (const [i, kernel] of registered().entries()) expect(kernel).toBe(shipped[i]);
  });

  it('gives back the others where a kernel was removed, and leaves what somebody registered over ours', () => {
    const shipped = registered();
    const restore = installWasmKernels();
    tf.unregisterKernel('MaxPoolGrad', 'wasm');
    tf.unregisterKernel('Sum', 'wasm');
    const users = { kernelName: 'Sum', backendName: 'wasm', kernelFunc: () => [] };
    tf.registerKernel(users);
    restore();
    const after = registered();
    tf.unregisterKernel('Sum', 'wasm');
    tf.registerKernel(shipped[3]!);
    for (const [i, kernel] of after.entries()) expect(kernel).toBe(names[i] === 'Sum' ? users : shipped[i]);
  });

  it('installs nothing where the second thread does not start or the engine has no SIMD', () => {
    const shipped = registered();
    const start = vi.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
      throw new Error('no threads');
    });
    expect(() => installWasmKernels({ threads: 2 })).toThrow('no threads');
    start.mockRestore();
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    expect(() => installWasmKernels()).toThrow('expected WebAssembly with SIMD');
    validate.mockRestore();
    expect(registered()).toEqual(shipped);
  });

  it('can be installed again', () => {
    const shipped = registered();
    installWasmKernels()();
    const restore = installWasmKernels();
    expect(registered()[1]).toBeDefined();
    restore();
    expect(registered()).toEqual(shipped);
  });

  it('lets clones share memory, whichever goes first', () => {
    const restore = installWasmKernels();
    const buffers = tf.engine().backend.numDataIds();
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const x = tf.tensor1d([1, 2, 3]);
      const tensors = [x, x.clone(), tf.tidy(() => x.clone().reshape([3, 1]))];
      expect(tf.engine().backend.numDataIds()).toBe(buffers + 1);
      for (const i of order) {
        expect([...tensors[i].dataSync()]).toEqual([1, 2, 3]);
        tensors[i].dispose();
      }
    }
    restore();
  });

  it('does not let the heap grow', () => {
    const restore = installWasmKernels();
    const backend = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
    const round = (): void =>
      tf.tidy(() => {
        const x = tf.ones([2, 9, 9, 5]) as tf.Tensor4D;
        const filter = tf.ones([3, 3, 5, 6]) as tf.Tensor4D;
        tf.grads((x, filter) =>
          tf.maxPool(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'), 2, 2, 'same').sum(),
        )([x, filter]);
        tf.matMul(tf.ones([300, 700]), tf.ones([200, 700]), false, true);
      });
    round();
    const [size, tensors, buffers] = [
      backend.wasm.HEAPU8.length,
      tf.memory().numTensors,
      tf.engine().backend.numDataIds(),
    ];
    for (let i = 0; i < 200; i++) round();
    expect(backend.wasm.HEAPU8.length).toBe(size);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(tf.engine().backend.numDataIds()).toBe(buffers);
    restore();
  });
});
