import { againLine } from '../certification/again.ts';
import { diagnosisSentences } from '../certification/diagnosis.ts';
import {
  type CertificationReport,
  type CheckFailure,
  checkGroupNames,
  checkGroups,
  faultText,
  outcomes,
  rightAloneText,
  shownCapabilities,
  smallestHeading,
  suiteText,
} from '../certification/report.ts';
import { decodeCase } from '../fixtures/case.ts';
import { caseText } from '../properties/failure-text.ts';
import { wrapped } from '../properties/wrapped.ts';
import { count, percent, printable } from './table.ts';

const againStart = 'again: ';

/** Failures that are shown. */
const shown = 5;

/** A certification for people, in 80 columns; `exitCode` is another than the report's where that could not be written. */
export function certificationText(report: CertificationReport, exitCode: number = report.exitCode): string {
  const { announcement, suite, profile, seed, failures, smallest, faults, ended } = report;
  const lines: string[] = [];
  if (announcement !== undefined) {
    const { implementation, capabilities } = announcement;
    const { name, version, language } = implementation;
    lines.push(`${name} ${version}, ${language}`);
    for (const part of shownCapabilities) {
      lines.push(...wrapped(`  ${part.padEnd(12)}${capabilities[part].join(', ') || 'none'}`));
    }
    lines.push('');
  }
  lines.push(`${suiteText(suite)}, profile ${profile}, seed ${seed}`);
  if (report.only !== undefined) lines.push(`  asked alone: ${report.only.join(', ')}`);
  for (const group of checkGroups) {
    const { passed, failed } = report.checks[group];
    if (passed + failed === 0) continue;
    const isWhole = group === 'challenge' && failed === 0 && ended === undefined && report.only === undefined;
    // A fresh case is a request for each op.
    const cases = isWhole ? `, about ${count(report.runs)} cases` : '';
    lines.push(
      `  ${checkGroupNames[group].padEnd(18)}${count(passed)} passed${cases}${failed > 0 ? `, ${count(failed)} FAILED` : ''}`,
    );
  }
  const { compared, open, vacuous } = report.elements;
  if (compared > 0) {
    const all = compared + open;
    const text = `${count(compared)} compared, ${percent(open, all)} left open, ${percent(vacuous, all)} vacuous`;
    lines.push(`  ${'elements'.padEnd(18)}${text}`);
  }
  const lacking = Object.entries(report.lacking).map(([lack, vectors]) => `${lack} (${vectors})`);
  if (lacking.length > 0) lines.push(`  not announced, so not asked: ${lacking.join(', ')}`);
  for (const lack of report.missing) lines.push('', `MISSING: the profile ${profile} needs ${lack}, not announced`);
  if (smallest !== undefined) lines.push('', `${smallestHeading(smallest)}:`, ...failureLines(smallest));
  if (report.rightAlone !== undefined) lines.push('', `${rightAloneText(report.rightAlone)}.`);
  lines.push(...diagnosisLines(report));
  const others = failures.filter(({ id, op }) => smallest === undefined || id !== smallest.id || op !== smallest.op);
  if (others.length > 0) lines.push('', smallest === undefined ? 'Failures:' : 'Others:');
  for (const { id, op, description } of others.slice(0, shown)) lines.push(`  ${id}, ${op}: ${description}`);
  const rest = checkGroups.reduce((sum, group) => sum + report.checks[group].failed, 0) - others.slice(0, shown).length;
  if (others.length > shown) lines.push(`  and ${count(rest)} more`);
  for (const fault of faults) {
    const last = fault.stderr.split('\n').filter((line) => line.trim() !== '');
    lines.push('', `FAULT: ${faultText(fault)}`, ...last.slice(-6).map((line) => `  | ${line}`));
  }
  for (const id of report.unexpectedlyPassed) lines.push('', `PASSED though listed as known to fail: ${id}`);
  if (report.knownFailing.length > 0) lines.push('', `known to fail, and did: ${report.knownFailing.join(', ')}`);
  if (report.notAsked.length > 0) lines.push('', `listed, but not asked: ${report.notAsked.join(', ')}`);
  if (ended !== undefined) lines.push('', `ENDED: ${ended}`);
  const { text } = outcomes[report.outcome];
  lines.push('', `${text}: ${(report.milliseconds / 1000).toFixed(1)} s, exit code ${exitCode}`);
  // What is to be pasted stays in one line.
  const broken = (line: string) => (line.startsWith(againStart) ? [line] : wrapped(line));
  return `${lines.map(printable).flatMap(broken).join('\n')}\n`;
}

function failureLines({ id, op, note, law, description, case: encoded }: CheckFailure): string[] {
  return [
    `FAIL ${id}, ${op}: ${note}`,
    `  law ${law}`,
    ...(encoded === undefined ? [] : caseText(decodeCase(encoded)).map((line) => `  ${line}`)),
    `  ${description}`,
  ];
}

function diagnosisLines(report: CertificationReport): string[] {
  const lines: string[] = [];
  if (report.diagnosis !== undefined) {
    const [verdict, ...rest] = diagnosisSentences(report.diagnosis);
    lines.push('', `DIAGNOSIS: ${verdict}`, ...rest.map((sentence) => `  ${sentence}`));
  }
  const again = againLine(report);
  if (again !== undefined) lines.push('', `${againStart}${again}`);
  return lines;
}
