import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { message } from '../experiments/data/idx.ts';
import { readMeasured, readStepRatios } from '../experiments/report/evidence.ts';
import { reportFiles } from '../experiments/report/files.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';
import { makeFolder } from './output-file.ts';
import { resultsOption, resultsRead, unfinishedLines } from './results-option.ts';

interface Flags {
  readonly results: string;
  readonly out: string;
}

const help = `
Exit codes:
  0  the report is written
  2  an argument was wrong
  4  the results are damaged, or the report could not be written
`;

/** `poolproof reproduce report` */
export function reportCommand(): Command {
  return new Command('report')
    .summary('a verdict for every claim, from the rows that there are')
    .description(
      'Writes results.md with its figures in results/, and results.html, which needs no other file, from the rows; in a clone also from its benchmark of training.',
    )
    .addOption(resultsOption())
    .option('--out <folder>', 'where the report goes; files there of the same names are replaced', '.')
    .addHelpText('after', help)
    .action(({ results, out }: Flags) => {
      process.exitCode = resultsRead(
        () => readMeasured(results, readStepRatios('.')),
        (measured) => {
          for (const line of unfinishedLines(measured.unfinished)) complain(line);
          const files = reportFiles(measured);
          try {
            for (const folder of [out, join(out, 'results')]) makeFolder(folder);
            for (const [name, content] of files) writeFileSync(join(out, name), content);
          } catch (error) {
            complain(`error: --out expected a folder that can be written, got ${out}: ${message(error)}`);
            return exitCodes.internal;
          }
          console.log(`${join(out, 'results.md')}, ${join(out, 'results.html')}`);
          return exitCodes.held;
        },
      );
    });
}
