import type { Activation } from '../../reference/activations.ts';
import { nameOf } from '../../reference/branches.ts';
import type { Protocol } from '../../reference/protocol.ts';
import { type ConvnetLayer, type SurfaceProtocol, sharingConvnet, surfaceProtocols } from '../convnet-protocol.ts';
import { digits } from '../digits.ts';
import { experiments } from '../experiments.ts';
import { author2016, isOfMap, mapName, protocols, rates, startProtocols } from '../protocols.ts';
import { type Block, heading, text, unbroken } from './block.ts';

const convnets = [...surfaceProtocols.values(), sharingConvnet];

/** What the names of protocols and activations mean, from the registry. */
export function protocolSection(): Block[] {
  const ofMap = { ...author2016, ...protocols.get(`${mapName}/rate-${rates[0]}`)!, name: `${mapName}/rate-R` };
  const networks = new Set(convnets.map(({ layers }) => networkText(layers)));
  return [
    heading(2, 'Protocols'),
    text(
      'On MNIST, 60,000 images train and 10,000 test, as x/255; the loss is softmax cross-entropy, trained by SGD, with Nesterov momentum where there is any. The activation and then the dropout follow each hidden layer.',
    ),
    {
      kind: 'table',
      head: ['protocol', 'widths', 'rate', 'momentum', 'decay', 'batch', 'dropout', 'start', 'epochs'],
      rows: [
        ...[...protocols.values()].filter(({ name }) => !isOfMap(name)).map((each) => cellsOf(each)),
        cellsOf(ofMap, `R: ${rates.join(', ')}`),
        ...[...startProtocols.values()].map((each) => cellsOf(each)),
      ],
    },
    text(
      `On CIFAR-10 the network is ${[...networks].join(', or ')}, the dropouts after each pooling and the first dense layer. The first images of \`data_batch_1\` train, and those after them test; the loss of surfaces is that of the first training images, on a grid of offsets in units of the norm of the weights of a unit.`,
    ),
    {
      kind: 'table',
      head: [
        'protocol',
        'dropouts',
        'rate',
        'momentum',
        'batch',
        'epochs',
        'images train + test',
        'loss images',
        'pairs',
        'grid',
      ],
      rows: convnets.map(surfaceCellsOf),
    },
    text(
      'The activations are sums of branches, each times a coefficient of its own; in the convnets but `convnet/sharing`, one coefficient is for each channel of a convolution where it is for each unit here:',
    ),
    {
      kind: 'table',
      head: ['activation', 'coefficients at the start', 'trained', 'one for each', 'constraint'],
      rows: [...experiments.sharing.activations.values()].map(activationCellsOf),
    },
  ];
}

function cellsOf(
  { name, sizes, learningRate, momentum, decay, batch, dropout, initializer, epochs }: Protocol,
  rate = `${learningRate}`,
): string[] {
  return [
    `\`${name}\``,
    `\`${sizes.join('-')}\``,
    epochs === 0 ? '' : rate,
    `${momentum}`,
    decay === 0 ? '0' : decay.toExponential(),
    `${batch}`,
    `${dropout}`,
    typeof initializer === 'string' ? initializer : `uniform ${initializer.uniform}`,
    epochs === 0 ? unbroken('none: gradients only') : `${epochs}`,
  ];
}

/** The layers but dropout, which differs from protocol to protocol. */
function networkText(layers: readonly ConvnetLayer[]): string {
  return layers.flatMap(layerText).join(', ');
}

function layerText(layer: ConvnetLayer): string[] {
  switch (layer.kind) {
    case 'conv':
      return [`conv ${layer.channels} ${layer.padding}`];
    case 'maxPool':
      return ['pool'];
    case 'dropout':
      return [];
    case 'dense':
      return [`dense ${layer.units}`];
  }
}

function surfaceCellsOf({ name, layers, images, offsets, ...protocol }: SurfaceProtocol): string[] {
  const { learningRate, momentum, batch, epochs, lossImages, pairs } = protocol;
  return [
    `\`${name}\``,
    layers.flatMap((layer) => (layer.kind === 'dropout' ? [`${layer.rate}`] : [])).join(', ') || 'none',
    `${learningRate}`,
    `${momentum}`,
    `${batch}`,
    `${epochs}`,
    unbroken(`${images.train} + ${images.test}`),
    pairs > 0 ? `${lossImages}` : '',
    pairs > 0 ? `${pairs}` : 'none',
    pairs > 0 ? unbroken(`${offsets.length} × ${offsets.length}, ±${offsets.at(-1)}`) : '',
  ];
}

function activationCellsOf({ name, pool, start, trained, maps = 1 }: Activation): string[] {
  const branches = pool.branches.map(nameOf);
  // With D = 1 − P there is one coefficient for two branches.
  const at = start.map((value, k) => `${branches[k]} ${digits(value)}`).join(', ');
  const rows = trained.flatMap((is, k) => (is ? [branches[k]] : []));
  return [
    `\`${name}\``,
    start.length < branches.length ? `${at}, ${branches[1]} 1 − ${branches[0]}` : at,
    rows.length > 0 ? rows.join(', ') : 'none',
    rows.length > 0 && typeof pool.sharing === 'string' ? pool.sharing : '',
    `${pool.constraint.kind}${maps > 1 ? `, as ${maps} feature maps side by side` : ''}`,
  ];
}
