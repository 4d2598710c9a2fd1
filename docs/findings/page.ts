import type { Target } from '../../impl/tfjs/targets-for-tests.ts';
import type { Broken, Finding } from './finding.ts';

/** docs/findings.md */
export function findingsPage(
  findings: readonly Finding[],
  versions: Readonly<Partial<Record<Target, string>>>,
): string {
  const wrong = findings.filter(({ kind }) => kind === 'wrong');
  const choices = findings.filter(({ kind }) => kind === 'choice');
  return `${[intro, versionTable(versions), '## Wrong', ...wrong.map(section), '## Choices', ...choices.map(section), rest].join('\n\n')}\n`;
}

const intro = `# What is wrong in TensorFlow.js itself

Its own activations (relu, step, prelu, leakyRelu, elu, selu, relu6, softplus, sigmoid, tanh), forward and gradient, are
checked by the [laws](laws.md) that speak of them on every backend, and all hold except for what is listed here. Every
snippet and every Case below is run by a test on all backends (\`impl/tfjs/stock-ops.test.ts\`), which fails if one gives
anything other than stated, even the right answer: then the list in \`docs/findings/\` is out of date. For the elements that a
finding touches, and only for those, the laws are given the reference's answer in place of the op's.

<!-- Written by "npm run docs" from docs/findings/. -->`;

const rest = `## Not findings

- Subnormal numbers that count as 0 are the facet \`ftz\`; the accuracy of exponentials on a GPU lies within the bounds of
  the spec on SwiftShader, which stands in for one.
- Derivatives at kinks are conventions: at 0 relu and relu6 have 0, leakyRelu and prelu alpha, elu 1, selu its left
  slope 1.758; at 6 relu6 has 1. TensorFlow in Python has 0 for relu6 at 6.
- Textures of 16 bits (\`webgl-f16\`) round in each op: there y of every op is checked, dx where it rounds once (all except
  elu, selu, softplus, sigmoid, tanh), no sums, and not \`slope/pathway-off\`, which makes subnormal numbers of 16 bits.`;

function versionTable(versions: Readonly<Partial<Record<Target, string>>>): string {
  const rows = Object.entries(versions).map(([target, version]) => `| \`${target}\` | ${version} |`);
  return ['| backend | version |', '|---|---|', ...rows].join('\n');
}

function section({ id, title, snippet, right, wrong, breaks }: Finding): string {
  const entries = Object.entries(wrong);
  const rows = [...new Set(Object.values(wrong))].map((printed) => {
    const places = entries.flatMap(([target, each]) => (each === printed ? [`\`${target}\``] : []));
    return `| ${places.join(', ')} | ${inline(printed)} |`;
  });
  return [
    `### ${id}: ${title}`,
    `\`\`\`js\n${snippet}\n\`\`\``,
    ['| | prints |', '|---|---|', `| expected | ${inline(right)} |`, ...rows].join('\n'),
    ...(breaks ? [caseOf(breaks)] : []),
  ].join('\n\n');
}

/** What is printed, as code in a table. */
function inline(printed: string): string {
  return printed
    .split('\n')
    .map((line) => (line.includes('`') ? `\`\` ${line} \`\`` : `\`${line}\``))
    .join('<br>');
}

function caseOf({ op, law, x, alpha = [1], dy, shape, sharing, says }: Broken): string {
  const values = (name: string, list: readonly number[]) => `${name} = [${list.join(', ')}]`;
  const parts = [
    ...(shape ? [values('shape', shape)] : []),
    values('x', x),
    values('alpha', alpha),
    values('dy', dy ?? x.map(() => 1)),
    ...(sharing ? [`sharing ${typeof sharing === 'string' ? sharing : values('sharedAxes', sharing.sharedAxes)}`] : []),
  ];
  return `Breaks \`${law}\`, smallest Case: ${op} at ${parts.join(', ')}: ${says}.`;
}
