import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cifar10Files, type Cifar10Options, loadCifar10, loadCifar10First4000 } from './cifar10.ts';
import { DataError } from './idx.ts';

const plane = 32 * 32;
const recordSize = 1 + 3 * plane;

/** Records with these labels; pixel `p` of channel `c` is `17 label + 101 c + p`, modulo 256. */
const records = (...labels: number[]): Buffer =>
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

const inside = 'cifar-10-batches-bin';
const contents: Contents = {
  'data_batch_1.bin': records(3, 1, 4),
  'data_batch_2.bin': records(1, 5, 9),
  'test_batch.bin': records(2, 6, 5),
};

const member = (name: string, body: Buffer) => ({
  header: { name, size: body.length, type: 'file' as const },
  body: new Uint8Array(body),
});

/** The archive with its folder and a file beside those that are wanted. */
async function archiveOf(files: Contents, more: ReturnType<typeof member>[] = []): Promise<Buffer> {
  const folder = { header: { name: `${inside}/`, size: 0, type: 'directory' as const } };
  const listed = Object.entries(files).map(([name, body]) => member(`${inside}/${name}`, body));
  const tar = await packTar([folder, member(`${inside}/readme.html`, Buffer.from('<html>')), ...listed, ...more]);
  // Not made smaller, so that there is something to cut and to damage.
  return gzipSync(tar, { level: 0 });
}

/** The table that calls `archive` and what is in `files` right. */
function tableOf(archive: Buffer, files: Contents = contents): Cifar10Files {
  const file = (name: string) => ({ name, records: 3, sha256: sha256(files[name]) });
  const first = files['data_batch_1.bin'].subarray(0, 2 * recordSize);
  return {
    archive: { name: 'cifar.tar.gz', size: archive.length, sha256: sha256(archive) },
    train: [file('data_batch_1.bin'), file('data_batch_2.bin')],
    test: file('test_batch.bin'),
    first: { name: 'data_batch_1.bin', records: 2, of: 3, sha256: sha256(first) },
  };
}

const archive = await archiveOf(contents);
const table = tableOf(archive);

let folder = '';
let servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolproof-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
  hangUp.clear();
});

const within = (name: string): string => join(folder, 'cifar10', name);

async function put(name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(join(within(name), '..'), { recursive: true });
  await writeFile(within(name), bytes);
}

const kept = async (): Promise<string[]> => (await readdir(join(folder, 'cifar10')).catch(() => [])).sort();

const load = ({ onProgress, ...options }: Cifar10Options) =>
  loadCifar10({
    local: undefined,
    cache: folder,
    files: table,
    idle: 20_000,
    sources: [],
    onProgress(progress) {
      onProgress?.(progress);
      hangUp.get(progress.received)?.();
    },
    ...options,
  });

const loadLocal = (files = table) => loadCifar10({ local: folder, files });

const loadFirst = (options: Cifar10Options = { local: folder }) =>
  loadCifar10First4000({ cache: folder, files: table, sources: [], ...options });

