import { join } from 'node:path';
import { readMeasured, readStepRatios } from '../experiments/report/evidence.ts';
import { reportFiles } from '../experiments/report/files.ts';

/** docs/results.md, its figures and docs/results.html, by their paths in docs; `root` is the folder of the project. */
export function resultsFiles(root: string): ReadonlyMap<string, string> {
  return reportFiles(readMeasured(join(root, 'experiments', 'results'), readStepRatios(root)));
}
