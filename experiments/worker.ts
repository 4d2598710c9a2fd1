/** The process in which trials run, one after the other; started by `workers.ts`. */
import { type BackendName, type OpenBackend, openAuto, openBackend } from '../impl/tfjs/backends.ts';
import { loadCifar10First4000 } from './data/cifar10.ts';
import { loadMnist } from './data/mnist.ts';
import { runGradients, runTrial } from './run-trial.ts';
import { runSurfaces } from './surfaces.ts';
import type { Row, Trial } from './trial.ts';
import type { FromWorker, ToWorker } from './workers.ts';

/** Progress is told at most so often, in milliseconds. */
const interval = 250;

/** Opened and loaded when first asked for, and kept. */
let opened: Promise<OpenBackend> | undefined;
let mnist: ReturnType<typeof loadMnist> | undefined;
let cifar: ReturnType<typeof loadCifar10First4000> | undefined;

async function run({ protocol, seed }: Trial, name: BackendName | 'auto', tell: (share: number) => void): Promise<Row> {
  if (protocol.epochs === 0 && !('pairs' in protocol)) {
    mnist ??= loadMnist();
    return runGradients({ protocol, seed }, await mnist);
  }
  opened ??= name === 'auto' ? openAuto().then(({ backend }) => backend) : openBackend(name);
  const backend = await opened;
  if ('pairs' in protocol) {
    cifar ??= loadCifar10First4000();
    return runSurfaces({ protocol, seed }, backend, await cifar, tell);
  }
  mnist ??= loadMnist();
  return runTrial({ protocol, seed }, backend, await mnist, ({ step, steps }) => tell(step / steps));
}

const send = (message: FromWorker): void => {
  if (process.connected) process.send?.(message);
};

// Ctrl-C goes to the whole group; it is the parent that ends this process.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());

process.on('message', async ({ trial, backend }: ToWorker) => {
  let told = 0;
  try {
    const row = await run(trial, backend, (share) => {
      const now = performance.now();
      if (now - told < interval) return;
      told = now;
      send({ type: 'progress', share });
    });
    send({ type: 'row', row });
  } catch (error) {
    send({ type: 'threw', message: error instanceof Error ? error.message : String(error) });
  }
});