async function failure(loading: Promise<unknown>): Promise<string> {
  const error = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('records', () => {
  it('become images with their channels last', async () => {
    await put('cifar.tar.gz', archive);
    const { train, test } = await loadLocal();
    expect([...train.labels]).toEqual([3, 1, 4, 1, 5, 9]);
    expect([...test.labels]).toEqual([2, 6, 5]);
    expect([train.images.length, test.images.length]).toEqual([6 * 3 * plane, 3 * 3 * plane]);
    for (const [i, y, x, c] of [
      [0, 0, 0, 0],
      [0, 0, 1, 2],
      [2, 31, 31, 1],
      [5, 3, 7, 2],
    ]) {
      const expected = (17 * train.labels[i] + 101 * c + 32 * y + x) % 256;
      expect(train.images[((i * 32 + y) * 32 + x) * 3 + c]).toBe(expected);
    }
  });

  it('with a label above 9 are refused', async () => {
    const files = { ...contents, 'data_batch_2.bin': records(1, 10, 9) };
    const bad = await archiveOf(files);
    await put('cifar.tar.gz', bad);
    expect(await failure(loadLocal(tableOf(bad, files)))).toContain(
      'data_batch_2.bin: label of record 1 expected 0 to 9, got 10',
    );
  });
});

/** What breaks a connection, by the number of bytes of the file that must have come before. */
const hangUp = new Map<number, () => void>();

/** A server; the first answers are cut after so many bytes, or refused. */
interface Mirror {
  readonly url: string;
  readonly asked: string[];
  body: Buffer;
  /** The headers that say which version it is. */
  version: Record<string, string>;
  /** Answers of part of the file: if the version is the one that is asked for, never, or whatever it is. */
  ranges: 'if right' | 'never' | 'always';
  cuts: (number | 'refuse')[];
}

async function serve(change: Partial<Mirror> = {}): Promise<Mirror> {
  const mirror = {
    asked: [] as string[],
    body: archive,
    version: { etag: '"1"' },
    ranges: 'if right' as const,
    cuts: [],
    url: '',
    ...change,
  };
  const answer: RequestListener = ({ headers, url }, response) => {
    const right = Object.values(mirror.version).includes(`${headers['if-range']}`);
    const range = mirror.ranges === 'always' || (mirror.ranges === 'if right' && right) ? headers.range : undefined;
    mirror.asked.push(`${url} ${headers.range ?? 'all'}`);
    const cut = mirror.cuts.shift();
    if (cut === 'refuse') return response.writeHead(503).end();
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    const rest = mirror.body.subarray(from);
    response.writeHead(from ? 206 : 200, {
      'content-length': rest.length,
      ...mirror.version,
      ...(from ? { 'content-range': `bytes ${from}-${mirror.body.length - 1}/${mirror.body.length}` } : {}),
    });
    if (cut === undefined) return response.end(rest);
    hangUp.set(from + cut, () => response.destroy());
    return response.write(rest.subarray(0, cut));
  };
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  mirror.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return mirror;
}

describe('a download', () => {
  it('comes once, with progress, and is kept', async () => {
    const mirror = await serve();
    const progress: string[] = [];
    const first = await load({
      sources: [mirror.url],
      onProgress: ({ file, received, total }) => progress.push(`${file} ${received}/${total}`),
    });
    expect(progress.at(-1)).toBe(`cifar.tar.gz ${archive.length}/${archive.length}`);
    expect(await load({ sources: [mirror.url] })).toEqual(first);
    expect((await loadFirst({ local: undefined })).labels).toEqual(first.train.labels.slice(0, 2));
    expect(mirror.asked).toEqual(['/cifar.tar.gz all']);
    expect(await kept()).toEqual(['cifar.tar.gz']);
  });

  it('that is cut off goes on at once while it brings anything', async () => {
    const mirror = await serve({ cuts: [3000, 1] });
    expect((await load({ sources: [mirror.url] })).train.labels).toHaveLength(6);
    expect(mirror.asked).toEqual(['/cifar.tar.gz all', '/cifar.tar.gz bytes=3000-', '/cifar.tar.gz bytes=3001-']);
    expect(await kept()).toEqual(['cifar.tar.gz']);
  });

  /** A run that ends with 3000 bytes in the part file. */
  async function interrupted(change: Partial<Mirror> = {}): Promise<Mirror> {
    const mirror = await serve({ cuts: [3000, 'refuse'], ...change });
    expect(await failure(load({ sources: [mirror.url] }))).toMatch(
      /cifar\.tar\.gz: not to be had from 1 sources; POOLPROOF_DATA .* cifar10\/ in it\n.*got 503/,
    );
    expect(await kept()).toEqual(['cifar.tar.gz.part', 'cifar.tar.gz.part.json']);
    mirror.asked.length = 0;
    return mirror;
  }

  it('goes on in a later run', async () => {
    const mirror = await interrupted();
    const { train, test } = await load({ sources: [mirror.url] });
    expect([train.labels.length, test.labels.length]).toEqual([6, 3]);
    expect(mirror.asked).toEqual(['/cifar.tar.gz bytes=3000-']);
    expect(await kept()).toEqual(['cifar.tar.gz']);
  });

  it('goes on after a process that was killed, and left its lock', async () => {
    const mirror = await interrupted();
    await mkdir(within('cifar.tar.gz.part.lock'));
    await utimes(within('cifar.tar.gz.part.lock'), 1, 1);
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz bytes=3000-']);
  });

  it('that was whole when the process was killed is only checked', async () => {
    await put('cifar.tar.gz.part', archive);
    const mirror = await serve();
    expect((await load({ sources: [mirror.url] })).train.labels).toHaveLength(6);
    expect(mirror.asked).toEqual([]);
  });

  it('of a server that knows no ranges starts over', async () => {
    const mirror = await interrupted({ ranges: 'never' });
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz bytes=3000-']);
  });

  it('of a file that has changed starts over', async () => {
    const mirror = await interrupted({ body: Buffer.from(archive).fill(7, 0, 3000) });
    mirror.body = archive;
    mirror.version = { etag: '"2"' };
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz bytes=3000-']);
  });

  it('of a file that has changed starts over, though the server sends the rest of the new one', async () => {
    const mirror = await interrupted({ body: Buffer.from(archive).fill(7, 0, 3000), ranges: 'always' });
    mirror.body = archive;
    mirror.version = { etag: '"2"' };
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz bytes=3000-', '/cifar.tar.gz all']);
  });

  it('goes by the date where the tag is weak', async () => {
    const mirror = await interrupted({ version: { etag: 'W/"1"', 'last-modified': 'Thu, 04 Jun 2009 20:56:16 GMT' } });
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz bytes=3000-']);
  });

  it('whose version the server does not say starts over', async () => {
    const mirror = await interrupted({ version: {}, ranges: 'always' });
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz all']);
  });

  it('from another address starts over', async () => {
    await interrupted();
    const mirror = await serve();
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz all']);
  });

  it('of which nobody knows the version starts over', async () => {
    const mirror = await interrupted();
    await writeFile(within('cifar.tar.gz.part.json'), '{"url":');
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz all']);
  });

  it('keeps its beginning when a server says something else', async () => {
    const mirror = await interrupted();
    const body = Buffer.from('<html>please log in</html>');
    const login = await serve({ body });
    expect(await failure(load({ sources: [login.url] }))).toContain(`${archive.length} bytes expected, got 26`);
    await load({ sources: [mirror.url] });
    expect(mirror.asked).toEqual(['/cifar.tar.gz bytes=3000-']);
  });

  it('with other bytes is deleted, and the next source is asked', async () => {
    const bad = await serve({ body: Buffer.from(archive).fill(7, 50, 60) });
    expect(await failure(load({ sources: [bad.url] }))).toMatch(
      /\/cifar\.tar\.gz: sha256 expected [0-9a-f]{64}, got [0-9a-f]{64}; deleted/,
    );
    expect(await kept()).toEqual([]);
    const good = await serve();
    expect((await load({ sources: [bad.url, good.url] })).test.labels).toHaveLength(3);
  });

  const strange: readonly [string, (body: Buffer) => RequestListener, RegExp][] = [
    [
      'sends too much',
      (body) => (_, response) => response.writeHead(200).end(Buffer.concat([body, body])),
      /bytes expected, got more/,
    ],
    [
      'sends too little',
      (body) => (_, response) => response.writeHead(200).end(body.subarray(1)),
      /expected, got \d+$/,
    ],
    [
      'packs it once more',
      (body) => (_, response) => {
        const packed = gzipSync(body);
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
      },
      /no content encoding expected, got gzip/,
    ],
    ['hangs', (body) => (_, response) => response.writeHead(200).write(body.subarray(0, 9)), /nothing came for 0\.3 s/],
  ];
  for (const [what, answer, expected] of strange) {
    it(`from a server that ${what} is refused`, async () => {
      const server = createServer(answer(archive));
      servers.push(server);
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const source = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await failure(load({ sources: [source], idle: 300 }))).toMatch(expected);
    });
  }

  it('that cannot be written is refused, naming the file', async () => {
    await mkdir(within('cifar.tar.gz.part.json'), { recursive: true });
    const mirror = await serve();
    expect(await failure(load({ sources: [mirror.url] }))).toContain('cifar.tar.gz.part: could not be written: ');
  });

  it('replaces a truncated archive in the cache', async () => {
    await put('cifar.tar.gz', archive.subarray(0, 5000));
    const mirror = await serve();
    expect((await load({ sources: [mirror.url] })).train.labels).toHaveLength(6);
    expect(mirror.asked).toHaveLength(1);
  });
});

