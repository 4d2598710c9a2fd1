import { type Activation, pap, papNearRelu, relu } from '../reference/activations.ts';
import type { SgdOptions } from '../reference/sgd.ts';

/** Convolutions are 3·3 with stride 1, pooling takes the largest of 2·2; all but the last dense layer are activated. */
export type ConvnetLayer =
  | { readonly kind: 'conv'; readonly channels: number; readonly padding: 'same' | 'valid' }
  | { readonly kind: 'maxPool' }
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'dense'; readonly units: number };

/** A convolutional network and how it is trained. */
export interface ConvnetProtocol extends SgdOptions {
  readonly name: string;
  /** Height, width, channels. */
  readonly image: readonly [number, number, number];
  readonly layers: readonly ConvnetLayer[];
  readonly activation: Activation;
  readonly batch: number;
  readonly epochs: number;
}

/** How the loss of a trained network is swept over two of its weights. */
export interface SurfaceProtocol extends ConvnetProtocol {
  /** The first images that are trained on, and those after them that test. */
  readonly images: { readonly train: number; readonly test: number };
  /** Pairs of weights that are drawn from each network. */
  readonly pairs: number;
  /** The loss is that of so many of the training images. */
  readonly lossImages: number;
  /** Where each weight is moved, in units of the norm `‖w‖₂` of all weights of its unit (filter normalisation). */
  readonly offsets: readonly number[];
}

/** With one alpha for each channel of a convolution and each unit of a dense layer. */
const byChannel = (activation: Activation): Activation => ({
  ...activation,
  pool: { ...activation.pool, sharing: 'channel' },
});

export const papChannel: Activation = byChannel(pap);
export const papNearReluChannel: Activation = byChannel(papNearRelu);

/**
 * Keras' example for CIFAR-10 of 2015, on which the post draws its loss surfaces: conv 32-32, pool, conv 64-64, pool,
 * dense 512, dropout 0.25/0.25/0.5, SGD 0.01 with Nesterov momentum 0.9 and decay 1e-6, batch 32. It is trained on the
 * first 3,500 images of data_batch_1 for 10 epochs, so that a machine without the rest measures the same.
 *
 * Source of the units of `offsets`: Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets".
 */
export const convnet: SurfaceProtocol = {
  name: 'convnet',
  image: [32, 32, 3],
  layers: [
    { kind: 'conv', channels: 32, padding: 'same' },
    { kind: 'conv', channels: 32, padding: 'valid' },
    { kind: 'maxPool' },
    { kind: 'dropout', rate: 0.25 },
    { kind: 'conv', channels: 64, padding: 'same' },
    { kind: 'conv', channels: 64, padding: 'valid' },
    { kind: 'maxPool' },
    { kind: 'dropout', rate: 0.25 },
    { kind: 'dense', units: 512 },
    { kind: 'dropout', rate: 0.5 },
    { kind: 'dense', units: 10 },
  ],
  activation: papChannel,
  learningRate: 0.01,
  momentum: 0.9,
  decay: 1e-6,
  batch: 32,
  epochs: 10,
  images: { train: 3500, test: 500 },
  pairs: 20,
  lossImages: 100,
  offsets: Array.from({ length: 13 }, (_, i) => (i - 6) / 2),
};

const layersWithoutDropout = convnet.layers.filter(({ kind }) => kind !== 'dropout');

/** No dropout: with it MReLU 0.5 and a PAP started at 0.5/0.5 die. All activations are measured on it anew. */
const noDropout: SurfaceProtocol = { ...convnet, name: 'convnet/no-dropout', layers: layersWithoutDropout };

/** Without surfaces: what one alpha for a layer, a channel or each unit does to the test loss. */
export const sharingConvnet: SurfaceProtocol = { ...noDropout, name: 'convnet/sharing', pairs: 0 };

/** Trainings without surfaces, to find a protocol on which a PAP started at 0.5/0.5 learns. */
const pilots: readonly SurfaceProtocol[] = [
  { ...convnet, name: 'convnet/pilot/rate-0.001', learningRate: 0.001 },
  { ...convnet, name: 'convnet/pilot/rate-0.003', learningRate: 0.003 },
  // Plain SGD, as the PAP convnet of the author's first code has it.
  { ...convnet, name: 'convnet/pilot/rate-0.01-momentum-0', momentum: 0 },
  { ...noDropout, name: 'convnet/pilot/no-dropout-rate-0.001', learningRate: 0.001 },
].map((protocol) => ({ ...protocol, pairs: 0 }));

/** All protocols of loss surfaces, by name. */
export const surfaceProtocols: ReadonlyMap<string, SurfaceProtocol> = new Map(
  [convnet, noDropout, ...pilots].map((protocol) => [protocol.name, protocol]),
);

/** Two convolutions, pooling, dropout, one dense layer: what training on wasm is checked with. */
export const twoConvolutions = (side: number, batch: number): ConvnetProtocol => ({
  name: 'two-convolutions',
  image: [side, side, 1],
  layers: [
    { kind: 'conv', channels: 32, padding: 'same' },
    { kind: 'conv', channels: 32, padding: 'same' },
    { kind: 'maxPool' },
    { kind: 'dropout', rate: 0.25 },
    { kind: 'dense', units: 10 },
  ],
  activation: relu,
  learningRate: 0.05,
  momentum: 0.9,
  decay: 0,
  batch,
  epochs: 1,
});
