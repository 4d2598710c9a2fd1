/** The process in which trials run, one after the other; started by `run.ts`. */
import workerpool from 'workerpool';
import { type BackendName, type OpenBackend, openAuto, openBackend } from '../impl/tfjs/backends.ts';
import { loadMnist, type Mnist } from './mnist.ts';
import { runTrial } from './run-trial.ts';
import type { Trial, TrialRow } from './trial.ts';

/** Told between two trials, at most so often, in milliseconds. */
const interval = 250;

let opened: { backend: OpenBackend; data: Mnist } | undefined;

async function trial(trial: Trial, backend: BackendName | 'auto'): Promise<TrialRow> {
  opened ??= {
    backend: backend === 'auto' ? (await openAuto()).backend : await openBackend(backend),
    data: await loadMnist(),
  };
  let told = 0;
  return runTrial(trial, opened.backend, opened.data, ({ step, steps }) => {
    const now = performance.now();
    if (now - told < interval) return;
    told = now;
    workerpool.workerEmit({ done: step / steps });
  });
}

workerpool.worker({ trial });
