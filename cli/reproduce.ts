import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type ExperimentName, experiments, fileOf, trialsOf } from '../experiments/experiments.ts';
import { DataError } from '../experiments/idx.ts';
import { loadMnist } from '../experiments/mnist.ts';
import { activations, protocols } from '../experiments/protocols.ts';
import { openResults, type Results, ResultsError } from '../experiments/results.ts';
import { missing, type RunProgress, runTrials } from '../experiments/run.ts';
import type { Activation } from '../reference/activations.ts';
import type { Protocol } from '../reference/protocol.ts';
import { names, parseInteger } from './arguments.ts';
import { exitCodes, internalHelp } from './exit-codes.ts';
import { endWithSignals, progressOn } from './progress.ts';
import { type SubjectName, subjectNames } from './subjects.ts';

type TrainingBackend = Exclude<SubjectName, 'reference'>;
const trainingBackends = subjectNames.filter((name): name is TrainingBackend => name !== 'reference');

interface Flags {
  readonly protocol?: Protocol;
  readonly activation?: readonly Activation[];
  readonly trials?: number;
  readonly epochs?: number;
  readonly backend: TrainingBackend | 'auto';
  readonly workers?: number;
  readonly results: string;
}

const help = `
Exit codes:
  0  every trial that was asked for has a row
  2  an argument was wrong; nothing was run
  3  a trial failed, or the data was not to be had; the rows of the others are
     kept, and the same command goes on from there
${internalHelp}`;

export function reproduceCommand(): Command {
  const command = new Command('reproduce')
    .summary('measure the published claims on MReLU and PAP again')
    .description(
      'Trains networks, many times each, and keeps a row for every trial; what was interrupted goes on where it was.',
    );
  for (const name of Object.keys(experiments) as ExperimentName[]) command.addCommand(experimentCommand(name));
  return command;
}

function experimentCommand(name: ExperimentName): Command {
  const { summary, defaultProtocol, trials } = experiments[name];
  return new Command(name)
    .summary(summary)
    .description(`Measures ${summary}.`)
    .option('--protocol <name>', `${[...protocols.keys()].join(', ')} (default: ${defaultProtocol})`, parseProtocol)
    .option('--activation <names>', [...activations.keys()].join(', '), parseActivations)
    .option('--trials <count>', `trials of each, seeds 1 to count (default: ${trials})`, parseInteger(1, 1_000_000))
    .option('--epochs <count>', "instead of the protocol's", parseInteger(1, 10_000))
    .addOption(new Option('--backend <name>', 'what trains').choices(['auto', ...trainingBackends]).default('auto'))
    .option(
      '--workers <count>',
      'trials at once, each on one core (default: as many as there are cores)',
      parseInteger(1, 1024),
    )
    .option('--results <folder>', 'where the rows are kept', join('experiments', 'results'))
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      process.exitCode = await reproduce(name, flags);
    });
}

async function reproduce(name: ExperimentName, flags: Flags): Promise<number> {
  const experiment = experiments[name];
  const protocol = flags.protocol ?? protocols.get(experiment.defaultProtocol)!;
  const chosen = flags.activation ?? experiment.activations(protocol.name).map((known) => activations.get(known)!);
  const trials = trialsOf(experiment.variants(protocol), chosen, {
    trials: flags.trials ?? experiment.trials,
    epochs: flags.epochs,
  });
  const path = join(flags.results, fileOf(trials[0]!.protocol.name));
  const progress = progressOn(process.stderr);
  endWithSignals(progress, 'interrupted: what has ended is kept; the same command goes on');
  let results: Results | undefined;
  try {
    await loadMnist({
      onProgress: ({ file, received, total }) => {
        progress.begin(file, total ?? 0);
        progress.update(file, received, 'download');
      },
    });
    results = await openResults(path);
    if (results.unfinished > 0) console.error(`${path}: cut off ${results.unfinished} bytes of an unfinished row`);
    const todo = missing(trials, results).length;
    console.error(`${path}: ${trials.length - todo} of ${trials.length} trials are there, ${todo} to run`);
    progress.begin('trials', todo);
    const start = performance.now();
    const failures = await runTrials({
      trials,
      results,
      backend: flags.backend,
      workers: flags.workers ?? availableParallelism(),
      onProgress: (state) => progress.update('trials', state.done, noteOf(state, performance.now() - start)),
    });
    progress.end('trials', `${todo - failures.length} added`);
    progress.stop();
    for (const { trial, reason } of failures) {
      console.error(`error: ${trial.protocol.name}, ${trial.protocol.activation.name}, seed ${trial.seed}: ${reason}`);
    }
    return failures.length === 0 ? exitCodes.held : exitCodes.broke;
  } catch (error) {
    progress.stop();
    if (!(error instanceof ResultsError || error instanceof DataError)) throw error;
    console.error(`error: ${error.message}`);
    return error instanceof DataError ? exitCodes.broke : exitCodes.internal;
  } finally {
    await results?.close();
  }
}

/** `12.3 of 94, 5.1 a minute, 16 min left`. */
function noteOf({ done, total }: RunProgress, elapsed: number): string {
  const perMinute = (60_000 * done) / elapsed;
  const left = (total - done) / perMinute;
  const rate = `${done.toFixed(1)} of ${total}, ${perMinute.toPrecision(2)} a minute`;
  return done < 0.1 ? rate : `${rate}, ${left < 100 ? `${Math.ceil(left)} min` : `${(left / 60).toFixed(1)} h`} left`;
}

function parseProtocol(text: string): Protocol {
  const protocol = protocols.get(text);
  if (protocol) return protocol;
  throw new InvalidArgumentError(`Expected ${[...protocols.keys()].join(', ')}, got "${text}".`);
}

function parseActivations(text: string, before: readonly Activation[] = []): Activation[] {
  const chosen = names(text).map((name) => {
    const activation = activations.get(name);
    if (activation) return activation;
    throw new InvalidArgumentError(`Expected ${[...activations.keys()].join(', ')}, got "${name}".`);
  });
  return [...new Set([...before, ...chosen])];
}
