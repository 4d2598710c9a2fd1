import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { laws } from '../properties/laws.ts';
import { decodeReport } from './report-json.ts';

/** The built command; `npm test` builds it first. */
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command; there is no data for MNIST. */
function poolproof(...args: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, POOLPROOF_DATA: folder, CI: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

const text = (...args: string[]) => poolproof(...args).out;
const small = ['--law', 'normalisation', '--runs', '3', '--seed', '5'];

describe('poolproof', () => {
  it.each([
    ['--help'],
    ...['verify', 'replay', 'gradcheck', 'mutants', 'laws', 'certify', 'certificate'].map((name) => [name, '--help']),
  ])('%s %s reads well', (...args) => {
    const { code, out } = poolproof(...args);
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: poolproof/);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it.each([
    [[], 'a command is missing, expected verify, replay, gradcheck, mutants, laws'],
    [['verif'], "unknown command 'verif' (Did you mean verify?)"],
    [['verify', '--quik'], "unknown option '--quik' (Did you mean --quick?)"],
    [['verify', 'mnist'], "too many arguments for 'verify'. Expected 0 arguments but got 1"],
    [['verify', '--runs', '2.5'], "'2.5' is invalid. Expected an integer from 1 to 1000000"],
    [['verify', '--runs', '0'], "'0' is invalid. Expected an integer from 1 to 1000000"],
    [['verify', '--runs'], "'--runs <count>' argument missing"],
    [['verify', '--seed', '-1'], 'Expected an integer from 0 to 4294967295'],
    [['verify', '--law', 'kink'], 'Expected an id, or a family: '],
    [['verify', '--law', 'kinks/two-sided'], 'Expected one of kinks/one-sided, got "kinks/two-sided"'],
    [['verify', '--law', 'kinks,'], 'Expected names separated by commas'],
    [['verify', '--backend', 'gpu'], 'Expected auto, reference, cpu, wasm, tensorflow, webgpu, got "gpu"'],
    [['verify', '--backend', 'cpu', '--backend', 'auto'], 'Expected auto alone, or names'],
    [['verify', '--backend', 'auto', '--backend', 'cpu'], 'Expected auto alone, or names'],
    [['verify', '--backend', 'auto,cpu'], 'Expected auto alone, or names'],
    [['verify', '--json', tmpdir()], 'Expected the name of a file that can be written: a folder'],
    [['verify', '--json', '/dev/null/x.json'], 'Expected the name of a file that can be written: ENOTDIR'],
    [['verify', '--json', '/proc/x/y.json'], 'Expected the name of a file that can be written: '],
    [['replay', '--law', 'kinks/one-sided'], "required option '--backend <name>' not specified"],
    [
      ['serve', 'reference', '--mutant', 'stale-x', '--evaluation', 'f32 blocked fused lerp'],
      "option '--mutant <id>' cannot be used with option '--evaluation <name>'",
    ],
    [['help', 'verify'], "unknown command 'help'"],
    [['certificate', 'help'], "unknown command 'help'"],
    [['init', 'perl'], 'Allowed choices are python, rust, c, go, node.'],
    [['init', 'c', tmpdir()], 'Expected a new or an empty folder, got one with '],
    [['replay', '--law', 'kinks'], 'Expected the id of one law, such as kinks/one-sided'],
    [['mutants', '--group', 'kinks'], 'Expected formula, constraint, '],
    [['mutants', '--mutant', 'relu'], 'Expected the id of a mutant, got "relu"'],
    [['replay', '--kind', 'odd'], 'Expected dyadic or general'],
    [['replay', '--path', '1:x'], 'Expected integers separated by colons, such as 12:0:3'],
    [['replay', '--path', '999999999:0'], 'Expected a path that starts with an integer below 1000000'],
  ])('%j is a usage error of one sentence', (args, message) => {
    const { code, out, err } = poolproof(...args);
    expect(err).toContain(message);
    expect(err).toMatch(/^error: .*\n$/);
    expect(out).toBe('');
    expect(code).toBe(2);
  });

  it.each([['laws'], ['fixtures', 'list'], ['--help']])('%s %s ends quietly when nobody reads on', async (...args) => {
    const run = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    run.stdout.destroy();
    let err = '';
    run.stderr.on('data', (chunk) => {
      err += chunk;
    });
    expect(await new Promise((resolve) => run.once('close', resolve))).toBe(0);
    expect(err).toBe('');
  });

  it('lists every law with statement and source', () => {
    const lines = text('laws').replace(/\s+/g, ' ');
    for (const { id, statement, source } of laws) expect(lines).toContain(`${id} ${statement} [${source}]`);
  });
});

describe('poolproof verify', () => {
  it('checks what it is asked to and writes the same as JSON', () => {
    const file = join(folder, 'new', 'report.json');
    const { code, out, err } = poolproof(
      'verify',
      ...small,
      '--backend',
      'cpu,reference',
      '--no-mnist',
      '--json',
      file,
    );
    expect(code).toBe(0);
    expect(out).toContain('seed 5\n');
    expect(out).toContain('MNIST: left out by --no-mnist');
    expect(err).toMatch(/^cpu: all held, \d+ s$/m);
    const report = decodeReport(JSON.parse(readFileSync(file, 'utf8')));
    const chosen = laws
      .filter(({ id }) => id.startsWith('normalisation/'))
      .map(({ id }) => id)
      .toSorted();
    expect(report.laws.map(({ id }) => id).toSorted()).toEqual(chosen);
    expect(report.subjects.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['reference', 'f64'],
      ['cpu', 'f32'],
    ]);
    for (const { results } of report.subjects) {
      expect(results.map(({ law, outcome, cases }) => [law, outcome, cases.dyadic + cases.general])).toEqual(
        report.laws.map(({ id }) => [id, 'held', 3]),
      );
    }
    expect(readdirSync(join(folder, 'new'))).toEqual(['report.json']);
  });

  it('leaves no folder for the report of a run that does not start', () => {
    const before = readdirSync(folder);
    expect(poolproof('verify', '--json', join(folder, 'a', 'b', 'c.json'), '--runs', '0').code).toBe(2);
    expect(readdirSync(folder)).toEqual(before);
  });

  it.runIf(process.platform === 'linux')(
    'keeps the verdict when the report can no longer be written, and a device a device',
    () => {
      const common = ['verify', '--law', 'special/nan', '--runs', '2', '--backend', 'reference', '--no-mnist'];
      const { code, out, err } = poolproof(...common, '--json', '/dev/full');
      expect(out).toContain('all held');
      expect(err).toContain('error: the report could not be written: ENOSPC');
      expect(code).toBe(4);
      expect(poolproof(...common, '--json', '/dev/null').code).toBe(0);
      expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    },
  );

  it('draws another seed each time, and prints it', () => {
    const seeds = [1, 2].map(
      () =>
        /seed (\d+)$/m.exec(
          text('verify', '--law', 'special/nan', '--backend', 'reference', '--no-mnist', '--runs', '2'),
        )![1],
    );
    expect(seeds[0]).not.toBe(seeds[1]);
  });

  it('takes repeated flags together', () => {
    const { code, out } = poolproof(
      ...[
        'verify',
        '--law',
        'special/nan',
        '--law',
        'kinks,special/zero',
        '--backend',
        'reference',
        '--backend',
        'cpu',
      ],
      ...['--runs', '2', '--no-mnist'],
    );
    expect(code).toBe(0);
    expect(out).toContain('3 laws, 2 backends, 12 cases, 0 failures');
    expect(poolproof('verify', '--law', 'special/nan', '--backend', 'cpu', '--runs', '2', '--no-mnist').out).toContain(
      '1 law, 1 backend, 2 cases, 0 failures',
    );
  });

  it('without data exits with 5 and says why, unless told to leave the training out', () => {
    const { code, out } = poolproof('verify', ...small, '--backend', 'cpu');
    expect(code).toBe(5);
    const lines = out.split('\n');
    expect(lines.filter((line) => line.length > 80 && line.includes(' '))).toEqual([]);
    expect(lines.map((line) => line.trim()).join(' ')).toContain(
      `MNIST: not run: train-images-idx3-ubyte: expected in ${join(folder, 'mnist')}`,
    );
    expect(out).toContain('all laws held, but MNIST was not run (--no-mnist leaves it out)');
  });

  it('exits with 5 when no law applies', () => {
    const { code } = poolproof('verify', '--law', 'state/no-leak', '--backend', 'reference', '--no-mnist');
    expect(code).toBe(5);
  });

  /** Starts a long run and waits for its first line of progress. */
  async function long() {
    const env = { ...process.env, CI: '1' };
    const run = spawn(
      process.execPath,
      [main, 'verify', '--backend', 'cpu', '--law', 'agreement,bias', '--runs', '100000', '--no-mnist'],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let out = '';
    run.stdout.on('data', (chunk) => {
      out += chunk;
    });
    await new Promise((resolve) => run.stderr.once('data', resolve));
    const children = readFileSync(`/proc/${run.pid}/task/${run.pid}/children`, 'utf8').trim().split(' ').map(Number);
    expect(children).toHaveLength(1);
    const ended = new Promise<number | null>((resolve) => run.on('close', resolve));
    return { run, child: children[0], ended, out: () => out };
  }
  /** A killed process may stay as a zombie when its parent is gone too. */
  const isAlive = (pid: number) => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };

  it.runIf(process.platform === 'linux')('reports a backend whose process dies, and exits with 3', async () => {
    const { child, ended, out } = await long();
    process.kill(child, 'SIGKILL');
    expect(await ended).toBe(3);
    expect(out()).toContain('cpu: DIED: its process ended by SIGKILL before it was done');
  });

  it.runIf(process.platform === 'linux')('ends on Ctrl-C and leaves no process behind', async () => {
    const { run, child, ended } = await long();
    run.kill('SIGINT');
    expect(await ended).toBe(130);
    await expect.poll(() => isAlive(child)).toBe(false);
  });
});

describe('poolproof replay', () => {
  const at = ['--law', 'agreement/y', '--backend', 'reference', '--seed', '1', '--kind', 'dyadic'];

  it('says that a law holds on a case', () => {
    const { code, out } = poolproof('replay', ...at, '--path', '0');
    expect(out).toBe('agreement/y holds on that case now, on reference\n');
    expect(code).toBe(0);
  });

  it('says that a path leads nowhere', () => {
    // Longer than any case can be shrunk.
    const path = Array(100).fill(0).join(':');
    const { code, out } = poolproof('replay', ...at, '--path', path);
    expect(out).toContain(`path ${path} leads to no case`);
    expect(code).toBe(5);
  });
});

describe('poolproof mutants', () => {
  it('prints which law finds which in 80 columns, and writes the table', () => {
    const file = join(folder, 'mutants.json');
    const { code, out } = poolproof(
      'mutants',
      '--mutant',
      'nan-to-zero,step-at-zero-is-one',
      '--runs',
      '20',
      '--json',
      file,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^all +2 +2 +100/m);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const [first] = JSON.parse(readFileSync(file, 'utf8')).mutants;
    expect(first).toMatchObject({ id: 'step-at-zero-is-one', group: 'kink' });
    expect(first.killers).toContain('kinks/one-sided');
  });

  it('exits with 1 when too few are found', () => {
    const { code, out } = poolproof('mutants', '--mutant', 'long-sum-drops-last', '--runs', '1');
    expect(out).toContain('NOT FOUND: long-sum-drops-last');
    expect(code).toBe(1);
  });

  it('refuses a mutant that is not of the group', () => {
    const { code, err } = poolproof('mutants', '--mutant', 'nan-to-zero', '--group', 'kink');
    expect(err).toContain('no mutant is of that group and has that id');
    expect(code).toBe(2);
  });
});
