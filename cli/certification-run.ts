import { type Command, InvalidArgumentError } from 'commander';
import { defaultTimeout } from '../certification/again.ts';
import { type CertifyOptions, certify } from '../certification/certify.ts';
import type { CertificationReport } from '../certification/report.ts';
import { readSuite, type Suite, SuiteError } from '../fixtures/load.ts';
import { parseInteger } from './arguments.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { endWithSignals, progressOn } from './progress.ts';
import { printable } from './table.ts';

/** What starts an implementation: a program and its arguments. */
export type Words = [string, ...string[]];

/** Flags that both `certify` and `certificate verify` take. */
export interface RunFlags {
  readonly jobs: number;
  readonly timeout: number;
  readonly fixtures?: string;
}

/** For both, what follows their options. */
export const exitCodesText = `
Exit codes:
  0  conforms
  1  does not: a reply is outside of what is allowed, an op that the profile
     needs is not announced, or a check passes that is listed as known to fail
  2  an argument was wrong, or COMMAND can not be started; nothing was run
  3  the subject broke the protocol, crashed or hung
  4  the vectors or the certificate are not as they were made, or poolproof
     itself failed, or could not write a report
  5  nothing was run, or fewer than --min-cases
`;

/** The argument COMMAND and the options of `RunFlags`. */
export function withRunOptions(command: Command): Command {
  return command
    .argument('<command...>', 'what starts the implementation, after --', parseWord)
    .option('--jobs <count>', 'processes that the fresh cases are divided among', parseInteger(1, 64), 1)
    .option('--timeout <ms>', 'milliseconds that a reply may take', parseInteger(1, 2 ** 31 - 1), defaultTimeout)
    .option('--fixtures <folder>', 'vectors of your own (default: those of poolproof)');
}

/** One word more of a command, whose first is the name of a program. */
function parseWord(word: string, before: readonly string[] | undefined): string[] {
  if (before === undefined && word === '') throw new InvalidArgumentError('Expected the name of a program, got "".');
  return [...(before ?? []), word];
}

/** The suite in a folder; `undefined` if it is not as it was made, which is said. */
export function suiteOf(folder: string | undefined): Suite | undefined {
  try {
    return readSuite(folder);
  } catch (error) {
    if (!(error instanceof SuiteError)) throw error;
    complain(`error: the vectors can not be trusted: ${printable(error.message)}`);
    process.exitCode = exitCodes.internal;
    return undefined;
  }
}

/** Certifies with progress on stderr; `undefined` if the command can't be started, which is said. */
export async function run(suite: Suite, options: CertifyOptions): Promise<CertificationReport | undefined> {
  const progress = progressOn(process.stderr);
  endWithSignals(progress);
  progress.begin('certify', 0);
  let report: CertificationReport;
  try {
    report = await certify(suite, {
      ...options,
      onProgress(done, total, group) {
        progress.begin('certify', total);
        progress.update('certify', done, group);
      },
    });
  } finally {
    progress.stop();
  }
  if (report.outcome !== 'not started') return report;
  complain(`error: the command ${printable(options.command[0])} ${report.ended!.replace('start: ', '')}`);
  process.exitCode = exitCodes.usage;
  return undefined;
}
