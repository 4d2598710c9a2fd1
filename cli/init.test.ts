import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The built command; `npm test` builds it first. */
const main = join(root, 'dist/cli/main.js');
/** NumPy is in the Python that `scripts/setup-adapters.sh` makes, or in that of the system. */
const path = `${join(root, '.adapters/bin')}:${process.env.PATH}`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-init-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(resolve(root), join(folder, 'node_modules/poolproof'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(cwd: string, command: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, PATH: path, CI: '1' };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  return { code: status, out: stdout, err: error?.message ?? stderr };
}
const poolproof = (cwd: string, ...args: string[]) => run(cwd, process.execPath, main, ...args);

interface Language {
  /** As `POOLPROOF_ADAPTERS` names it; Node is always there. */
  readonly adapter?: string;
  /** What fails where the language is not installed. */
  readonly probe: readonly [string, ...string[]];
  readonly build?: readonly [string, ...string[]];
  readonly start: readonly string[];
  readonly file: string;
  /** What the function that is to be filled in has at first, and then. */
  readonly unfilled: string;
  readonly filled: string;
}

const languages: Readonly<Record<string, Language>> = {
  python: {
    adapter: 'numpy',
    probe: ['python3', '-c', 'import numpy'],
    start: ['python3', 'pool.py'],
    file: 'pool.py',
    unfilled: "raise NotImplementedError('answer is not written yet')",
    filled: `c = pool.coefficients(alpha)
    f = {'relu': np.maximum(x, 0), 'step': np.heaviside(x, 0)}
    slope = {'relu': f['step'], 'step': np.zeros_like(x)}
    y = sum(ci * f[name] for ci, name in zip(c, pool.branches))
    dx = dy * sum(ci * slope[name] for ci, name in zip(c, pool.branches))
    dc = np.stack([(f[name] * dy).sum(pool.axes, keepdims=True) for name in pool.branches])
    return y, dx, pool.pull_back(alpha, dc)`,
  },
  rust: {
    adapter: 'rust',
    probe: ['cargo', '--version'],
    build: ['cargo', 'build', '--release', '--quiet'],
    start: ['target/release/pool-harness'],
    file: 'src/pool.rs',
    unfilled: 'panic!("answer is not written yet")',
    filled: `let c = pool.coefficients(alpha);
    let (mut y, mut dx, mut dc) = (vec![T::zero(); x.len()], vec![T::zero(); x.len()], vec![T::zero(); c.len()]);
    for (at, &v) in x.iter().enumerate() {
        for (i, branch) in pool.branches.iter().enumerate() {
            let k = i * pool.positions + pool.position(at);
            let (f, df) = match branch.as_str() {
                _ if v.is_nan() => (v, v),
                "relu" if v > T::zero() => (v, T::one()),
                "step" if v > T::zero() => (T::one(), T::zero()),
                _ => (T::zero(), T::zero()),
            };
            y[at] = y[at] + c[k] * f;
            dx[at] = dx[at] + dy[at] * (c[k] * df);
            dc[k] = dc[k] + f * dy[at];
        }
    }
    (y, dx, pool.pull_back(alpha, &dc))`,
  },
  c: {
    adapter: 'c',
    probe: ['sh', '-c', 'make --version && echo "#include <cjson/cJSON.h>" | cc -E -'],
    build: ['make', '--quiet'],
    start: ['./pool-harness'],
    file: 'pool.c',
    unfilled: 'return "ANSWER is not written yet";',
    filled: `const REAL *c = coefficients(p, alpha);
  REAL *dc = zeros(p->n * p->positions);
  for (size_t at = 0; at < p->size; at++) {
    y[at] = dx[at] = 0;
    for (size_t i = 0; i < p->n; i++) {
      size_t k = i * p->positions + position(p, at);
      int is_relu = p->branches[i] == RELU;
      REAL f = isnan(x[at]) ? x[at] : x[at] > 0 ? is_relu ? x[at] : 1 : 0;
      y[at] += c[k] * f;
      dx[at] += is_relu && x[at] > 0 ? dy[at] * c[k] : 0;
      dc[k] += f * dy[at];
    }
  }
  pull_back(p, alpha, dc, dalpha);
  return NULL;`,
  },
  go: {
    adapter: 'go',
    probe: ['go', 'version'],
    build: ['go', 'build', '-o', 'pool-harness'],
    start: ['./pool-harness'],
    file: 'pool.go',
    unfilled: 'panic("answer is not written yet")',
    filled: `c := pool.Coefficients(alpha)
	y, dx = make([]T, len(x)), make([]T, len(x))
	dc := make([]T, len(c))
	for at, v := range x {
		for i, branch := range pool.Branches {
			k := i*pool.Positions + pool.Position(at)
			f := max(v, 0)
			if branch == "step" && v > 0 {
				f = 1
			}
			y[at] += c[k] * f
			if branch == "relu" && v > 0 {
				dx[at] += dy[at] * c[k]
			}
			dc[k] += f * dy[at]
		}
	}
	return y, dx, pool.PullBack(alpha, dc)`,
  },
  node: {
    probe: ['node', '--version'],
    start: ['node', 'pool.mjs'],
    file: 'pool.mjs',
    unfilled: "throw new Error('answer is not written yet');",
    filled: `const [y, dx] = [new Float64Array(x.length), new Float64Array(x.length)];
  const dalpha = new Float64Array(alpha.length);
  x.forEach((v, at) => {
    for (const [i, branch] of pool.branches.entries()) {
      const k = i * positions + positionOf[at % units];
      const f = branch === 'relu' || Number.isNaN(v) ? Math.max(v, 0) : Number(v > 0);
      y[at] += alpha[k] * f;
      dx[at] += branch === 'relu' && v > 0 ? dy[at] * alpha[k] : 0;
      dalpha[k] += f * dy[at];
    }
  });
  return { y, dx, dalpha };`,
  },
};

const required = (process.env.POOLPROOF_ADAPTERS ?? '').split(',');

describe('a starter, from init to a pool that conforms', () => {
  it.for(Object.entries(languages))('%s', { timeout: 300_000 }, ([language, starter], { skip }) => {
    const { adapter, probe, build, start, file, unfilled, filled } = starter;
    if (adapter === undefined || !required.includes(adapter)) {
      const { code, err } = run(folder, ...probe);
      if (code !== 0) skip(`absent: ${probe.join(' ')}: ${err}`);
    }
    const made = poolproof(folder, 'init', language);
    expect(made).toMatchObject({ code: 0, err: '' });
    const home = join(folder, `pool-${language}`);
    expect(made.out).toContain(`npx poolproof certify --profile smoke -- ${start.join(' ')}\n`);
    expect(readFileSync(join(home, 'README.md'), 'utf8')).toContain(`npx poolproof certify -- ${start.join(' ')}\n`);
    expect(made.out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const certified = () => {
      if (build) expect(run(home, ...build).code).toBe(0);
      return poolproof(home, 'certify', '--profile', 'smoke', '--', ...start);
    };

    const first = certified();
    expect(first.out).toContain('is not written yet');
    expect(first.code).toBe(1);

    const pool = readFileSync(join(home, file), 'utf8');
    expect(pool).toContain(unfilled);
    writeFileSync(
      join(home, file),
      pool.replace(unfilled, () => filled),
    );
    const then = certified();
    expect(then.out).toContain('CONFORMS');
    expect(then.code).toBe(0);
  });
});

describe('init', () => {
  it('overwrites nothing', () => {
    const home = mkdtempSync(join(folder, 'mine-'));
    writeFileSync(join(home, 'pool.py'), 'mine');
    const { code, out, err } = poolproof(folder, 'init', 'python', home);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('it is left as it is');
    expect(readdirSync(home)).toEqual(['pool.py']);
    expect(readFileSync(join(home, 'pool.py'), 'utf8')).toBe('mine');
  });

  it.each([
    [[], 2, "missing required argument 'language'"],
    [['java'], 2, 'Allowed choices are python, rust, c, go, node.'],
    [['c', '/dev/null/pool'], 4, 'could not be written: ENOTDIR'],
  ])('%j ends with one line', (args, code, message) => {
    const result = poolproof(folder, 'init', ...args);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).toContain(message);
    expect(result.err).toMatch(/^error: .*\n$/);
  });
});
