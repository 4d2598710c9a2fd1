import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { certify } from '../certification/certify.ts';
import { type Profile, profiles } from '../certification/plan.ts';
import { certificationExitCode } from '../certification/report.ts';
import { readSuite, type Suite, SuiteError } from '../fixtures/load.ts';
import { parseInteger } from './arguments.ts';
import { certificationText } from './certification-text.ts';
import { exitCodes } from './exit-codes.ts';
import { parseFile, writeOutput } from './output-file.ts';
import { progressOn } from './progress.ts';
import { version } from './subjects.ts';
import { printable } from './table.ts';

interface Flags {
  readonly profile: Profile;
  readonly runs: number;
  readonly seed: number;
  readonly timeout: number;
  readonly minCases: number;
  readonly fixtures?: string;
  readonly knownFailing?: ReadonlySet<string>;
  readonly json?: string;
}

export function certifyCommand(): Command {
  return new Command('certify')
    .summary('certify an implementation in any language over a pipe')
    .description(
      `Starts COMMAND, without a shell, and asks it over its standard input and output in the protocol pool-harness/1: fixed vectors, requests that it must refuse, ten thousand cases with one digest, then fresh cases that nobody can prepare for. The first requests are asked again of a second process.

The contract, one JSON object a line:
  {"id":0,"cmd":"start",…}              say who you are and what you can
  {"id":1,"cmd":"run","op":"forward",…} answer {"id":1,"outputs":{"y":T}}
  {"id":2,"cmd":"run","op":"vjp",…}     answer {"id":2,"outputs":{"dx":T,"dalpha":T}}
  what is invalid                       answer {"id":3,"refused":"why"}
  what you do not have                  answer {"id":4,"unsupported":"sharing:channel"}
  {"id":5,"cmd":"stop"}, end of input   exit with 0
T is {"dtype":"f32","shape":[2],"hex":"3f80000040000000"}, IEEE bits, big-endian.`,
    )
    .argument('<command...>', 'what starts the implementation, after --')
    .option('--profile <name>', `one of ${profiles.join(', ')}`, parseProfile, 'training')
    .option('--runs <count>', 'fresh cases', parseInteger(0, 100_000_000), 10_000)
    .option(
      '--seed <number>',
      'a number of your choice that the fresh cases depend on',
      parseInteger(0, 2 ** 32 - 1),
      0,
    )
    .option('--timeout <ms>', 'milliseconds that a reply may take', parseInteger(1, 2 ** 31 - 1), 30_000)
    .option('--min-cases <count>', 'checks that must have passed', parseInteger(0, 100_000_000), 1)
    .option('--known-failing <file>', 'ids of checks that are known to fail, one a line', parseKnown)
    .option('--fixtures <folder>', 'vectors of your own (default: those of poolproof)')
    .option('--json <file>', 'write the whole report to a file', parseFile)
    .addHelpText(
      'after',
      `
Exit codes:
  0  conforms
  1  does not: a reply is outside of what is allowed, or a check that is listed
     as known to fail passes
  2  an argument was wrong; nothing was run
  3  the subject broke the protocol, crashed or hung
  4  the vectors are not as they were made, or poolproof itself failed
  5  nothing was run, or less than --min-cases
`,
    )
    .action(async (command: [string, ...string[]], flags: Flags) => {
      process.exitCode = await run(command, flags);
    });
}

async function run(
  command: [string, ...string[]],
  { profile, runs, seed, timeout, minCases, knownFailing, fixtures, json }: Flags,
): Promise<number> {
  let suite: Suite;
  try {
    suite = readSuite(fixtures);
  } catch (error) {
    if (!(error instanceof SuiteError)) throw error;
    console.error(`error: the vectors can not be trusted: ${printable(error.message)}`);
    return exitCodes.internal;
  }
  const progress = progressOn(process.stderr);
  progress.begin('certify', 0);
  const report = await certify(suite, {
    command,
    profile,
    runs,
    number: seed,
    timeout,
    minCases,
    known: knownFailing ?? new Set(),
    version,
    onProgress: (done, what) => progress.update('certify', done, what),
  });
  progress.stop();
  process.stdout.write(certificationText(report));
  const code = certificationExitCode(report);
  if (json === undefined) return code;
  try {
    await writeOutput(json, `${JSON.stringify(report, null, 1)}\n`);
  } catch (error) {
    console.error(`error: the report could not be written: ${(error as Error).message}`);
    return code || exitCodes.internal;
  }
  return code;
}

function parseProfile(text: string): Profile {
  const profile = profiles.find((known) => known === text);
  if (profile !== undefined) return profile;
  throw new InvalidArgumentError(`Expected ${profiles.join(', ')}.`);
}

/** Blank lines and what follows a # are left out. */
function parseKnown(path: string): ReadonlySet<string> {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return new Set(lines.map((line) => line.replace(/#.*/, '').trim()).filter((id) => id !== ''));
  } catch (error) {
    throw new InvalidArgumentError(`Expected a file of ids: ${(error as Error).message}.`);
  }
}
