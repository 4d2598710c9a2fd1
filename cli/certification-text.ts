import {
  type CertificationReport,
  type CheckFailure,
  certificationExitCode,
  type Totals,
  type Trouble,
} from '../certification/report.ts';
import { decodeCase } from '../fixtures/case.ts';
import { describeFinding } from '../properties/failure.ts';
import { caseText } from '../properties/failure-text.ts';
import { printable, wrapLines } from './table.ts';

/** Failures that are shown whole. */
const shown = 5;

/** A certification for people. */
export function certificationText(report: CertificationReport): string {
  const { announcement, suite, profile, seed, failures, faults, ended, lacking, elements, milliseconds } = report;
  const lines: string[] = [];
  if (announcement !== undefined) {
    const { implementation, capabilities } = announcement;
    const { name, version, language } = implementation;
    lines.push(`${name} ${version}, ${language}`);
    for (const part of ['ops', 'dtypes', 'branches', 'sharing', 'constraints', 'facets'] as const) {
      lines.push(`  ${part.padEnd(12)}${capabilities[part].join(', ') || 'none'}`);
    }
  }
  lines.push('', `suite ${suite.version} (${suite.digest.slice(0, 12)}), profile ${profile}, seed ${seed}`);
  for (const [what, totals] of [
    ['vectors', report.vectors],
    ['invalid requests', report.invalid],
    ['accumulated', report.accumulated],
    ['fresh cases', report.challenge],
    ['asked again', report.repeated],
  ] as const) {
    if (totals.passed + totals.failed > 0) lines.push(`  ${what.padEnd(18)}${totalsText(totals)}`);
  }
  const { checked, unchecked, vacuous } = elements;
  if (checked > 0) {
    const share = (count: number) => `${((100 * count) / (checked + unchecked)).toFixed(2)} %`;
    lines.push(
      `  ${'elements'.padEnd(18)}${checked} compared, ${share(unchecked)} left open, ${share(vacuous)} vacuous`,
    );
  }
  const missing = Object.entries(lacking).map(([lack, count]) => `${lack} (${count})`);
  if (missing.length > 0) lines.push(`  not announced, so not asked: ${missing.join(', ')}`);
  for (const failure of failures.slice(0, shown)) lines.push('', ...failureLines(failure));
  if (failures.length > shown) lines.push('', `… and ${failures.length - shown} failures more that are kept`);
  for (const { reason, stderr } of faults) {
    lines.push(
      '',
      `FAULT: ${reason}`,
      ...stderr
        .split('\n')
        .slice(-6)
        .filter((line) => line !== '')
        .map((line) => `  | ${line}`),
    );
  }
  for (const id of report.unexpectedlyPassed) lines.push('', `PASSED though listed as known to fail: ${id}`);
  if (report.knownFailing.length > 0) lines.push('', `known to fail, and did: ${report.knownFailing.join(', ')}`);
  if (ended !== undefined) lines.push('', `ENDED: ${ended}`);
  const code = certificationExitCode(report);
  const verdict = { 0: 'CONFORMS', 1: 'DOES NOT CONFORM', 3: 'BROKE THE PROTOCOL', 5: 'NOTHING CERTIFIED' }[code];
  lines.push('', `${verdict}: ${(milliseconds / 1000).toFixed(1)} s, exit code ${code}`);
  const from = lines[0] === '' ? 1 : 0;
  return `${wrapLines(lines.slice(from).map(printable), 80).join('\n')}\n`;
}

function totalsText({ passed, failed }: Totals): string {
  return failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} FAILED`;
}

function failureLines({ id, note, op, trouble, case: encoded }: CheckFailure): string[] {
  return [
    `FAIL ${id}, ${op}: ${note}`,
    ...(encoded === undefined ? [] : caseText(decodeCase(encoded)).map((line) => `  ${line}`)),
    `  ${troubleText(trouble)}`,
  ];
}

/** One sentence: what came, and what was expected. */
export function troubleText(trouble: Trouble): string {
  switch (trouble.code) {
    case 'refused':
      return `a valid request was refused: ${trouble.why}`;
    case 'unsupported':
      return `unsupported, though announced: ${trouble.why}`;
    case 'error':
      return `the subject says that it broke: ${trouble.why}`;
    case 'answered':
      return `expected to be refused: ${trouble.why}`;
    case 'differs':
      return `${trouble.quantity} is another ${trouble.why}: the subject is not deterministic`;
    case 'digest':
      return `expected the digest ${trouble.expected}, got ${trouble.actual}`;
    case 'fault':
      return `the protocol was broken: ${trouble.why}`;
    default:
      return describeFinding(trouble);
  }
}
