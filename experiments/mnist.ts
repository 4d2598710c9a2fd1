import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../reference/batches.ts';
import { download, type Progress, writeWhole } from './download.ts';
import { DataError, type IdxFile, message, readIdx, sizeInBytes, unpack } from './idx.ts';

/** The four files of a data set of images. */
export interface MnistFiles {
  readonly trainImages: IdxFile;
  readonly trainLabels: IdxFile;
  readonly testImages: IdxFile;
  readonly testLabels: IdxFile;
}

/** MNIST, LeCun, Cortes and Burges. */
export const mnistFiles: MnistFiles = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    shape: [60000, 28, 28],
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    shape: [60000],
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    shape: [10000, 28, 28],
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    shape: [10000],
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
};

/** Public mirrors, tried in this order; each has the four files under their names, with `.gz`. */
const mirrors: readonly string[] = [
  'https://ossci-datasets.s3.amazonaws.com/mnist',
  'https://storage.googleapis.com/cvdf-datasets/mnist',
];

export interface MnistOptions {
  /** A folder with `mnist/` in it, used instead of any download; default: the environment's `POOLPROOF_DATA`. */
  readonly local?: string | undefined;
  /** Where downloads are kept; default: `cacheFolder()`. */
  readonly cache?: string;
  readonly sources?: readonly string[];
  readonly files?: MnistFiles;
  /** Milliseconds without a byte after which a source is given up. */
  readonly idle?: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Mnist {
  readonly train: Dataset;
  readonly test: Dataset;
}

/**
 * MNIST's training and test images, from the local folder if there is one, else from the cache, else downloaded into it.
 * Every file is checked, magic number, axes, length and sha256, whenever it is read; what a download brings is kept only
 * if it is right, and a damaged file in the cache is fetched again.
 *
 * @throws DataError naming the file, and what was expected and got, or why no source had it
 */
export async function loadMnist(options: MnistOptions = {}): Promise<Mnist> {
  const { trainImages, trainLabels, testImages, testLabels } = options.files ?? mnistFiles;
  // One after the other, so that without a network the first failure is the only one waited for.
  const train = { images: await load(trainImages, options), labels: await load(trainLabels, options) };
  const test = { images: await load(testImages, options), labels: await load(testLabels, options) };
  return { train, test };
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

async function load(file: IdxFile, options: MnistOptions): Promise<Uint8Array> {
  const local = 'local' in options ? options.local : process.env.POOLPROOF_DATA;
  if (local) return fromFolder(file, join(local, 'mnist'));
  const path = join(options.cache ?? cacheFolder(), 'mnist', file.name);
  const cached = await readIfThere(file, path);
  if (cached) {
    try {
      return readIdx(file, cached);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  }
  return fromSources(file, path, options);
}

async function fromFolder(file: IdxFile, folder: string): Promise<Uint8Array> {
  for (const path of [join(folder, file.name), join(folder, `${file.name}.gz`)]) {
    const bytes = await readIfThere(file, path);
    if (!bytes) continue;
    try {
      return readIdx(file, unpack(file, bytes));
    } catch (error) {
      throw new DataError(`${path}: ${message(error)}`, { cause: error });
    }
  }
  throw new DataError(`${file.name}: expected in ${folder}, unpacked or with .gz, got no such file`);
}

async function fromSources(file: IdxFile, path: string, options: MnistOptions): Promise<Uint8Array> {
  const { sources = mirrors, idle = 10_000, onProgress } = options;
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      const packed = await download(`${source}/${file.name}.gz`, idle, (received, total) =>
        onProgress?.({ file: file.name, received, total }),
      );
      const bytes = unpack(file, packed);
      const values = readIdx(file, bytes);
      await writeWhole(path, bytes);
      return values;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      reasons.push(error.message.startsWith(source) ? error.message : `${source}: ${error.message}`);
    }
  }
  throw new DataError(
    `${file.name}: not to be had from ${sources.length} sources; POOLPROOF_DATA may name a folder with mnist/ in it\n  ${reasons.join('\n  ')}`,
  );
}

async function readIfThere(file: IdxFile, path: string): Promise<Buffer | undefined> {
  // Asked first: a pipe would never end, a huge file fill the memory. More than the right size, since gzip may add some.
  const largest = 2 * sizeInBytes(file) + 1024;
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('a regular file expected, got another kind');
    if (found.size > largest) throw new Error(`at most ${largest} bytes expected, got ${found.size}`);
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DataError(`${path}: could not be read: ${message(error)}`, { cause: error });
  }
}
