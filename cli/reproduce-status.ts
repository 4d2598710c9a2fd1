import { Command } from 'commander';
import { figure } from '../experiments/claims/words.ts';
import { isOfMap, mapName } from '../experiments/protocols.ts';
import { crossingsText, lacksOf } from '../experiments/report/crossings.ts';
import { readMeasured } from '../experiments/report/evidence.ts';
import { type Progress, type ProgressLine, progressOf } from '../experiments/report/plan.ts';
import { leftText } from '../experiments/report/remaining.ts';
import type { TrialRow } from '../experiments/trial.ts';
import { columns, wrapped } from '../properties/wrapped.ts';
import { exitCodes } from './exit-codes.ts';
import { resultsOption, resultsRead, unfinishedLines } from './results-option.ts';
import { table } from './table.ts';

const help = `
Exit codes:
  0  the state is printed, whatever is left
  2  an argument was wrong
  4  the results are damaged
`;

/** `poolproof reproduce status` */
export function statusCommand(): Command {
  return new Command('status')
    .summary('how many trials there are of those that the claims need')
    .description(
      'Prints how far each experiment is, which crossings of the learning-rate map lack trials, and the commands that go on from there, with the time that they take on one core.',
    )
    .addOption(resultsOption())
    .addHelpText('after', help)
    .action(({ results }: { results: string }) => {
      process.exitCode = resultsRead(
        () => readMeasured(results),
        ({ rows, networks, gradients, unfinished }) => {
          const progress = progressOf([...rows, ...networks, ...gradients]);
          const parts = [
            trialLines(progress),
            unfinishedLines(unfinished),
            crossingLines(rows),
            remainingLines(progress),
          ];
          const lines = parts.filter(({ length }) => length > 0).flatMap((part, k) => (k === 0 ? part : ['', ...part]));
          process.stdout.write(`${lines.join('\n')}\n`);
          return exitCodes.held;
        },
      );
    });
}

/** Within 80 columns. The rates of the learning-rate map are one line for each activation, which has no mean loss. */
function trialLines(progress: readonly Progress[]): string[] {
  const every = progress.flatMap(({ lines }) => lines);
  // Two experiments may ask for the same trials.
  const lines = [...new Map(every.map((line) => [`${line.protocol} ${line.activation}`, line])).values()];
  const familyOf = ({ protocol }: ProgressLine) => (isOfMap(protocol) ? `${mapName}, all rates` : protocol);
  const nameOf = (line: ProgressLine) => `${familyOf(line).padEnd(23)}${line.activation}`;
  const rows = [...new Set(lines.map(nameOf))].map((name) => {
    const own = lines.filter((line) => nameOf(line) === name);
    const sum = (of: (line: ProgressLine) => number) => own.reduce((total, line) => total + of(line), 0);
    const done = sum((line) => line.done);
    const [{ protocol, loss, sd }] = own as [ProgressLine, ...ProgressLine[]];
    const hasLoss = done > 0 && !isOfMap(protocol);
    return [
      name,
      `${done} of ${sum((line) => line.asked)}`,
      done === 0 ? '' : `${sum((line) => line.dead)}`,
      hasLoss ? `${figure(loss)}${Number.isFinite(sd) ? ` ± ${figure(sd)}` : ''}` : '',
    ];
  });
  return table([[`${'protocol'.padEnd(23)}activation`, 'trials', 'dead', 'test loss ± sd'], ...rows]);
}

/** The crossings of the learning-rate map that lack trials, by the rate of the cells, with what brings these. */
function crossingLines(rows: readonly TrialRow[]): string[] {
  const said = crossingsText(rows);
  return [
    ...(said === '' ? [] : wrapped(said)),
    ...lacksOf(rows).flatMap(({ rate, cells, command, seconds }) => [
      ...wrapped(`Rate ${rate}: ${cells.map(({ name, n }) => `${name} has ${n}`).join(', ')}; left:`),
      ...commandLines(command, seconds),
    ]),
  ];
}

function remainingLines(progress: readonly Progress[]): string[] {
  const left = progress.filter(({ done, asked }) => done < asked);
  if (left.length === 0) return ['All trials are there.'];
  return [
    'To go on, with the time of one core:',
    ...left.flatMap(({ command, secondsLeft }) => commandLines(command, secondsLeft)),
  ];
}

/** A command after its time; one that is too long in two lines that a shell takes as one. */
function commandLines(command: string, seconds: number): string[] {
  const line = `${leftText(seconds).padStart(9)}  ${command}`;
  if (line.length <= columns) return [line];
  const end = line.lastIndexOf(' --', columns - 2);
  return [`${line.slice(0, end)} \\`, `${' '.repeat(13)}${line.slice(end + 1)}`];
}
