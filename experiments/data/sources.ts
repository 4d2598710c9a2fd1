import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../../reference/batches.ts';
import type { Progress } from './download.ts';
import { DataError, message } from './idx.ts';

/** A data set as it is published: images to train on, and others to test with. */
export interface TrainAndTest {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** Where a data set comes from: the local folder if there is one, else the cache, else mirrors. */
export interface SourceOptions {
  /** A folder with the data set's own in it, used instead of any download; default: `POOLPROOF_DATA`. */
  readonly local?: string | undefined;
  /** Where downloads are kept; default: `cacheFolder()`. */
  readonly cache?: string;
  /** Addresses without the file's name, tried in this order; default: public mirrors. */
  readonly sources?: readonly string[];
  /** Milliseconds without a byte after which a source is given up. */
  readonly idle?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** The folder that is used instead of any download, if there is one. */
export function localFolder(options: SourceOptions): string | undefined {
  return 'local' in options ? options.local : process.env.POOLPROOF_DATA;
}

/** `$XDG_CACHE_HOME/poolproof`, else what the platform has for caches. */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'poolproof');
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'poolproof', 'Cache');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'poolproof');
  return join(homedir(), '.cache', 'poolproof');
}

/**
 * What the first source gives that can.
 *
 * @throws DataError with the reason of every source, and the way out: the folder `folder` in `POOLPROOF_DATA`
 */
export async function firstSource<T>(
  file: string,
  folder: string,
  sources: readonly string[],
  get: (source: string) => Promise<T>,
): Promise<T> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      return await get(source);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      reasons.push(error.message.startsWith(source) ? error.message : `${source}: ${error.message}`);
    }
  }
  throw new DataError(
    `${file}: not to be had from ${sources.length} sources; POOLPROOF_DATA may name a folder with ${folder}/ in it\n  ${reasons.join('\n  ')}`,
  );
}

/**
 * The size of a file in bytes, `undefined` if there is none.
 *
 * @throws DataError for what is no file: a pipe would never end
 */
export async function sizeIfThere(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('a regular file expected, got another kind');
    return found.size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

/**
 * A file's bytes, `undefined` if there is none.
 *
 * @throws DataError for what cannot be read, is no file, or has more than `largest` bytes: it might fill the memory
 */
export async function readIfThere(path: string, largest: number): Promise<Buffer | undefined> {
  const size = await sizeIfThere(path);
  if (size === undefined) return undefined;
  if (size > largest) throw unreadable(path, `at most ${largest} bytes expected, got ${size}`);
  return readFile(path).catch((error) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: unknown): DataError {
  return new DataError(`${path}: could not be read: ${message(error)}`, { cause: error });
}
