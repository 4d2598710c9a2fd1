import { checkInput, checkLength, kindOf } from './arguments.ts';
import { dropoutMask } from './dropout.ts';
import type { Batch } from './network.ts';
import { checkProtocol, inputsOf, type Protocol } from './protocol.ts';
import { permutation, random } from './random.ts';

/** Labelled images: `images` `[n, pixels]`, bytes, and `labels` `[n]`. */
export interface Dataset {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * `⌈n / batch⌉`, the updates of an epoch: the last batch may be smaller.
 *
 * @throws TypeError, RangeError naming what of protocol or data is wrong
 */
export function stepsPerEpoch(protocol: Protocol, data: Dataset): number {
  checkProtocol(protocol);
  checkDataset('stepsPerEpoch', data);
  return Math.ceil(data.labels.length / protocol.batch);
}

const pixel = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * `x = image / 255`, rounded to float32, in [0, 1].
 *
 * @throws TypeError unless `images` is a Uint8Array
 */
export function scalePixels(images: Uint8Array): Float32Array {
  checkBytes('scalePixels', 'images', images);
  const x = new Float32Array(images.length);
  for (let i = 0; i < x.length; i++) x[i] = pixel[images[i]];
  return x;
}

/**
 * The batches of a training without end: every epoch takes all images once, in a new order, `protocol.batch` at a time.
 * Order and dropout masks come from two streams of the seed. All values are float32; shapes as in `Batch`.
 *
 * @throws TypeError for another kind, RangeError for a wrong protocol or seed, for images that do not fit labels or protocol, or for an empty data set
 */
export function* batches(protocol: Protocol, data: Dataset, seed: number): Generator<Batch<Float32Array>, never> {
  checkProtocol(protocol);
  checkDataset('batches', data);
  const pixels = protocol.sizes[0];
  const count = data.labels.length;
  if (count === 0) throw new RangeError('batches: "data" expected at least one image, got none');
  checkLength('batches', 'images', data.images, [count, pixels]);
  const orders = random(seed, 'order');
  const dropout = random(seed, 'dropout');
  const hidden = protocol.sizes.slice(1, -1).map((_, i) => inputsOf(protocol, i + 1));
  for (;;) {
    const order = permutation(orders, count);
    for (let start = 0; start < count; start += protocol.batch) {
      const chosen = order.subarray(start, start + protocol.batch);
      const images = new Uint8Array(chosen.length * pixels);
      for (const [row, i] of chosen.entries()) {
        images.set(data.images.subarray(i * pixels, (i + 1) * pixels), row * pixels);
      }
      yield {
        x: scalePixels(images),
        labels: Uint8Array.from(chosen, (i) => data.labels[i]),
        masks: hidden.map((units) => dropoutMask(dropout, chosen.length * units, protocol.dropout)),
      };
    }
  }
}

function checkDataset(where: string, data: Dataset): void {
  checkInput(where, 'data', data);
  checkBytes(where, 'images', data.images);
  checkBytes(where, 'labels', data.labels);
}

function checkBytes(where: string, name: string, bytes: Uint8Array): void {
  if (bytes instanceof Uint8Array) return;
  throw new TypeError(`${where}: "${name}" expected a Uint8Array, got ${kindOf(bytes)}`);
}
