import { farthest, noiseImages, trainConvnet } from '../experiments/convnet.ts';
import { loadMnist } from '../experiments/mnist.ts';
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
  const options = { side: 28, batch: 2, steps: 12, seed: 1 };
  const { batch, steps, side } = options;
  const local = process.env.POOLPROOF_DATA;
  const data = local ? (await loadMnist({ local })).train : noiseImages(batch * steps, side * side);
  const curve = (backend: OpenBackend, parts: number): Promise<number[]> => {
    backend.use();
    return trainConvnet(data, { ...options, parts });
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
