import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { certify } from '../../certification/certify.ts';
import { readSuite } from '../../fixtures/load.ts';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const inVenv = at('../../.adapters/bin/python3');
const python = existsSync(inVenv) ? inVenv : 'python3';

/** What starts each adapter; `scripts/setup-adapters.sh` makes what is needed. */
const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
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
      [process.execPath, at('../../dist/cli/main.js'), 'serve', backend] as const,
    ]),
  ),
};

/** Adapters that must be there; others are certified if they are. */
const required = (process.env.POOLPROOF_ADAPTERS ?? '').split(',').filter((name) => name !== '');
/** Fresh Cases for each. */
const runs = Number(process.env.POOLPROOF_CHALLENGES ?? 200);
const suite = readSuite();

it('POOLPROOF_ADAPTERS names adapters', () => {
  expect(required.filter((name) => !Object.hasOwn(commands, name))).toEqual([]);
});

it.for(Object.entries(commands))('%s conforms', { timeout: 1_800_000 }, async ([name, command], { skip }) => {
  const report = await certify(suite, {
    command,
    profile: 'training',
    runs,
    seed: 0,
    jobs: 1,
    timeout: 120_000,
    minCases: runs,
    known: new Set(),
    version: '0.0.0',
  });
  if (report.announcement === undefined && !required.includes(name)) skip(`absent: ${report.ended}`);
  const { checks, milliseconds, outcome, failures, faults, ended } = report;
  console.log(
    `${name}: ${checks.vectors.passed} vectors, ${checks.challenge.passed} fresh, ${milliseconds.toFixed(0)} ms`,
  );
  expect({ outcome, failures, faults, ended }).toEqual({ outcome: 'conforms', failures: [], faults: [] });
});
