import type { CertificationReport } from './report.ts';

/** Milliseconds that a reply may take, unless another number is given. */
export const defaultTimeout = 30_000;

/**
 * The command that shows the failures again; none where nothing failed, or nothing could be asked. It asks the first one
 * alone where that is known to fail alone, else everything, since replies may depend on earlier requests.
 */
export function againLine(report: CertificationReport): string | undefined {
  const { announcement, smallest, failures, faults, only, command, fixtures, profile, seed, runs, timeout } = report;
  if (announcement === undefined || failures.length + faults.length === 0) return undefined;
  const ids = smallest === undefined ? only : [smallest.id];
  const flags = ['--profile', profile, '--seed', `${seed}`, '--runs', `${runs}`];
  if (fixtures !== undefined) flags.push('--fixtures', fixtures);
  if (timeout !== defaultTimeout) flags.push('--timeout', `${timeout}`);
  if (ids !== undefined) flags.push('--only', ids.join());
  return `npx poolproof certify ${[...flags, '--', ...command].map(quoted).join(' ')}`;
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
