import { DataError } from '../experiments/data/idx.ts';
import { loadMnist } from '../experiments/data/mnist.ts';
import type { MnistProgress, MnistRow } from '../experiments/mnist-run.ts';
import { verification } from '../experiments/protocols.ts';
import type { BackendName, PassedOver } from '../impl/tfjs/backends.ts';
import { pap, relu } from '../reference/activations.ts';
import { loadTfjs } from './subjects.ts';

export interface MnistRequest {
  /** Those that may be taken; the first of them that works is, in the order of speed. */
  readonly backends: readonly BackendName[];
  readonly epochs: number;
  readonly seed: number;
}

export type MnistEvent =
  | { readonly type: 'download'; readonly file: string; readonly received: number; readonly total: number | undefined }
  | {
      readonly type: 'open';
      readonly backend: BackendName;
      readonly version: string;
      readonly passedOver: readonly PassedOver[];
    }
  | { readonly type: 'progress'; readonly note: string; readonly done: number; readonly total: number }
  | { readonly type: 'not run'; readonly reason: string }
  | { readonly type: 'result'; readonly rows: readonly MnistRow[] };

const activations = [relu, pap];

/** Trains the protocol `verification` once with ReLU and once with a PAP on the fastest backend that works. */
export async function trainMnist(request: MnistRequest, tell: (event: MnistEvent) => void): Promise<void> {
  const { epochs, seed } = request;
  let data: Awaited<ReturnType<typeof loadMnist>>;
  try {
    data = await loadMnist({ onProgress: (progress) => tell({ type: 'download', ...progress }) });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return tell({ type: 'not run', reason: error.message });
  }
  const { backend, passedOver } = await openFastest(request.backends);
  tell({ type: 'open', backend: backend.name, version: backend.version, passedOver });
  const onProgress = ({ activation, phase, step, steps, loss }: MnistProgress) => {
    const k = activations.findIndex(({ name }) => name === activation);
    const note = `${activation}, ${phase}${Number.isNaN(loss) ? '' : `, loss ${loss.toFixed(4)}`}`;
    tell({ type: 'progress', note, done: k * steps + step, total: activations.length * steps });
  };
  // Loaded only here: it needs TensorFlow.js, a peer that laws on the reference do without.
  const { runMnist } = await import('../experiments/mnist-run.ts');
  const rows = await runMnist({ backend, protocol: verification, activations, data, seed, epochs, onProgress });
  tell({ type: 'result', rows });
}

async function openFastest(names: readonly BackendName[]) {
  const { backendNames, openAuto } = await loadTfjs();
  return openAuto(backendNames.filter((name) => names.includes(name)));
}