describe('an archive', () => {
  const [{ header, body }] = [member(`../${inside}/test_batch.bin`, contents['test_batch.bin'])];
  const { 'test_batch.bin': _, ...withoutTest } = contents;
  const wrong: readonly [string, () => Promise<Buffer>, RegExp][] = [
    ['damaged', async () => Buffer.from(archive).fill(7, 2000, 2100), /could not be unpacked: /],
    ['cut off', async () => archive.subarray(0, -2000), /could not be unpacked: unexpected end of file/],
    ['that is none', async () => Buffer.from('tar?'), /could not be unpacked: incorrect header check/],
    ['without a file', () => archiveOf(withoutTest), /test_batch\.bin expected, got no such file/],
    [
      'with a file of that name elsewhere',
      () => archiveOf(withoutTest, [{ header, body }]),
      /test_batch\.bin expected, got no such file/,
    ],
    [
      'with a file too large',
      () => archiveOf({ ...contents, 'test_batch.bin': records(2, 6, 5, 3) }),
      /test_batch\.bin: 9219 bytes expected, got 12292/,
    ],
    [
      'that unpacks to far too much',
      () => archiveOf(contents, [member('zeros', Buffer.alloc(3 << 20))]),
      /at most 1076233 bytes expected, got more/,
    ],
    [
      'with other pixels',
      () => archiveOf({ ...contents, 'data_batch_2.bin': records(1, 5, 8) }),
      /data_batch_2\.bin: sha256 expected [0-9a-f]{64}, got/,
    ],
  ];
  for (const [what, make, expected] of wrong) {
    it(`${what} is refused, naming it`, async () => {
      const bad = await make();
      await put('cifar.tar.gz', bad);
      const files = { ...table, archive: tableOf(bad).archive };
      const message = await failure(loadLocal(files));
      expect(message).toContain(within('cifar.tar.gz'));
      expect(message).toMatch(expected);
      expect(await kept()).toEqual(['cifar.tar.gz']);
    });
  }

  it('of another digest is not unpacked', async () => {
    await put('cifar.tar.gz', Buffer.from(archive).fill(7, 2000, 2100));
    expect(await failure(loadLocal())).toMatch(/cifar\.tar\.gz: sha256 expected [0-9a-f]{64}, got/);
  });
});

