import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import type { BackendName } from '../impl/tfjs/backends.ts';
import { message } from './idx.ts';
import type { Results } from './results.ts';
import { hashOf, keyOf, type Row, type Trial } from './trial.ts';

export interface RunOptions {
  readonly trials: readonly Trial[];
  /** Where rows are added; trials that it has are not run again. */
  readonly results: Results;
  readonly backend: BackendName | 'auto';
  /** Processes that run trials, each on one core. */
  readonly workers: number;
  readonly onProgress?: (progress: RunProgress) => void;
}

export interface RunProgress {
  /** Trials that this run is to do, and how much of them is done; those under way count by their share. */
  readonly total: number;
  readonly done: number;
  readonly last: Row | undefined;
}

/** A trial that did not end: what it threw, or how its process died. */
export interface Failure {
  readonly trial: Trial;
  readonly reason: string;
}

/** The trials that `results` has no row of, in their order. */
export function missing(trials: readonly Trial[], { rows }: Pick<Results, 'rows'>): Trial[] {
  const there = new Set(rows.map(keyOf));
  return trials.filter(({ protocol, seed }) => !there.has(keyOf({ hash: hashOf(protocol), seed })));
}

/**
 * Runs trials in processes of their own, and adds the row of each to the results as soon as it is there.
 *
 * One thread a process: trials side by side take half the time of trials one after the other on all cores.
 *
 * @throws ResultsError if a row can't be written: the rest is not run
 */
export async function runTrials({ trials, results, backend, workers, onProgress }: RunOptions): Promise<Failure[]> {
  const todo = missing(trials, results);
  const one = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', OMP_NUM_THREADS: '1' };
  const pool = workerpool.pool(fileURLToPath(new URL('./worker.js', import.meta.url)), {
    workerType: 'process',
    maxWorkers: workers,
    forkOpts: { env: { ...process.env, ...one } },
  });
  const failures: Failure[] = [];
  const shares = new Map<Trial, number>();
  let finished = 0;
  const tell = (last?: Row): void => {
    const underWay = [...shares.values()].reduce((sum, share) => sum + share, 0);
    onProgress?.({ total: todo.length, done: finished + underWay, last });
  };
  const run = async (trial: Trial): Promise<void> => {
    let row: Row | undefined;
    try {
      row = await pool.exec('trial', [trial, backend], {
        on: ({ done }: { done: number }) => {
          shares.set(trial, done);
          tell();
        },
      });
    } catch (error) {
      failures.push({ trial, reason: message(error) });
    }
    shares.delete(trial);
    finished++;
    if (row) results.append(row);
    tell(row);
  };
  try {
    await Promise.all(todo.map(run));
  } finally {
    await pool.terminate(true);
  }
  return failures;
}
