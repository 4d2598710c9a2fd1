import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'poolproof-init-'));
afterAll(() => rmSync(folder, { recursive: true }));

const init = (...args: string[]) =>
  spawnSync(process.execPath, [main, 'init', ...args], { cwd: folder, encoding: 'utf8' });

it.each(['python', 'rust', 'c', 'go', 'node'])(
  '%s: says in 80 columns what was written and what comes next',
  (language) => {
    const { status, stdout, stderr } = init(language);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('npx poolproof certify --profile smoke -- ');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const readme = readFileSync(join(folder, `pool-${language}`, 'README.md'), 'utf8');
    for (const convention of ['relu′(0) = 0', 'step(0) = 0', 'of a NaN every branch is NaN']) {
      expect(readme.replace(/\s+/g, ' ')).toContain(convention);
    }
  },
);

it.each([
  [[], 2, "missing required argument 'language'"],
  [['java'], 2, 'Allowed choices are python, rust, c, go, node.'],
  [['c', '/dev/null/pool'], 4, 'could not be written: ENOTDIR'],
])('%j ends with one line', (args, code, message) => {
  const { status, stdout, stderr } = init(...args);
  expect({ status, stdout }).toEqual({ status: code, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/^error: .*\n$/);
});

it('writes over nothing', () => {
  const into = join(folder, 'twice');
  expect(init('node', into).status).toBe(0);
  writeFileSync(join(into, 'pool.mjs'), 'mine');
  const { status, stderr } = init('node', into);
  expect(status).toBe(2);
  expect(stderr).toContain('Expected a new or an empty folder, got one with 2 entries; it is left as it is.');
  expect(readFileSync(join(into, 'pool.mjs'), 'utf8')).toBe('mine');
});
