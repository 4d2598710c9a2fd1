import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Dataset } from '../../reference/batches.ts';
import { DataError, message, unpack } from './idx.ts';
import { downloadResumably, type KnownFile, sha256Of } from './resume.ts';
import {
  cacheFolder,
  firstSource,
  localFolder,
  readIfThere,
  type SourceOptions,
  sizeIfThere,
  type TrainAndTest,
} from './sources.ts';
import { readMembers } from './tar.ts';

/** Pixels of a channel. */
const plane = 32 * 32;
const pixels = 3 * plane;
/** A label, then the planes of red, green and blue, row by row. */
const recordSize = 1 + pixels;

/** A file of records, or the first records of one. */
export interface RecordFile {
  readonly name: string;
  readonly records: number;
  /** As many as the file has, if it has more. */
  readonly of?: number;
  /** Of the records, lower-case hex. */
  readonly sha256: string;
}

export interface Cifar10Files {
  /** A `.tar.gz` with the files in the folder `cifar-10-batches-bin`. */
  readonly archive: KnownFile;
  readonly train: readonly RecordFile[];
  readonly test: RecordFile;
  /** The first records of the first of `train`. */
  readonly first: RecordFile;
}

/**
 * CIFAR-10, binary version (Krizhevsky, Learning multiple layers of features from tiny images, 2009). The archive's digest
 * is that of TensorFlow Datasets, those of its files are those of torchvision for Ruby; `first` was computed.
 */
export const cifar10Files: Cifar10Files = {
  archive: {
    name: 'cifar-10-binary.tar.gz',
    size: 170_052_171,
    sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  },
  train: [
    'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
    'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
    'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
    '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
    '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
  ].map((sha256, i) => ({ name: `data_batch_${i + 1}.bin`, records: 10_000, sha256 })),
  test: {
    name: 'test_batch.bin',
    records: 10_000,
    sha256: '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
  },
  first: {
    name: 'data_batch_1.bin',
    records: 4000,
    of: 10_000,
    sha256: '0993cf8b8e43bc207603aef9787006995746513f5e3fa5a52e06d1b069926330',
  },
};

/** Public mirrors, tried in this order: the author's page, and MindSpore's, which its tutorials download from. */
const mirrors: readonly string[] = [
  'https://www.cs.toronto.edu/~kriz',
  'https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets',
];

export interface Cifar10Options extends SourceOptions {
  readonly files?: Cifar10Files;
}

/**
 * CIFAR-10's 50,000 training and 10,000 test images, from the local folder's `cifar10/` if there is one (the `.bin` files,
 * in `cifar-10-batches-bin/` or not, or the archive), else from the archive in the cache, else downloaded into it,
 * resumably. `images` is `[n, 32 · 32 · 3]`, bytes, rows first and channels (R, G, B) last, as TensorFlow.js takes them,
 * not in planes as the files have them; `labels` is `[n]`, 0 to 9. Every file is checked, length, sha256 and labels,
 * whenever it is read; a damaged archive in the cache is fetched again.
 *
 * @throws DataError naming the file, and what was expected and got, or why no source had it
 */
export async function loadCifar10(options: Cifar10Options = {}): Promise<TrainAndTest> {
  const { train, test } = options.files ?? cifar10Files;
  const all = await load([...train, test], options);
  return { train: datasetOf(train, all.slice(0, -1)), test: datasetOf([test], all.slice(-1)) };
}

/**
 * The first 4,000 training images, those at the start of `data_batch_1.bin`, as `loadCifar10` has them and from the same
 * places; `cifar10/data_batch_1-first4000.bin.gz` in the local folder is enough.
 *
 * @throws DataError as `loadCifar10` does
 */
export async function loadCifar10First4000(options: Cifar10Options = {}): Promise<Dataset> {
  const { first } = options.files ?? cifar10Files;
  return datasetOf([first], await load([first], options));
}

async function load(wanted: readonly RecordFile[], options: Cifar10Options): Promise<Uint8Array[]> {
  const files = options.files ?? cifar10Files;
  const local = localFolder(options);
  if (local) return fromFolder(files, wanted, join(local, 'cifar10'));
  const path = join(options.cache ?? cacheFolder(), 'cifar10', files.archive.name);
  try {
    const cached = await fromArchive(files, wanted, path);
    if (cached) return cached;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
  }
  const { sources = mirrors, idle = 10_000, onProgress } = options;
  const { name, size } = files.archive;
  await firstSource(name, 'cifar10', sources, (source) =>
    downloadResumably(`${source}/${name}`, path, files.archive, idle, (received) =>
      onProgress?.({ file: name, received, total: size }),
    ),
  );
  return (await fromArchive(files, wanted, path))!;
}

