import { mkdir, utimes, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Cifar10Options, loadCifar10 } from './cifar10.ts';
import { archive, failure, folder, kept, loadFirst, put, table, within } from './cifar10-for-tests.ts';
import { hangUp, listen, type Mirror, serve } from './mirror-for-tests.ts';

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
      const source = await listen(answer(archive));
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
