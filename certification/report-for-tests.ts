import fc from 'fast-check';
import { readSuite } from '../fixtures/load.ts';
import { defaultTimeout } from './again.ts';
import { type CertificationReport, reportFormat } from './report.ts';
import { everything } from './wire.ts';

const suite = readSuite();

/** What a browser, a terminal, or a reader of XML would obey or choke on. */
export const nasty: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</style></title><b>&lt;',
  ']]> --> {{x}}',
  '\u001b[31mred\u001b]0;title\u0007\r',
  '\u202egnp.exe \u0000 \ud800 \uffff',
];

/** Any text that a subject may say, those among it. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
);

/** A report of a run that conforms, of a subject that said `text` wherever it could. */
export function reportOf(text: string, more: Partial<CertificationReport> = {}): CertificationReport {
  const totals = { passed: 1, failed: 0 };
  return {
    format: reportFormat,
    poolproof: '0.0.0',
    outcome: 'conforms',
    exitCode: 0,
    suite: { version: suite.version, digest: suite.digest, own: false },
    command: [text],
    announcement: { implementation: { name: text, version: text, language: text }, capabilities: everything },
    profile: 'training',
    seed: 0,
    runs: 1000,
    checks: { vectors: totals, invalid: totals, accumulated: totals, challenge: totals, repeated: totals },
    missing: [],
    lacking: {},
    elements: { compared: 10, open: 0, vacuous: 1 },
    errors: { histogram: [9, 1], worst: [] },
    failures: [],
    faults: [],
    knownFailing: [],
    unexpectedlyPassed: [],
    notAsked: [],
    minCases: 1,
    timeout: defaultTimeout,
    milliseconds: 1,
    ...more,
  };
}

/** The same of a subject that failed and broke down, and said `text` there too. */
export function failedReportOf(text: string): CertificationReport {
  const { id, note, expected: _, flags: __, ...encoded } = suite.vectors[0];
  const failure = { kind: 'vectors', id, note, op: 'vjp', law: 'agreement/dx' } as const;
  const failures = [
    { ...failure, trouble: { code: 'error', why: text }, description: text, case: encoded },
    { ...failure, trouble: { code: 'fault', why: text }, description: text },
  ] as const;
  return reportOf(text, {
    outcome: 'broke the protocol',
    exitCode: 3,
    failures,
    smallest: failures[0],
    diagnosis: { kind: 'unknown' },
    faults: [{ reason: text, stderr: text }],
    ended: text,
  });
}
