import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sizeOf } from '../../reference/shape.ts';
import { writeWhole } from './download.ts';
import { DataError, type IdxFile } from './idx.ts';
import { loadMnist, type MnistFiles, type MnistOptions } from './mnist.ts';
import { cacheFolder } from './sources.ts';

/** An IDX file of bytes 0, 1, 2, …, and its description. */
function idx(name: string, shape: readonly number[]): { file: IdxFile; bytes: Buffer } {
  const size = sizeOf(shape);
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x800 + shape.length);
  for (const [axis, n] of shape.entries()) header.writeUInt32BE(n, 4 + 4 * axis);
  const bytes = Buffer.concat([header, Buffer.from(Array.from({ length: size }, (_, i) => i % 10))]);
  return { file: { name, shape, sha256: createHash('sha256').update(bytes).digest('hex') }, bytes };
}

const made = {
  trainImages: idx('train-images', [6, 2, 2]),
  trainLabels: idx('train-labels', [6]),
  testImages: idx('test-images', [3, 2, 2]),
  testLabels: idx('test-labels', [3]),
};
const files: MnistFiles = {
  trainImages: made.trainImages.file,
  trainLabels: made.trainLabels.file,
  testImages: made.testImages.file,
  testLabels: made.testLabels.file,
};
const bodies = new Map(Object.values(made).map(({ file, bytes }) => [`/${file.name}.gz`, gzipSync(bytes)]));

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
});

/** A mirror on the loopback interface. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const whole: RequestListener = (request, response) => {
  const body = bodies.get(request.url ?? '');
  if (!body) response.writeHead(404).end();
  else response.writeHead(200, { 'content-length': body.length }).end(body);
};

/** Like `whole`, but what it sends for the first file is changed. */
const changing =
  (change: (body: Buffer) => Buffer): RequestListener =>
  (request, response) => {
    if (request.url !== '/train-images.gz') return whole(request, response);
    const body = change(bodies.get('/train-images.gz') ?? Buffer.alloc(0));
    response.writeHead(200, { 'content-length': body.length }).end(body);
  };

const load = (options: MnistOptions) =>
  loadMnist({ local: undefined, cache: folder, files, idle: 300, sources: [], ...options });

const cached = async (): Promise<string[]> => readdir(join(folder, 'mnist')).catch(() => []);

async function failure(options: MnistOptions): Promise<string> {
  const error = await load(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message;
}

describe('a mirror', () => {
  it('is downloaded from once, with progress, and then not asked again', async () => {
    const seen: string[] = [];
    const source = await serve((request, response) => {
      seen.push(request.url ?? '');
      whole(request, response);
    });
    const progress: string[] = [];
    const onProgress: MnistOptions['onProgress'] = ({ file, received, total }) =>
      progress.push(`${file} ${received}/${total}`);
    const first = await load({ sources: [source], onProgress });
    expect([...first.train.labels]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...first.test.images]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    const size = bodies.get('/train-images.gz')?.length;
    expect(progress[0]).toBe(`train-images ${size}/${size}`);
    expect(await load({ sources: [source] })).toEqual(first);
    expect(seen).toHaveLength(4);
    expect((await cached()).sort()).toEqual(['test-images', 'test-labels', 'train-images', 'train-labels']);
  });

  it('may send the files unpacked by content encoding', async () => {
    const source = await serve((request, response) => {
      const body = bodies.get(request.url ?? '');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
    });
    expect((await load({ sources: [source] })).train.labels).toHaveLength(6);
  });

  const wrong: readonly [string, RequestListener, RegExp][] = [
    [
      'has no such file',
      (_, response) => response.writeHead(404).end(),
      /train-images\.gz: status 200 expected, got 404/,
    ],
    [
      'breaks off in the middle',
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 }).write('half');
        setTimeout(() => response.destroy(), 20);
      },
      /train-images\.gz: /,
    ],
    ['hangs before it answers', () => {}, /train-images\.gz: nothing came for 0\.3 s/],
    [
      'hangs in the middle',
      (_, response) => response.writeHead(200, { 'content-length': 1000 }).write('half'),
      /train-images\.gz: nothing came for 0\.3 s/,
    ],
    [
      'sends a gzip file cut short',
      changing((body) => body.subarray(0, -9)),
      /train-images: .* bytes of gzip expected/,
    ],
    [
      'sends something else',
      changing(() => Buffer.from('<html>please log in</html>')),
      /magic number expected 0x00000803, got 0x3c68746d/,
    ],
    [
      'sends other pixels',
      changing(() => gzipSync(Buffer.concat([made.trainImages.bytes.subarray(0, -1), Buffer.of(77)]))),
      /train-images: sha256 expected [0-9a-f]{64}, got [0-9a-f]{64}/,
    ],
    ['sends too much', changing(() => gzipSync(Buffer.alloc(10_000_000))), /bytes of gzip expected to unpack to 40/],
  ];
  for (const [what, answer, expected] of wrong) {
    it(`that ${what} leaves nothing in the cache, and the next one is asked`, async () => {
      const bad = await serve(answer);
      expect(await failure({ sources: [bad] })).toMatch(expected);
      expect(await cached()).toEqual([]);
      const good = await serve(whole);
      expect((await load({ sources: [bad, good] })).train.images).toHaveLength(24);
    });
  }

  it('that cannot be reached is reported at once, with the way out', async () => {
    const gone = await serve(whole);
    servers[0].close();
    const start = performance.now();
    const message = await failure({ sources: [gone] });
    expect(message).toMatch(/train-images: not to be had from 1 sources; POOLPROOF_DATA/);
    expect(message).toMatch(/ECONNREFUSED/);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('the cache', () => {
  it('heals: a damaged file is fetched again', async () => {
    const source = await serve(whole);
    const right = await load({ sources: [source] });
    await writeFile(join(folder, 'mnist', 'train-images'), made.trainImages.bytes.subarray(0, 20));
    expect(await load({ sources: [source] })).toEqual(right);
    expect(await readFile(join(folder, 'mnist', 'train-images'))).toEqual(made.trainImages.bytes);
  });

  it('holds no half-written file', async () => {
    const blocked = join(folder, 'blocked');
    await writeWhole(join(blocked, 'in-the-way', 'x'), Buffer.of(1));
    // The target is a folder: the rename fails after the temporary file was written.
    await expect(writeWhole(join(blocked, 'in-the-way'), Buffer.of(1))).rejects.toThrow();
    expect(await readdir(blocked)).toEqual(['in-the-way']);
  });

  it('lies where the platform has its caches', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'poolproof'));
    expect(cacheFolder({}, 'linux')).toMatch(/\.cache.poolproof$/);
    expect(cacheFolder({}, 'darwin')).toMatch(/Library.Caches.poolproof$/);
    expect(cacheFolder({ LOCALAPPDATA: 'C' }, 'win32')).toBe(join('C', 'poolproof', 'Cache'));
  });
});

