import {
  type Activation,
  concat,
  mrelu,
  pap,
  papClipped,
  papLayer,
  papNearRelu,
  papSumToOne,
  prelu,
  relu,
} from '../reference/activations.ts';
import type { Protocol } from '../reference/protocol.ts';

/**
 * The published MNIST experiment, as the author's code of February 2016 has it: 784-512-512-10, dropout 0.2 after each
 * hidden activation, SGD with Nesterov momentum; a PAP of relu and step with one alpha a unit, started at 0.5 each.
 */
export const author2016: Protocol = {
  name: 'author-2016',
  sizes: [784, 512, 512, 10],
  activation: pap,
  dropout: 0.2,
  initializer: 'glorotUniform',
  learningRate: 0.1,
  momentum: 0.9,
  decay: 1e-6,
  batch: 32,
  epochs: 20,
};

/**
 * What `verify` trains: the same with batches of 128, which a CPU gets through in half the time, and three epochs.
 *
 * Test accuracy over seeds 1 to 8, lowest to highest: ReLU 0.9629 to 0.9700 after one epoch, 0.9699 to 0.9757 after two,
 * 0.9749 to 0.9800 after three; PAP 0.9496 to 0.9579, 0.9669 to 0.9704, 0.9711 to 0.9754.
 */
export const verification: Protocol = { ...author2016, name: 'verification', batch: 128, epochs: 3 };

/** The test accuracy that each network of `verification` must exceed after its last epoch. */
export const requiredAccuracy = 0.95;

/** The epochs of `verify --quick`: one is too few, see above. */
export const quickEpochs = 2;

/** The learning rates of the map, `learningRate`. */
export const rates: readonly number[] = [0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5];

/** The part of a name that all protocols of the learning-rate map share. */
export const mapName = 'batch-128';

/** Whether this is the name of a protocol of the learning-rate map, which differ in their rate only. */
export function isOfMap(protocol: string): boolean {
  return protocol.startsWith(`${mapName}/`);
}

/** The name of the protocol at a rate of the map. */
export function atMapRate(rate: number): string {
  return `${mapName}/rate-${rate}`;
}

/** author-2016 with batches of 128, at a learning rate of the map. */
export function atRate(learningRate: number): Protocol {
  return { ...author2016, name: atMapRate(learningRate), batch: 128, learningRate };
}

/** The activations of the learning-rate map, by name. */
export const mapActivations: readonly string[] = [
  'relu',
  'prelu',
  'mrelu-0.8',
  'mrelu-0.5',
  'pap',
  'pap-clipped',
  'pap-layer',
];

/** ReLU and the MReLUs that claims compare with it, by name. */
export const reluAndMrelus = ['relu', 'mrelu-0.8', 'mrelu-0.5'] as const;

/** The other reading of the "94 iters" of the post: 94 updates an epoch. */
const iters94: Protocol = { ...author2016, name: 'iters-94', batch: 640 };

/** Cheap enough for 94 trials of everything: two hidden layers of 32, plain SGD, no dropout. */
const small: Protocol = {
  ...author2016,
  name: 'small',
  sizes: [784, 32, 32, 10],
  dropout: 0,
  momentum: 0,
  decay: 0,
  batch: 128,
};

/** All protocols by name; rows of what is before the first slash are kept in one file. */
export const protocols: ReadonlyMap<string, Protocol> = new Map(
  [
    author2016,
    { ...author2016, name: 'author-2016/rate-0.05', learningRate: 0.05 },
    { ...author2016, name: 'author-2016/rate-0.35', learningRate: 0.35 },
    { ...author2016, name: 'author-2016/he-uniform', initializer: 'heUniform' as const },
    iters94,
    small,
    { ...small, name: 'small/one-layer', sizes: [784, 32, 10] },
    ...rates.map(atRate),
    verification,
  ].map((protocol) => [protocol.name, protocol]),
);

/** Of which only the gradients before the first update are measured, and nothing is trained: no rate matters. */
export const startProtocols: ReadonlyMap<string, Protocol> = new Map(
  [
    { ...author2016, name: 'gradients/author-2016', epochs: 0 },
    { ...author2016, name: `gradients/${mapName}`, batch: 128, epochs: 0 },
  ].map((protocol) => [protocol.name, protocol]),
);

/** All activations that are compared, by name. */
export const activations: ReadonlyMap<string, Activation> = new Map(
  [relu, prelu, mrelu(0.8), mrelu(0.5), pap, papNearRelu, papClipped, papSumToOne, papLayer, concat].map(
    (activation) => [activation.name, activation],
  ),
);
