import type { Law } from '../properties/law.ts';

/** docs/laws.md: every law by family and id. */
export function lawsPage(laws: readonly Law[]): string {
  const familyOf = ({ id }: Law) => id.slice(0, id.indexOf('/'));
  const sections = [...new Set(laws.map(familyOf))].toSorted().map((family) => {
    const members = laws.filter((law) => familyOf(law) === family).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const rows = members.map(({ id, statement, source }) => `| \`${id}\` | ${cell(statement)} | ${cell(source)} |`);
    return [`## ${family}`, '', '| id | statement | source |', '|---|---|---|', ...rows].join('\n');
  });
  const intro = `# Laws

${laws.length} laws, each checked on any Subject against any Case. As a source, "spec" is the specification of the project, and a
"claim" is one that the law tests. \`poolproof laws\` prints the same list; \`poolproof verify --law <id or family>\` checks
some of them.

<!-- Written by "npm run docs" from properties/laws/. -->`;
  return `${[intro, ...sections].join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
