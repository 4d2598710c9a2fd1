import * as tf from '@tensorflow/tfjs';
import type { OpenBackend } from '../impl/tfjs/backends.ts';
import { crossEntropy } from '../impl/tfjs/training/network.ts';
import { installWasmKernels } from '../impl/tfjs/wasm/install.ts';
import type { Dataset } from '../reference/batches.ts';
import { type Random, random } from '../reference/random.ts';
import {
  applyLayer,
  type ConvnetParameters,
  type Parameters,
  type Place,
  placesOf,
  trainConvnet,
  upload,
} from './convnet.ts';
import type { ConvnetProtocol, SurfaceProtocol } from './convnet-protocol.ts';
import { digits, digitsOrNull } from './digits.ts';
import { turnOfTheEventLoop } from './event-loop.ts';
import { rowBase, type Surface, type SurfaceRow, type SweptWeight, type Trial } from './trial.ts';

/** A weight to be moved: its layer, where it lies, and the size of its unit. */
interface Weight {
  readonly place: number;
  readonly index: number;
  /** `‖w‖₂` over the weights of its unit. */
  readonly norm: number;
}

/** Trains a network, then sweeps its loss over `pairs` pairs of weights of different layers, drawn from the seed. */
export async function runSurfaces(
  { protocol, seed }: Trial<SurfaceProtocol>,
  backend: OpenBackend,
  data: Dataset,
  onProgress: (share: number) => void,
): Promise<SurfaceRow> {
  const start = performance.now();
  backend.use();
  const restore = backend.name === 'wasm' ? installWasmKernels() : () => {};
  const { images, pairs, lossImages } = protocol;
  try {
    const trainSet = part(data, 0, images.train);
    const { parameters } = await trainConvnet(protocol, trainSet, {
      seed,
      onStep: async (step, steps) => {
        onProgress(step / steps / (pairs > 0 ? 2 : 1));
        await turnOfTheEventLoop();
      },
    });
    const tensors = tensorsOf(protocol, parameters);
    const test = lossAndAccuracy(protocol, tensors, part(data, images.train, images.test));
    const source = random(seed, 'pairs');
    const surfaces: Surface[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const weights = drawPair(source, placesOf(protocol), parameters);
      surfaces.push(await sweep(protocol, tensors, part(trainSet, 0, lossImages), weights));
      onProgress(0.5 + (pair + 1) / pairs / 2);
    }
    tf.dispose([...tensors.values()].map((layer) => Object.values(layer)));
    return {
      ...rowBase({ protocol, seed }, backend.name, { [backend.name]: backend.version }, start),
      test,
      offsets: protocol.offsets,
      surfaces,
    };
  } finally {
    restore();
  }
}

/** Two layers, each two as likely as any other, and a weight of each; the one nearer the images first. */
function drawPair(
  source: Random,
  places: readonly Place[],
  parameters: ConvnetParameters<Float32Array>,
): [Weight, Weight] {
  const weighted = places.flatMap(({ parameters }, i) => (parameters ? [i] : []));
  const first = source.below(weighted.length);
  const other = (first + 1 + source.below(weighted.length - 1)) % weighted.length;
  const [near, far] = [first, other].sort((a, b) => a - b).map((i) => weighted[i]);
  const weight = (place: number): Weight => {
    const { W } = parameters.get(places[place].name)!;
    const units = places[place].output.at(-1)!;
    const index = source.below(W.length);
    let squares = 0;
    for (let i = index % units; i < W.length; i += units) squares += W[i] ** 2;
    return { place, index, norm: Math.sqrt(squares) };
  };
  return [weight(near), weight(far)];
}

/**
 * `losses[i][j]`: the mean loss of `data` with the first weight moved by `offsets[i] · norm` and the second by
 * `offsets[j] · norm`, without dropout. What lies below the first weight is computed once, what lies between the two once
 * for each place of the first.
 */
