import { activate, activateVjp } from './activate.ts';
import { checkArray, checkInput, checkLength, checkTensor, kindOf } from './arguments.ts';
import { crossEntropyBackward, crossEntropyForward } from './cross-entropy.ts';
import { denseBackward, denseBackwardInput, denseForward } from './dense.ts';
import { dropoutBackward, dropoutForward } from './dropout.ts';
import { initialWeights, startingAlpha } from './initializers.ts';
import { parameterLayout } from './parameters.ts';
import { checkProtocol, inputsOf, type Protocol } from './protocol.ts';
import { random } from './random.ts';
import { sizeOf } from './shape.ts';

/** One thing for each parameter of a layer: values, shapes or gradients. The last layer has no activation. */
export interface Layer<T> {
  /** `[inputs, units]` */
  readonly W: T;
  /** `[units]` */
  readonly b: T;
  /** `[rows, ...S]` */
  readonly alpha: T | null;
}

/** What an update is computed from. */
export interface Batch<T> {
  /** `[N, sizes[0]]` */
  readonly x: T;
  /** `[N]` */
  readonly labels: Uint8Array;
  /** For each hidden layer its dropout mask `[N, units]`. */
  readonly masks: readonly T[];
}

/** A layer's values in the forward pass: `z = h·W + b`, `a = pool(z)`; the next layer's h is `mask · a`. */
export interface Stage<T> {
  readonly h: T;
  readonly z: T;
  readonly a: T | null;
}

/** Their cotangents. The gradient to the images is not computed: `dh` of the first layer is empty. */
export interface StageCotangents<T> {
  readonly dh: T;
  readonly dz: T;
  readonly da: T | null;
}

/** The shapes of the parameters, first layer first. */
export function layerShapes(protocol: Protocol): Layer<readonly number[]>[] {
  checkProtocol(protocol);
  const { sizes, activation } = protocol;
  return sizes.slice(1).map((units, i) => ({
    W: [inputsOf(protocol, i), units],
    b: [units],
    alpha: i === sizes.length - 2 ? null : parameterLayout(activation.pool, [1, units]).alphaShape,
  }));
}

/**
 * Where training starts: weights by the initialiser, biases 0, alphas at their start. Every value is a float32, so that
 * a float32 training starts from the same numbers. Layer i draws from its own stream of the seed. Shapes as in `Layer`.
 *
 * @throws TypeError, RangeError naming what of the protocol is wrong; RangeError unless seed is an integer in [0, 2⁵³)
 */
export function initialParameters(protocol: Protocol, seed: number): Layer<Float32Array>[] {
  return layerShapes(protocol).map(({ W: [inputs, units], alpha }, i) => ({
    W: initialWeights(random(seed, `weights/${i}`), protocol.initializer, inputs, units),
    b: new Float32Array(units),
    alpha: alpha && startingAlpha(protocol.activation.start, sizeOf(alpha)),
  }));
}

/**
 * Zeros in the shape of the parameters, float64: where momentum starts.
 *
 * @throws TypeError naming what is no array
 */
export function zerosLike(parameters: readonly Layer<{ readonly length: number }>[]): Layer<Float64Array>[] {
  checkLayers('zerosLike', 'parameters', parameters);
  return parameters.map(({ W, b, alpha }) => ({
    W: new Float64Array(W.length),
    b: new Float64Array(b.length),
    alpha: alpha && new Float64Array(alpha.length),
  }));
}

/**
 * Float32 values as float64, exactly; the same shapes.
 *
 * @throws TypeError naming what is no array
 */
export function widen(parameters: readonly Layer<Float32Array>[]): Layer<Float64Array>[] {
  checkLayers('widen', 'parameters', parameters);
  return parameters.map(({ W, b, alpha }) => ({
    W: Float64Array.from(W),
    b: Float64Array.from(b),
    alpha: alpha && Float64Array.from(alpha),
  }));
}

/**
 * Float32 values as float64, exactly; the same shapes.
 *
 * @throws TypeError naming what is no array
 */
export function widenBatch(batch: Batch<Float32Array>): Batch<Float64Array> {
  checkBatch('widenBatch', batch);
  const { x, labels, masks } = batch;
  return { x: Float64Array.from(x), labels, masks: masks.map((mask) => Float64Array.from(mask)) };
}

/** Throws unless `layers` is a list of objects that hold an array for each parameter; the last has no alpha. */
function checkLayers(where: string, name: string, layers: readonly Layer<unknown>[]): void {
  checkArray(where, name, layers);
  for (const [i, layer] of layers.entries()) {
    checkInput(where, `${name}[${i}]`, layer);
    for (const field of ['W', 'b', 'alpha'] as const) {
      if (field !== 'alpha' || layer.alpha !== null) checkArray(where, `${name}[${i}].${field}`, layer[field]);
    }
  }
}

/**
 * Throws unless `layers` hold a Float64Array of each of the `shapes`, and null where there is none.
 *
 * @throws TypeError, RangeError naming the array
 */
