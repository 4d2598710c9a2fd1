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
    // A GPU works on after the call: what it has made is waited for, of dalpha, which is small.
    await grads[1]!.data();
    const ms = performance.now() - start;
    tf.dispose([value, ...grads, input, cotangent, first]);
    return ms;
  };
  const works = { fused: step(activationPool), composed: step(composed), copy: copyOf(backend, N * U) };
  const times = { fused: [] as number[], composed: [] as number[], copy: [] as number[] };
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of ['fused', 'composed', 'copy'] as const) {
      const ms = await works[name]();
      if (round >= 0) times[name].push(ms);
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
  return {
    on: backend.name,
    shape,
    ms: { fused: spread(times.fused), composed: spread(times.composed), copy: spread(times.copy) },
    composedByFused: ratio(times.composed, times.fused),
    fusedByCopy: ratio(times.fused, times.copy),
  };
}

/**
 * Moves as many bytes as forward and backward must: x is read and y written, dy and x are read and dx written, which is as
 * much as to copy two and a half tensors. On cpu into new arrays, as results are new; on wasm within its heap, where results
 * are places that were there before; elsewhere by an op that reads and writes.
 */
function copyOf({ name }: OpenBackend, elements: number): () => Promise<number> {
  const half = Math.floor(elements / 2);
  const timed = async (copy: () => unknown): Promise<number> => {
    const start = performance.now();
    await copy();
    return performance.now() - start;
  };
  if (name === 'cpu') {
    const from = new Float32Array(elements).fill(1);
    return () => timed(() => [from.slice(), from.slice(), from.slice(0, half)]);
  }
  const [source, target] = [tf.keep(tf.ones([elements])), tf.keep(tf.zeros([elements]))];
  if (name === 'wasm') {
    const { typedArrayFromHeap } = tf.backend() as unknown as { typedArrayFromHeap(t: tf.Tensor): Float32Array };
    const heap = (t: tf.Tensor) => typedArrayFromHeap.call(tf.backend(), t);
    return () =>
      timed(() => {
        const [from, to] = [heap(source), heap(target)];
        for (const size of [elements, elements, half]) to.set(from.subarray(0, size));
      });
  }
  return async () => {
    const made: tf.Tensor[] = [];
    const ms = await timed(async () => {
      made.push(tf.mul(source, 2), tf.mul(source, 2), tf.mul(tf.slice(source, [0], [half]), 2));
      const last = tf.slice(made[1]!, [elements - 1], [1]);
      made.push(last);
      await last.data();
    });
    tf.dispose(made);
    return ms;
  };
}