describe('a local folder', () => {
  it('may hold the files, in a folder of their own or not, or the archive', async () => {
    await put('cifar.tar.gz', archive);
    const right = await loadLocal();
    for (const [name, bytes] of Object.entries(contents)) await put(join(inside, name), bytes);
    expect(await loadLocal()).toEqual(right);
    await rm(within('cifar.tar.gz'));
    expect(await loadLocal()).toEqual(right);
    await rm(within(inside), { recursive: true });
    for (const [name, bytes] of Object.entries(contents)) await put(name, bytes);
    expect(await loadLocal()).toEqual(right);
  });

  it('is the one that POOLPROOF_DATA names, and nothing is downloaded instead', async () => {
    const mirror = await serve();
    const before = process.env.POOLPROOF_DATA;
    process.env.POOLPROOF_DATA = folder;
    try {
      const options = { files: table, sources: [mirror.url] };
      expect(await failure(loadCifar10(options))).toBe(
        `data_batch_1.bin: expected in ${join(folder, 'cifar10')}, there or in ${inside}/ or in cifar.tar.gz, got no such file`,
      );
      expect(mirror.asked).toEqual([]);
      await put('cifar.tar.gz', archive);
      expect((await loadCifar10(options)).test.labels).toHaveLength(3);
    } finally {
      if (before === undefined) delete process.env.POOLPROOF_DATA;
      else process.env.POOLPROOF_DATA = before;
    }
  });

  const start = contents['data_batch_1.bin'].subarray(0, 2 * recordSize);
  const places: readonly [string, string, Buffer][] = [
    ['a file of their own', 'data_batch_1-first2.bin.gz', gzipSync(start)],
    ['the first file', 'data_batch_1.bin', contents['data_batch_1.bin']],
    ['the first file in its folder', `${inside}/data_batch_1.bin`, contents['data_batch_1.bin']],
    ['the archive', 'cifar.tar.gz', archive],
  ];
  for (const [what, name, bytes] of places) {
    it(`has the first records in ${what}`, async () => {
      await put(name, bytes);
      const { images, labels } = await loadFirst();
      expect([...labels]).toEqual([3, 1]);
      expect(images).toHaveLength(2 * 3 * plane);
    });
  }

  const wrong: readonly [string, string, Buffer, string][] = [
    ['truncated', 'data_batch_1.bin', start, 'size in bytes expected 9219, got 6146'],
    ['altered', 'data_batch_1.bin', records(3, 2, 4), 'sha256 expected'],
    ['damaged', 'data_batch_1-first2.bin.gz', gzipSync(start).subarray(0, -9), 'bytes of gzip expected to unpack to'],
    ['short', 'data_batch_1-first2.bin.gz', gzipSync(start.subarray(1)), 'size in bytes expected 6146, got 6145'],
    ['too long', 'data_batch_1-first2.bin.gz', gzipSync(contents['data_batch_1.bin']), 'bytes of gzip expected'],
  ];
  for (const [what, name, bytes, expected] of wrong) {
    it(`with ${name} ${what} is refused, naming it`, async () => {
      await put(name, bytes);
      const message = await failure(loadFirst());
      expect(message).toContain(within(name));
      expect(message).toContain(expected);
    });
  }
});

