import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { certificateOf } from '../certification/certificate.ts';
import { certify } from '../certification/certify.ts';
import { readSuite } from '../fixtures/load.ts';
import { schemasIn } from '../fixtures/schema.ts';

const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const schemas = schemasIn(fileURLToPath(new URL('../fixtures/schemas/', import.meta.url)));

const wrongWith = (name: string, value: unknown) => {
  const validate = schemas.getSchema(`https://poolproof.invalid/schemas/${name}.schema.json`)!;
  return validate(JSON.parse(JSON.stringify(value))) ? undefined : validate.errors;
};

const run = (args: readonly string[], runs = 100) =>
  certify(readSuite(), {
    command: [process.execPath, ...args],
    profile: 'training',
    runs,
    seed: 0,
    jobs: 1,
    timeout: 30_000,
    minCases: 1,
    known: new Set(),
    version: '0.0.0',
  });

it.each([
  ['a right implementation', [main, 'serve', 'reference']],
  ['a wrong one', [main, 'serve', 'reference', '--mutant', 'step-at-zero-is-one']],
  ['one that keeps something', [main, 'serve', 'reference', '--mutant', 'stale-alpha']],
  ['one that breaks', ['-e', 'process.exit(3)']],
])('the report of %s conforms to its schema, and no part of it may be missing', async (_, args) => {
  const report = await run(args);
  expect(wrongWith('report', report)).toBeUndefined();
  const optional = ['announcement', 'smallest', 'rightAlone', 'diagnosis', 'curve', 'ended'];
  for (const key of Object.keys(report)) {
    const { [key as keyof typeof report]: _, ...rest } = report;
    expect(wrongWith('report', rest) === undefined, key).toBe(optional.includes(key));
  }
  expect(wrongWith('report', { ...report, more: 1 })).toBeDefined();
});

it('a certificate conforms to its schema, and no part of it may be missing', async () => {
  const certificate = certificateOf(await run([main, 'serve', 'reference'], 1000));
  expect(wrongWith('certificate', certificate)).toBeUndefined();
  const { core } = certificate.predicate;
  for (const key of Object.keys(core)) {
    const { [key as keyof typeof core]: _, ...rest } = core;
    expect(wrongWith('certificate', { ...certificate, predicate: { id: '', core: rest } }), key).toBeDefined();
  }
});
