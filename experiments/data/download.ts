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
  const { response, body } = await request(url, idle);
  const { headers } = response;
  const length = headers.get('content-length');
  const total = length === null || headers.has('content-encoding') ? undefined : Number(length);
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    received += chunk.length;
    onChunk(received, total);
  }
  if (total !== undefined && received !== total)
    throw new DataError(`${url}: ${total} bytes expected, got ${received}`);
  return Buffer.concat(chunks);
}

/** What a server answers. The body is read, or cancelled. */
export interface Answer {
  readonly response: Response;
  /** Throws a DataError naming the address when it breaks off, or when nothing comes. */
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

/**
 * Asks for `url`; the limit of `idle` milliseconds is for the answer, then for each piece of the body.
 *
 * @throws DataError naming the address, for any failure: no connection, a status that is not among `statuses`
 */
export async function request(
  url: string,
  idle: number,
  headers: Record<string, string> = {},
  statuses: readonly number[] = [200],
): Promise<Answer> {
  const abort = new AbortController();
  const cancel = (): void => abort.abort();
  async function inTime<T>(step: () => Promise<T>): Promise<T> {
    const timer = setTimeout(cancel, idle);
    try {
      return await step();
    } catch (error) {
      const reason = abort.signal.aborted ? `nothing came for ${idle / 1000} s` : message(error);
      throw new DataError(`${url}: ${reason}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
  async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = body.getReader();
    try {
      for (;;) {
        const { value } = await inTime(() => reader.read());
        if (value === undefined) return;
        yield value;
      }
    } finally {
      cancel();
    }
  }
  const response = await inTime(() => fetch(url, { headers, signal: abort.signal }));
  if (!statuses.includes(response.status) || response.body === null) {
    cancel();
    throw new DataError(`${url}: status ${statuses.join(' or ')} expected, got ${response.status}`);
  }
  return { response, body: pieces(response.body), cancel };
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