describe('a local folder', () => {
  const fill = async (change: Partial<Record<string, Buffer>> = {}, suffix = ''): Promise<void> => {
    for (const { file, bytes } of Object.values(made)) {
      const content = change[file.name] ?? bytes;
      await writeWhole(join(folder, 'mnist', file.name + suffix), suffix ? gzipSync(content) : content);
    }
  };

  it('may hold the files packed or not', async () => {
    await fill();
    const unpacked = await load({ local: folder });
    await rm(join(folder, 'mnist'), { recursive: true });
    await fill({}, '.gz');
    expect(await load({ local: folder })).toEqual(unpacked);
  });

  it('is the one that POOLPROOF_DATA names', async () => {
    await fill();
    const before = process.env.POOLPROOF_DATA;
    process.env.POOLPROOF_DATA = folder;
    try {
      expect((await loadMnist({ files, sources: [] })).test.labels).toHaveLength(3);
    } finally {
      if (before === undefined) delete process.env.POOLPROOF_DATA;
      else process.env.POOLPROOF_DATA = before;
    }
  });

  const { bytes } = made.trainLabels;
  const wrong: readonly [string, Buffer, string][] = [
    ['truncated', bytes.subarray(0, 10), 'size in bytes expected 14, got 10'],
    ['shorter than its header', bytes.subarray(0, 5), 'a header of 8 bytes expected, got 5'],
    [
      'of another kind',
      Buffer.concat([Buffer.of(0, 0, 8, 3), bytes.subarray(4)]),
      'magic number expected 0x00000801, got 0x00000803',
    ],
    [
      'of another count',
      Buffer.concat([bytes.subarray(0, 7), Buffer.of(7), bytes.subarray(8)]),
      'axes expected 6, got 7',
    ],
    ['altered', Buffer.concat([bytes.subarray(0, -1), Buffer.of(9)]), 'sha256 expected'],
  ];
  for (const [what, content, expected] of wrong) {
    it(`with a file ${what} is refused, naming the file`, async () => {
      await fill({ 'train-labels': content });
      const message = await failure({ local: folder });
      expect(message).toContain(join(folder, 'mnist', 'train-labels'));
      expect(message).toContain(expected);
    });
  }

  const unreadable: readonly [string, (path: string) => unknown, string][] = [
    ['a folder', (path) => mkdir(path), 'a regular file expected, got another kind'],
    ['a pipe', (path) => execFileSync('sh', ['-c', 'mkfifo "$0"', path]), 'a regular file expected, got another kind'],
    [
      'a huge file',
      async (path) => {
        await writeFile(path, '');
        await truncate(path, 2 ** 40);
      },
      `at most ${2 * bytes.length + 1024} bytes expected, got ${2 ** 40}`,
    ],
  ];
  it.runIf(process.platform === 'linux').each(unreadable)(
    'with %s in place of a file is refused',
    async (_, put, expected) => {
      await fill();
      const path = join(folder, 'mnist', 'train-labels');
      await rm(path);
      await put(path);
      expect(await failure({ local: folder })).toContain(`${path}: could not be read: ${expected}`);
    },
  );

  it('without a file is refused, and nothing is downloaded instead', async () => {
    let asked = 0;
    const source = await serve((request, response) => {
      asked++;
      whole(request, response);
    });
    expect(await failure({ local: folder, sources: [source] })).toContain('train-images: expected in');
    expect(asked).toBe(0);
  });
});

describe('MNIST itself', () => {
  it.skipIf(!process.env.POOLPROOF_DATA)('is in the folder that POOLPROOF_DATA names (skipped: not set)', async () => {
    const { train, test } = await loadMnist();
    expect([train.labels.length, train.images.length]).toEqual([60_000, 60_000 * 784]);
    expect([test.labels.length, test.images.length]).toEqual([10_000, 10_000 * 784]);
    expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  });
});
