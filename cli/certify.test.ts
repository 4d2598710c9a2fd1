import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Behaviour, fake, isAlive } from '../certification/fake-for-tests.ts';
import { accumulatedDigest } from '../fixtures/accumulated.ts';
import { readSuite } from '../fixtures/load.ts';
import { sha256 } from '../fixtures/suite.ts';

/** The built command; `npm test` builds it first. */
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const packaged = fileURLToPath(new URL('../fixtures/v1', import.meta.url));
/** Says at its end how much memory the runner took, in KiB. */
const measured =
  '--import=data:text/javascript,process.on("exit",()=>console.error("peak",process.resourceUsage().maxRSS))';

let folder = '';
/** A suite of a few vectors, so that a certification takes a moment. */
let few = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-certify-'));
  few = join(folder, 'few');
  cpSync(packaged, few, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(few, 'manifest.json'), 'utf8'));
  for (const file of manifest.files) {
    const suite = JSON.parse(readFileSync(join(few, file.path), 'utf8'));
    if (file.path !== 'kill-matrix.json') suite.entries = suite.entries.slice(0, 4);
    if (file.path === 'accumulated.json') {
      const { seed, dtype } = suite.entries[0];
      suite.entries = [{ ...suite.entries[0], cases: 1000, sha256: accumulatedDigest(seed, dtype, 1000) }];
    }
    if (file.path === 'smoke.json') suite.entries = [[vectorsOf('core')[0].id, 'forward']];
    writeFileSync(join(few, file.path), JSON.stringify(suite));
    file.sha256 = sha256(readFileSync(join(few, file.path)));
  }
  writeFileSync(join(few, 'manifest.json'), JSON.stringify(manifest));
});
afterAll(() => rmSync(folder, { recursive: true }));

function vectorsOf(group: string): { id: string; inputs: { x: { hex: string } } }[] & { 0: { id: string } } {
  return JSON.parse(readFileSync(join(packaged, `${group}.json`), 'utf8')).entries;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** MiB that the runner took at most. */
  readonly peak: number;
}

function certify(flags: readonly string[], command: readonly string[], stdout: 'pipe' | number = 'pipe'): Ended {
  const { status, ...said } = spawnSync(
    process.execPath,
    [
      measured,
      main,
      'certify',
      '--fixtures',
      few,
      '--runs',
      '4',
      ...flags,
      ...(command.length > 0 ? ['--'] : []),
      ...command,
    ],
    { encoding: 'utf8', env: { ...process.env, CI: '1' }, stdio: ['ignore', stdout, 'pipe'] },
  );
  return {
    code: status,
    out: said.stdout ?? '',
    err: said.stderr,
    peak: Number(/peak (\d+)/.exec(said.stderr)?.[1]) / 1024,
  };
}

const flat = (text: string) => text.replace(/\s+/g, ' ');

