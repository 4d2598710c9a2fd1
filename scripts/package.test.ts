import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const project = mkdtempSync(join(tmpdir(), 'poolproof-package-'));
const modules = join(project, 'node_modules');

/** Packs the built package and unpacks it beside its dependencies, and nothing else, as an install does. */
beforeAll(() => {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  mkdirSync(join(modules, 'poolproof'), { recursive: true });
  execFileSync('tar', ['xzf', join(project, filename), '--strip-components=1', '-C', join(modules, 'poolproof')]);
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

const run = (...args: string[]) =>
  execFileSync('node', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const poolproof = (...args: string[]) => run(join(modules, 'poolproof/dist/cli/main.js'), ...args);

it('the installed command line runs', { timeout: 120_000 }, () => {
  expect(poolproof('--help')).toContain('verify');
  expect(poolproof('verify', '--no-mnist', '--backend', 'reference', '--law', 'kinks', '--runs', '2')).toContain(
    'all held',
  );
  expect(poolproof('init', 'rust')).toContain('pool-rust: Cargo.toml, ');
  expect(poolproof('mutants', '--mutant', 'relu6', '--runs', '2')).toContain('relu6');
});

it.each(['poolproof', 'poolproof/reference', 'poolproof/serve', 'poolproof/fixtures'])(
  '%s is all there',
  { timeout: 60_000 },
  (entry) => {
    expect(run('--input-type=module', '-e', `console.log(Object.keys(await import('${entry}')).length)`)).toMatch(/\d/);
  },
);

it.each(['v1/manifest.json', 'schemas/cases.schema.json'])('poolproof/fixtures/%s is JSON', (path) => {
  const read = `JSON.parse(fs.readFileSync(require.resolve('poolproof/fixtures/${path}')))`;
  expect(run('-e', `console.log(typeof ${read})`)).toBe('object\n');
});
