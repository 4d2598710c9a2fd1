import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import { message } from './idx.ts';
import { type EpochRow, keyOf, type TrialRow } from './trial.ts';

/** A file of results that is not what it should be, is in use, or can't be written; the message names it. */
export class ResultsError extends Error {
  override readonly name = 'ResultsError';
}

/** The rows of a file, and of how many bytes the end was cut off: a line that was never finished. */
export interface ResultsFile {
  readonly rows: readonly TrialRow[];
  readonly unfinished: number;
}

/** A results file that this process alone writes. */
export interface Results extends ResultsFile {
  /** Adds a row: on the disk when it returns, whole or not at all. @throws ResultsError */
  append(row: TrialRow): void;
  close(): Promise<void>;
}

/**
 * The rows of a file of newline-delimited JSON; none if there is no file. A last line without an end is one that a
 * process died in: its trial never came to an end, and is left out. Any other damage is refused.
 *
 * @throws ResultsError naming the line, what was expected and what is there
 */
export function readResults(path: string): ResultsFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { rows: [], unfinished: 0 };
    throw new ResultsError(`${path}: could not be read: ${message(error)}`, { cause: error });
  }
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const seen = new Map<string, number>();
  const rows = lines.map((line, i) => {
    const row = parseRow(`${path}, line ${i + 1}`, line);
    const before = seen.get(keyOf(row));
    if (before !== undefined) throw new ResultsError(`${path}, line ${i + 1}: the same trial as line ${before}`);
    seen.set(keyOf(row), i + 1);
    return row;
  });
  return { rows, unfinished: Buffer.byteLength(last) };
}

/**
 * Opens a results file for this process alone, and cuts off an unfinished last line.
 *
 * @throws ResultsError if it is damaged, can't be written, or another process has it
 */
export async function openResults(path: string): Promise<Results> {
  let lost: string | undefined;
  let release: () => Promise<void>;
  try {
    mkdirSync(dirname(path), { recursive: true });
    release = await lockfile.lock(path, {
      realpath: false,
      // The lock of a process that was killed goes stale after 10 s: as long is waited.
      stale: 10_000,
      retries: { retries: 6, factor: 1, minTimeout: 2000, maxTimeout: 2000 },
      onCompromised: (error) => {
        lost = error.message;
      },
    });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ELOCKED' ? 'another process is writing it' : message(error);
    throw new ResultsError(`${path}: could not be locked: ${why}`, { cause: error });
  }
  try {
    const { rows, unfinished } = readResults(path);
    const file = openSync(path, 'a');
    let size = fstatSync(file).size - unfinished;
    if (unfinished > 0) ftruncateSync(file, size);
    return {
      rows,
      unfinished,
      append(row) {
        if (lost !== undefined) throw new ResultsError(`${path}: the lock was lost: ${lost}`);
        const line = Buffer.from(`${JSON.stringify(row)}\n`);
        try {
          writeFileSync(file, line);
          fsyncSync(file);
        } catch (error) {
          ftruncateSync(file, size);
          throw new ResultsError(`${path}: could not be written: ${message(error)}`, { cause: error });
        }
        size += line.length;
      },
      async close() {
        closeSync(file);
        await release();
      },
    };
  } catch (error) {
    await release();
    if (error instanceof ResultsError) throw error;
    throw new ResultsError(`${path}: could not be opened: ${message(error)}`, { cause: error });
  }
}

function parseRow(where: string, line: string): TrialRow {
  let row: TrialRow;
  try {
    row = JSON.parse(line);
  } catch {
    throw new ResultsError(`${where}: expected JSON, got ${JSON.stringify(line.slice(0, 60))}`);
  }
  const expected: Record<string, (value: unknown) => boolean> = {
    protocol: isText,
    hash: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
    activation: isText,
    seed: Number.isSafeInteger,
    backend: isText,
    seconds: isNumber,
    epochs: (value) => Array.isArray(value) && value.length > 0 && value.every(isEpoch),
    stepMs: isNumber,
    gradients: (value) => Array.isArray(value) && value.every(isNumber),
    coefficients: Array.isArray,
  };
  for (const [field, isRight] of Object.entries(expected)) {
    const value = (row as unknown as Record<string, unknown> | null)?.[field];
    if (!isRight(value))
      throw new ResultsError(`${where}: "${field}" is not what a trial has: ${JSON.stringify(value)}`);
  }
  return row;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

function isEpoch(value: unknown): boolean {
  const { loss, accuracy, trainLoss } = (value ?? {}) as Partial<Record<keyof EpochRow, unknown>>;
  return [loss, trainLoss].every((each) => each === null || isNumber(each)) && isNumber(accuracy);
}
