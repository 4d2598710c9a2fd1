import * as tf from '@tensorflow/tfjs';
import { BackendError, type BackendName, type OpenBackend, openBackend } from '../impl/tfjs/backends.ts';
import { backward, forward } from '../impl/tfjs/composed.ts';
import { activationPool } from '../impl/tfjs/op.ts';
import { checkedPool, layoutOf } from '../impl/tfjs/parameters.ts';
import type { Sharing } from '../reference/case.ts';
import { random } from '../reference/random.ts';
import { sizeOf } from '../reference/shape.ts';
import { quantile } from './quantile.ts';

/** The fused kernels beside the composed form and a copy of the same bytes, in Node or in a page. */

/** Milliseconds, the lower quartile, the median and the upper quartile. */
type Spread = readonly number[];

/** A pool over x of this shape. */
export interface KernelLayer {
  readonly shape: readonly number[];
  readonly sharing: Sharing;
}

/** Forward and backward of one pool on one backend. */
export interface KernelRow extends KernelLayer {
  readonly on: string;
  readonly ms: {
    readonly fused: Spread;
    readonly composed: Spread;
    readonly copy: Spread;
    /** On cpu, where the results of an op are new arrays. */
    readonly copyToNew?: Spread;
  };
  /** Medians over the rounds of the ratio of two times of one round. */
  readonly composedByFused: number;
  readonly fusedByCopy: number;
  readonly fusedByCopyToNew?: number;
}

/** Of one backend; or why it is not there. */
export type KernelRows =
  | { readonly version: string; readonly rows: readonly KernelRow[] }
  | { readonly absent: string };

const warmUp = 3;

/** A row for each layer, called `on`. */
export async function measureKernels(
  name: BackendName,
  on: string,
  rounds: number,
  layers: readonly KernelLayer[],
): Promise<KernelRows> {
  try {
    const backend = await openBackend(name);
    const rows: KernelRow[] = [];
    for (const layer of layers) rows.push({ on, ...(await measure(backend, rounds, layer)) });
    return { version: backend.version, rows };
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return { absent: error.message };
  }
}

/** Forward and backward of the pool [relu, step] on normal numbers: which way x goes can't be foretold. */
async function measure(
  backend: OpenBackend,
  rounds: number,
  { shape, sharing }: KernelLayer,
): Promise<Omit<KernelRow, 'on'>> {
  backend.use();
  const draw = random(1, 'bench');
  const normal = (of: readonly number[]) =>
    tf.tensor(
      Float32Array.from(
        { length: sizeOf(of) },
        () => Math.sqrt(-2 * Math.log(1 - draw.uniform())) * Math.cos(2 * Math.PI * draw.uniform()),
      ),
      [...of],
    );
  const pool = checkedPool('bench', { sharing });
  const layout = layoutOf('bench', pool, shape);
  const [x, dy, alpha] = [normal(shape), normal(shape), normal(layout.alphaShape)];
  const composed = (v: tf.Tensor, a: tf.Tensor) =>
    tf.customGrad((...inputs) => {
      const [xs, alphas, save] = inputs as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
      save([xs, alphas]);
      const gradFunc = (g: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => backward(g, saved[0], saved[1], pool, layout));
      return { value: forward(xs, alphas, pool), gradFunc };
    })(v, a);
  const step = (of: (v: tf.Tensor, a: tf.Tensor) => tf.Tensor) => async (): Promise<number> => {
    // Results of other ops, as in a network: nothing may be known of them from the round before.
    const [input, cotangent] = [tf.mul(x, 1), tf.mul(dy, 1)];
    const first = tf.slice(tf.reshape(cotangent, [-1]), [0], [1]);
    await settled(first);
    const start = performance.now();
    const { value, grads } = tf.valueAndGrads((v, a) => of(v, a))([input, alpha], cotangent);
    const results = [value, ...grads];
    // Native TensorFlow is given our results when an op needs them, and be it to reshape them.
    const ends = backend.name === 'tensorflow' ? results.map((t) => tf.reshape(t, [t.size])) : [];
    // Of dalpha, which is small and comes last.
    await settled(grads[1]);
    const ms = performance.now() - start;
    tf.dispose([...results, ...ends, input, cotangent, first]);
    return ms;
  };
  const works = {
    fused: step((v, a) => activationPool(v, a, pool)),
    composed: step(composed),
    copy: copyOf(backend, sizeOf(shape)),
    ...(backend.name === 'cpu' && { copyToNew: copyToNew(sizeOf(shape)) }),
  };
  const names = Object.keys(works) as (keyof typeof works)[];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = -warmUp; round < rounds; round++) {
    // Each comes after each of the others by turns.
    const first = Math.abs(round) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const ms = await works[name]!();
      if (round >= 0) times.get(name)!.push(ms);
    }
  }
  tf.dispose([x, dy, alpha]);
  // By the rounds: what slows the machine down slows down both.
  const ratio = (a: readonly number[], b: readonly number[]) =>
    quantile(
      a.map((ms, round) => ms / b[round]),
      0.5,
    );
  const spread = (ms: readonly number[]) => [0.25, 0.5, 0.75].map((share) => quantile(ms, share));
  const [fused, byOps, copy, toNew] = (['fused', 'composed', 'copy', 'copyToNew'] as const).map((name) =>
    times.get(name),
  );
  return {
    shape,
    sharing,
    ms: {
      fused: spread(fused!),
      composed: spread(byOps!),
      copy: spread(copy!),
      ...(toNew && { copyToNew: spread(toNew) }),
    },
    composedByFused: ratio(byOps!, fused!),
    fusedByCopy: ratio(fused!, copy!),
    ...(toNew && { fusedByCopyToNew: ratio(fused!, toNew) }),
  };
}

