import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { timeText } from '../experiments/claims/words.ts';
import { loadCifar10First4000 } from '../experiments/data/cifar10.ts';
import { DataError } from '../experiments/data/idx.ts';
import { loadMnist } from '../experiments/data/mnist.ts';
import {
  type Asked,
  dataOf,
  type ExperimentName,
  experiments,
  fileOf,
  plan,
  trialsOf,
} from '../experiments/experiments.ts';
import { openResults, type Results } from '../experiments/results.ts';
import { ResultsError } from '../experiments/row.ts';
import { missing, type RunProgress, runTrials } from '../experiments/run.ts';
import type { Trial } from '../experiments/trial.ts';
import { parseAmong, parseInteger } from './arguments.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { endWithSignals, type Progress, progressOn } from './progress.ts';
import { reportCommand } from './reproduce-report.ts';
import { statusCommand } from './reproduce-status.ts';
import { resultsOption } from './results-option.ts';
import { type SubjectName, subjectNames } from './subjects.ts';

type TrainingBackend = Exclude<SubjectName, 'reference'>;
const trainingBackends = subjectNames.filter((name): name is TrainingBackend => name !== 'reference');

interface Flags {
  readonly protocol?: string;
  readonly activation?: readonly string[];
  readonly trials?: number;
  readonly epochs?: number;
  readonly backend: TrainingBackend | 'auto';
  readonly workers?: number;
  readonly results: string;
}

const help = `
Rows are added to FOLDER/PROTOCOL.ndjson as trials end. A trial that has a row
is not run again, so an interrupted command resumes where it stopped.

Exit codes:
  0  every trial that was asked for has a row
  2  an argument was wrong; nothing was run
  3  a trial failed, or the data could not be obtained; the rows of the others
     are kept, and the same command resumes from there
  4  poolproof itself failed, or the results could not be read or written
`;

export function reproduceCommand(): Command {
  const command = new Command('reproduce').description(
    'Trains networks, many times each, and keeps a row for every trial; an interrupted run resumes where it stopped.',
  );
  for (const name of Object.keys(experiments) as ExperimentName[]) command.addCommand(experimentCommand(name));
  return command.addCommand(allCommand()).addCommand(statusCommand()).addCommand(reportCommand());
}

function experimentCommand(name: ExperimentName): Command {
  const { summary, protocols, activations, trials } = experiments[name];
  const first = [...protocols.keys()][0];
  const command = withCommonOptions(new Command(name), [...protocols.keys()], activations, `${trials}`);
  // What is never trained has no epochs to choose.
  if ([...protocols.values()].some(({ epochs }) => epochs > 0)) command.addOption(epochsOption());
  return command
    .summary(summary)
    .description(`Measures ${summary}. The protocol is ${first} if none is asked for.`)
    .action(async (flags: Flags) => {
      process.exitCode = await reproduce([{ experiment: name, protocol: flags.protocol ?? first }], flags);
    });
}

/** All that `plan` has, or what it has of one protocol. */
function allCommand(): Command {
  const names = [...new Set(plan.map(({ protocol }) => protocol))];
  const activations = new Map(plan.flatMap(({ experiment }) => [...experiments[experiment].activations]));
  return withCommonOptions(new Command('all'), names, activations, "each experiment's")
    .addOption(epochsOption())
    .summary('all that the claims need, one after the other')
    .description('Runs every command that `reproduce status` lists, which takes days on a small machine.')
    .action(async (flags: Flags) => {
      const chosen = plan.filter(({ protocol }) => flags.protocol === undefined || protocol === flags.protocol);
      process.exitCode = await reproduce(chosen, flags);
    });
}

