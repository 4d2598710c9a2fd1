import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import { type Answer, request } from './download.ts';
import { DataError, message } from './idx.ts';
import { sizeIfThere } from './sources.ts';

/** A file of which size, in bytes, and sha256, in lower-case hex, are known before it comes. */
export interface KnownFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/**
 * Brings `url` to `path`. What has come is in `path.part`, and in `path.part.json` which version of which address it is
 * the beginning of. After a broken connection that brought something, and in a later run, whatever ended the one before,
 * the rest is asked for (RFC 9110, Range with If-Range); everything, if the server has another version by now or knows no
 * ranges. The whole is checked, and kept only if it is right.
 *
 * @throws DataError naming the address, and what was expected and got; or that another process writes the same file
 */
export async function downloadResumably(
  url: string,
  path: string,
  file: KnownFile,
  idle: number,
  onChunk: (received: number) => void,
): Promise<void> {
  const part = `${path}.part`;
  const release = await lock(part);
  try {
    // Another process may have brought it while this one waited for the lock.
    if (await isRight(path, file)) return;
    await fetchAll(url, part, file, idle, onChunk);
    const got = await sha256Of(part);
    if (got === file.sha256) await rename(part, path);
    await clear(part);
    if (got !== file.sha256) throw new DataError(`${url}: sha256 expected ${file.sha256}, got ${got}; deleted`);
  } finally {
    await release();
  }
}

/** Lower-case hex, of a file that may be larger than memory. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

async function isRight(path: string, { size, sha256 }: KnownFile): Promise<boolean> {
  return (await sizeIfThere(path)) === size && (await sha256Of(path)) === sha256;
}

async function lock(part: string): Promise<() => Promise<void>> {
  try {
    await mkdir(dirname(part), { recursive: true });
    const release = await lockfile.lock(part, {
      realpath: false,
      // The lock of a process that was killed goes stale after 10 s: as long is waited.
      stale: 10_000,
      retries: { retries: 6, factor: 1, minTimeout: 2000, maxTimeout: 2000 },
      // Lost when this process stood still for as long; what two of them have written then fails the check.
      onCompromised: () => {},
    });
    return () => release().catch(() => {});
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ELOCKED' ? 'another process writes it' : message(error);
    throw new DataError(`${part}: could not be locked: ${why}`, { cause: error });
  }
}

/** Asks for what is missing in `part` until it has all bytes, as long as every try brings some. */
async function fetchAll(
  url: string,
  part: string,
  file: KnownFile,
  idle: number,
  onChunk: (received: number) => void,
): Promise<void> {
  let before = (await sizeIfThere(part)) ?? 0;
  while (before !== file.size) {
    try {
      await fetchRest(url, part, file, idle, onChunk);
      return;
    } catch (error) {
      const now = (await sizeIfThere(part)) ?? 0;
      if (!(error instanceof DataError) || now <= before) throw error;
      before = now;
    }
  }
}

async function fetchRest(
  url: string,
  part: string,
  { size }: KnownFile,
  idle: number,
  onChunk: (received: number) => void,
): Promise<void> {
  const start = await resumable(url, part, size);
  const { response, body, cancel } = await ask(url, idle, start);
  try {
    // It would be undone on the way, and neither length nor digest be those of what comes.
    const encoding = response.headers.get('content-encoding');
    if (encoding) throw new DataError(`${url}: no content encoding expected, got ${encoding}`);
    // Judged before anything is thrown away: a page to log in at is no newer version.
    const from = response.status === 206 && start ? start.from : 0;
    const length = Number(response.headers.get('content-length') ?? size - from);
    if (from + length !== size) throw new DataError(`${url}: ${size} bytes expected, got ${from + length}`);
    if (from === 0) await begin(part, { url, version: versionOf(response) });
    let received = from;
    for await (const chunk of body) {
      if (received + chunk.length > size) throw new DataError(`${url}: ${size} bytes expected, got more`);
      await writing(part, () => appendFile(part, chunk));
      received += chunk.length;
      onChunk(received);
    }
    if (received !== size) throw new DataError(`${url}: ${size} bytes expected, got ${received}`);
  } finally {
    cancel();
  }
}

/** The rest of `url` if `start` says so and the server has that version, else all of it. */
async function ask(url: string, idle: number, start: Start | undefined): Promise<Answer> {
  // Without it `fetch` asks for a packed body.
  const plain = { 'accept-encoding': 'identity' };
  if (!start) return request(url, idle, plain);
  const ranged = { ...plain, range: `bytes=${start.from}-`, 'if-range': start.version };
  const answer = await request(url, idle, ranged, [200, 206, 416]);
  const { status, headers } = answer.response;
  const version = versionOf(answer.response) ?? start.version;
  const continues = headers.get('content-range')?.startsWith(`bytes ${start.from}-`) && version === start.version;
  if (status === 200 || (status === 206 && continues)) return answer;
  answer.cancel();
  return request(url, idle, plain);
}

/** What is in the part file: `from` bytes of `version`. */
interface Start {
  readonly from: number;
  readonly version: string;
}

/** Says which version of a file this is: a strong ETag, else Last-Modified, as If-Range takes them. */
function versionOf({ headers }: Response): string | undefined {
  const tag = headers.get('etag');
  return (tag?.startsWith('W/') ? undefined : tag) ?? headers.get('last-modified') ?? undefined;
}

/** Where to go on, if `part` is the beginning of `url` in a version that is known. */
async function resumable(url: string, part: string, size: number): Promise<Start | undefined> {
  const from = (await sizeIfThere(part)) ?? 0;
  if (from === 0 || from >= size) return undefined;
  try {
    const origin = JSON.parse(await readFile(`${part}.json`, 'utf8')) as { url?: unknown; version?: unknown };
    if (origin.url === url && typeof origin.version === 'string') return { from, version: origin.version };
  } catch {
    // Not there, or cut off: nobody knows what the bytes are of.
  }
  return undefined;
}

/** Throws away what was there first, so that old bytes never stand under a new version. */
async function begin(part: string, origin: { url: string; version: string | undefined }): Promise<void> {
  await writing(part, async () => {
    await clear(part);
    await writeFile(`${part}.json`, JSON.stringify(origin));
  });
}

async function clear(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}

async function writing(part: string, write: () => Promise<void>): Promise<void> {
  await write().catch((error) => {
    throw new DataError(`${part}: could not be written: ${message(error)}`, { cause: error });
  });
}