/**
 * Moves as many bytes as forward and backward must, and between as many places: x is read and y written, dy and x are
 * read and dx written, which is as much as x to y, dy to dx, and half of x to half of another. On cpu and wasm within
 * memory that is there; elsewhere by an op that reads and writes.
 */
function copyOf({ name }: OpenBackend, elements: number): () => Promise<number> {
  const half = Math.floor(elements / 2);
  const moveAll = (tensors: () => readonly Float32Array[]) => () =>
    timed(() => {
      const [x, dy, y, dx] = tensors() as [Float32Array, Float32Array, Float32Array, Float32Array];
      y.set(x);
      dx.set(dy);
      y.set(x.subarray(0, half));
    });
  if (name === 'cpu') {
    const arrays = Array.from({ length: 4 }, () => new Float32Array(elements).fill(1));
    return moveAll(() => arrays);
  }
  const [x, dy] = [tf.keep(tf.ones([elements])), tf.keep(tf.zeros([elements]))];
  if (name.startsWith('wasm')) {
    const { typedArrayFromHeap } = tf.backend() as unknown as { typedArrayFromHeap(t: tf.Tensor): Float32Array };
    const tensors = [x, dy, tf.keep(tf.ones([elements])), tf.keep(tf.ones([elements]))];
    return moveAll(() => tensors.map((t) => typedArrayFromHeap.call(tf.backend(), t)));
  }
  return async () => {
    const made: tf.Tensor[] = [];
    const ms = await timed(async () => {
      made.push(tf.mul(x, 2), tf.mul(dy, 2), tf.mul(tf.slice(x, [0], [half]), 2));
      const last = tf.slice(made[1], [elements - 1], [1]);
      made.push(last);
      await settled(last);
    });
    tf.dispose(made);
    return ms;
  };
}

/** The same into new arrays, as the results of an op on cpu are. */
function copyToNew(elements: number): () => Promise<number> {
  const [x, dy] = [new Float32Array(elements).fill(1), new Float32Array(elements).fill(1)];
  return () => timed(() => [x.slice(), dy.slice(), x.slice(0, Math.floor(elements / 2))]);
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A GPU works on after the call: waits for it. Not by `data()` on webgl, which looks no more often than each 4 ms. */
async function settled(t: tf.Tensor): Promise<void> {
  if (tf.getBackend() === 'webgl') t.dataSync();
  else await t.data();
}
