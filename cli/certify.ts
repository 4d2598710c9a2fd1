import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { badgeOf } from '../certification/badge.ts';
import { certificateOf, differences, parseCertificate, whyUncertified } from '../certification/certificate.ts';
import { type CertifyOptions, certify } from '../certification/certify.ts';
import { junitXml } from '../certification/junit.ts';
import { certificationPage } from '../certification/page.ts';
import { type Profile, profiles } from '../certification/plan.ts';
import { type CertificationReport, reportFormat } from '../certification/report.ts';
import { packaged, readSuite, SuiteError } from '../fixtures/load.ts';
import { wrongBySchema } from '../fixtures/schema.ts';
import { names, parseInteger } from './arguments.ts';
import { certificationText } from './certification-text.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { parseFile, writeOutput } from './output-file.ts';
import { endWithSignals, progressOn } from './progress.ts';
import { version } from './subjects.ts';
import { printable } from './table.ts';

type Words = [string, ...string[]];

/** Flags that both `certify` and `certificate verify` take. */
interface RunFlags {
  readonly jobs: number;
  readonly timeout: number;
  readonly fixtures?: string;
}

interface Flags extends RunFlags {
  readonly profile: Profile;
  readonly runs: number;
  readonly seed: number;
  readonly minCases: number;
  readonly only?: ReadonlySet<string>;
  readonly knownFailing?: ReadonlySet<string>;
  readonly json?: string;
  readonly junit?: string;
  readonly html?: string;
  readonly badge?: string;
  readonly certificate?: string;
}

/** What a report is written as, by the flag that names the file. */
const writers: readonly [keyof Flags & string, (report: CertificationReport) => string][] = [
  ['json', (report) => `${JSON.stringify(report, null, 1)}\n`],
  ['junit', junitXml],
  ['html', certificationPage],
  ['badge', (report) => `${JSON.stringify(badgeOf(report))}\n`],
];

const exitCodesText = `
Exit codes:
  0  conforms
  1  does not: a reply is outside of what is allowed, an op that the profile
     needs is not announced, or a check passes that is listed as known to fail
  2  an argument was wrong; nothing was run
  3  the subject broke the protocol, crashed or hung
  4  the vectors or the certificate are not as they were made, or poolproof
     itself failed, or could not write a report
  5  nothing was run, or less than --min-cases
`;

export function certifyCommand(): Command {
  return withRunOptions(
    new Command('certify')
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
      .argument('<command...>', 'what starts the implementation, after --', parseWord)
      .option('--profile <name>', `one of ${Object.keys(profiles).join(', ')}`, parseProfile, 'training')
      .option('--runs <count>', 'fresh cases', parseInteger(0, 100_000_000), 10_000)
      .option(
        '--seed <number>',
        'a number of your choice that the fresh cases depend on',
        parseInteger(0, 2 ** 32 - 1),
        0,
      )
      .option('--min-cases <count>', 'checks that must have passed', parseInteger(0, 100_000_000), 1)
      .option('--only <ids>', 'ask these vectors and fresh cases alone', (text) => new Set(names(text)))
      .option('--known-failing <file>', 'ids of checks that are known to fail, one a line', parseKnown)
      .option('--json <file>', 'write the whole report', parseFile)
      .option('--junit <file>', 'write JUnit XML', parseFile)
      .option('--html <file>', 'write one self-contained page', parseFile)
      .option('--badge <file>', 'write the JSON of a badge', parseFile)
      .option('--certificate <file>', 'write a certificate if it conforms', parseFile),
  )
    .addHelpText('after', exitCodesText)
    .action(async (command: Words, { fixtures, knownFailing, ...flags }: Flags) => {
      process.exitCode = await withSuite(fixtures, async (suite) => {
        const report = await run(suite, { ...flags, command, known: knownFailing ?? new Set(), version });
        process.stdout.write(certificationText(report));
        return writeAll(report, flags);
      });
    });
}

/** One word more of a command, whose first is the name of a program. */
function parseWord(word: string, before: readonly string[] | undefined): string[] {
  if (before === undefined && word === '') throw new InvalidArgumentError('Expected the name of a program, got "".');
  return [...(before ?? []), word];
}

