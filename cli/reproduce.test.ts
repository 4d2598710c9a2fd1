import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowsOf } from '../experiments/claims/rows-for-tests.ts';
import { readResults } from '../experiments/results.ts';

/** The built command; `npm test` builds it first. */
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-reproduce-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const env = { ...process.env, CI: '1' };

function reproduce(...args: string[]): { code: number | null; err: string } {
  const { status, stderr } = spawnSync(process.execPath, [main, 'reproduce', ...args], { env, encoding: 'utf8' });
  return { code: status, err: stderr };
}

const seedsIn = (file: string): number[] => readResults(file).rows.map(({ seed }) => seed);

describe.each(['', 'mnist', 'learning-rate', 'gradients', 'sharing', 'landscape', 'all', 'status', 'report'])(
  'reproduce %s --help',
  (name) => {
    it('fits a terminal', () => {
      const args = ['reproduce', name, '--help'].filter((arg) => arg !== '');
      const { stdout } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
      expect(stdout).toMatch(/^Usage: poolproof reproduce/);
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    });
  },
);

describe('reproduce refuses', () => {
  it.each([
    [['mnist', '--protocol', 'large'], /--protocol <name>' argument 'large' is invalid/],
    [['mnist', '--activation', 'relu,swish'], /Expected relu, prelu, .*, got "swish"/],
    [['mnist', '--trials', '0'], /--trials <count>.*Expected an integer from 1/],
    [['mnist', '--epochs', '1.5'], /--epochs <count>.*Expected an integer from 1/],
    [['gradients', '--epochs', '5'], /unknown option '--epochs'/],
    [['mnist', '--workers', 'two'], /--workers <count>.*Expected an integer from 1/],
    [['mnist', '--backend', 'reference'], /Allowed choices are auto, cpu, wasm, tensorflow, webgpu/],
    [['landscape', '--protocol', 'small'], /Allowed choices are convnet/],
    [['all', '--protocol', 'large'], /Allowed choices are gradients\/author-2016, .*author-2016, .*convnet/],
    [['all', '--activation', 'swish'], /Expected relu, .*, got "swish"/],
  ])('%j', (args, message) => {
    const { code, err } = reproduce(...args, '--results', join(folder, 'none'));
    expect(err.replaceAll(/\n {2}/g, ' ')).toMatch(message);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  it('data that is not there, and writes nothing', () => {
    const args = [main, 'reproduce', 'mnist', '--results', join(folder, 'none')];
    const { status, stderr } = spawnSync(process.execPath, args, {
      env: { ...env, POOLPROOF_DATA: join(folder, 'nowhere') },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^error: train-images-idx3-ubyte: expected in .*nowhere/m);
    expect(status).toBe(3);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

it.each(['mnist', 'status', 'report'])('reproduce %s refuses --results without a name', (name) => {
  const { code, err } = reproduce(name, '--results', '');
  expect(err.replace(/\s+/g, ' ')).toMatch(/--results <folder>.*Expected the name of a folder, got nothing/);
  expect(code).toBe(2);
});

describe('reproduce status and report', () => {
  const results = () => mkdtempSync(join(folder, 'rows-'));

  it('count what is there, within 80 columns, and say how to go on', () => {
    const from = results();
    const rows = rowsOf('small', 'relu', 3, (seed) => ({ loss: 0.18 + seed / 100 }));
    writeFileSync(join(from, 'small.ndjson'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{"pro`);
    const { status, stdout } = spawnSync(process.execPath, [main, 'reproduce', 'status', '--results', from], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^small +relu +3 of 94 +0 +0\.200 ± 0\.0100$/m);
    expect(stdout).toMatch(/^batch-128, all rates +pap +0 of 36$/m);
    expect(stdout).toMatch(/^ +unknown {2}npx poolproof reproduce mnist --protocol small$/m);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('5 bytes of an unfinished row at the end');
    const lines = stdout.split('\n').filter((line) => !line.includes(from));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('say which crossings of the learning-rate map lack trials, and what brings them', () => {
    const from = results();
    const cell = (rate: number, name: string, n: number, loss: number) =>
      rowsOf(`batch-128/rate-${rate}`, name, n, () => ({ loss }));
    const rows = [
      ...cell(0.05, 'relu', 3, 0.1),
      ...cell(0.05, 'pap', 3, 0.2),
      ...cell(0.1, 'relu', 1, 0.3),
      ...cell(0.1, 'pap', 3, 0.2),
    ];
    writeFileSync(join(from, 'batch-128.ndjson'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
    const { stdout } = spawnSync(process.execPath, [main, 'reproduce', 'status', '--results', from], {
      encoding: 'utf8',
    });
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('0 of 1 crossings have 3 trials in each of their four cells.');
    expect(stdout).toContain('Rate 0.1: relu has 1; left:');
    const joined = stdout.replaceAll(/ \\\n */g, ' ');
    expect(joined).toMatch(
      /^ +4 min {2}npx poolproof reproduce mnist --protocol batch-128\/rate-0\.1 --activation relu --trials 3$/m,
    );
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('report says that a row was never finished, and leaves it out', () => {
    const from = results();
    writeFileSync(join(from, 'small.ndjson'), `${JSON.stringify(rowsOf('small', 'relu', 1, () => ({}))[0])}\n{"pro`);
    const { code, err } = reproduce('report', '--results', from, '--out', join(folder, 'unfinished'));
    expect(err.replaceAll(/\s+/g, ' ')).toContain('5 bytes of an unfinished row at the end');
    expect(code).toBe(0);
  });

  it('write a page and its figures from an empty folder on', () => {
    const out = join(folder, 'deep', 'out');
    expect(reproduce('report', '--results', results(), '--out', out)).toEqual({ code: 0, err: '' });
    expect(readdirSync(out).sort()).toEqual(['results', 'results.html', 'results.md']);
  });

  it('report refuses an --out that can not be written', () => {
    const out = join(folder, 'a-file');
    writeFileSync(out, 'kept');
    const { code, err } = reproduce('report', '--results', results(), '--out', out);
    expect(err).toMatch(/^error: --out expected a folder that can be written, got .*a-file: /);
    expect(err).not.toContain('    at ');
    expect([code, readFileSync(out, 'utf8')]).toEqual([4, 'kept']);
  });

  it.each(['status', 'report'])('%s refuses a folder that is not there', (name) => {
    const { code, err } = reproduce(name, '--results', join(folder, 'typo'));
    expect(err).toMatch(/^error: .*typo: expected a folder of results, there is none/);
    expect(code).toBe(4);
  });

  it.each(['status', 'report'])('%s refuses damaged results in the words of the file', (name) => {
    const from = results();
    writeFileSync(join(from, 'small.ndjson'), '{}\n');
    const { code, err } = reproduce(name, '--results', from);
    expect(err).toContain(`error: ${join(from, 'small.ndjson')}, line 1: "protocol"`);
    expect(code).toBe(4);
  });
});

describe.skipIf(!process.env.POOLPROOF_DATA)('reproduce mnist (skipped: POOLPROOF_DATA is not set)', () => {
  const few = (results: string, trials: number) =>
    `mnist --protocol small --activation relu --epochs 1 --backend wasm --workers 1 --trials ${trials} --results ${results}`.split(
      ' ',
    );

  it('goes on where it was killed: no row is lost or doubled, no worker lives on', { timeout: 120_000 }, async () => {
    const results = join(folder, 'killed');
    const file = join(results, 'small.ndjson');
    const running = spawn(process.execPath, [main, 'reproduce', ...few(results, 20)], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => running.once('exit', resolve));
    while (!existsSync(file) || seedsIn(file).length < 2) await setTimeout(50);
    const workers = childrenOf(running.pid!);
    expect(workers).toHaveLength(1);
    // In the middle of the next trial.
    await setTimeout(100);
    running.kill('SIGKILL');
    await ended;
    const before = seedsIn(file);
    while (workers.some(isAlive)) await setTimeout(50);
    const { code, err } = reproduce(...few(results, before.length + 2));
    expect(err).toContain(`${before.length} of ${before.length + 2} trials are there, 2 to run`);
    expect(code).toBe(0);
    expect(seedsIn(file)).toEqual(Array.from({ length: before.length + 2 }, (_, i) => i + 1));
  });

  it('all runs what the plan has of a protocol, with its flags', { timeout: 120_000 }, () => {
    const results = join(folder, 'all');
    const flags = '--protocol small --activation relu,pap-layer --trials 1 --epochs 1 --backend wasm'.split(' ');
    const { code, err } = reproduce('all', ...flags, '--results', results);
    expect(code).toBe(0);
    // As mnist, then as sharing, which has the same trials.
    expect(err).toMatch(/0 of 2 trials are there, 2 to run[\s\S]*2 of 2 trials are there, 0 to run/);
    expect(
      readResults(join(results, 'small.ndjson'))
        .rows.map(({ activation }) => activation)
        .sort(),
    ).toEqual(['pap-layer', 'relu']);
  });

  it('cuts off a row that was never finished, and refuses other damage', { timeout: 120_000 }, () => {
    const results = join(folder, 'cut');
    const file = join(results, 'small.ndjson');
    expect(reproduce(...few(results, 2)).code).toBe(0);
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, -10));
    const cut = reproduce(...few(results, 2));
    expect(cut.err).toMatch(/cut off \d+ bytes of an unfinished row[\s\S]*1 of 2 trials are there/);
    expect(seedsIn(file)).toEqual([1, 2]);
    writeFileSync(file, `x${whole}`);
    const damaged = reproduce(...few(results, 2));
    expect(damaged.err).toContain(`error: ${file}, line 1: expected JSON`);
    expect(damaged.code).toBe(4);
    expect(readFileSync(file, 'utf8')).toBe(`x${whole}`);
    expect(readdirSync(results)).toEqual(['small.ndjson']);
  });

  it('says which trial a worker died in, and keeps the others', { timeout: 120_000 }, async () => {
    const results = join(folder, 'crashed');
    const file = join(results, 'small.ndjson');
    const running = spawn(process.execPath, [main, 'reproduce', ...few(results, 10)], { env });
    let err = '';
    running.stderr.on('data', (chunk) => {
      err += chunk;
    });
    const ended = new Promise((resolve) => running.once('exit', resolve));
    while (!existsSync(file) || seedsIn(file).length < 1) await setTimeout(50);
    process.kill(childrenOf(running.pid!)[0], 'SIGKILL');
    expect(await ended).toBe(3);
    expect(err).toMatch(/^error: small, relu, seed \d: .*SIGKILL/m);
    expect(seedsIn(file)).toHaveLength(9);
  });
});

/** From Linux's list of processes: a parent that was killed can't be asked. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
