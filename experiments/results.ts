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
import { namesOf } from './registry.ts';
import {
  type EpochRow,
  keyOf,
  type LayerCoefficients,
  quantileLevels,
  type Row,
  type Surface,
  type SweptWeight,
} from './trial.ts';

/** A file of results that is not what it should be, is in use, or can't be written; the message names it. */
export class ResultsError extends Error {
  override readonly name = 'ResultsError';
}

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

const newline = '\n'.charCodeAt(0);

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
/** Null where it was not finite. */
const isNumberOrNull: Check = (value) => value === null || isNumber(value);
/** What can't be below 0. */
const isSize: Check = (value) => isNumber(value) && (value as number) >= 0;
const isShare: Check = (value) => isSize(value) && (value as number) <= 1;
/** A loss; null where it was not finite. */
const isLoss: Check = (value) => value === null || isSize(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** What the fields of every row hold. */
const common: Readonly<Record<string, Check>> = {
  protocol: isText,
  hash: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
  activation: isText,
  seed: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  backend: isText,
  seconds: isSize,
};

/** Those of a network that is not trained. */
const start: Readonly<Record<string, Check>> = { gradients: listOf(isSize) };

/** Those of a training. */
const training: Readonly<Record<string, Check>> = {
  ...start,
  epochs: (value) => listOf(isEpoch)(value) && (value as unknown[]).length > 0,
  stepMs: isSize,
  coefficients: listOf(isLayer),
};

/** Those of the surfaces around a trained network. */
const surfaces: Readonly<Record<string, Check>> = {
  test: (value) => {
    const { loss, accuracy } = (value ?? {}) as { loss?: unknown; accuracy?: unknown };
    return isLoss(loss) && isShare(accuracy);
  },
  offsets: listOf(isNumber),
  surfaces: listOf((value) => {
    const { weights, losses } = (value ?? {}) as Partial<Surface>;
    return Array.isArray(weights) && weights.length === 2 && weights.every(isWeight) && listOf(listOf(isLoss))(losses);
  }),
};

function isWeight(value: unknown): boolean {
  const { layer, index, norm } = (value ?? {}) as Partial<Record<keyof SweptWeight, unknown>>;
  return isText(layer) && Number.isSafeInteger(index) && isSize(norm);
}

function isLayer(value: unknown): boolean {
  const { quantiles, off } = (value ?? {}) as Partial<Record<keyof LayerCoefficients, unknown>>;
  if (typeof quantiles !== 'object' || quantiles === null || !('sum' in quantiles)) return false;
  return (
    isShare(off) &&
    Object.values(quantiles).every(
      (of) => listOf(isNumberOrNull)(of) && (of as number[]).length === quantileLevels.length,
    )
  );
}

function isEpoch(value: unknown): boolean {
  const { loss, accuracy, trainLoss } = (value ?? {}) as Partial<Record<keyof EpochRow, unknown>>;
  return isLoss(loss) && isLoss(trainLoss) && isShare(accuracy);
}

function parseRow(where: string, line: string): Row {
  let row: Row;
  try {
    row = JSON.parse(line);
  } catch {
    throw new ResultsError(`${where}: expected JSON, got ${JSON.stringify(line.slice(0, 60))}`);
  }
  if (typeof row !== 'object' || row === null)
    throw new ResultsError(`${where}: expected an object, got ${line.slice(0, 60)}`);
  // What a row is of is told by the one field that no other has.
  const own = 'surfaces' in row ? surfaces : 'epochs' in row || 'stepMs' in row ? training : start;
  for (const [field, isRight] of Object.entries({ ...common, ...own })) {
    const value = row[field as keyof Row] as unknown;
    if (!isRight(value)) {
      throw new ResultsError(`${where}: "${field}" is not what a row has: ${JSON.stringify(value)?.slice(0, 60)}`);
    }
  }
  if ('surfaces' in row) {
    const sides = row.surfaces.flatMap(({ losses }) => [losses.length, ...losses.map(({ length }) => length)]);
    const k = row.offsets.length;
    if (sides.some((side) => side !== k)) {
      throw new ResultsError(`${where}: "surfaces" expected ${k} by ${k} losses each, as many as offsets`);
    }
  }
  const names = namesOf(row.hash);
  for (const field of ['protocol', 'activation'] as const) {
    if (names !== undefined && row[field] !== names[field]) {
      throw new ResultsError(`${where}: "${field}" expected ${names[field]}, as its hash says, got ${row[field]}`);
    }
  }
  return row;
}
