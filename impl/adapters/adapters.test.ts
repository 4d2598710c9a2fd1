import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { certify } from '../../certification/certify.ts';
import type { CertificationReport } from '../../certification/report.ts';
import { readSuite } from '../../fixtures/load.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const inVenv = at('../../.adapters/bin/python3');
const python = process.env.POOLPROOF_PYTHON ?? (existsSync(inVenv) ? inVenv : 'python3');
const main = at('../../dist/cli/main.js');

type Words = readonly [string, ...string[]];

/** What starts each adapter; `scripts/setup-adapters.sh` makes what is needed. */
const commands: Readonly<Record<string, Words>> = {
  numpy: [python, at('python/numpy_pool.py')],
  torch: [python, at('python/torch_pool.py')],
  jax: [python, at('python/jax_pool.py')],
  'jax-f64': [python, at('python/jax_pool.py'), 'f64'],
  onnx: [python, at('python/onnx_pool.py')],
  rust: [at('rust/target/release/pool-harness')],
  c: [at('c/pool-harness')],
  go: [at('go/pool-harness')],
  ...Object.fromEntries(
    ['cpu', 'wasm', 'tensorflow', 'webgpu'].map((backend) => [
      backend,
      [process.execPath, main, 'serve', backend] as const,
    ]),
  ),
};

/** Adapters that must be there; others are certified if they are. */
const required = (process.env.POOLPROOF_ADAPTERS ?? '').split(',').filter((name) => name !== '');
/** Fresh Cases for each. */
const runs = Number(process.env.POOLPROOF_CHALLENGES ?? 200);
const suite = readSuite();

function certified(command: Words, profile: 'training' | 'smoke'): Promise<CertificationReport> {
  const minCases = profile === 'smoke' ? 1 : runs;
  const options = { seed: 0, jobs: 1, timeout: 120_000, known: new Set<string>(), version: '0.0.0' };
  return certify(suite, { command, profile, runs, minCases, ...options });
}

it('POOLPROOF_ADAPTERS names adapters', () => {
  expect(required.filter((name) => !Object.hasOwn(commands, name))).toEqual([]);
});

it.for(Object.entries(commands))('%s conforms', { timeout: 1_800_000 }, async ([name, command], { skip }) => {
  const report = await certified(command, 'training');
  if (report.announcement === undefined && !required.includes(name)) skip(`absent: ${report.ended}`);
  const { checks, milliseconds, outcome, failures, faults, ended } = report;
  console.log(
    `${name}: ${checks.vectors.passed} vectors, ${checks.challenge.passed} fresh, ${milliseconds.toFixed(0)} ms`,
  );
  expect({ outcome, failures, faults, ended }).toEqual({ outcome: 'conforms', failures: [], faults: [] });
});

interface Starter {
  /** Of `init`. */
  readonly language: string;
  /** The adapter that needs the same tools. */
  readonly adapter?: string;
  readonly file: string;
  readonly build?: Words;
  readonly command: (folder: string) => Words;
  /** What replaces the line that says "not written yet". */
  readonly body: string;
}

