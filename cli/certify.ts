import { readFileSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { badgeOf } from '../certification/badge.ts';
import { certificateOf, whyNeverCertified, whyUncertified } from '../certification/certificate.ts';
import { junitXml } from '../certification/junit.ts';
import { certificationPage } from '../certification/page.ts';
import { type Profile, profiles } from '../certification/plan.ts';
import type { CertificationReport } from '../certification/report.ts';
import { names, parseInteger } from './arguments.ts';
import { exitCodesText, type RunFlags, run, suiteOf, type Words, withRunOptions } from './certification-run.ts';
import { certificationText } from './certification-text.ts';
import { idsOf, unknownId } from './check-ids.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { parseFile, writeOutput } from './output-file.ts';
import { version } from './subjects.ts';

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

/** What a report is written as, by the flag that names the file; a certificate only if there is one. */
const writers = {
  json: (report) => `${JSON.stringify(report, null, 1)}\n`,
  junit: junitXml,
  html: certificationPage,
  badge: (report) => `${JSON.stringify(badgeOf(report))}\n`,
  certificate: (report) => `${JSON.stringify(certificateOf(report), null, 1)}\n`,
} satisfies Partial<Record<keyof Flags, (report: CertificationReport) => string>>;

const outputs = Object.keys(writers) as (keyof typeof writers)[];

export function certifyCommand(): Command {
  return withRunOptions(
    new Command('certify')
      .description(
        `Starts COMMAND, without a shell, and asks it over its standard input and output in the protocol pool-harness/1: fixed vectors, requests that it must refuse, ten thousand cases with one digest, then fresh cases, which can't be prepared for if you choose --seed yourself. The first requests are asked again of a second process.

The contract, one JSON object a line, and what you answer:
  {"id":0,"cmd":"start",…}               who you are and what you can
  {"id":1,"cmd":"run","op":"forward",…}  {"id":1,"outputs":{"y":T}}
  {"id":2,"cmd":"run","op":"vjp",…}      {"id":2,"outputs":{"dx":T,"dalpha":T}}
  what is invalid                        {"id":3,"refused":"why"}
  what you do not have                   {"id":4,"unsupported":"sharing:channel"}
  {"id":5,"cmd":"stop"}, end of input    nothing: exit with 0
T is {"dtype":"f32","shape":[2],"hex":"3f80000040000000"}, big-endian IEEE bits.`,
      )
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
      .option('--json <file>', 'write the whole report', parseOutput)
      .option('--junit <file>', 'write JUnit XML', parseOutput)
      .option('--html <file>', 'write one self-contained page', parseOutput)
      .option('--badge <file>', 'write the JSON of a badge', parseOutput)
      .option('--certificate <file>', 'write a certificate if it conforms', parseOutput),
  )
    .addHelpText('after', exitCodesText)
    .action(async (words: Words, { knownFailing = new Set(), ...flags }: Flags, command: Command) => {
      const never = flags.certificate === undefined ? undefined : whyNeverCertified(flags);
      if (never !== undefined) command.error(`error: --certificate can not be given: ${never}`);
      const twice = namedTwice(flags);
      if (twice !== undefined) command.error(`error: ${twice} expected another file each, got the same`);
      const suite = suiteOf(flags.fixtures);
      if (suite === undefined) return;
      for (const [flag, ids] of [
        ['only', flags.only ?? []],
        ['known-failing', knownFailing],
      ] as const) {
        const unknown = unknownId(ids, idsOf(suite, flag));
        if (unknown !== undefined) command.error(`error: --${flag} ${unknown}`);
      }
      const report = await run(suite, { ...flags, command: words, known: knownFailing, version });
      if (report !== undefined) process.exitCode = await tell(report, flags);
    });
}

/** Writes every file that was asked for, then says what came out: the exit code is that of both. */
async function tell(report: CertificationReport, flags: Flags): Promise<number> {
  let code = report.exitCode;
  let certificate: string | undefined;
  for (const flag of outputs) {
    const path = flags[flag];
    if (path === undefined) continue;
    const why = flag === 'certificate' ? whyUncertified(report) : undefined;
    if (why !== undefined) {
      const isThere = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
      if (isThere) rmSync(path);
      complain(`error: --certificate was not written${isThere ? ', and the file of before removed' : ''}: ${why}`);
      code ||= exitCodes.notRun;
      continue;
    }
    try {
      await writeOutput(path, writers[flag](report));
      if (flag === 'certificate') certificate = certificateOf(report).predicate.id;
    } catch (error) {
      complain(`error: --${flag} could not be written: ${(error as Error).message}`);
      code ||= exitCodes.internal;
    }
  }
  process.stdout.write(certificationText(report, code));
  if (certificate !== undefined) console.log(`certificate ${certificate}`);
  return code;
}

/** Two flags that name the same file; a device may be named twice. */
function namedTwice(flags: Flags): string | undefined {
  const seen = new Map<string, string>();
  for (const flag of outputs) {
    const path = flags[flag];
    if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isFile() === false) continue;
    const before = seen.get(resolve(path));
    if (before !== undefined) return `--${before} and --${flag}`;
    seen.set(resolve(path), flag);
  }
  return undefined;
}

function parseOutput(text: string): string {
  if (text === '-') throw new InvalidArgumentError('Expected the name of a file; standard output is /dev/stdout.');
  return parseFile(text);
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
