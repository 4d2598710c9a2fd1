import { join } from 'node:path';
import { download, writeWhole } from './download.ts';
import { DataError, type IdxFile, message, readIdx, sizeInBytes, unpack } from './idx.ts';
import {
  cacheFolder,
  firstSource,
  localFolder,
  readIfThere,
  type SourceOptions,
  type TrainAndTest,
} from './sources.ts';

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

export interface MnistOptions extends SourceOptions {
  readonly files?: MnistFiles;
}

/**
 * MNIST's training and test images, from the local folder if there is one, else from the cache, else downloaded into it.
 * Every file is checked, magic number, axes, length and sha256, whenever it is read; what a download brings is kept only
 * if it is right, and a damaged file in the cache is fetched again.
 *
 * @throws DataError naming the file, and what was expected and got, or why no source had it
 */
export async function loadMnist(options: MnistOptions = {}): Promise<TrainAndTest> {
  const { trainImages, trainLabels, testImages, testLabels } = options.files ?? mnistFiles;
  // One after the other, so that without a network the first failure is the only one waited for.
  const train = { images: await load(trainImages, options), labels: await load(trainLabels, options) };
  const test = { images: await load(testImages, options), labels: await load(testLabels, options) };
  return { train, test };
}

async function load(file: IdxFile, options: MnistOptions): Promise<Uint8Array> {
  const local = localFolder(options);
  if (local) return fromFolder(file, join(local, 'mnist'));
  const path = join(options.cache ?? cacheFolder(), 'mnist', file.name);
  const cached = await readIfThere(path, largestPacked(file));
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
    const bytes = await readIfThere(path, largestPacked(file));
    if (!bytes) continue;
    try {
      return readIdx(file, unpack(file.name, bytes, sizeInBytes(file)));
    } catch (error) {
      throw new DataError(`${path}: ${message(error)}`, { cause: error });
    }
  }
  throw new DataError(`${file.name}: expected in ${folder}, unpacked or with .gz, got no such file`);
}

async function fromSources(file: IdxFile, path: string, options: MnistOptions): Promise<Uint8Array> {
  const { sources = mirrors, idle = 10_000, onProgress } = options;
  return firstSource(file.name, 'mnist', sources, async (source) => {
    const packed = await download(`${source}/${file.name}.gz`, idle, (received, total) =>
      onProgress?.({ file: file.name, received, total }),
    );
    const bytes = unpack(file.name, packed, sizeInBytes(file));
    const values = readIdx(file, bytes);
    await writeWhole(path, bytes);
    return values;
  });
}

/** The most that is read of a file: more than the right size, since gzip may add some. */
function largestPacked(file: IdxFile): number {
  return 2 * sizeInBytes(file) + 1024;
}
