import * as tf from '@tensorflow/tfjs';
import type { Batch, Layer, Stage, StageCotangents } from '../../../reference/network.ts';
import type { Protocol } from '../../../reference/protocol.ts';
import { crossEntropy, logits, type Tap, uploadBatch } from './network.ts';
import { recorder } from './trace.ts';
import { createVariable, type Variable } from './variable.ts';

/** A training on the current TensorFlow.js backend, float32. `dispose` frees its tensors. */
export interface Trainer {
  /** Updates made so far. */
  readonly iterations: number;
  /** One update; the loss is that before it. */
  step(batch: Batch<Float32Array>): Promise<number>;
  /** The same update by the same operations, with everything that it computed on the way. */
  tracedStep(batch: Batch<Float32Array>): Promise<StepTrace>;
  /** Mean loss and share of right answers, without dropout. */
  evaluate(test: EvaluationSet): Promise<{ loss: number; accuracy: number }>;
  /** Copies of the parameters and their velocities. */
  state(): Promise<TrainerState>;
  dispose(): void;
}

export interface TrainerState {
  readonly parameters: readonly Layer<Float32Array>[];
  readonly velocities: readonly Layer<Float32Array>[];
}

/**
 * All float32 values of one update. What is never computed is empty: `dh` of the first layer, the gradient to the images,
 * and the gradient to an alpha that is not trained.
 */
export interface StepTrace {
  readonly iterations: number;
  readonly loss: number;
  readonly stages: readonly Stage<Float32Array>[];
  readonly cotangents: readonly StageCotangents<Float32Array>[];
  readonly gradients: readonly Layer<Float32Array>[];
  readonly before: TrainerState;
  readonly after: TrainerState;
}

/** Images `[n, sizes[0]]` and labels `[n]`. */
export interface EvaluationSet {
  readonly x: Float32Array;
  readonly labels: Uint8Array;
}

/** Images an evaluation takes at once: 2,500 of 784 pixels are 8 MB. */
const evaluationBatch = 2500;

/** A parameter of the network. An untrained one, such as ReLU's alpha, has no gradient and stays as it is. */
interface Slot {
  readonly layer: number;
  readonly field: keyof Layer<unknown>;
  readonly trained: boolean;
  /** 1 in the rows that are trained and 0 in the others, if there are both. */
  readonly rows: tf.Tensor | null;
  readonly variable: Variable;
}

/**
 * SGD with Nesterov momentum and Keras' time decay, `rate = learningRate / (1 + decay · t)`:
 * `v ← momentum · v - rate · g`, `w ← w + momentum · v - rate · g`, on the network of `protocol`, from `initial`,
 * on the backend that is current now and whenever it is used.
 *
 * @throws RangeError if `initial` does not fit the protocol
 */
export function createTrainer(protocol: Protocol, initial: readonly Layer<Float32Array>[]): Trainer {
  const slots = openSlots(protocol, initial);
  const trained = slots.filter((slot) => slot.trained);
  let iterations = 0;
  let isDisposed = false;

  async function run(batch: Batch<Float32Array>, tap?: Tap): Promise<{ loss: number; gradients: tf.Tensor[] }> {
    const hidden = protocol.sizes.length - 2;
    if (protocol.dropout > 0 && batch.masks.length !== hidden) {
      throw new RangeError(`batch: "masks" expected ${hidden}, one for each hidden layer, got ${batch.masks.length}`);
    }
    const inputs = uploadBatch(protocol, batch);
    const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => {
      const parameters = layersOf(slots, (slot) => tensors[trained.indexOf(slot)] ?? slot.variable.value);
      return crossEntropy(logits(protocol, parameters, inputs.x, inputs.masks, tap), inputs.onehot);
    })(trained.map(({ variable }) => variable.value));
    const rate = protocol.learningRate / (1 + protocol.decay * iterations);
    for (const [i, { variable, rows }] of trained.entries()) {
      const g = rows ? tf.mul(grads[i], rows) : grads[i];
      variable.update(g, { rate, momentum: protocol.momentum });
      if (rows) g.dispose();
    }
    iterations++;
    const [loss] = await value.data();
    tf.dispose([value, inputs.x, inputs.onehot, ...inputs.masks]);
    return { loss, gradients: grads };
  }

  async function state(): Promise<TrainerState> {
    const values = await Promise.all(
      slots.map(async ({ variable }) => {
        const v = variable.velocity();
        const copies = { w: await read(variable.value), v: await read(v) };
        v.dispose();
        return copies;
      }),
    );
    return {
      parameters: layersOf(slots, (slot) => values[slots.indexOf(slot)].w),
      velocities: layersOf(slots, (slot) => values[slots.indexOf(slot)].v),
    };
  }

  return {
    get iterations() {
      return iterations;
    },
    async step(batch) {
      const { loss, gradients } = await run(batch);
      tf.dispose(gradients);
      return loss;
    },
    async tracedStep(batch) {
      const before = await state();
      const record = recorder(protocol);
      const { loss, gradients } = await run(batch, record.tap);
      const values = await Promise.all(gradients.map(read));
      tf.dispose(gradients);
      return {
        iterations: iterations - 1,
        loss,
        ...(await record.read()),
        gradients: layersOf(slots, (slot) => values[trained.indexOf(slot)] ?? new Float32Array(0)),
        before,
        after: await state(),
      };
    },
    evaluate: (test) =>
      evaluate(
        protocol,
        layersOf(slots, ({ variable }) => variable.value),
        test,
      ),
    state,
    dispose() {
      if (isDisposed) return;
      isDisposed = true;
      for (const { variable, rows } of slots) {
        variable.dispose();
        rows?.dispose();
      }
    },
  };
}