async function fromFolder(files: Cifar10Files, wanted: readonly RecordFile[], folder: string): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for (const file of wanted) {
    const bytes = await recordsFromFolder(file, folder);
    if (bytes) {
      all.push(bytes);
      continue;
    }
    // For one that is missing all are taken from the archive: it is not to be unpacked twice.
    const unpacked = await fromArchive(files, wanted, join(folder, files.archive.name));
    if (unpacked) return unpacked;
    throw new DataError(
      `${file.name}: expected in ${folder}, there or in ${batches}/ or in ${files.archive.name}, got no such file`,
    );
  }
  return all;
}

/** The archive's folder. */
const batches = 'cifar-10-batches-bin';

async function recordsFromFolder(file: RecordFile, folder: string): Promise<Uint8Array | undefined> {
  const { name, records } = file;
  if (file.of !== undefined) {
    const size = records * recordSize;
    const path = join(folder, `${name.replace('.bin', `-first${records}.bin`)}.gz`);
    const bytes = await readIfThere(path, 2 * size);
    if (bytes) return checked(path, file, unpack(path, bytes, size));
  }
  for (const path of [join(folder, name), join(folder, batches, name)]) {
    const bytes = await readStart(file, path);
    if (bytes) return checked(path, file, bytes);
  }
  return undefined;
}

/** The records of a file, and no more of it. */
async function readStart(file: RecordFile, path: string): Promise<Uint8Array | undefined> {
  const found = await sizeIfThere(path);
  if (found === undefined) return undefined;
  if (found !== fileSize(file)) throw new DataError(`${path}: size in bytes expected ${fileSize(file)}, got ${found}`);
  try {
    return await buffer(createReadStream(path, { end: file.records * recordSize - 1 }));
  } catch (error) {
    throw new DataError(`${path}: could not be read: ${message(error)}`, { cause: error });
  }
}

async function fromArchive(
  files: Cifar10Files,
  wanted: readonly RecordFile[],
  path: string,
): Promise<Uint8Array[] | undefined> {
  const { size, sha256 } = files.archive;
  const found = await sizeIfThere(path);
  if (found === undefined) return undefined;
  if (found !== size) throw new DataError(`${path}: size in bytes expected ${size}, got ${found}`);
  const got = await sha256Of(path);
  if (got !== sha256) throw new DataError(`${path}: sha256 expected ${sha256}, got ${got}`);
  // Headers, names of the classes and a page of HTML: 1 MiB is ample.
  const largest = [...files.train, files.test].reduce((sum, file) => sum + fileSize(file), 1 << 20);
  const member = ({ name }: RecordFile): string => `${batches}/${name}`;
  const members = await readMembers(path, new Map(wanted.map((file) => [member(file), fileSize(file)])), largest);
  return wanted.map((file) => checked(path, file, members.get(member(file))!.subarray(0, file.records * recordSize)));
}

function fileSize({ records, of = records }: RecordFile): number {
  return of * recordSize;
}

/** The records, if they are those of `file`. */
function checked(path: string, { name, records, sha256 }: RecordFile, bytes: Uint8Array): Uint8Array {
  const expect = (what: string, expected: unknown, got: unknown): void => {
    if (expected !== got) throw new DataError(`${path}: ${name}: ${what} expected ${expected}, got ${got}`);
  };
  expect('size in bytes', records * recordSize, bytes.length);
  expect('sha256', sha256, createHash('sha256').update(bytes).digest('hex'));
  for (let i = 0; i < records; i++) {
    const label = bytes[i * recordSize];
    if (label > 9) expect(`label of record ${i}`, '0 to 9', label);
  }
  return bytes;
}

/** From planes to pixels: `images[i, y, x, c] = planes[i, c, y, x]`. */
function datasetOf(files: readonly RecordFile[], all: readonly Uint8Array[]): Dataset {
  const count = files.reduce((sum, { records }) => sum + records, 0);
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  let i = 0;
  for (const bytes of all) {
    for (let start = 0; start < bytes.length; start += recordSize, i++) {
      labels[i] = bytes[start];
      for (let c = 0; c < 3; c++) {
        const from = start + 1 + c * plane;
        for (let p = 0; p < plane; p++) images[i * pixels + 3 * p + c] = bytes[from + p];
      }
    }
  }
  return { images, labels };
}
