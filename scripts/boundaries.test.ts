import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolproof-boundaries-'));
  const { vcs: _, ...config } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(config));
  cpSync(join(root, 'scripts', 'types-only.grit'), join(folder, 'scripts', 'types-only.grit'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The errors of `npm run lint`'s rules in a file of this name with this text, in a folder of its own. */
function lint(path: string, text: string): string[] {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const { stdout, stderr } = spawnSync(biome, ['lint', '--reporter=json', path], { cwd: folder, encoding: 'utf8' });
  if (!stdout.startsWith('{')) throw new Error(`biome: ${stderr}`);
  const { diagnostics, summary } = JSON.parse(stdout);
  // A file that biome passes over would be clean too.
  expect(summary.unchanged + summary.changed).toBe(1);
  return diagnostics.map(({ message }: { message: unknown }) => JSON.stringify(message));
}

describe('folder boundaries', () => {
  it.each([
    ['reference/planted.ts', "export { laws } from '../properties/laws.ts';", 'nothing outside itself'],
    ['reference/planted.ts', "export type { OpenBackend } from '../impl/tfjs/backends.ts';", 'nothing outside itself'],
    ['reference/planted.ts', "export { readFileSync } from 'node:fs';", 'nothing outside itself'],
    ['reference/planted.ts', "export { sum } from 'mathjs';", 'nothing outside itself'],
    ['properties/planted.ts', "export { activationPool } from '../impl/tfjs/op.ts';", 'only itself and reference/'],
    ['properties/laws/planted.ts', "export { main } from '../../cli/main.ts';", 'only itself and reference/'],
    [
      'properties/planted.ts',
      "export { loadMnist } from '../experiments/data/mnist.ts';",
      'only itself and reference/',
    ],
    ['properties/planted.ts', "export { encodeTensor } from '../fixtures/tensor.ts';", 'only itself and reference/'],
    ['fixtures/planted.ts', "export { activationPool } from '../impl/tfjs/op.ts';", 'properties/ and reference/'],
    ['impl/tfjs/planted.ts', "export { forward } from '../../reference/pool.ts';", 'only types from reference/'],
    ['impl/tfjs/planted.ts', "import '../../reference/pool.ts';", 'only types from reference/'],
    [
      'impl/tfjs/planted.ts',
      "import { type Pool, forward } from '../../reference/pool.ts';\nexport const f: Pool = forward;",
      'only types from reference/',
    ],
    [
      'impl/tfjs/planted.ts',
      "export const pool = await import('../../reference/pool.ts');",
      'only types from reference/',
    ],
    [
      'impl/tfjs/planted.ts',
      "import * as pool from '../../reference/pool.ts';\nexport const f = pool.forward;",
      'only types from reference/',
    ],
    ['properties/planted.ts', "export { withTable } from '../bench/figures.ts';", 'only itself and reference/'],
    ['bench/planted.ts', "export { main } from '../cli/main.ts';", 'nothing from cli/'],
    ['impl/tfjs/planted.ts', "export type { Law } from '../../properties/law.ts';", 'types from reference/'],
  ])('%s may not hold %s', (path, text, message) => {
    expect(lint(path, text)).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['reference/planted.ts', "export { forward } from './pool.ts';"],
    ['properties/laws/planted.ts', "export { forward } from '../../reference/pool.ts';"],
    ['fixtures/planted.ts', "export { cases } from '../properties/cases.ts';"],
    ['impl/tfjs/planted.ts', "export type { Pool } from '../../reference/case.ts';"],
    ['impl/tfjs/planted.ts', "import type { Pool } from '../../reference/case.ts';\nexport const pools: Pool[] = [];"],
    ['bench/planted.ts', "export { activationPool } from '../impl/tfjs/op.ts';"],
    ['cli/planted.ts', "export { forward } from '../reference/pool.ts';"],
  ])('%s may hold %s', (path, text) => {
    expect(lint(path, text)).toEqual([]);
  });
});
