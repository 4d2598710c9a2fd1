import type { Claim, Finding } from '../claims/claim.ts';
import { elsewhereLines, verdictText } from '../claims/words.ts';
import { anchorOf, type Block, text, unbroken } from './block.ts';

/** All claims at a glance: published, measured, the verdict, and what measures it again. */
export function summary(findings: readonly { readonly claim: Claim; readonly finding: Finding }[]): Block[] {
  const commands = [...new Set(findings.flatMap(({ claim }) => claim.commands))];
  const width = Math.max(...commands.map(({ length }) => length));
  return [
    {
      kind: 'table',
      head: ['claim', 'figure', 'published', 'ours', 'n', 'verdict, and elsewhere'],
      rows: findings.map(({ claim: { id, published }, finding: { ours, n, verdict, caveat } }) => [
        `[${unbroken(id)}](#${anchorOf(id)})`,
        ours.map(({ name }) => unbroken(name)),
        published.length > 1 ? published.map(({ value }) => unbroken(value)) : published.map(({ value }) => value),
        ours.length > 0 ? ours.map(({ value }) => unbroken(value)) : '–',
        n,
        [verdictText(verdict, caveat), ...elsewhereLines(verdict).map((line) => `elsewhere ${line}`)],
      ]),
    },
    text(
      'What measures them again, on the protocol that decides; the section of each claim has the commands for the others:',
    ),
    {
      kind: 'commands',
      lines: commands.map((command) => {
        const ids = findings.filter(({ claim }) => claim.commands.includes(command)).map(({ claim }) => claim.id);
        return `${command.padEnd(width)}  # ${ids.join(', ')}`;
      }),
    },
  ];
}
