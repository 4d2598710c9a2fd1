import * as tf from '@tensorflow/tfjs';
import { activationPool } from '../impl/tfjs/op.ts';
import { crossEntropy } from '../impl/tfjs/training/network.ts';
import { createVariable, type Variable } from '../impl/tfjs/training/variable.ts';
import type { Activation } from '../reference/activations.ts';
import { type Dataset, scalePixels } from '../reference/batches.ts';
import { dropoutMask } from '../reference/dropout.ts';
import { initialWeights, startingAlpha } from '../reference/initializers.ts';
import { parameterLayout } from '../reference/parameters.ts';
import { permutation, random } from '../reference/random.ts';
import { sizeOf } from '../reference/shape.ts';
import type { ConvnetLayer, ConvnetProtocol } from './convnet-protocol.ts';

/** A layer in its place: its input and output without the batch, and the shapes of its parameters. */
export interface Place {
  /** `conv1`, `conv2`, `maxPool1`, `dense1` …: its kind, and which of its kind. */
  readonly name: string;
  readonly layer: ConvnetLayer;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly parameters: ParameterShapes | null;
}

/** `alpha` is `null` for the last layer, which has no activation. */
interface ParameterShapes {
  /** `[3, 3, channels, units]`, or `[inputs, units]`. */
  readonly W: readonly number[];
  readonly alpha: readonly number[] | null;
}

/** The parameters of a layer: tensors, or their values. */
export interface Parameters<T> {
  readonly W: T;
  readonly b: T;
  readonly alpha: T | null;
}

/** By the name of the layer. */
export type ConvnetParameters<T> = ReadonlyMap<string, Parameters<T>>;

/** The layers of a network in their order, with all shapes. @throws RangeError if the images are too small for them */
export function placesOf({ image, layers, activation }: ConvnetProtocol): Place[] {
  const places: Place[] = [];
  const last = layers.findLastIndex(({ kind }) => kind === 'dense');
  let input: readonly number[] = image;
  for (const [i, layer] of layers.entries()) {
    const name = `${layer.kind}${layers.slice(0, i + 1).filter(({ kind }) => kind === layer.kind).length}`;
    const { output, W } = shapesOf(layer, input);
    if (output.some((n) => n < 1)) throw new RangeError(`convnet: ${name} expected a larger input, got [${input}]`);
    const alpha = i === last ? null : W && parameterLayout(activation.pool, [1, ...output]).alphaShape;
    places.push({ name, layer, input, output, parameters: W && { W, alpha } });
    input = output;
  }
  return places;
}

function shapesOf(layer: ConvnetLayer, input: readonly number[]): { output: readonly number[]; W: number[] | null } {
  const [height, width, channels] = input as [number, number, number];
  switch (layer.kind) {
    case 'conv': {
      const cut = layer.padding === 'same' ? 0 : 2;
      return { output: [height - cut, width - cut, layer.channels], W: [3, 3, channels, layer.channels] };
    }
    case 'maxPool':
      return { output: [Math.floor(height / 2), Math.floor(width / 2), channels], W: null };
    case 'dropout':
      return { output: input, W: null };
    case 'dense':
      return { output: [layer.units], W: [sizeOf(input), layer.units] };
  }
}

/** One layer on `h` `[N, ...input]`; `mask` is that of a dropout, which without one does nothing. */
export function applyLayer(
  { layer, input, parameters }: Place,
  activation: Activation,
  h: tf.Tensor,
  given: Parameters<tf.Tensor> | undefined,
  mask?: tf.Tensor,
): tf.Tensor {
  const N = h.shape[0];
  if (layer.kind === 'maxPool') return tf.maxPool(h as tf.Tensor4D, 2, 2, 'valid');
  if (layer.kind === 'dropout') return mask ? tf.mul(h, mask) : h;
  if (!given || !parameters) throw new Error(`convnet: no parameters of a ${layer.kind}`);
  const { W, b, alpha } = given;
  const product =
    layer.kind === 'conv'
      ? tf.conv2d(h as tf.Tensor4D, W as tf.Tensor4D, 1, layer.padding)
      : tf.matMul(tf.reshape(h, [N, sizeOf(input)]), W as tf.Tensor2D);
  const z = tf.add(product, b);
  return alpha ? activationPool(z, alpha, activation.pool) : z;
}

