import { type ChildProcess, fork } from 'node:child_process';
import type { BackendName } from '../impl/tfjs/backends.ts';
import type { Row, Trial } from './trial.ts';

export interface ToWorker {
  readonly trial: Trial;
  readonly backend: BackendName | 'auto';
}

export type FromWorker =
  | { readonly type: 'progress'; readonly share: number }
  | { readonly type: 'row'; readonly row: Row }
  | { readonly type: 'threw'; readonly message: string };

/** Processes that are started when they are needed, kept for the next trial, and replaced when they die. */
export interface Workers {
  /** One trial in a process that has no other. @throws Error saying what it threw, or how the process died */
  run(question: ToWorker, onProgress: (share: number) => void): Promise<Row>;
  /** Ends all processes, also those in the middle of a trial. */
  stop(): void;
}

/** What TensorFlow reads when it is loaded. */
const threadVariables = ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'OMP_NUM_THREADS'];

/** Processes of so many threads each: with one, as many trials as cores side by side (docs/benchmarks.md says how fast). */
export function startWorkers(threads = 1): Workers {
  const env = { ...process.env, ...Object.fromEntries(threadVariables.map((name) => [name, `${threads}`])) };
  const alive = new Set<ChildProcess>();
  const idle: ChildProcess[] = [];
  const stop = (): void => {
    for (const child of alive) child.kill('SIGKILL');
  };
  process.on('exit', stop);
  const start = (): ChildProcess => {
    const child = fork(new URL('./worker.js', import.meta.url), { env });
    alive.add(child);
    child.once('exit', () => {
      alive.delete(child);
      const at = idle.indexOf(child);
      if (at >= 0) idle.splice(at, 1);
    });
    return child;
  };
  return {
    run: (question, onProgress) =>
      new Promise((resolve, reject) => {
        const child = idle.pop() ?? start();
        const done = (end: () => void): void => {
          child.removeAllListeners('message');
          child.off('exit', died);
          child.off('error', reject);
          if (child.connected) idle.push(child);
          end();
        };
        const died = (code: number | null, signal: string | null): void =>
          done(() => reject(new Error(`its process ended ${signal ? `by ${signal}` : `with code ${code}`}`)));
        child.on('message', (message: FromWorker) => {
          if (message.type === 'progress') onProgress(message.share);
          else if (message.type === 'row') done(() => resolve(message.row));
          else done(() => reject(new Error(message.message)));
        });
        child.on('exit', died);
        child.on('error', reject);
        child.send(question);
      }),
    stop() {
      process.off('exit', stop);
      stop();
    },
  };
}
