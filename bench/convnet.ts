import { farthest, noiseImages, trainConvnet } from '../experiments/convnet.ts';
import { twoConvolutions } from '../experiments/convnet-protocol.ts';
import { loadMnist } from '../experiments/data/mnist.ts';
import type { OpenBackend } from '../impl/tfjs/backends.ts';

/** Loss curves of one convnet, the largest relative differences from that of cpu. */
export interface ConvnetFigures {
  readonly images: 'MNIST' | 'noise';
  readonly batch: number;
  readonly steps: number;
  /** Of each other backend. */
  readonly differences: Readonly<Record<string, number>>;
  /** Of cpu itself, when each gradient is the mean of those of two halves of the batch. */
  readonly spread: number;
}

/** Images are MNIST's if `POOLPROOF_DATA` says where they are. `backends` has cpu in it. */
export async function measureConvnet(backends: readonly OpenBackend[]): Promise<ConvnetFigures> {
  const [side, batch, steps] = [28, 2, 12];
  const local = process.env.POOLPROOF_DATA;
  const data = local ? (await loadMnist({ local })).train : noiseImages(batch * steps, side * side);
  const curve = async (backend: OpenBackend, parts: number): Promise<readonly number[]> => {
    backend.use();
    return (await trainConvnet(twoConvolutions(side, batch), data, { seed: 1, steps, parts })).losses;
  };
  const cpu = backends.find(({ name }) => name === 'cpu')!;
  const expected = await curve(cpu, 1);
  const differences: Record<string, number> = {};
  for (const backend of backends) {
    if (backend !== cpu) differences[backend.name] = farthest(await curve(backend, 1), expected);
  }
  const spread = farthest(await curve(cpu, 2), expected);
  return { images: local ? 'MNIST' : 'noise', batch, steps, differences, spread };
}