export function explainCommand(): Command {
  return new Command('explain')
    .argument('<report.json>', 'what "certify --json" wrote')
    .action((path: string, _: unknown, command: Command) => {
      let report: CertificationReport | null = null;
      try {
        report = JSON.parse(readFileSync(path, 'utf8'));
      } catch (error) {
        command.error(`error: report.json expected a report: ${(error as Error).message}`);
      }
      if (report?.format !== reportFormat) {
        command.error(`error: "format" of the report expected ${reportFormat}, got ${JSON.stringify(report?.format)}`);
      }
      const wrong = wrongBySchema(join(packaged(), '../schemas'))('report', report);
      if (wrong !== undefined) command.error(`error: report.json expected a whole report: ${wrong}`);
      process.stdout.write(certificationText(report!));
    });
}

export function certificateCommand(): Command {
  const verify = withRunOptions(
    new Command('verify')
      .summary('run a certificate again and compare')
      .description(
        'Checks that the certificate is as it was made, asks COMMAND everything that it says again, and compares what comes out byte for byte.',
      )
      .argument('<file>', 'a certificate')
      .argument('<command...>', 'what starts the implementation, after --', parseWord),
  )
    .addHelpText('after', exitCodesText)
    .action(async (path: string, command: Words, { fixtures, ...flags }: RunFlags) => {
      process.exitCode = await withSuite(fixtures, async (suite) => {
        let certificate: ReturnType<typeof parseCertificate>;
        try {
          certificate = parseCertificate(readFileSync(path, 'utf8'));
        } catch (error) {
          complain(`error: ${path}: ${(error as Error).message}`);
          return exitCodes.internal;
        }
        const { profile, seed, runs } = certificate.predicate.core;
        const report = await run(suite, {
          ...flags,
          command,
          profile,
          seed,
          runs,
          minCases: 1,
          known: new Set(),
          version,
        });
        process.stdout.write(certificationText(report));
        const found = differences(certificate, report);
        for (const line of found) console.log(`DIFFERS: ${line}`);
        console.log(`${found.length === 0 ? 'VERIFIED' : 'NOT VERIFIED'}: certificate ${certificate.predicate.id}`);
        return report.exitCode || (found.length === 0 ? exitCodes.held : exitCodes.failed);
      });
    });
  return new Command('certificate').addCommand(verify);
}

function withRunOptions(command: Command): Command {
  return command
    .option('--jobs <count>', 'processes that the fresh cases are divided among', parseInteger(1, 64), 1)
    .option('--timeout <ms>', 'milliseconds that a reply may take', parseInteger(1, 2 ** 31 - 1), 30_000)
    .option('--fixtures <folder>', 'vectors of your own (default: those of poolproof)');
}

async function withSuite(
  folder: string | undefined,
  use: (suite: ReturnType<typeof readSuite>) => Promise<number>,
): Promise<number> {
  let suite: ReturnType<typeof readSuite>;
  try {
    suite = readSuite(folder);
  } catch (error) {
    if (!(error instanceof SuiteError)) throw error;
    complain(`error: the vectors can not be trusted: ${printable(error.message)}`);
    return exitCodes.internal;
  }
  return use(suite);
}

async function run(suite: ReturnType<typeof readSuite>, options: CertifyOptions): Promise<CertificationReport> {
  const progress = progressOn(process.stderr);
  endWithSignals(progress);
  progress.begin('certify', 0);
  try {
    return await certify(suite, {
      ...options,
      onProgress(done, total, part) {
        progress.begin('certify', total);
        progress.update('certify', done, part);
      },
    });
  } finally {
    progress.stop();
  }
}

/** Every file that was asked for, whole or not at all; the exit code of the run, or of what could not be written. */
async function writeAll(report: CertificationReport, flags: Omit<Flags, 'fixtures' | 'knownFailing'>): Promise<number> {
  let code = report.exitCode;
  const write = async (flag: string, path: string, text: string) => {
    try {
      await writeOutput(path, text);
    } catch (error) {
      complain(`error: --${flag} could not be written: ${(error as Error).message}`);
      code ||= exitCodes.internal;
    }
  };
  for (const [flag, textOf] of writers) {
    const path = (flags as Readonly<Record<string, unknown>>)[flag];
    if (typeof path === 'string') await write(flag, path, textOf(report));
  }
  if (flags.certificate !== undefined) {
    const why = whyUncertified(report);
    if (why === undefined) {
      const certificate = certificateOf(report);
      await write('certificate', flags.certificate, `${JSON.stringify(certificate, null, 1)}\n`);
      console.log(`certificate ${certificate.predicate.id}`);
    } else {
      complain(`error: --certificate was not written: ${why}`);
      code ||= exitCodes.notRun;
    }
  }
  return code;
}

function parseProfile(text: string): Profile {
  if (Object.hasOwn(profiles, text)) return text as Profile;
  throw new InvalidArgumentError(`Expected ${Object.keys(profiles).join(', ')}.`);
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
