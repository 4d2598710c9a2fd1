/** The process in which trials run, one after the other; started by `run.ts`. */
import workerpool from 'workerpool';
import { type BackendName, type OpenBackend, openAuto, openBackend } from '../impl/tfjs/backends.ts';
import { loadCifar10First4000 } from './cifar10.ts';
import { loadMnist } from './mnist.ts';
import { runTrial } from './run-trial.ts';
import { runSurfaces } from './surfaces.ts';
import type { Row, Trial } from './trial.ts';

/** Progress is told at most so often, in milliseconds. */
const interval = 250;

/** Opened and loaded when first asked for, and kept. */
let opened: Promise<OpenBackend> | undefined;
let mnist: ReturnType<typeof loadMnist> | undefined;
let cifar: ReturnType<typeof loadCifar10First4000> | undefined;

async function trial({ protocol, seed }: Trial, name: BackendName | 'auto'): Promise<Row> {
  opened ??= name === 'auto' ? openAuto().then(({ backend }) => backend) : openBackend(name);
  const backend = await opened;
  let told = 0;
  const tell = (done: number): void => {
    const now = performance.now();
    if (now - told < interval) return;
    told = now;
    workerpool.workerEmit({ done });
  };
  if ('pairs' in protocol) {
    cifar ??= loadCifar10First4000();
    return runSurfaces({ protocol, seed }, backend, await cifar, tell);
  }
  mnist ??= loadMnist();
  return runTrial({ protocol, seed }, backend, await mnist, ({ step, steps }) => tell(step / steps));
}

workerpool.worker({ trial });
