import { Command } from 'commander';
import { figure } from '../experiments/claims/words.ts';
import { isOfMap, mapName } from '../experiments/protocols.ts';
import { readMeasured } from '../experiments/report/evidence.ts';
import { type Progress, type ProgressLine, progressOf } from '../experiments/report/plan.ts';
import { wrapped } from '../properties/wrapped.ts';
import { exitCodes } from './exit-codes.ts';
import { resultsOption, resultsRead } from './results-option.ts';
import { table } from './table.ts';

/** `poolproof reproduce status` */
export function statusCommand(): Command {
  return new Command('status')
    .summary('how many trials there are of those that the claims need')
    .description('Prints how far each experiment is, and the commands that go on from there.')
    .addOption(resultsOption())
    .action(({ results }: { results: string }) => {
      process.exitCode = resultsRead(
        () => readMeasured(results),
        ({ rows, networks, gradients, unfinished }) => {
          const lines = statusText(progressOf([...rows, ...networks, ...gradients]), unfinished);
          process.stdout.write(`${lines.join('\n')}\n`);
          return exitCodes.held;
        },
      );
    });
}

/** Within 80 columns. The rates of the learning-rate map are one line for each activation, which has no mean loss. */
export function statusText(progress: readonly Progress[], unfinished: ReadonlyMap<string, number>): string[] {
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
  const left = progress.filter(({ lines }) => lines.some(({ done, asked }) => done < asked));
  return [
    ...table([[`${'protocol'.padEnd(23)}activation`, 'trials', 'dead', 'test loss ± sd'], ...rows]),
    '',
    ...[...unfinished].flatMap(([path, bytes]) =>
      wrapped(`${path}: ${bytes} bytes of an unfinished row at the end, which the next run cuts off`),
    ),
    ...(left.length === 0 ? ['All trials are there.'] : ['To go on:', ...left.map(({ command }) => `  ${command}`)]),
  ];
}