export function checkShapes(
  where: string,
  name: string,
  layers: readonly Layer<Float64Array>[],
  shapes: readonly Layer<readonly number[]>[],
): void {
  checkLayers(where, name, layers);
  checkLength(where, name, layers, [shapes.length]);
  for (const [i, { W, b, alpha }] of shapes.entries()) {
    checkTensor(where, `${name}[${i}].W`, layers[i].W, W);
    checkTensor(where, `${name}[${i}].b`, layers[i].b, b);
    if (alpha !== null) checkTensor(where, `${name}[${i}].alpha`, layers[i].alpha, alpha);
    else if (layers[i].alpha !== null) {
      throw new TypeError(
        `${where}: "${name}[${i}].alpha" expected null in the last layer, got ${kindOf(layers[i].alpha)}`,
      );
    }
  }
}

/** Throws unless `batch` holds arrays. */
export function checkBatch(where: string, batch: Batch<unknown>): void {
  checkInput(where, 'batch', batch);
  for (const field of ['x', 'labels', 'masks'] as const) checkArray(where, `batch.${field}`, batch[field]);
  for (const [i, mask] of batch.masks.entries()) checkArray(where, `batch.masks[${i}]`, mask);
}

/** May change the pre-activations of a hidden layer in place before the pool sees them. */
export type PreActivationHook = (layer: number, z: Float64Array) => void;

/**
 * The forward pass of the training network, layer by layer:
 * `z = h·W + b`, `a = pool(z)`, `h ← mask · a`; the last z are the logits. `onPreActivation` is for comparisons with another
 * training, where a z next to a kink may have to be put on the other side of it.
 *
 * @throws RangeError naming what does not fit the protocol
 */
export function forward(
  protocol: Protocol,
  parameters: readonly Layer<Float64Array>[],
  { x, labels, masks }: Batch<Float64Array>,
  onPreActivation: PreActivationHook = () => {},
): { loss: number; stages: Stage<Float64Array>[] } {
  const { sizes, activation } = protocol;
  const N = labels.length;
  checkLength('forward', 'parameters', parameters, [sizes.length - 1]);
  checkLength('forward', 'masks', masks, [sizes.length - 2]);
  checkLength('forward', 'x', x, [N, sizes[0]]);
  const stages: Stage<Float64Array>[] = [];
  const last = parameters.length - 1;
  let h = x;
  for (const [i, { W, b, alpha }] of parameters.entries()) {
    const z = denseForward(h, W, b, inputsOf(protocol, i));
    if (i === last) {
      stages.push({ h, z, a: null });
      break;
    }
    onPreActivation(i, z);
    const a = activate(activation, { units: sizes[i + 1], z, alpha: alpha! });
    stages.push({ h, z, a });
    h = dropoutForward(a, masks[i]);
  }
  const logits = stages[last].z;
  return { loss: crossEntropyForward(logits, labels, sizes[sizes.length - 1]), stages };
}

/**
 * The backward pass, last layer first: `dz = (softmax(z) - onehot) / N` there, else `dz = pool′ᵀ da`, `da = mask · dh`;
 * `dW = hᵀ·dz`, `db = Σ dz`, and `dh = dz·Wᵀ` for the layer before. Gradients of the loss to every parameter, in its
 * shape, and the cotangents on the way, first layer first.
 *
 * @throws RangeError naming what does not fit the protocol
 */
export function backward(
  protocol: Protocol,
  parameters: readonly Layer<Float64Array>[],
  { labels, masks }: Batch<Float64Array>,
  stages: readonly Stage<Float64Array>[],
): { gradients: Layer<Float64Array>[]; cotangents: StageCotangents<Float64Array>[] } {
  const { sizes, activation } = protocol;
  const gradients: Layer<Float64Array>[] = [];
  const cotangents: StageCotangents<Float64Array>[] = [];
  const last = stages.length - 1;
  let dh: Float64Array = new Float64Array(0);
  for (let i = last; i >= 0; i--) {
    const { h, z } = stages[i];
    const { W, alpha } = parameters[i];
    let dz: Float64Array;
    let da: Float64Array | null = null;
    let dalpha: Float64Array | null = null;
    if (i === last) {
      dz = crossEntropyBackward(z, labels, sizes[i + 1]);
    } else {
      da = dropoutBackward(dh, masks[i]);
      ({ dz, dalpha } = activateVjp(activation, { units: sizes[i + 1], z, alpha: alpha! }, da));
    }
    const { dW, db } = denseBackward(dz, h, inputsOf(protocol, i), sizes[i + 1]);
    dh = i > 0 ? denseBackwardInput(dz, W, inputsOf(protocol, i)) : new Float64Array(0);
    gradients.unshift({ W: dW, b: db, alpha: dalpha });
    cotangents.unshift({ dh, dz, da });
  }
  return { gradients, cotangents };
}