async function sweep(
  protocol: SurfaceProtocol,
  tensors: ConvnetParameters<tf.Tensor>,
  data: Dataset,
  [near, far]: readonly [Weight, Weight],
): Promise<Surface> {
  const { offsets } = protocol;
  const places = placesOf(protocol);
  const { x, onehot } = upload(protocol, data, range(data.labels.length));
  const below = forward(protocol, tensors, x, 0, near.place);
  const losses: (number | null)[][] = [];
  for (const first of offsets) {
    const moved = withMoved(tensors, places, near, first);
    const between = forward(protocol, moved, below, near.place, far.place);
    const row: (number | null)[] = [];
    for (const second of offsets) {
      const both = withMoved(moved, places, far, second);
      const loss = tf.tidy(() =>
        crossEntropy(forward(protocol, both, between, far.place, places.length) as tf.Tensor2D, onehot),
      );
      row.push(digitsOrNull((await loss.data())[0]));
      tf.dispose([loss, both.get(places[far.place].name)!.W]);
    }
    losses.push(row);
    tf.dispose([between, moved.get(places[near.place].name)!.W]);
    await turnOfTheEventLoop();
  }
  tf.dispose([x, onehot, below]);
  const swept = ({ place, index, norm }: Weight): SweptWeight => ({
    layer: places[place].name,
    index,
    norm: digits(norm),
  });
  return { weights: [swept(near), swept(far)], losses };
}

/** The layers `from` to before `to` on `h`, which is kept. */
function forward(
  protocol: ConvnetProtocol,
  parameters: ConvnetParameters<tf.Tensor>,
  h: tf.Tensor,
  from: number,
  to: number,
): tf.Tensor {
  return tf.tidy(() =>
    placesOf(protocol)
      .slice(from, to)
      .reduce((value, place) => applyLayer(place, protocol.activation, value, parameters.get(place.name)), h.clone()),
  );
}

/** The parameters with one weight moved: a new W, the rest as it is. */
function withMoved(
  tensors: ConvnetParameters<tf.Tensor>,
  places: readonly Place[],
  { place, index, norm }: Weight,
  offset: number,
): ConvnetParameters<tf.Tensor> {
  const { name } = places[place];
  const layer = tensors.get(name)!;
  const values = layer.W.dataSync<'float32'>().slice();
  values[index] += offset * norm;
  return new Map(tensors).set(name, { ...layer, W: tf.tensor(values, layer.W.shape) });
}

function tensorsOf(
  protocol: ConvnetProtocol,
  parameters: ConvnetParameters<Float32Array>,
): Map<string, Parameters<tf.Tensor>> {
  const found = new Map<string, Parameters<tf.Tensor>>();
  for (const { name, parameters: shapes } of placesOf(protocol)) {
    const values = parameters.get(name);
    if (!shapes || !values) continue;
    found.set(name, {
      W: tf.tensor(values.W, [...shapes.W]),
      b: tf.tensor(values.b),
      alpha: values.alpha && shapes.alpha && tf.tensor(values.alpha, [...shapes.alpha]),
    });
  }
  return found;
}

function lossAndAccuracy(
  protocol: ConvnetProtocol,
  tensors: ConvnetParameters<tf.Tensor>,
  data: Dataset,
): SurfaceRow['test'] {
  let [loss, accuracy] = [Number.NaN, Number.NaN];
  tf.tidy(() => {
    const { x, onehot } = upload(protocol, data, range(data.labels.length));
    const z = forward(protocol, tensors, x, 0, placesOf(protocol).length) as tf.Tensor2D;
    const hits = tf.equal(tf.argMax(z, 1), tf.argMax(onehot, 1));
    loss = crossEntropy(z, onehot).dataSync()[0];
    accuracy = tf.mean(tf.cast(hits, 'float32')).dataSync()[0];
  });
  return { loss: digitsOrNull(loss), accuracy: digits(accuracy) };
}

function part({ images, labels }: Dataset, first: number, count: number): Dataset {
  const pixels = images.length / labels.length;
  return {
    images: images.subarray(first * pixels, (first + count) * pixels),
    labels: labels.subarray(first, first + count),
  };
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
