import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { certificateOf } from '../certification/certificate.ts';
import { certify } from '../certification/certify.ts';
import { readSuite } from '../fixtures/load.ts';

const folder = new URL('../fixtures/schemas/', import.meta.url);
const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const ajv = new Ajv2020({ strictTypes: false });
for (const file of readdirSync(folder)) ajv.addSchema(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));

const wrongWith = (name: string, value: unknown) => {
  const validate = ajv.getSchema(`https://poolproof.invalid/schemas/${name}.schema.json`)!;
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
