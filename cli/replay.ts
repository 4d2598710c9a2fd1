import { Command } from 'commander';
import type { CaseKind } from '../properties/cases.ts';
import { largestSeed } from '../properties/check-arguments.ts';
import type { Failure } from '../properties/failure.ts';
import { failureLines } from '../properties/failure-text.ts';
import type { Law } from '../properties/law.ts';
import { type Breakage, checkKind, lackOf } from '../properties/verify.ts';
import { wrapped } from '../properties/wrapped.ts';
import type { Subject } from '../reference/subject.ts';
import { parseInteger, parseKind, parseLaw, parsePath, parseSubject } from './arguments.ts';
import { exitCodes, internalHelp } from './exit-codes.ts';
import type { Counterexample } from './replay-line.ts';
import { openSubject, type SubjectName, Unavailable } from './subjects.ts';

interface Flags {
  readonly law: Law;
  readonly backend: SubjectName;
  readonly seed: number;
  readonly kind: CaseKind;
  readonly path: string;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Runs one counterexample again, on the line that verify printed with it. The path holds for the version of poolproof and the backend that found it.',
    )
    .requiredOption('--law <id>', 'the law', parseLaw)
    .requiredOption('--backend <name>', 'the backend', (text: string) => parseSubject(text))
    .requiredOption('--seed <seed>', 'the seed of that run', parseInteger(0, largestSeed))
    .requiredOption('--kind <kind>', 'dyadic or general', parseKind)
    .requiredOption('--path <path>', 'the way to the shrunk case, such as 12:0:3', parsePath)
    .addHelpText(
      'after',
      `
Exit codes:
  0  the law holds on that case now
  1  it fails
  2  an argument was wrong
  3  the backend threw, or is missing
${internalHelp}  5  the path leads to no case of the law, or the backend lacks what it needs
`,
    )
    .action(async ({ law, backend, ...at }: Flags) => {
      const outcome = await replay(law, async () => (await openSubject(backend)).subject, { law: law.id, ...at });
      console.log(outcome.text);
      process.exitCode = outcome.exitCode;
    });
}

/** Runs one counterexample again and says what came of it. */
export async function replay(
  law: Law,
  open: () => Promise<Subject>,
  { kind, seed, path }: Counterexample,
): Promise<{ text: string; exitCode: number }> {
  let subject: Subject;
  try {
    subject = await open();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { text: error.message, exitCode: exitCodes.broke };
  }
  const missing = lackOf(subject, law);
  if (missing !== undefined) {
    return { text: `${law.id} needs ${missing}, which ${subject.name} has not`, exitCode: exitCodes.notRun };
  }
  const nowhere = {
    text: `${law.id}: path ${path} leads to no case that the law speaks of`,
    exitCode: exitCodes.notRun,
  };
  let ran = 0;
  let outcome: Failure | Breakage | undefined;
  try {
    outcome = await checkKind(law, subject, { kind, seed, runs: 1, path }, () => ran++);
  } catch (error) {
    if (error instanceof RangeError && error.message.startsWith('checkKind: "path"')) return nowhere;
    throw error;
  }
  if (outcome === undefined) {
    if (ran === 0) return nowhere;
    return { text: `${law.id} holds on that case now, on ${subject.name}`, exitCode: exitCodes.held };
  }
  if ('finding' in outcome) {
    return {
      text: [`FAIL on ${subject.name}`, ...failureLines(outcome).flatMap(wrapped)].join('\n'),
      exitCode: exitCodes.failed,
    };
  }
  return { text: `BROKE on ${subject.name}\n${law.id}: ${outcome.message}`, exitCode: exitCodes.broke };
}
