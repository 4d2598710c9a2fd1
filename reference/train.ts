import { checkInput, checkInteger } from './arguments.ts';
import {
  type Batch,
  backward,
  checkBatch,
  checkShapes,
  forward,
  type Layer,
  layerShapes,
  type PreActivationHook,
} from './network.ts';
import type { Protocol } from './protocol.ts';
import { learningRateAt, nesterovUpdate } from './sgd.ts';

/** The state of a training: `iterations` updates were made. The arrays are changed in place. */
export interface Training {
  readonly parameters: readonly Layer<Float64Array>[];
  readonly velocities: readonly Layer<Float64Array>[];
  iterations: number;
}

/**
 * One update on one batch, in place, as `nesterovUpdate` has it; the loss is that before the update. Rows of alpha that the
 * activation does not train stay as they are.
 *
 * @throws TypeError, RangeError naming the argument
 */
export function trainStep(
  protocol: Protocol,
  training: Training,
  batch: Batch<Float64Array>,
  onPreActivation?: PreActivationHook,
): number {
  const shapes = layerShapes(protocol);
  checkInput('trainStep', 'training', training);
  const { parameters, velocities } = training;
  // All of them before the first update: what throws after it would leave a training half made.
  checkShapes('trainStep', 'parameters', parameters, shapes);
  checkShapes('trainStep', 'velocities', velocities, shapes);
  checkInteger('trainStep: "training.iterations"', training.iterations, 0);
  checkBatch('trainStep', batch);
  const { loss, stages } = forward(protocol, parameters, batch, onPreActivation);
  const { gradients } = backward(protocol, parameters, batch, stages);
  const rate = learningRateAt(protocol, training.iterations);
  for (const [i, { W, b, alpha }] of parameters.entries()) {
    const [v, g] = [velocities[i], gradients[i]];
    nesterovUpdate(W, v.W, g.W, rate, protocol.momentum);
    nesterovUpdate(b, v.b, g.b, rate, protocol.momentum);
    if (alpha !== null) nesterovUpdate(alpha, v.alpha!, trainedOnly(protocol, g.alpha!), rate, protocol.momentum);
  }
  training.iterations++;
  return loss;
}

/** `dalpha` with 0 in the rows that are not trained: they and their velocity stay as they are. */
function trainedOnly({ activation }: Protocol, dalpha: Float64Array): Float64Array {
  const columns = dalpha.length / activation.trained.length;
  return dalpha.map((v, i) => (activation.trained[Math.floor(i / columns)] ? v : 0));
}
