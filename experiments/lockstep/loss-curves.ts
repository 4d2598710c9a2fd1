import type { StepTrace } from '../../impl/tfjs/training/train.ts';
import {
  type Batch,
  type Layer,
  type PreActivationHook,
  widen,
  widenBatch,
  zerosLike,
} from '../../reference/network.ts';
import { inputsOf, type Protocol } from '../../reference/protocol.ts';
import { type Random, random } from '../../reference/random.ts';
import { type Training, trainStep } from '../../reference/train.ts';
import { gamma } from './rounding.ts';

/**
 * The loss curves of a float32 training and of the float64 reference, from one start on the same batches, never
 * synchronised; and how far rounding can drive them apart.
 *
 * The measure is a twin: a float64 training that in each step computes with weights `W(1 + δ)`, `δ = ±γ_K` at random, K
 * the inputs of the layer, and whose parameters are rounded to float32 after it. By the backward error bound of the
 * inner product each float32 product `h·W` is the exact one for weights off by at most γ_K, and typically by √K times
 * less (Higham and Mary 2019): every product of the twin is off by as much as is legal, every product of the subject by
 * a small part of it. The bound is the twin's relative distance from the reference, and what the evaluation of the
 * subject's loss from its logits may be off (`crossEntropyExpected`); the largest of all steps.
 *
 * A pre-activation within rounding of 0 may fall on either side of the kink or the jump, and the learning rate of these
 * protocols makes of one such unit a percent of the loss within ten steps. That is not an error of either curve, and no
 * bound could tell it from one. So where the reference and the subject are on different sides, reference and twin
 * take over the subject's value of that pre-activation; `settled` counts them and `settledBy` is the largest change.
 */
export class LossCurves {
  readonly #protocol: Protocol;
  readonly #reference: Training;
  readonly #twin: Training;
  readonly #signs: Random = random(0, 'twin');
  /** Relative, so far. */
  bound = 0;
  /** The largest relative difference of the subject's loss from the reference's, so far. */
  difference = 0;
  settled = 0;
  settledBy = 0;

  constructor(protocol: Protocol, initial: readonly Layer<Float32Array>[]) {
    this.#protocol = protocol;
    const start = (): Training => ({ parameters: widen(initial), velocities: zerosLike(initial), iterations: 0 });
    this.#reference = start();
    this.#twin = start();
  }

  /** Goes on by one step, on the batch of `trace`, whose loss may be off by `evaluation`; returns the reference's loss. */
  step(batch: Batch<Float32Array>, trace: StepTrace, evaluation: number): number {
    const wide = widenBatch(batch);
    const loss = trainStep(this.#protocol, this.#reference, wide, (layer, z) => {
      for (const i of otherSide(z, trace.stages[layer].z)) {
        this.settled++;
        this.settledBy = Math.max(this.settledBy, Math.abs(z[i] - trace.stages[layer].z[i]));
        z[i] = trace.stages[layer].z[i];
      }
    });
    const twin = disturbedStep(this.#protocol, this.#twin, wide, this.#signs, (layer, z) => {
      for (const i of otherSide(z, trace.stages[layer].z)) z[i] = trace.stages[layer].z[i];
    });
    this.difference = Math.max(this.difference, distance(trace.loss, loss));
    this.bound = Math.max(this.bound, distance(twin, loss) + evaluation / loss);
    return loss;
  }
}

function distance(other: number, loss: number): number {
  return Number.isFinite(other) ? Math.abs(other - loss) / loss : Infinity;
}

function otherSide(z: Float64Array, subject: Float32Array): number[] {
  const found: number[] = [];
  for (let i = 0; i < z.length; i++) if (z[i] > 0 !== subject[i] > 0) found.push(i);
  return found;
}

function disturbedStep(
  protocol: Protocol,
  training: Training,
  batch: Batch<Float64Array>,
  signs: Random,
  onPreActivation: PreActivationHook,
): number {
  const disturbances = training.parameters.map(({ W }, i) => {
    const size = gamma(inputsOf(protocol, i));
    return W.map((w) => (signs.bits() < 2 ** 31 ? w * size : -w * size));
  });
  for (const [i, { W }] of training.parameters.entries()) addTo(W, disturbances[i], 1);
  const loss = trainStep(protocol, training, batch, onPreActivation);
  for (const [i, { W }] of training.parameters.entries()) addTo(W, disturbances[i], -1);
  for (const { W, b, alpha } of [...training.parameters, ...training.velocities]) {
    for (const values of [W, b, alpha ?? []])
      for (let i = 0; i < values.length; i++) values[i] = Math.fround(values[i]);
  }
  return loss;
}

function addTo(values: Float64Array, summand: Float64Array, sign: number): void {
  for (let i = 0; i < values.length; i++) values[i] += sign * summand[i];
}
