import { failureLines } from '../properties/failure-text.ts';
import type { LawResult } from '../properties/verify.ts';
import { wrapped } from '../properties/wrapped.ts';
import { mnistText } from './mnist-text.ts';
import { replayLine } from './replay-line.ts';
import { exitCodeOf, type Report, type SubjectReport, totals } from './report.ts';
import { count, percent, seconds, table } from './table.ts';

/** With the longest id of a law, so many Subjects fit side by side. */
const subjectsATable = 4;

/** A report for people: the table law × backend, what was left out, every failure in full, the training, the verdict. */
export function reportText(report: Report): string {
  const checked = report.subjects.filter(({ results, state }) => state === 'checked' || results.length > 0);
  const tables: string[] = [];
  for (let from = 0; from < checked.length; from += subjectsATable) {
    tables.push(lawTable(report, checked.slice(from, from + subjectsATable)).join('\n'));
  }
  const sections = [
    `poolproof ${report.poolproof}, Node ${report.node.replace(/^v/, '')}, ${report.platform}; seed ${report.seed}`,
    ...tables,
    subjectLines(report).join('\n'),
    ...report.subjects.flatMap(troubles),
    mnistText(report.mnist),
    verdict(report).join('\n'),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function lawTable(report: Report, subjects: readonly SubjectReport[]): string[] {
  const row = (name: string, of: (subject: SubjectReport) => string) => [name, ...subjects.map(of)];
  const sums = new Map(subjects.map((subject) => [subject, totals(subject.results)]));
  const rows = table(
    [
      row('law: cases, time', ({ name }) => name),
      ...report.laws.map(({ id }) => row(id, ({ results }) => cell(results.find(({ law }) => law === id)))),
      row('cases', (subject) => String(sums.get(subject)!.cases)),
      row('failures', (subject) => String(sums.get(subject)!.failures)),
      row('time', ({ milliseconds }) => seconds(milliseconds)),
      row('elements compared', (subject) => String(sums.get(subject)!.compared)),
      row('left open by the spec', (subject) => {
        const { compared, open } = sums.get(subject)!;
        return percent(open, compared + open);
      }),
      row('vacuous (bound ≥ |value|)', (subject) => {
        const { compared, vacuous } = sums.get(subject)!;
        return percent(vacuous, compared);
      }),
    ],
    1,
  );
  const rule = '-'.repeat(Math.max(...rows.map(({ length }) => length)));
  const laws = rows.slice(1, 1 + report.laws.length);
  return [rows[0], rule, ...laws, rule, ...rows.slice(1 + report.laws.length)];
}

function cell(result: LawResult | undefined): string {
  if (result === undefined) return 'not run';
  const { outcome, cases, milliseconds, failures } = result;
  if (outcome === 'inapplicable') return 'n/a';
  if (outcome === 'failed') return `FAIL ${failures.length} ${seconds(milliseconds)}`;
  if (outcome === 'broke') return `BROKE ${seconds(milliseconds)}`;
  return `${count(cases.dyadic + cases.general)} ${seconds(milliseconds).padStart(5)}`;
}

/** What each Subject is, or why it is not in the table; and what `n/a` means. */
function subjectLines({ subjects, named }: Report): string[] {
  const about = subjects.flatMap(({ name, state, reason, version, dtype, facets = [] }) => {
    if (state === 'checked') {
      return wrapped(`${name}: ${version}, ${dtype}${facets.length > 0 ? `, facets ${facets.join(', ')}` : ''}`);
    }
    const word = state === 'died' ? 'DIED' : named ? state.toUpperCase() : `${state}, passed over`;
    return wrapped(`${name}: ${word}: ${reason}`);
  });
  const needs = new Set(subjects.flatMap(({ results }) => results.flatMap(({ inapplicable }) => inapplicable ?? [])));
  if (needs.size > 0) about.push(`n/a: the law needs ${[...needs].join(' or ')}, which that backend does not have`);
  return about;
}

/** The laws that failed or broke in one line, then each: a counterexample that several paths end at is shown once. */
function troubles({ name, results }: SubjectReport): string[] {
  const troubled = results.filter(({ failures, breakage }) => failures.length > 0 || breakage !== undefined);
  if (troubled.length === 0) return [];
  const details = troubled.flatMap(({ law, failures, breakage }) => {
    const texts = new Map<string, string[]>();
    for (const failure of failures) {
      // Where it was found is in the line that replays it.
      const lines = failureLines(failure).filter((line) => !line.startsWith('found by '));
      const text = lines.flatMap(wrapped).join('\n');
      texts.set(text, [...(texts.get(text) ?? []), `replay: ${replayLine(name, failure)}`]);
    }
    return [
      ...[...texts].map(([text, replays]) => [`FAIL on ${name}`, text, ...replays].join('\n')),
      ...(breakage
        ? [`BROKE on ${name}\n${law}: ${breakage.message}\nreplay: ${replayLine(name, { law, ...breakage })}`]
        : []),
    ];
  });
  const list = wrapped(`Not held on ${name}: ${troubled.map(({ law }) => law).join(', ')}`);
  return [list.join('\n'), ...details];
}

function verdict(report: Report): string[] {
  const { cases, failures } = totals(report.subjects.flatMap(({ results }) => results));
  const code = exitCodeOf(report);
  const words: Record<number, string> = {
    0: 'all held',
    1: 'FAILED',
    3: 'a backend BROKE or is missing',
    5: cases === 0 ? 'no case was checked' : 'all laws held, but MNIST was not run (--no-mnist leaves it out)',
  };
  const backends = report.subjects.filter(({ results }) => results.length > 0).length;
  const results = report.subjects.flatMap((subject) => subject.results);
  const outcomesOf = (id: string) => results.filter(({ law }) => law === id).map(({ outcome }) => outcome);
  const idle = report.laws.filter(({ id }) => {
    const outcomes = outcomesOf(id);
    return outcomes.length > 0 && outcomes.every((outcome) => outcome === 'inapplicable');
  }).length;
  const counts = [
    counted(report.laws.length - idle, 'law') + (idle > 0 ? ` (${idle} not applicable)` : ''),
    counted(backends, 'backend'),
    counted(cases, 'case'),
    counted(failures, 'failure'),
  ].join(', ');
  return wrapped(`${words[code]}: ${counts}, ${seconds(report.milliseconds)}, exit code ${code}`);
}

/** `1 law`, `2 laws`. */
function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