const starters: readonly Starter[] = [
  {
    language: 'python',
    adapter: 'numpy',
    file: 'pool.py',
    command: (folder) => [python, join(folder, 'pool.py')],
    body: `
    c = pool.coefficients(alpha)
    on = np.heaviside(x, 0)
    f = [np.maximum(x, 0) if name == 'relu' else on for name in pool.branches]
    slopes = [on if name == 'relu' else np.zeros_like(x) for name in pool.branches]
    dc = np.stack([(fi * dy).sum(pool.axes, keepdims=True) for fi in f])
    return sum(map(np.multiply, c, f)), dy * sum(map(np.multiply, c, slopes)), pool.pull_back(alpha, dc)
`,
  },
  {
    language: 'rust',
    adapter: 'rust',
    file: 'src/pool.rs',
    build: ['cargo', 'build', '--quiet', '--release', '--target-dir', at('../../.adapters/rust-starter')],
    command: () => [at('../../.adapters/rust-starter/release/pool-harness')],
    body: `
    let c = pool.coefficients(alpha);
    let (mut y, mut dx, mut dc) = (vec![T::zero(); x.len()], vec![T::zero(); x.len()], vec![T::zero(); c.len()]);
    for at in 0..x.len() {
        for (i, branch) in pool.branches.iter().enumerate() {
            let k = i * pool.positions + pool.position(at);
            let on = if x[at].is_nan() { x[at] } else if x[at] > T::zero() { T::one() } else { T::zero() };
            let relu = if x[at] < T::zero() { T::zero() } else { x[at] };
            let (f, slope) = if branch == "relu" { (relu, on) } else { (on, T::zero()) };
            y[at] = y[at] + c[k] * f;
            dx[at] = dx[at] + c[k] * slope;
            dc[k] = dc[k] + f * dy[at];
        }
        dx[at] = dy[at] * dx[at];
    }
    (y, dx, pool.pull_back(alpha, &dc))
`,
  },
  {
    language: 'c',
    adapter: 'c',
    file: 'pool.c',
    build: ['make', '--quiet'],
    command: (folder) => [join(folder, 'pool-harness')],
    body: `
  REAL *c = coefficients(p, alpha), *dc = zeros(p->n * p->positions);
  for (size_t at = 0; at < p->size; at++) {
    for (size_t i = 0; i < p->n; i++) {
      size_t k = i * p->positions + position(p, at);
      REAL on = isnan(x[at]) ? x[at] : x[at] > 0, relu = x[at] < 0 ? 0 : x[at];
      REAL f = p->branches[i] == RELU ? relu : on, slope = p->branches[i] == RELU ? on : 0;
      y[at] += c[k] * f;
      dx[at] += c[k] * slope;
      dc[k] += f * dy[at];
    }
    dx[at] *= dy[at];
  }
  pull_back(p, alpha, dc, dalpha);
  return NULL;
`,
  },
  {
    language: 'go',
    adapter: 'go',
    file: 'pool.go',
    build: ['go', 'build', '-o', 'pool-harness'],
    command: (folder) => [join(folder, 'pool-harness')],
    body: `
	c := pool.Coefficients(alpha)
	y, dx, dc := make([]T, len(x)), make([]T, len(x)), make([]T, len(c))
	for at, v := range x {
		var on T
		if v > 0 {
			on = 1
		} else if v != v {
			on = v
		}
		for i, branch := range pool.Branches {
			k := i*pool.Positions + pool.Position(at)
			f, slope := max(v, 0), on
			if branch == "step" {
				f, slope = on, 0
			}
			y[at] += c[k] * f
			dx[at] += c[k] * slope
			dc[k] += f * dy[at]
		}
		dx[at] *= dy[at]
	}
	return y, dx, pool.PullBack(alpha, dc)
`,
  },
  {
    language: 'node',
    file: 'pool.mjs',
    command: (folder) => [process.execPath, join(folder, 'pool.mjs')],
    body: `
  const [y, dx, dalpha] = [x, x, alpha].map(({ length }) => new Float64Array(length));
  x.forEach((v, at) => {
    pool.branches.forEach((branch, i) => {
      const k = i * positions + positionOf[at % units];
      const on = Number.isNaN(v) ? v : Number(v > 0);
      const [f, slope] = branch === 'relu' ? [Math.max(v, 0), on] : [on, 0];
      y[at] += alpha[k] * f;
      dx[at] += alpha[k] * slope;
      dalpha[k] += f * dy[at];
    });
    dx[at] *= dy[at];
  });
  return { y, dx, dalpha };
`,
  },
];

describe('poolproof init', () => {
  const folder = mkdtempSync(join(tmpdir(), 'poolproof-init-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  symlinkSync(at('../..'), join(packages, 'poolproof'));

  it.for(starters)(
    '$language passes smoke after filling in one function',
    {
      timeout: 600_000,
    },
    async ({ language, adapter, file, build, command, body }, { skip }) => {
      const into = join(folder, language);
      execFileSync(process.execPath, [main, 'init', language, into]);
      const make = () =>
        build && execFileSync(build[0], build.slice(1), { cwd: into, stdio: ['ignore', 'ignore', 'pipe'] });
      try {
        make();
      } catch (error) {
        if (adapter !== undefined && required.includes(adapter)) throw error;
        skip(`can't be built: ${(error as Error).message}`);
      }
      const empty = await certified(command(into), 'smoke');
      if (empty.announcement === undefined && !required.includes(adapter!)) skip(`absent: ${empty.ended}`);
      expect(empty.outcome).toBe('fails');
      expect(empty.failures[0].trouble).toMatchObject({
        code: 'error',
        why: expect.stringContaining('not written yet'),
      });

      const source = readFileSync(join(into, file), 'utf8');
      writeFileSync(join(into, file), source.replace(/\n.*not written yet.*\n/, body));
      make();
      const { outcome, failures, faults, checks } = await certified(command(into), 'smoke');
      expect({ outcome, failures, faults }).toEqual({ outcome: 'conforms', failures: [], faults: [] });
      expect(checks.vectors.passed).toBeGreaterThan(40);
    },
  );
});
