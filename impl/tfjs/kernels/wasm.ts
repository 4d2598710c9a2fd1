import type { TensorInfo } from '@tensorflow/tfjs';
import { addressOf, memoryOf, output, type WasmBackend } from '../wasm/module.ts';
import { arrayKappa } from './kappa.ts';
import type { PoolKernels } from './kernel.ts';
import { runBackward, runForward, WasmInstances } from './wasm-instance.ts';

/** Kernels of our own on the backend's memory, be it of one thread or shared with others. */
export const wasmKernels: PoolKernels<WasmBackend> = {
  forward(x, alpha, { branches, constraint, view }, backend) {
    const B = view[1];
    const kernels = instancesOf(backend).of(branches, false);
    const c = coefficients(backend, alpha, branches.length, B, constraint);
    const y = output(backend, x.shape);
    // Addresses last, since making a tensor may move none but is allowed to.
    const [xAt, cAt, yAt] = [x, c, y].map((t) => addressOf(backend, t)) as [number, number, number];
    runForward(kernels, xAt, cAt, yAt, view);
    if (c !== alpha) backend.disposeData(c.dataId);
    return y;
  },

  backward(dy, x, alpha, { branches, constraint, view }, backend) {
    const B = view[1];
    const n = branches.length;
    const sums = constraint.kind !== 'fixed';
    const kernels = instancesOf(backend).of(branches, sums);
    const c = coefficients(backend, alpha, n, B, constraint);
    const dx = output(backend, x.shape);
    const dalpha = output(backend, alpha.shape);
    // Of float64: two float32 each.
    const dc = output(backend, [sums ? 2 * n * B : 0]);
    const doubles = (): Float64Array => {
      const { buffer, byteOffset, length } = backend.typedArrayFromHeap(dc);
      return new Float64Array(buffer, byteOffset, length / 2);
    };
    doubles().fill(0);
    const at = [dy, x, c, dx, dc].map((t) => addressOf(backend, t)) as [number, number, number, number, number];
    runBackward(kernels, at, view);
    const alphas = backend.typedArrayFromHeap(alpha);
    backend.typedArrayFromHeap(dalpha).set(arrayKappa(constraint, n, B).pullBack(doubles(), alphas));
    backend.disposeData(dc.dataId);
    if (c !== alpha) backend.disposeData(c.dataId);
    return [dx, dalpha];
  },
};

/** By backend, since one that was removed takes its memory with it. */
const known = new WeakMap<WasmBackend, WasmInstances>();

function instancesOf(backend: WasmBackend): WasmInstances {
  let instances = known.get(backend);
  if (instances === undefined) {
    instances = new WasmInstances(memoryOf(backend));
    known.set(backend, instances);
  }
  return instances;
}

/** `κ(alpha)`; alpha itself where that is all. */
function coefficients(
  backend: WasmBackend,
  alpha: TensorInfo,
  n: number,
  B: number,
  constraint: Parameters<typeof arrayKappa>[0],
): TensorInfo {
  if (constraint.kind === 'free' || constraint.kind === 'fixed') return alpha;
  const values = arrayKappa(constraint, n, B).coefficients(backend.typedArrayFromHeap(alpha));
  const c = output(backend, [n, B]);
  backend.typedArrayFromHeap(c).set(values);
  return c;
}
