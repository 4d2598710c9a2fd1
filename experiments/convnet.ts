import * as tf from '@tensorflow/tfjs';
import { crossEntropy } from '../impl/tfjs/network.ts';
import { createVariable, type Variable } from '../impl/tfjs/variable.ts';
import { type Dataset, scalePixels } from '../reference/batches.ts';
import { dropoutMask } from '../reference/dropout.ts';
import { initialWeights } from '../reference/initializers.ts';
import { random } from '../reference/random.ts';

export interface ConvnetOptions {
  /** Pixels a side. */
  readonly side: number;
  readonly batch: number;
  readonly steps: number;
  readonly seed: number;
  /** The gradient is the mean over so many equal parts of the batch: as legal an order of summation as any. */
  readonly parts?: number;
}

const channels = 32;
const classes = 10;
const dropout = 0.25;
const update = { rate: 0.05, momentum: 0.9 };

/**
 * The losses of the first updates of a network: convolution 3·3·32 and ReLU, twice; max pooling 2·2; dropout; dense.
 * Images are taken as they come. All that is drawn depends on `seed` alone, so every backend starts from and drops the
 * same. Runs on the backend that is current; wasm needs `installWasmKernels`.
 */
export async function trainConvnet(data: Dataset, options: ConvnetOptions): Promise<number[]> {
  const { side, batch, steps, seed, parts = 1 } = options;
  const features = Math.ceil(side / 2) ** 2 * channels;
  const variables = [
    ...layer(seed, 'convolution/0', [3, 3, 1, channels]),
    ...layer(seed, 'convolution/1', [3, 3, channels, channels]),
    ...layer(seed, 'dense', [features, classes]),
  ];
  const masks = random(seed, 'dropout');
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const mask = dropoutMask(masks, batch * features, dropout);
    const [loss, ...gradients] = tf.tidy(() => {
      const size = batch / parts;
      const found = Array.from({ length: parts }, (_, part) => {
        const { images, labels } = slice(data, step * batch + part * size, size);
        const x = tf.tensor4d(scalePixels(images), [size, side, side, 1]);
        const kept = tf.tensor2d(mask.subarray(part * size * features, (part + 1) * size * features), [size, features]);
        // Cast, since wasm's one-hot rows of float32 (4.22) hold the bits of integers.
        const onehot = tf.cast(tf.oneHot(Int32Array.from(labels), classes), 'float32');
        const { value, grads } = tf.valueAndGrads((...w: tf.Tensor[]) =>
          crossEntropy(logits(w, x, kept), onehot as tf.Tensor2D),
        )(variables.map(({ value }) => value));
        return [value, ...grads];
      });
      return found
        .reduce((sums, terms) => sums.map((sum, i) => tf.add(sum, terms[i])))
        .map((sum) => tf.div(sum, parts));
    });
    for (const [i, variable] of variables.entries()) variable.update(gradients[i], update);
    losses.push((await loss.data())[0]);
    tf.dispose([loss, ...gradients]);
  }
  for (const variable of variables) variable.dispose();
  return losses;
}

function logits([W0, b0, W1, b1, W2, b2]: readonly tf.Tensor[], x: tf.Tensor4D, mask: tf.Tensor2D): tf.Tensor2D {
  const convolution = (h: tf.Tensor4D, W: tf.Tensor, b: tf.Tensor): tf.Tensor4D =>
    tf.relu(tf.add(tf.conv2d(h, W as tf.Tensor4D, 1, 'same'), b));
  const h = tf.maxPool(convolution(convolution(x, W0, b0), W1, b1), 2, 2, 'same');
  return tf.add(tf.matMul(tf.mul(tf.reshape(h, mask.shape), mask), W2 as tf.Tensor2D), b2);
}

/** Weights of this shape, whose last axis is that of the units, and their biases, 0. */
function layer(seed: number, name: string, shape: number[]): Variable[] {
  const units = shape[shape.length - 1];
  const inputs = tf.util.sizeFromShape(shape) / units;
  const weights = initialWeights(random(seed, name), 'glorotUniform', inputs, units);
  return [createVariable(weights, shape), createVariable(new Float32Array(units), [units])];
}

function slice({ images, labels }: Dataset, first: number, count: number): Dataset {
  const pixels = images.length / labels.length;
  return {
    images: images.subarray(first * pixels, (first + count) * pixels),
    labels: labels.subarray(first, first + count),
  };
}

/** Images like MNIST's, four pixels of five 0, that show nothing. */
export function noiseImages(count: number, pixels: number): Dataset {
  const source = random(1, 'images');
  return {
    images: Uint8Array.from({ length: count * pixels }, () => (source.uniform() < 0.8 ? 0 : source.below(256))),
    labels: Uint8Array.from({ length: count }, () => source.below(classes)),
  };
}

/** The largest difference of two curves, relative to the second. */
export function farthest(losses: readonly number[], expected: readonly number[]): number {
  return Math.max(...expected.map((value, step) => Math.abs(losses[step] - value) / value));
}
