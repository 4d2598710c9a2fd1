/** Measures the fused kernels beside the composed form and a copy of the same bytes. Run by npm run bench. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { BackendError, backendsHere, type OpenBackend, openBackend } from '../impl/tfjs/backends.ts';
import { backward, forward } from '../impl/tfjs/composed.ts';
import { activationPool } from '../impl/tfjs/op.ts';
import { checkedPool, layoutOf } from '../impl/tfjs/parameters.ts';
import { random } from '../reference/random.ts';
import { type KernelRow, kernelsPage } from './kernels-page.ts';
import { quantile } from './quantile.ts';

const shapes = [
  [128, 512],
  [1024, 1024],
] as const;
const warmUp = 3;
const rounds = 25;

const rows: KernelRow[] = [];
const absent: Record<string, string> = {};
const versions: Record<string, string> = { node: process.versions.node };
for (const name of backendsHere()) {
  try {
    const backend = await openBackend(name);
    versions[name] = backend.version;
    for (const shape of shapes) rows.push(await measure(backend, shape));
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    absent[name] = error.message;
    console.log(`${name} is absent: ${error.message}`);
  }
}

const figures = { rounds, machine: { cores: cpus().length, model: cpus()[0]!.model }, versions, absent, rows };
mkdirSync(join('docs', 'benchmarks'), { recursive: true });
writeFileSync(join('docs', 'benchmarks', 'kernels.json'), `${JSON.stringify(figures, null, 1)}\n`);
const page = kernelsPage(figures);
writeFileSync(join('docs', 'benchmarks', 'kernels.md'), page);
console.log(page);

/** Forward and backward of the pool [relu, step], one alpha a unit, on normal numbers: which way x goes can't be foretold. */
async function measure(backend: OpenBackend, shape: readonly [number, number]): Promise<KernelRow> {
  backend.use();
  const [N, U] = shape;
  const draw = random(1, 'bench');
  const normal = (rows: number) =>
    tf.tensor2d(
      Float32Array.from(
        { length: rows * U },
        () => Math.sqrt(-2 * Math.log(1 - draw.uniform())) * Math.cos(2 * Math.PI * draw.uniform()),
      ),
      [rows, U],
    );
  const [x, dy, alpha] = [normal(N), normal(N), normal(2)];
  const pool = checkedPool('bench', {});
  const layout = layoutOf('bench', pool, shape);
  const composed = (v: tf.Tensor, a: tf.Tensor) =>
    tf.customGrad((...inputs) => {
      const [xs, alphas, save] = inputs as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
      save([xs, alphas]);
      const gradFunc = (g: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => backward(g, saved[0]!, saved[1]!, pool, layout));
      return { value: forward(xs, alphas, pool), gradFunc };
    })(v, a);
  const step = (of: (v: tf.Tensor, a: tf.Tensor) => tf.Tensor) => async (): Promise<number> => {
    // Results of other ops, as in a network: nothing may be known of them from the round before.
    const [input, cotangent] = [tf.mul(x, 1), tf.mul(dy, 1)];
    const first = tf.slice(cotangent, [0, 0], [1, 1]);
    await first.data();
    const start = performance.now();
    const { value, grads } = tf.valueAndGrads((v, a) => of(v!, a!))([input, alpha], cotangent);
    // Native TensorFlow is given our results when an op needs them, and be it to reshape them, which elsewhere is free.
    const results = [value, ...grads];
    const ends = results.map((t) => tf.reshape(t, [t.size]));
    // A GPU works on after the call: what it has made is waited for, of dalpha, which is small.
    await grads[1]!.data();
    const ms = performance.now() - start;
    tf.dispose([...results, ...ends, input, cotangent, first]);
    return ms;
  };
  const works = {
    fused: step(activationPool),
    composed: step(composed),
    copy: copyOf(backend, N * U),
    ...(backend.name === 'cpu' && { copyToNew: copyToNew(N * U) }),
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
      a.map((ms, round) => ms / b[round]!),
      0.5,
    );
  const spread = (ms: readonly number[]) => [0.25, 0.5, 0.75].map((share) => quantile(ms, share));
  const [fused, byOps, copy, toNew] = (['fused', 'composed', 'copy', 'copyToNew'] as const).map((name) =>
    times.get(name),
  );
  return {
    on: backend.name,
    shape,
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
  if (name === 'wasm') {
    const { typedArrayFromHeap } = tf.backend() as unknown as { typedArrayFromHeap(t: tf.Tensor): Float32Array };
    const tensors = [x, dy, tf.keep(tf.ones([elements])), tf.keep(tf.ones([elements]))];
    return moveAll(() => tensors.map((t) => typedArrayFromHeap.call(tf.backend(), t)));
  }
  return async () => {
    const made: tf.Tensor[] = [];
    const ms = await timed(async () => {
      made.push(tf.mul(x, 2), tf.mul(dy, 2), tf.mul(tf.slice(x, [0], [half]), 2));
      const last = tf.slice(made[1]!, [elements - 1], [1]);
      made.push(last);
      await last.data();
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
