import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError, message } from './idx.ts';

/** Bytes received so far; `total` if the server said it. */
export interface Progress {
  readonly file: string;
  readonly received: number;
  readonly total: number | undefined;
}

/**
 * The body of `url`. Gives up when nothing comes for `idle` milliseconds.
 *
 * @throws DataError naming the address, for any failure: no connection, a status other than 200, a body cut short
 */
export async function download(
  url: string,
  idle: number,
  onChunk: (received: number, total?: number) => void,
): Promise<Buffer> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), idle);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw new Error(`status 200 expected, got ${response.status}`);
    }
    const length = response.headers.get('content-length');
    const total = length === null || response.headers.has('content-encoding') ? undefined : Number(length);
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), idle);
      chunks.push(chunk);
      received += chunk.length;
      onChunk(received, total);
    }
    if (total !== undefined && received !== total) throw new Error(`${total} bytes expected, got ${received}`);
    return Buffer.concat(chunks);
  } catch (error) {
    const reason = abort.signal.aborted ? `nothing came for ${idle / 1000} s` : message(error);
    throw new DataError(`${url}: ${reason}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Writes a file whole or not at all: under another name in the same folder first, then renamed. */
export async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
