import pMap from 'p-map';
import type { BackendName } from '../impl/tfjs/backends.ts';
import { message } from './data/idx.ts';
import type { Results } from './results.ts';
import { ResultsError } from './row.ts';
import { hashOf, keyOf, type Trial } from './trial.ts';
import { startWorkers } from './workers.ts';

export interface RunTrialsOptions {
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
 * Runs trials in processes of their own, `workers` at once, and adds the row of each to the results as soon as it is
 * there. A trial that fails does not keep the others from running.
 *
 * @throws ResultsError if a row can't be written: the rest is not run
 */
export async function runTrials(options: RunTrialsOptions): Promise<Failure[]> {
  const { results, backend, workers, onProgress } = options;
  const todo = missing(options.trials, results);
  const processes = startWorkers();
  const failures: Failure[] = [];
  const shares = new Map<Trial, number>();
  let finished = 0;
  const tell = (): void => {
    const underWay = [...shares.values()].reduce((sum, share) => sum + share, 0);
    onProgress?.({ total: todo.length, done: finished + underWay });
  };
  const run = async (trial: Trial): Promise<void> => {
    try {
      const row = await processes.run({ trial, backend }, (share) => {
        shares.set(trial, share);
        tell();
      });
      results.append(row);
    } catch (error) {
      if (error instanceof ResultsError) throw error;
      failures.push({ trial, reason: message(error) });
    }
    shares.delete(trial);
    finished++;
    tell();
  };
  try {
    await pMap(todo, run, { concurrency: workers });
  } finally {
    processes.stop();
  }
  return failures;
}
