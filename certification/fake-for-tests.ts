import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Case } from '../reference/case.ts';
import type { Capabilities } from './wire.ts';

/** How the subject of `subject-for-tests.mjs` behaves. */
export interface Behaviour {
  /** Answers rightly, instead of in the right form only. */
  readonly honest?: boolean;
  /** PID in it stands for that of the process. */
  readonly name?: string;
  readonly capabilities?: Partial<Capabilities>;
  /** What it does instead of a reply to the lines that hold `at`, and what it needs for it. */
  readonly does?:
    | 'exit'
    | 'kill'
    | 'hang'
    | 'say'
    | 'bytes'
    | 'long'
    | 'nest'
    | 'flood'
    | 'floodStderr'
    | 'stderr'
    | 'child'
    | 'remember'
    | 'together'
    | 'deaf';
  readonly with?: unknown;
  /** Every request to run, unless given. */
  readonly at?: string;
  /** How a line ends. */
  readonly end?: string;
  /** Writes character by character. */
  readonly pieces?: boolean;
  /** Collects as many requests, then replies in this order. */
  readonly order?: readonly number[];
}

const path = fileURLToPath(new URL('./subject-for-tests.mjs', import.meta.url));

/** The command that starts it. */
export function fake(behaviour: Behaviour = {}): [string, ...string[]] {
  return [process.execPath, path, JSON.stringify(behaviour)];
}

/** A Case of the elements `x`. */
export function caseWith(...x: readonly number[]): Case {
  return {
    dtype: 'f32',
    pool: { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'free' } },
    shape: [1, x.length],
    x: Float64Array.from(x),
    alpha: Float64Array.of(1, 0.5),
    dy: Float64Array.from(x, () => 1),
  };
}

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
export function isAlive(pid: number): boolean {
  return /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim());
}
