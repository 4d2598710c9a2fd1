import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import { message } from './data/idx.ts';
import { parseRow, ResultsError } from './row.ts';
import { keyOf, type Row } from './trial.ts';

/** The rows of a file, and of how many bytes the end was cut off: a line that was never finished. */
export interface ResultsFile {
  readonly rows: readonly Row[];
  readonly unfinished: number;
}

/** A results file that this process alone writes. */
export interface Results extends ResultsFile {
  /** Adds a row: on the disk when it returns, whole or not at all. @throws ResultsError */
  append(row: Row): void;
  close(): Promise<void>;
}

/**
 * The rows of a file of newline-delimited JSON; none if there is no file. A last line that is no JSON
 * and has no end is one that a process died in: its trial never came to an end, and is left out. Any other damage is refused.
 *
 * @throws ResultsError naming the line, what was expected and what is there
 */
export function readResults(path: string): ResultsFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { rows: [], unfinished: 0 };
    throw new ResultsError(`${path}: could not be read: ${message(error)}`, { cause: error });
  }
  const end = endOf(bytes);
  const lines = end === 0 ? [] : bytes.toString('utf8', 0, end).replace(/\n$/, '').split('\n');
  const seen = new Map<string, number>();
  const rows = lines.map((line, i) => {
    const row = parseRow(`${path}, line ${i + 1}`, line);
    const before = seen.get(keyOf(row));
    if (before !== undefined) throw new ResultsError(`${path}, line ${i + 1}: the same trial as line ${before}`);
    seen.set(keyOf(row), i + 1);
    return row;
  });
  return { rows, unfinished: bytes.length - end };
}

/** Where the last whole row ends. Of bytes, since a line may be cut within a character. */
function endOf(bytes: Buffer): number {
  const end = bytes.lastIndexOf('\n') + 1;
  try {
    // An editor may leave out the last newline; no part of a row but the whole is JSON.
    JSON.parse(bytes.toString('utf8', end));
    return bytes.length;
  } catch {
    return end;
  }
}

/** The lock of a process that was killed is taken over after so many milliseconds. */
const stale = 5000;

/**
 * Opens a results file for this process alone, and cuts off an unfinished last line.
 *
 * @throws ResultsError if it is damaged, can't be written, or another process has it for `patience` milliseconds
 */
export async function openResults(path: string, patience: number = stale + 2000): Promise<Results> {
  let lost: string | undefined;
  let release: () => Promise<void>;
  try {
    mkdirSync(dirname(path), { recursive: true });
    release = await lockfile.lock(path, {
      realpath: false,
      stale,
      retries: { retries: Math.ceil(patience / 1000), factor: 1, minTimeout: 1000, maxTimeout: 1000 },
      onCompromised: (error) => {
        lost = error.message;
      },
    });
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ELOCKED'
        ? 'another process is writing it: wait for its end, or give another folder with --results'
        : message(error);
    throw new ResultsError(`${path}: could not be locked: ${why}`, { cause: error });
  }
  try {
    const { rows, unfinished } = readResults(path);
    const file = openSync(path, 'a');
    let size = fstatSync(file).size - unfinished;
    if (unfinished > 0) ftruncateSync(file, size);
    if (rows.length > 0 && readFileSync(path).at(-1) !== newline) size += writeSync(file, '\n');
    return {
      rows,
      unfinished,
      append(row) {
        if (lost !== undefined) throw new ResultsError(`${path}: the lock was lost: ${lost}`);
        const line = Buffer.from(`${JSON.stringify(row)}\n`);
        const before = fstatSync(file).size;
        // Whoever stands still for as long as a lock lasts learns of its loss only after a while.
        if (before !== size && readResults(path).rows.some((other) => keyOf(other) === keyOf(row))) {
          throw new ResultsError(`${path}: another process has added the same trial: its lock was taken for stale`);
        }
        try {
          writeFileSync(file, line);
          fsyncSync(file);
        } catch (error) {
          ftruncateSync(file, before);
          throw new ResultsError(`${path}: could not be written: ${message(error)}`, { cause: error });
        }
        size = before + line.length;
      },
      async close() {
        closeSync(file);
        // A lock that was lost can't be released, and `append` has said so.
        await release().catch(() => {});
      },
    };
  } catch (error) {
    await release();
    if (error instanceof ResultsError) throw error;
    throw new ResultsError(`${path}: could not be opened: ${message(error)}`, { cause: error });
  }
}

const newline = '\n'.charCodeAt(0);