function withCommonOptions(
  command: Command,
  protocols: readonly string[],
  activations: ReadonlyMap<string, unknown>,
  trials: string,
): Command {
  return command
    .addOption(new Option('--protocol <name>', 'what is trained, and how').choices(protocols))
    .option(
      '--activation <names>',
      `among ${[...activations.keys()].join(', ')}, separated by commas (default: what the claims need)`,
      parseAmong([...activations.keys()]),
    )
    .option('--trials <count>', `seeds 1 to count, of each (default: ${trials})`, parseInteger(1, 1_000_000))
    .addOption(new Option('--backend <name>', 'what trains').choices(['auto', ...trainingBackends]).default('auto'))
    .option(
      '--workers <count>',
      'trials at once, each on one core (default: as many as there are cores)',
      parseInteger(1, 1024),
    )
    .addOption(resultsOption())
    .addHelpText('after', help);
}

function epochsOption(): Option {
  return new Option('--epochs <count>', "of what is trained, instead of the protocol's").argParser(
    parseInteger(1, 10_000),
  );
}

/** One experiment after the other, whatever trials fail; the exit code says whether any did. */
async function reproduce(chosen: readonly Asked[], flags: Flags): Promise<number> {
  const progress = progressOn(process.stderr);
  endWithSignals(progress, 'interrupted: what has ended is kept; the same command resumes');
  try {
    let failures = 0;
    for (const asked of chosen) failures += await run(asked, flags, progress);
    return failures > 0 ? exitCodes.broke : exitCodes.held;
  } catch (error) {
    if (!(error instanceof ResultsError || error instanceof DataError)) throw error;
    progress.stop();
    complain(`error: ${error.message}`);
    return error instanceof DataError ? exitCodes.broke : exitCodes.internal;
  } finally {
    progress.stop();
  }
}

/** Runs what is missing of an experiment; says how many trials failed. */
async function run(asked: Asked, flags: Flags, progress: Progress): Promise<number> {
  const { activation: activations = asked.activations, trials: count = asked.trials, epochs } = flags;
  const trials = trialsOf({ ...asked, activations, trials: count, epochs });
  const path = join(flags.results, fileOf(trials[0].protocol.name));
  await load(dataOf(trials[0].protocol), progress);
  const results = await openResults(path);
  try {
    return await runMissing(path, trials, results, flags, progress);
  } finally {
    await results.close();
  }
}

/** Before any worker asks for it, so that it is downloaded once and an error is said once. */
async function load(data: 'mnist' | 'cifar10', progress: Progress): Promise<void> {
  const onProgress = ({ file, received, total }: { file: string; received: number; total: number | undefined }) => {
    progress.begin(file, total ?? 0);
    progress.update(file, received, 'download');
  };
  await (data === 'mnist' ? loadMnist({ onProgress }) : loadCifar10First4000({ onProgress }));
}

async function runMissing(
  path: string,
  trials: readonly Trial[],
  results: Results,
  { backend, workers = availableParallelism() }: Flags,
  progress: Progress,
): Promise<number> {
  if (results.unfinished > 0) complain(`${path}: cut off ${results.unfinished} bytes of an unfinished row`);
  const todo = missing(trials, results).length;
  complain(`${path}: ${trials.length - todo} of ${trials.length} trials are there, ${todo} to run`);
  if (todo === 0) return 0;
  progress.begin('trials', todo);
  const start = performance.now();
  const failures = await runTrials({
    trials,
    results,
    backend,
    workers,
    onProgress: (state) => progress.update('trials', state.done, noteOf(state, performance.now() - start)),
  });
  progress.end('trials', `${todo - failures.length} added`);
  for (const { trial, reason } of failures) {
    complain(`error: ${trial.protocol.name}, ${trial.protocol.activation.name}, seed ${trial.seed}: ${reason}`);
  }
  return failures.length;
}

/** `12.3 of 94, 5.1 a minute, 16 min left`; of what has hardly begun nothing is said. */
function noteOf({ done, total }: RunProgress, elapsed: number): string {
  const share = `${done.toFixed(1)} of ${total}`;
  if (done < 0.1) return share;
  const perMinute = (60_000 * done) / elapsed;
  return `${share}, ${perMinute.toPrecision(2)} a minute, ${timeText((60 * (total - done)) / perMinute)} left`;
}