describe('poolproof certify', () => {
  it('conforms with 0', () => {
    const json = join(folder, 'conforms.json');
    const { code, out } = certify(['--json', json], fake({ honest: true, capabilities: { pipeline: 8 } }));
    expect(out).toMatch(/^fake 1, JavaScript\n/);
    expect(out).toMatch(/\nCONFORMS: \d+\.\d s, exit code 0\n$/);
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
      failures: [],
      faults: [],
      checks: { challenge: { passed: 8 } },
    });
  });

  it('explain says what is wrong with a report that is not whole', () => {
    const json = join(folder, 'part.json');
    writeFileSync(json, '{"format":"poolproof-certification/1"}');
    const { status, stderr } = spawnSync(process.execPath, [main, 'explain', json], { encoding: 'utf8' });
    expect(stderr).toMatch(/error: report\.json expected a whole report: must have required property '\w+'/);
    expect(status).toBe(2);
  });

  it('does not conform with 1', () => {
    const { code, out } = certify(['--profile', 'smoke'], fake());
    expect(out).toContain('DOES NOT CONFORM');
    expect(code).toBe(1);
  });

  it('unsupported, though announced, is a failure', () => {
    const { code, out } = certify(
      ['--profile', 'smoke'],
      fake({ does: 'say', with: '{"id":ID,"unsupported":"sharing"}\n' }),
    );
    expect(flat(out)).toContain('unsupported, though announced: sharing');
    expect(code).toBe(1);
  });

  it.each([
    [[], [], "missing required argument 'command'"],
    [[], [''], 'Expected the name of a program, got ""'],
    [['--timeout', '0'], ['true'], 'Expected an integer from 1'],
    [[], ['poolproof-none'], 'the command poolproof-none could not be started: spawn poolproof-none ENOENT'],
    [['--json', '-'], ['true'], 'Expected the name of a file; standard output is /dev/stdout.'],
    [['--json', 'same', '--html', './same'], ['true'], '--json and --html expected another file each, got the same'],
    [
      ['--only', 'edge/kin/f64'],
      ['true'],
      '--only expected ids of checks, got "edge/kin/f64" (Did you mean edge/kink/f64?)',
    ],
    [['--only', 'challenge/f64/0'], ['true'], '--only expected ids of checks, got "challenge/f64/0"'],
    [
      ['--certificate', 'c.json', '--profile', 'smoke', '--runs', '1000'],
      ['true'],
      '--certificate can not be given: the profile smoke asks no fresh cases',
    ],
    [['--certificate', 'c.json'], ['true'], 'expected --runs of at least 1000, got 4'],
    [['--certificate', 'c.json', '--only', 'challenge/f64/1'], ['true'], 'no more is asked than challenge/f64/1'],
  ])('%j %j is a usage error with 2', (flags, command, message) => {
    const { code, out, err } = certify(flags, command);
    expect(err).toContain(message);
    expect(out).toBe('');
    expect(code).toBe(2);
    expect(existsSync('same') || existsSync('c.json')).toBe(false);
  });

  it('says what was listed as known to fail and is nothing, or was not asked', () => {
    const list = join(folder, 'known.txt');
    writeFileSync(list, 'core/nobody/f64 # gone\n');
    const unknown = certify(['--known-failing', list], fake({ honest: true }));
    expect(unknown.err).toContain('--known-failing expected ids of checks, got "core/nobody/f64"');
    expect(unknown.code).toBe(2);
    writeFileSync(list, 'challenge/f32/99');
    const asked = certify(['--known-failing', list], fake({ honest: true, capabilities: { dtypes: ['f64', 'f32'] } }));
    expect(asked.out).toContain('\nlisted, but not asked: challenge/f32/99\n');
    expect(asked.code).toBe(0);
  });

  it('removes the certificate of before when the new run is not certified', () => {
    const file = join(folder, 'older.json');
    writeFileSync(file, '{}');
    const { code, err, out } = certify(['--runs', '1000', '--certificate', file], fake());
    expect(err).toContain(
      'error: --certificate was not written, and the file of before removed: the run ended with "fails"',
    );
    expect(existsSync(file)).toBe(false);
    expect(out).not.toContain('certificate ');
    expect(code).toBe(1);
  });

  it('a certificate is verified with fresh Cases of another seed, which can not be prepared for', () => {
    const file = join(folder, 'certificate.json');
    const right = fake({ honest: true, capabilities: { pipeline: 16, dtypes: ['f32'] } });
    const { out, code } = certify(['--runs', '1000', '--certificate', file], right);
    expect(flat(out)).toMatch(
      / own vectors \(.* fresh requests 2000 passed, about 1000 cases .* exit code 0 certificate [0-9a-f]{64}/,
    );
    expect(code).toBe(0);
    const verify = (...args: string[]) =>
      spawnSync(process.execPath, [main, 'certificate', 'verify', '--fixtures', few, ...args], { encoding: 'utf8' });
    const verified = verify('--seed', '7', file, '--', ...right);
    expect(verified.stdout).toContain('\nFresh cases of the seed 7:\n');
    expect(verified.stdout).toMatch(/\nVERIFIED: certificate [0-9a-f]{64}\n$/);
    expect(verified.status).toBe(0);
    expect(verify('--seed', '0', file, '--', ...right)).toMatchObject({
      status: 2,
      stderr: "error: --seed expected another than the certificate's, 0\n",
    });
    // Right on all that the certificate names, wrong on what it does not.
    const seen = join(folder, 'seen.json');
    const cheat = fake({ honest: true, capabilities: { pipeline: 16, dtypes: ['f32'] }, does: 'remember', with: seen });
    expect(certify(['--runs', '1000', '--certificate', file], cheat).code).toBe(0);
    writeFileSync(`${seen}.closed`, '');
    const found = verify('--jobs', '1', file, '--', ...cheat);
    expect(found.stdout).toMatch(
      /CONFORMS[\s\S]*\nFresh cases of the seed \d+:\n[\s\S]*DOES NOT CONFORM[\s\S]*\nNOT VERIFIED: /,
    );
    expect(found.status).toBe(1);
  });

  it.each<[string, readonly string[] | Behaviour, string]>([
    ['killed', { does: 'kill' }, 'ended by SIGKILL'],
    ['deaf', { does: 'deaf', capabilities: { pipeline: 1e9 } }, 'gave no reply within 0.5 s'],
    ['of 100 MB', { does: 'long', with: 100 }, 'expected lines of at most 2097152 bytes on stdout, got a longer one'],
    ['of arrays within arrays', { does: 'nest', with: 1_000_000 }, '"id" expected an integer, got [[['],
    ['of other bytes', { does: 'bytes', with: 'ff0a' }, 'expected UTF-8 on stdout, got other bytes'],
  ])('a subject %s breaks the protocol with 3, and the runner stays small', (_, subject, message) => {
    const command = 'length' in subject ? subject : fake(subject);
    const { code, out, err, peak } = certify(
      ['--profile', 'smoke', '--timeout', message.includes('no reply') ? '500' : '30000'],
      command,
    );
    expect(flat(out)).toContain(`FAULT: core/coefficients/f64, forward: ${message}`);
    expect(out).toMatch(/\nBROKE THE PROTOCOL: .* exit code 3\n$/);
    expect(err).not.toContain('Error:');
    expect(code).toBe(3);
    expect(peak).toBeLessThan(500);
  });

  it('names the one Case that crashes the subject, and goes on', () => {
    const { id, inputs } = vectorsOf('edge')[1];
    const json = join(folder, 'crash.json');
    const crash = { honest: true, capabilities: { pipeline: 8 }, does: 'exit', with: 139, at: inputs.x.hex } as const;
    const { code } = certify(['--json', json, '--profile', 'forward'], fake(crash));
    const { failures, checks, faults, ended } = JSON.parse(readFileSync(json, 'utf8'));
    const trouble = { code: 'fault', why: 'ended with exit code 139' };
    expect(failures).toMatchObject([{ id, op: 'forward', trouble }]);
    expect(faults.length).toBeLessThanOrEqual(4);
    expect(checks.vectors.passed).toBeGreaterThan(20);
    expect(checks.challenge).toEqual({ passed: 4, failed: 0 });
    expect(ended).toBeUndefined();
    expect(code).toBe(3);
  });

  it('shows what a terminal would obey', () => {
    const name = '\u001b[2J\u009b31m\u202efake\nCONFORMS: 0.0 s, exit code 0';
    const { out } = certify(
      ['--profile', 'smoke'],
      fake({ name, does: 'stderr', with: { text: '\u001b]0;title\u0007\r', code: 1 } }),
    );
    for (const seen of ['\\u001b[2J\\u009b31m\\u202efake\\u000aCONFORMS', '\\u001b]0;title\\u0007\\u000d']) {
      expect(out).toContain(seen);
    }
    expect(out).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
    expect(out).not.toMatch(/^CONFORMS/m);
  });

  describe('ends with 4', () => {
    const altered = (change: (path: string) => void): string => {
      const path = mkdtempSync(join(folder, 'altered-'));
      cpSync(few, path, { recursive: true });
      change(path);
      return path;
    };
    it.each<[string, (path: string) => void, RegExp]>([
      [
        'an altered vector',
        (path) => {
          const file = join(path, 'core.json');
          writeFileSync(
            file,
            readFileSync(file, 'utf8').replace(/[0-9](?=[0-9a-f]{7}")/, (digit) => `${9 - Number(digit)}`),
          );
        },
        /core\.json: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}$/m,
      ],
      [
        'a linked file',
        (path) => {
          rmSync(join(path, 'edge.json'));
          symlinkSync(join(few, 'edge.json'), join(path, 'edge.json'));
        },
        /edge\.json: expected a file, got a link or a folder$/m,
      ],
      [
        'a linked folder',
        (path) => {
          rmSync(path, { recursive: true });
          symlinkSync(few, path);
        },
        /: expected a folder, got a link$/m,
      ],
      ['a missing file', (path) => rmSync(join(path, 'smoke.json')), /smoke\.json: ENOENT/],
      [
        'a manifest that is none',
        (path) => writeFileSync(join(path, 'manifest.json'), '{'),
        /manifest\.json: expected JSON$/m,
      ],
    ])('%s', (what, change, message) => {
      const suite = altered(change);
      expect(() => readSuite(suite)).toThrow(message);
      if (what !== 'a linked folder' && what !== 'an altered vector') return;
      const { code, out, err } = certify(['--fixtures', suite], ['true']);
      expect(err).toMatch(/^error: the vectors can not be trusted: /);
      expect(err).toMatch(message);
      expect(out).toBe('');
      expect(code).toBe(4);
    });

    it.skipIf(!existsSync('/dev/full'))('a full disk for the report', () => {
      const { code, out, err } = certify(['--profile', 'smoke', '--json', '/dev/full'], fake({ honest: true }));
      expect(err).toMatch(/^error: --json could not be written: ENOSPC/m);
      expect(out).toMatch(/\nCONFORMS: .* exit code 4\n$/);
      expect(code).toBe(4);
    });

    it.skipIf(!existsSync('/dev/full'))('a full disk for the certificate, of which none is told', () => {
      const { code, out } = certify(['--runs', '1000', '--certificate', '/dev/full'], fake({ honest: true }));
      expect(out).toMatch(/\nCONFORMS: .* exit code 4\n$/);
      expect(code).toBe(4);
    });
  });

  it.skipIf(process.platform === 'win32')('a report that does not fit leaves no file', () => {
    const out = join(folder, 'limited');
    mkdirSync(out);
    const runner = [
      process.execPath,
      main,
      'certify',
      '--fixtures',
      few,
      '--profile',
      'smoke',
      '--json',
      join(out, 'report.json'),
    ];
    const limited = ['-c', 'ulimit -f 1; exec "$@"', 'sh', ...runner, '--', ...fake()];
    const { status, stderr } = spawnSync('sh', limited, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(stderr).toMatch(/^error: --json could not be written: EFBIG/m);
    expect(readdirSync(out)).toEqual([]);
    expect(status).toBe(1);
  });

  it('a verdict that nobody reads is that of the exit code still, and quiet', async () => {
    const args = ['certify', '--fixtures', few, '--profile', 'smoke', '--', ...fake()];
    const runner = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, CI: '1' },
    });
    runner.stdout.destroy();
    let err = '';
    runner.stderr.on('data', (chunk) => {
      err += chunk;
    });
    expect(await new Promise((resolve) => runner.once('close', resolve))).toBe(1);
    expect(err).not.toContain('error');
  });

  it('nothing certified with 5', () => {
    const { code, out } = certify(
      ['--profile', 'smoke'],
      fake({ does: 'say', with: '{"id":ID,"refused":"all"}\n', capabilities: { branches: ['softplus'] } }),
    );
    expect(out).toContain('NOTHING CERTIFIED');
    expect(code).toBe(5);
  });

  it('Ctrl-C ends the subject too, and leaves no report', async () => {
    const out = mkdtempSync(join(folder, 'ended-'));
    const args = [main, 'certify', '--json', join(out, 'report.json'), '--', ...fake({ does: 'hang' })];
    const runner = spawn(process.execPath, args, { stdio: 'ignore' });
    const ended = new Promise((resolve) => runner.once('exit', (code, by) => resolve(by ?? code)));
    let pid = 0;
    await expect
      .poll(
        () => (pid = Number(spawnSync('ps', ['-o', 'pid=', '--ppid', `${runner.pid}`], { encoding: 'utf8' }).stdout)),
        {
          timeout: 30_000,
        },
      )
      .toBeGreaterThan(0);
    runner.kill('SIGINT');
    expect(['SIGINT', 130]).toContain(await ended);
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(readdirSync(out)).toEqual([]);
  });
});