/** Where training starts: Keras' glorot uniform, biases 0, alphas at their start; each layer from its own stream. */
function initialConvnet(protocol: ConvnetProtocol, seed: number): Map<string, Parameters<Float32Array>> {
  const { start } = protocol.activation;
  const found = new Map<string, Parameters<Float32Array>>();
  for (const { name, parameters } of placesOf(protocol)) {
    if (!parameters) continue;
    const { W, alpha } = parameters;
    const units = W[W.length - 1];
    const inputs = sizeOf(W) / units;
    const window = sizeOf(W.slice(0, -2));
    const uniform = Math.sqrt(6 / (inputs + window * units));
    found.set(name, {
      W: initialWeights(random(seed, `weights/${name}`), { uniform }, inputs, units),
      b: new Float32Array(units),
      alpha: alpha && startingAlpha(start, sizeOf(alpha)),
    });
  }
  return found;
}

export interface ConvnetOptions {
  readonly seed: number;
  /** Updates; default: `epochs` times all images. */
  readonly steps?: number;
  /** The gradient is the mean over so many equal parts of the batch: as legal an order of summation as any. */
  readonly parts?: number;
  readonly onStep?: (step: number, steps: number) => Promise<void>;
}

/** Losses before each update, and the parameters after the last. */
export interface TrainedConvnet {
  readonly losses: readonly number[];
  readonly parameters: ConvnetParameters<Float32Array>;
}

/** A parameter of a layer that is trained, and which rows of it are, if not all. */
interface Slot {
  readonly place: string;
  readonly field: 'W' | 'b' | 'alpha';
  readonly variable: Variable;
  readonly trained: boolean;
  readonly rows: tf.Tensor | null;
}

/**
 * Trains by SGD with Nesterov momentum on the backend that is current; wasm needs `installWasmKernels`. All that is
 * drawn depends on `seed` alone, so that every backend starts from, sees and drops the same.
 */
export async function trainConvnet(
  protocol: ConvnetProtocol,
  data: Dataset,
  options: ConvnetOptions,
): Promise<TrainedConvnet> {
  const { batch, learningRate, momentum, decay, activation } = protocol;
  const { seed, parts = 1, onStep = async () => {} } = options;
  const count = data.labels.length;
  const steps = options.steps ?? protocol.epochs * Math.ceil(count / batch);
  const places = placesOf(protocol);
  const slots = openSlots(places, activation, initialConvnet(protocol, seed));
  const trained = slots.filter((slot) => slot.trained);
  const orders = random(seed, 'order');
  const dropouts = random(seed, 'dropout');
  const losses: number[] = [];
  try {
    let order: Uint32Array = new Uint32Array(0);
    for (let step = 0; step < steps; step++) {
      if (order.length === 0) order = permutation(orders, count);
      const chosen = order.subarray(0, batch);
      order = order.subarray(chosen.length);
      const masks = places.map(({ layer, input }) =>
        layer.kind === 'dropout' ? dropoutMask(dropouts, chosen.length * sizeOf(input), layer.rate) : null,
      );
      const [loss, ...gradients] = tf.tidy(() => {
        const size = chosen.length / parts;
        const found = Array.from({ length: parts }, (_, part) => {
          const { x, onehot } = upload(protocol, data, chosen.subarray(part * size, (part + 1) * size));
          const kept = masks.map((mask, i) => {
            const units = sizeOf(places[i].input);
            return (
              mask &&
              tf.tensor(mask.subarray(part * size * units, (part + 1) * size * units), [size, ...places[i].input])
            );
          });
          const { value, grads } = tf.valueAndGrads((...w: tf.Tensor[]) => {
            const given = parametersOf(slots, (slot) => w[trained.indexOf(slot)] ?? slot.variable.value);
            let h: tf.Tensor = x;
            for (const [i, place] of places.entries()) {
              h = applyLayer(place, activation, h, given.get(place.name), kept[i] ?? undefined);
            }
            return crossEntropy(h as tf.Tensor2D, onehot);
          })(trained.map(({ variable }) => variable.value));
          return [value, ...grads];
        });
        const sums = found.reduce((sums, terms) => sums.map((sum, i) => tf.add(sum, terms[i])));
        return parts === 1 ? sums : sums.map((sum) => tf.div(sum, parts));
      });
      const rate = learningRate / (1 + decay * step);
      for (const [i, { variable, rows }] of trained.entries()) {
        const g = rows ? tf.mul(gradients[i], rows) : gradients[i];
        variable.update(g, { rate, momentum });
        if (rows) g.dispose();
      }
      losses.push((await loss.data())[0]);
      tf.dispose([loss, ...gradients]);
      await onStep(step + 1, steps);
    }
    const values = await Promise.all(
      slots.map(async ({ variable }) => (await variable.value.data<'float32'>()).slice()),
    );
    return { losses, parameters: parametersOf(slots, (slot) => values[slots.indexOf(slot)]) };
  } finally {
    for (const { variable, rows } of slots) {
      variable.dispose();
      rows?.dispose();
    }
  }
}

