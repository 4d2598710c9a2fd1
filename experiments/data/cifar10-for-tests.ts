import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Dataset } from '../../reference/batches.ts';
import { type Cifar10Files, type Cifar10Options, loadCifar10First4000 } from './cifar10.ts';
import { DataError } from './idx.ts';

export const plane: number = 32 * 32;
export const recordSize: number = 1 + 3 * plane;

/** Records with these labels; pixel `p` of channel `c` is `17 label + 101 c + p`, modulo 256. */
export const records = (...labels: number[]): Buffer =>
  Buffer.concat(
    labels.map((label) => {
      const planes = Array.from(
        { length: 3 * plane },
        (_, i) => 17 * label + 101 * Math.floor(i / plane) + (i % plane),
      );
      return Buffer.from([label, ...planes]);
    }),
  );

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

type Contents = Readonly<Record<string, Buffer>>;

export const inside = 'cifar-10-batches-bin';
export const contents: Contents = {
  'data_batch_1.bin': records(3, 1, 4),
  'data_batch_2.bin': records(1, 5, 9),
  'test_batch.bin': records(2, 6, 5),
};

interface Member {
  readonly header: { readonly name: string; readonly size: number; readonly type: 'file' };
  readonly body: Uint8Array;
}

/** A file of an archive. */
export function member(name: string, body: Buffer): Member {
  return { header: { name, size: body.length, type: 'file' }, body: new Uint8Array(body) };
}

/** The archive with its folder and a file beside those that are wanted. */
export async function archiveOf(files: Contents, more: readonly Member[] = []): Promise<Buffer> {
  const folder = { header: { name: `${inside}/`, size: 0, type: 'directory' as const } };
  const listed = Object.entries(files).map(([name, body]) => member(`${inside}/${name}`, body));
  const tar = await packTar([folder, member(`${inside}/readme.html`, Buffer.from('<html>')), ...listed, ...more]);
  // Not made smaller, so that there is something to cut and to damage.
  return gzipSync(tar, { level: 0 });
}

/** The table that calls `archive` and what is in `files` right. */
export function tableOf(archive: Buffer, files: Contents = contents): Cifar10Files {
  const file = (name: string) => ({ name, records: 3, sha256: sha256(files[name]) });
  const first = files['data_batch_1.bin'].subarray(0, 2 * recordSize);
  return {
    archive: { name: 'cifar.tar.gz', size: archive.length, sha256: sha256(archive) },
    train: [file('data_batch_1.bin'), file('data_batch_2.bin')],
    test: file('test_batch.bin'),
    first: { name: 'data_batch_1.bin', records: 2, of: 3, sha256: sha256(first) },
  };
}

/** An archive of `contents`, and the table that calls it right. */
export const archive: Buffer = await archiveOf(contents);
export const table: Cifar10Files = tableOf(archive);

/** A folder for each test, with what is put into its `cifar10/`. */
export let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolproof-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Where a file of the folder is. */
export function within(name: string): string {
  return join(folder, 'cifar10', name);
}

export async function put(name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(join(within(name), '..'), { recursive: true });
  await writeFile(within(name), bytes);
}

/** The files that are there. */
export async function kept(): Promise<string[]> {
  return (await readdir(join(folder, 'cifar10')).catch(() => [])).sort();
}

/** `loadCifar10First4000` of the two records that the table calls the first. */
export function loadFirst(options: Cifar10Options = { local: folder }): Promise<Dataset> {
  return loadCifar10First4000({ cache: folder, files: table, sources: [], ...options });
}

/** What a load is refused with. */
export async function failure(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}
