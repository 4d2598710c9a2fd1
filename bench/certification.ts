/** Measures whole certifications and writes the figures. Run by npm run bench. */
import { existsSync } from 'node:fs';
import { certify } from '../certification/certify.ts';
import { checkGroups } from '../certification/report.ts';
import { readSuite } from '../fixtures/load.ts';
import type { CertificationFigures, CertificationRow } from './certification-page.ts';
import { quantile } from './quantile.ts';
import { thisMachine, writeFigures } from './run.ts';

const rounds = Number(process.env.POOLPROOF_ROUNDS ?? 5);
const runs = 10_000;
const python = existsSync('.adapters/bin/python3') ? '.adapters/bin/python3' : 'python3';
const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'poolproof reference': [process.execPath, 'dist/cli/main.js', 'serve', 'reference'],
  numpy: [python, 'impl/adapters/python/numpy_pool.py'],
  C: ['impl/adapters/c/pool-harness'],
};

const suite = readSuite();
const absent: Record<string, string> = {};
const measured = new Map<string, { version: string; requests: number; seconds: number[] }>();
for (let round = 0; round < rounds; round++) {
  for (const [subject, command] of Object.entries(commands)) {
    if (subject in absent) continue;
    const options = { command, runs, seed: round, jobs: 1, timeout: 30_000, minCases: runs, known: new Set<string>() };
    const report = await certify(suite, { ...options, profile: 'training', version: '' });
    if (report.announcement === undefined) absent[subject] = report.ended!;
    else if (report.outcome !== 'conforms') throw new Error(`bench: ${subject} expected to conform: ${report.outcome}`);
    else {
      const row = measured.get(subject) ?? {
        version: report.announcement.implementation.version,
        requests: 0,
        seconds: [],
      };
      row.requests = checkGroups.reduce((sum, group) => sum + report.checks[group].passed, 0);
      row.seconds.push(report.milliseconds / 1000);
      measured.set(subject, row);
      console.log(`${subject}: ${row.requests} requests, ${(report.milliseconds / 1000).toFixed(1)} s`);
    }
  }
}
const rows = [...measured].map(
  ([subject, { version, requests, seconds }]): CertificationRow => ({
    subject,
    version,
    requests,
    seconds: [quantile(seconds, 0.25), quantile(seconds, 0.5), quantile(seconds, 0.75)],
  }),
);
const versions = { node: process.versions.node };
const figures: CertificationFigures = { machine: thisMachine(), versions, absent, rounds, runs, rows };
writeFigures('certification', figures);
