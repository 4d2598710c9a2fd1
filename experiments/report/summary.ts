import type { Claim, Finding } from '../claims/claim.ts';
import { elsewhereLines, verdictText } from '../claims/words.ts';
import { anchorOf, type Block } from './block.ts';

const program = 'npx poolproof';

/** All claims at a glance: published, measured, the verdict, and what measures it again. */
export function summaryTable(findings: readonly { readonly claim: Claim; readonly finding: Finding }[]): Block {
  return {
    kind: 'table',
    head: [
      'claim',
      'published',
      'ours, on the protocol that decides',
      'n',
      'verdict',
      'on other protocols',
      `measured again by \`${program} …\``,
    ],
    rows: findings.map(({ claim: { id, published, commands }, finding: { ours, n, verdict, caveat } }) => [
      `[${id}](#${anchorOf(id)})`,
      published,
      ours.length > 0 ? ours : '–',
      n,
      verdictText(verdict, caveat),
      elsewhereLines(verdict),
      commands.map((command) => `\`${command.replace(`${program} `, '')}\``),
    ]),
  };
}