function openSlots(
  places: readonly Place[],
  { trained, start }: Activation,
  initial: ConvnetParameters<Float32Array>,
): Slot[] {
  return places.flatMap(({ name, parameters }) => {
    if (!parameters) return [];
    const { W, b, alpha } = initial.get(name)!;
    const slot = (
      field: Slot['field'],
      values: Float32Array,
      shape: readonly number[],
      flags: readonly boolean[],
    ): Slot => ({
      place: name,
      field,
      variable: createVariable(values, [...shape]),
      trained: flags.some((flag) => flag),
      rows: flags.every((flag) => flag === flags[0])
        ? null
        : tf.tensor(flags.map(Number), [start.length, ...new Array<number>(shape.length - 1).fill(1)]),
    });
    const linear = [slot('W', W, parameters.W, [true]), slot('b', b, [b.length], [true])];
    return alpha && parameters.alpha ? [...linear, slot('alpha', alpha, parameters.alpha, trained)] : linear;
  });
}

function parametersOf<T>(slots: readonly Slot[], value: (slot: Slot) => T): Map<string, Parameters<T>> {
  const found = new Map<string, { W: T; b: T; alpha: T | null }>();
  for (const slot of slots) {
    const layer = found.get(slot.place) ?? { W: value(slot), b: value(slot), alpha: null };
    layer[slot.field] = value(slot);
    found.set(slot.place, layer);
  }
  return found;
}

/** Images `[n, ...image]`, divided by 255, and labels as one-hot rows, of these places in the data. */
export function upload(
  { image, layers }: ConvnetProtocol,
  data: Dataset,
  chosen: Iterable<number> & { readonly length: number },
): { x: tf.Tensor; onehot: tf.Tensor2D } {
  const pixels = sizeOf(image);
  const last = layers[layers.length - 1];
  const classes = last.kind === 'dense' ? last.units : 0;
  const images = new Uint8Array(chosen.length * pixels);
  const rows = new Float32Array(chosen.length * classes);
  let row = 0;
  for (const i of chosen) {
    images.set(data.images.subarray(i * pixels, (i + 1) * pixels), row * pixels);
    rows[row * classes + data.labels[i]] = 1;
    row++;
  }
  return {
    x: tf.tensor(scalePixels(images), [chosen.length, ...image]),
    onehot: tf.tensor2d(rows, [chosen.length, classes]),
  };
}

/** Images like MNIST's, four pixels of five 0, that show nothing. */
export function noiseImages(count: number, pixels: number): Dataset {
  const source = random(1, 'images');
  return {
    images: Uint8Array.from({ length: count * pixels }, () => (source.uniform() < 0.8 ? 0 : source.below(256))),
    labels: Uint8Array.from({ length: count }, () => source.below(10)),
  };
}

/** The largest difference of two curves, relative to the second. */
export function farthest(losses: readonly number[], expected: readonly number[]): number {
  return Math.max(...expected.map((value, step) => Math.abs(losses[step] - value) / value));
}
