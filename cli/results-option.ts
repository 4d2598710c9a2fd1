import { join } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { ResultsError } from '../experiments/row.ts';
import { wrapped } from '../properties/wrapped.ts';
import { complain } from './complain.ts';
import { exitCodes } from './exit-codes.ts';

/** `--results <folder>`, of every command that reads or writes rows. */
export function resultsOption(): Option {
  return new Option('--results <folder>', 'where the rows are kept')
    .default(join('experiments', 'results'))
    .argParser((text) => {
      if (text !== '') return text;
      throw new InvalidArgumentError('Expected the name of a folder, got nothing.');
    });
}

/** What is said of rows that were never finished, in files that are read and not written. */
export function unfinishedLines(unfinished: ReadonlyMap<string, number>): string[] {
  return [...unfinished].flatMap(([path, bytes]) =>
    wrapped(`${path}: ${bytes} bytes of an unfinished row at the end, which the next run cuts off`),
  );
}

/** The exit code of `use` of what was read; that of an internal error, after its words, if the results are damaged. */
export function resultsRead<T>(read: () => T, use: (value: T) => number): number {
  try {
    return use(read());
  } catch (error) {
    if (!(error instanceof ResultsError)) throw error;
    complain(`error: ${error.message}`);
    return exitCodes.internal;
  }
}
