import type { StepTrace } from '../../impl/tfjs/training/train.ts';
import { transpose } from '../../reference/matrix.ts';
import { type Batch, type Layer, widen, widenBatch } from '../../reference/network.ts';
import { inputsOf, type Protocol } from '../../reference/protocol.ts';
import { learningRateAt } from '../../reference/sgd.ts';
import {
  activationExpected,
  crossEntropyExpected,
  denseExpected,
  type Expected,
  exactly,
  maskedExpected,
  productExpected,
  velocityExpected,
  weightExpected,
} from './rounding.ts';

/** One compared array of a step, by its worst element: `ratio` is error / bound, and more than 1 is provably wrong. */
export interface Comparison {
  /** `z1`, `W0 gradient`, `alpha1 velocity`, `loss` …: what of which layer. */
  readonly what: string;
  readonly ratio: number;
  readonly index: number;
  readonly actual: number;
  readonly expected: number;
  readonly bound: number;
  readonly elements: number;
  readonly isSum: boolean;
}

/**
 * One update of a float32 training against float64, re-synchronised at every intermediate value: each operation's
 * result is compared with the float64 result of that operation *on the subject's own float32 inputs*, within the bound
 * that holds for every legal evaluation (`rounding.ts`).
 *
 * All values of an update are compared, forward, backward and after the update, and each serves as input for the next:
 * if no ratio exceeds 1, loss and updated parameters are a legal float32 evaluation of the network, and where one does
 * they are provably not. Nothing is propagated through a layer, so the bounds stay a few roundings wide (about 1e-7 of
 * an update, where errors carried through three layers would hide whole percents), and a pre-activation near step's
 * jump needs no special rule: the activation is judged at the float32 value that the subject found.
 */
export function compareStep(protocol: Protocol, batch: Batch<Float32Array>, trace: StepTrace): Comparison[] {
  const { sizes, activation, momentum } = protocol;
  const { x, labels, masks } = widenBatch(batch);
  const N = labels.length;
  const rate = learningRateAt(protocol, trace.iterations);
  const before = widen(trace.before.parameters);
  const found: Comparison[] = [];
  const add = (what: string, actual: Float32Array, expected: Expected): void => {
    found.push(worst(what, actual, expected));
  };
  for (const [i, { W, b, alpha }] of before.entries()) {
    const stage = trace.stages[i];
    const dual = trace.cotangents[i];
    const gradient = trace.gradients[i];
    const [h, z, dz] = [stage.h, stage.z, dual.dz].map((values) => Float64Array.from(values));
    add(`h${i}`, stage.h, i === 0 ? exactly(x) : maskedExpected(widened(trace.stages[i - 1].a), masks[i - 1]));
    add(`z${i}`, stage.z, denseExpected(h, W, b, inputsOf(protocol, i)));
    if (alpha === null) {
      const { loss, dz: dlogits } = crossEntropyExpected(z, labels, sizes[i + 1]);
      add('loss', Float32Array.of(trace.loss), loss);
      add(`dz${i}`, dual.dz, dlogits);
    } else {
      const da = widened(dual.da);
      const pool = activationExpected(activation, { units: sizes[i + 1], z, alpha }, da);
      add(`a${i}`, stage.a ?? new Float32Array(0), pool.a);
      add(`da${i}`, dual.da ?? new Float32Array(0), maskedExpected(widened(trace.cotangents[i + 1].dh), masks[i]));
      add(`dz${i}`, dual.dz, pool.dz);
      if (gradient.alpha && gradient.alpha.length > 0) add(`alpha${i} gradient`, gradient.alpha, pool.dalpha);
    }
    const [inputs, units] = [inputsOf(protocol, i), sizes[i + 1]];
    if (i > 0) add(`dh${i}`, dual.dh, productExpected(dz, transpose(W, inputs, units), N, units, inputs));
    add(`W${i} gradient`, gradient.W, productExpected(transpose(h, N, inputs), dz, inputs, N, units));
    add(`b${i} gradient`, gradient.b, productExpected(new Float64Array(N).fill(1), dz, 1, N, units));
    for (const field of ['W', 'b', 'alpha'] as const) {
      const part = (layers: readonly Layer<Float32Array>[]): Float32Array => layers[i][field] ?? new Float32Array(0);
      const [w, v, g] = [part(trace.before.parameters), part(trace.before.velocities), part(trace.gradients)];
      if (w.length === 0) continue;
      const moved = part(trace.after.velocities);
      const update = { w, v, g: field === 'alpha' ? trainedOnly(g, w.length, activation.trained) : g, moved };
      add(`${field}${i} velocity`, moved, velocityExpected(update, rate, momentum));
      add(`${field}${i}`, part(trace.after.parameters), weightExpected(update, rate, momentum));
    }
  }
  return found;
}

/** The worst element of an array; one that is not finite, or of another length, is infinitely wrong. */
function worst(what: string, actual: Float32Array, expected: Expected): Comparison {
  const elements = actual.length;
  const { isSum } = expected;
  if (elements !== expected.length) {
    return { what, ratio: Infinity, index: -1, actual: NaN, expected: NaN, bound: NaN, elements, isSum };
  }
  let ratio = 0;
  let index = 0;
  for (let i = 0; i < elements; i++) {
    const error = Math.abs(actual[i] - expected.value(i));
    if (error === 0) continue;
    const r = Number.isFinite(error) ? error / expected.bound(i) : Infinity;
    if (r > ratio) {
      ratio = r;
      index = i;
    }
  }
  const [value, bound] = [expected.value(index), expected.bound(index)];
  return { what, ratio, index, actual: actual[index], expected: value, bound, elements, isSum };
}

function widened(values: Float32Array | null): Float64Array {
  return Float64Array.from(values ?? []);
}

/** The gradient with 0 in the rows that are not trained; `gradient` is empty if none is. */
function trainedOnly(gradient: Float32Array, size: number, trained: readonly boolean[]): Float32Array {
  const columns = size / trained.length;
  return Float32Array.from({ length: size }, (_, i) => (trained[Math.floor(i / columns)] ? gradient[i] : 0));
}