async function evaluate(
  protocol: Protocol,
  parameters: readonly Layer<tf.Tensor>[],
  { x, labels }: EvaluationSet,
): Promise<{ loss: number; accuracy: number }> {
  const pixels = protocol.sizes[0];
  if (labels.length === 0 || x.length !== labels.length * pixels) {
    throw new RangeError(
      `evaluate: "x" expected shape [${labels.length}, ${pixels}], at least one row, got ${x.length} elements`,
    );
  }
  let loss = 0;
  let right = 0;
  for (let start = 0; start < labels.length; start += evaluationBatch) {
    const end = Math.min(start + evaluationBatch, labels.length);
    const inputs = uploadBatch(protocol, {
      x: x.subarray(start * pixels, end * pixels),
      labels: labels.subarray(start, end),
      masks: [],
    });
    const [mean, hits] = tf.tidy(() => {
      const z = logits(protocol, parameters, inputs.x);
      const hits = tf.sum(tf.cast(tf.equal(tf.argMax(z, 1), tf.argMax(inputs.onehot, 1)), 'float32'));
      return [crossEntropy(z, inputs.onehot), hits];
    });
    loss += (await mean.data())[0] * (end - start);
    right += (await hits.data())[0];
    tf.dispose([mean, hits, inputs.x, inputs.onehot]);
  }
  return { loss: loss / labels.length, accuracy: right / labels.length };
}

function openSlots(protocol: Protocol, initial: readonly Layer<Float32Array>[]): Slot[] {
  const { sizes, activation } = protocol;
  const { maps = 1 } = activation;
  if (initial.length !== sizes.length - 1) {
    throw new RangeError(`createTrainer: "initial" expected ${sizes.length - 1} layers, got ${initial.length}`);
  }
  return initial.flatMap(({ W, b, alpha }, layer) => {
    const inputs = layer === 0 ? sizes[0] : maps * sizes[layer];
    const units = sizes[layer + 1];
    const slot = (field: Slot['field'], values: Float32Array, shape: number[], flags: readonly boolean[]): Slot => ({
      layer,
      field,
      trained: flags.some((flag) => flag),
      rows: flags.every((flag) => flag === flags[0]) ? null : rowFlags(flags, shape.length),
      variable: createVariable(values, shape),
    });
    const dense = [slot('W', W, [inputs, units], [true]), slot('b', b, [units], [true])];
    if (alpha === null) return dense;
    return [...dense, slot('alpha', alpha, alphaShape(protocol, alpha.length), activation.trained)];
  });
}

function rowFlags(flags: readonly boolean[], rank: number): tf.Tensor {
  return tf.tensor(flags.map(Number), [flags.length, ...new Array<number>(rank - 1).fill(1)], 'float32');
}

/** `[rows, ...S]`: with unit shape `[units]`, S is `[]` for `layer` and of rank 1 for every other sharing. */
function alphaShape({ activation: { pool, start } }: Protocol, size: number): number[] {
  return pool.sharing === 'layer' ? [start.length] : [start.length, size / start.length];
}

function layersOf<T>(slots: readonly Slot[], value: (slot: Slot) => T): Layer<T>[] {
  const layers: { W: T; b: T; alpha: T | null }[] = [];
  for (const slot of slots) {
    layers[slot.layer] ??= { W: value(slot), b: value(slot), alpha: null };
    layers[slot.layer][slot.field] = value(slot);
  }
  return layers;
}

async function read(t: tf.Tensor): Promise<Float32Array> {
  return (await t.data<'float32'>()).slice();
}
