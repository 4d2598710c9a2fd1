import { randomInt } from 'node:crypto';
import { Command } from 'commander';
import { verification as protocol, quickEpochs, requiredAccuracy } from '../experiments/protocols.ts';
import { largestSeed } from '../properties/check-arguments.ts';
import type { Law } from '../properties/law.ts';
import { laws } from '../properties/laws.ts';
import { largestRuns, parseInteger, parseLaws, parseSubjects } from './arguments.ts';
import { complain } from './complain.ts';
import { exitCodes, exitCodesHelp } from './exit-codes.ts';
import { inChild } from './in-child.ts';
import { parseFile, writeOutput } from './output-file.ts';
import { endWithSignals, progressOn } from './progress.ts';
import { exitCodeOf } from './report.ts';
import { encodeReport } from './report-json.ts';
import { reportText } from './report-text.ts';
import { type SubjectName, subjectNames } from './subjects.ts';
import { verification, type Workers } from './verification.ts';

interface Flags {
  readonly backend?: 'auto' | readonly SubjectName[];
  readonly law?: readonly Law[];
  readonly runs?: number;
  readonly seed?: number;
  readonly json?: string;
  readonly quick?: boolean;
  readonly mnist: boolean;
}

/** Each Subject, and the training, in a process of its own. */
const children: Workers = {
  check: (name, chosen, request, tell) =>
    inChild({ task: 'laws', subject: name as SubjectName, laws: chosen.map(({ id }) => id), request }, tell),
  train: (request, tell) => inChild({ task: 'mnist', request }, tell),
};

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      `Checks every law on the float64 reference and on every TensorFlow.js backend that Node has, half of the cases bit for bit. Then trains a 784-512-512-10 network on MNIST, once with ReLU and once with a parametric activation pool, on the fastest of these backends, its first steps in lockstep with float64. Each network must be above ${requiredAccuracy} test accuracy after its last epoch.

MNIST is read from the folder that the environment variable POOLPROOF_DATA names (the files lie in mnist/ there), else from a cache folder, else downloaded into it.`,
    )
    .option(
      '--backend <names>',
      `among ${subjectNames.join(', ')}, separated by commas or by repeating the flag; one that is named must be there (default: auto, every one that is)`,
      parseSubjects,
    )
    .option(
      '--law <names>',
      'ids such as kinks/one-sided, or families such as kinks; "poolproof laws" lists them (default: all)',
      parseLaws,
    )
    .option('--runs <count>', 'cases of each law on each backend (default: 1000)', parseInteger(1, largestRuns))
    .option(
      '--seed <seed>',
      'what everything is drawn from (default: at random; printed)',
      parseInteger(0, largestSeed),
    )
    .option('--json <file>', 'write the whole report to a file, tensors as hex', parseFile)
    .option('--quick', '100 cases of each law, two epochs of MNIST instead of three')
    .option('--no-mnist', 'leave the training out')
    .addHelpText('after', exitCodesHelp)
    .action(async (flags: Flags) => {
      process.exitCode = await verify(flags);
    });
}

async function verify({ backend = 'auto', law, runs, seed, json, quick, mnist }: Flags): Promise<number> {
  const progress = progressOn(process.stderr);
  endWithSignals(progress);
  const report = await verification(
    {
      subjects: backend === 'auto' ? subjectNames : backend,
      named: backend !== 'auto',
      laws: law ?? laws,
      runs: runs ?? (quick ? 100 : 1000),
      seed: seed ?? randomInt(largestSeed + 1),
      epochs: !mnist ? 0 : quick ? quickEpochs : protocol.epochs,
    },
    children,
    progress,
  );
  process.stdout.write(reportText(report));
  const code = exitCodeOf(report);
  if (json === undefined) return code;
  try {
    await writeOutput(json, `${JSON.stringify(encodeReport(report), null, 1)}\n`);
  } catch (error) {
    complain(`error: the report could not be written: ${(error as Error).message}`);
    return code || exitCodes.internal;
  }
  return code;
}
