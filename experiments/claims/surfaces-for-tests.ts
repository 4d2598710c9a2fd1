import type { MeasuredSurface } from './claim.ts';

const weight = { layer: 'conv1', index: 0, norm: 1 };

/** A surface of a network that has learned, on `convnet` with seed 1, with these measures. */
export function surface(
  activation: string,
  pair: number,
  anisotropy: number,
  depth: number = anisotropy,
): MeasuredSurface {
  return {
    protocol: 'convnet',
    activation,
    seed: 1,
    learned: true,
    pair,
    weights: [weight, weight],
    offsets: [-1, 0, 1],
    losses: [
      [2, 1, 2],
      [1, 0, 1],
      [2, 1, 2],
    ],
    measures: { anisotropy, roughness: 1, depth },
  };
}
