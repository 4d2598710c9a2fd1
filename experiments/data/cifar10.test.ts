import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadCifar10, loadCifar10First4000 } from './cifar10.ts';
import {
  archive,
  archiveOf,
  contents,
  failure,
  folder,
  inside,
  kept,
  loadFirst,
  member,
  plane,
  put,
  recordSize,
  records,
  table,
  tableOf,
  within,
} from './cifar10-for-tests.ts';
import { serve } from './mirror-for-tests.ts';

const loadLocal = (files = table) => loadCifar10({ local: folder, files });

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
