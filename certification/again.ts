import type { CertificationReport } from './report.ts';

/** The command that asks what failed first again; none where no Case failed. */
export function againLine({
  smallest,
  failures,
  command,
  profile,
  seed,
  runs,
}: CertificationReport): string | undefined {
  const id = smallest?.id ?? failures.find((failure) => failure.case !== undefined)?.id;
  if (id === undefined) return undefined;
  const same = `--profile ${profile} --seed ${seed} --runs ${runs} --only ${id}`;
  return `npx poolproof certify ${same} -- ${command.map(quoted).join(' ')}`;
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