describe('CIFAR-10 itself', () => {
  const local = process.env.POOLPROOF_DATA ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data');
  const has = (name: string): boolean => existsSync(join(local, 'cifar10', name));

  it.skipIf(!has(''))(
    'has all labels in its first 4,000 records (skipped: no cifar10/ in POOLPROOF_DATA)',
    async () => {
      const { images, labels } = await loadCifar10First4000({ local });
      expect([labels.length, images.length]).toEqual([4000, 4000 * 3 * plane]);
      expect([...new Set(labels)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      // A frog, a truck, a truck, a deer, a car.
      expect([...labels.subarray(0, 5)]).toEqual([6, 9, 9, 4, 1]);
      expect([...images.subarray(0, 6)]).toEqual([59, 62, 63, 43, 46, 45]);
    },
  );

  const whole = has('cifar-10-binary.tar.gz') || has('test_batch.bin') || has(`${inside}/test_batch.bin`);
  it.skipIf(!whole)('is whole (skipped: only a part or nothing in POOLPROOF_DATA)', async () => {
    const { train, test } = await loadCifar10({ local });
    for (const [{ labels }, each] of [
      [train, 5000],
      [test, 1000],
    ] as const) {
      for (let label = 0; label < 10; label++) expect(labels.filter((other) => other === label)).toHaveLength(each);
    }
  });
});
