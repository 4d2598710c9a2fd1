import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rowOf } from './claims/rows-for-tests.ts';
import { openResults, readResults } from './results.ts';
import { ResultsError } from './row.ts';
import type { SurfaceRow, TrialRow } from './trial.ts';

/** How many bytes the disk still takes; `undefined` for all. */
const disk = vi.hoisted((): { room: number | undefined } => ({ room: undefined }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    writeFileSync(file: number, bytes: Buffer, ...rest: []) {
      if (disk.room === undefined) return fs.writeFileSync(file, bytes, ...rest);
      fs.writeFileSync(file, bytes.subarray(0, disk.room));
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
  };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-results-'));
  path = join(folder, 'small.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const row = (seed: number): TrialRow => ({
  protocol: 'small',
  hash: '0123456789abcdef',
  activation: 'pap',
  seed,
  backend: 'wasm',
  versions: { wasm: 'µ 4.22', node: '20' },
  seconds: 1.5,
  epochs: [
    { loss: 0.25, accuracy: 0.9, trainLoss: 0.5 },
    { loss: null, accuracy: 0.1, trainLoss: null },
  ],
  stepMs: 1,
  gradients: [1, 2],
  coefficients: [{ quantiles: { relu: [0, 0, 0, 1, 1, 1, 1], sum: [0, 0, 0, 1, 1, 1, 1] }, off: 0 }],
});

const registered = rowOf('small', 'relu', 2);

const surface: SurfaceRow = {
  protocol: 'convnet',
  hash: 'fedcba9876543210',
  activation: 'relu',
  seed: 1,
  backend: 'wasm',
  versions: {},
  seconds: 3,
  test: { loss: 1, accuracy: 0.5 },
  offsets: [-1, 1],
  surfaces: [
    {
      weights: [
        { layer: 'conv1', index: 0, norm: 1 },
        { layer: 'dense1', index: 5, norm: 2 },
      ],
      losses: [
        [1, 2],
        [null, 4],
      ],
    },
  ],
};

const linesOf = (rows: readonly object[]) => rows.map((each) => `${JSON.stringify(each)}\n`).join('');

describe('a results file', () => {
  it('has what was added, in order, through any number of openings', async () => {
    for (const seeds of [[1], [2, 3], [], [4]]) {
      const results = await openResults(path, 0);
      for (const seed of seeds) results.append(row(seed));
      await results.close();
    }
    const results = await openResults(path, 0);
    results.append(surface);
    await results.close();
    expect(readResults(path)).toEqual({ rows: [row(1), row(2), row(3), row(4), surface], unfinished: 0 });
  });

  it('cut off anywhere loses the row it was cut in, and nothing else, and goes on', async () => {
    const whole = Buffer.from(linesOf([row(1), row(2), row(3)]));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (bytes) => {
        writeFileSync(path, whole);
        truncateSync(path, bytes);
        // A row is whole without its newline, too.
        const isWhole = whole[bytes] === '\n'.charCodeAt(0);
        const kept = whole.subarray(0, bytes).toString('latin1').split('\n').length - (isWhole ? 0 : 1);
        expect(readResults(path).rows).toEqual([row(1), row(2), row(3)].slice(0, kept));
        const results = await openResults(path, 0);
        expect(results.rows).toHaveLength(kept);
        for (let seed = kept + 1; seed <= 3; seed++) results.append(row(seed));
        await results.close();
        expect(readFileSync(path).equals(whole)).toBe(true);
      }),
    );
  });

  it('that does not exist has no rows', () => {
    expect(readResults(path)).toEqual({ rows: [], unfinished: 0 });
  });

  it.each([
    ['{"protocol":"small"\n', 'line 2: expected JSON'],
    ['\n', 'line 2: expected JSON'],
    ['null\n', 'line 2: expected an object'],
    [linesOf([row(1)]), 'line 2: the same trial as line 1'],
    [linesOf([{ ...row(2), hash: 'x' }]), 'line 2: "hash"'],
    [linesOf([{ ...row(2), seed: 1.5 }]), 'line 2: "seed"'],
    [linesOf([{ ...row(2), epochs: [] }]), 'line 2: "epochs"'],
    [linesOf([{ ...row(2), epochs: [{ loss: 'low', accuracy: 1, trainLoss: 1 }] }]), 'line 2: "epochs"'],
    [linesOf([{ ...row(2), coefficients: undefined }]), 'line 2: "coefficients"'],
    [linesOf([{ ...row(2), coefficients: [1] }]), 'line 2: "coefficients"'],
    [linesOf([{ ...row(2), coefficients: [{}] }]), 'line 2: "coefficients"'],
    [linesOf([{ ...row(2), seed: -3 }]), 'line 2: "seed"'],
    [linesOf([{ ...row(2), epochs: [{ loss: 1, accuracy: 97, trainLoss: 1 }] }]), 'line 2: "epochs"'],
    [linesOf([{ ...row(2), epochs: [{ loss: 1, accuracy: -5, trainLoss: 1 }] }]), 'line 2: "epochs"'],
    [linesOf([{ ...row(2), gradients: [-1] }]), 'line 2: "gradients"'],
    [linesOf([{ ...registered, protocol: 'smal' }]), 'line 2: "protocol" expected small, as its hash says, got smal'],
    [linesOf([{ ...registered, activation: 'pap' }]), 'line 2: "activation" expected relu, as its hash says, got pap'],
    [linesOf([{ ...surface, offsets: [-1, 0, 1] }]), 'line 2: "surfaces" expected 3 by 3 losses'],
    [linesOf([{ ...surface, surfaces: [{ losses: [[1]] }] }]), 'line 2: "surfaces"'],
  ])('with %j in it is refused, and stays as it is', async (damage, message) => {
    writeFileSync(path, linesOf([row(1)]) + damage);
    const before = readFileSync(path);
    expect(() => readResults(path)).toThrow(message);
    await expect(openResults(path, 0)).rejects.toThrow(message);
    expect(readFileSync(path).equals(before)).toBe(true);
    // The lock is given back.
    writeFileSync(path, '');
    await (await openResults(path, 0)).close();
  });

  it('is written by one process only', async () => {
    const results = await openResults(path, 0);
    await expect(openResults(path, 0)).rejects.toThrow('another process is writing it');
    await results.close();
    await (await openResults(path, 0)).close();
  });

  it('whose end somebody else has written to keeps what was added', async () => {
    const results = await openResults(path, 0);
    results.append(row(1));
    appendFileSync(path, linesOf([row(7)]));
    results.append(row(2));
    await results.close();
    expect(readResults(path).rows).toEqual([row(1), row(7), row(2)]);
  });

  it('whose end somebody else has written to takes no trial twice, and a full disk cuts off none of theirs', async () => {
    const results = await openResults(path, 0);
    results.append(row(1));
    appendFileSync(path, linesOf([row(2)]));
    expect(() => results.append(row(2))).toThrow(`${path}: another process has added the same trial`);
    disk.room = 100;
    expect(() => results.append(row(3))).toThrow('ENOSPC');
    disk.room = undefined;
    results.append(row(3));
    await results.close();
    expect(readResults(path).rows).toEqual([row(1), row(2), row(3)]);
  });

  it('whose lock is lost takes no row, and is closed', async () => {
    const results = await openResults(path, 0);
    rmSync(`${path}.lock`, { recursive: true });
    let seed = 0;
    await vi.waitFor(() => expect(() => results.append(row(++seed))).toThrow(`${path}: the lock was lost`), {
      timeout: 10_000,
      interval: 100,
    });
    await results.close();
  });

  it('on a full disk keeps the rows that are there, whole, and goes on when there is room', async () => {
    const results = await openResults(path, 0);
    results.append(row(1));
    for (disk.room of [0, 1, 100])
      expect(() => results.append(row(2))).toThrow(`${path}: could not be written: ENOSPC`);
    disk.room = undefined;
    expect(readResults(path)).toEqual({ rows: [row(1)], unfinished: 0 });
    results.append(row(3));
    await results.close();
    expect(readResults(path).rows).toEqual([row(1), row(3)]);
  });

  it('in a folder that is a file is refused by name', async () => {
    writeFileSync(path, '');
    const opened = openResults(join(path, 'small.ndjson'), 0);
    await expect(opened).rejects.toThrow(ResultsError);
    await expect(opened).rejects.toThrow(path);
  });
});
