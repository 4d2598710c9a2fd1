import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Dataset } from '../reference/batches.ts';
import type { Progress } from './download.ts';
import { DataError, message } from './idx.ts';

const pixels = 32 * 32;
const record = 1 + 3 * pixels;

/** The first 4,000 images of data_batch_1, `[n, 32·32·3]`, channels last, from the folder that POOLPROOF_DATA names. */
export async function loadCifar10First4000(
  _options: { onProgress?: (progress: Progress) => void } = {},
): Promise<Dataset> {
  const path = join(process.env.POOLPROOF_DATA ?? '', 'cifar10', 'data_batch_1-first4000.bin.gz');
  let bytes: Buffer;
  try {
    bytes = gunzipSync(await readFile(path));
  } catch (error) {
    throw new DataError(`${path}: could not be read: ${message(error)}`, { cause: error });
  }
  const count = bytes.length / record;
  const images = new Uint8Array(count * 3 * pixels);
  const labels = Uint8Array.from({ length: count }, (_, i) => bytes[i * record]!);
  for (let i = 0; i < count; i++) {
    for (let channel = 0; channel < 3; channel++) {
      for (let p = 0; p < pixels; p++) {
        images[(i * pixels + p) * 3 + channel] = bytes[i * record + 1 + channel * pixels + p]!;
      }
    }
  }
  return { images, labels };
}
