import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Evidence, MeasuredSurface, StepRatio } from '../claims/claim.ts';
import { isDead } from '../claims/runs.ts';
import { message } from '../data/idx.ts';
import { isRegistered } from '../registry.ts';
import { readResults } from '../results.ts';
import { ResultsError } from '../row.ts';
import { surfaceMeasures } from '../surface.ts';
import { type GradientRow, keyOf, type Row, type SurfaceRow, type TrialRow } from '../trial.ts';

/** What a folder of results holds. */
export interface Measured extends Evidence {
  /** Bytes of unfinished rows at the end of files, by the path of the file. */
  readonly unfinished: ReadonlyMap<string, number>;
}

/**
 * The rows of all results files of a folder, `*.ndjson`.
 *
 * @throws ResultsError if there is no such folder, a file is damaged or can't be read, or two have the same trial
 */
export function readMeasured(folder: string, stepRatios: readonly StepRatio[] = []): Measured {
  const files = filesOf(folder).map((path) => ({ path, ...readResults(path) }));
  const seen = new Map<string, string>();
  for (const { path, rows } of files) {
    for (const row of rows) {
      const before = seen.get(keyOf(row));
      const { protocol, activation, seed } = row;
      if (before !== undefined) {
        throw new ResultsError(`${path}: ${protocol}, ${activation}, seed ${seed}: the same trial is in ${before}`);
      }
      seen.set(keyOf(row), path);
    }
  }
  const unfinished = new Map(files.flatMap(({ path, unfinished }) => (unfinished > 0 ? [[path, unfinished]] : [])));
  return {
    ...measuredOf(
      files.flatMap(({ rows }) => rows),
      stepRatios,
    ),
    unfinished,
  };
}

/**
 * The ratios of the benchmark of training of a clone, whose folder is `root`; none where there is no clone.
 *
 * @throws ResultsError if the file is not what the benchmark writes
 */
export function readStepRatios(root: string): readonly StepRatio[] {
  const path = join(root, 'docs', 'benchmarks', 'training.json');
  try {
    const { ratios } = JSON.parse(readFileSync(path, 'utf8')) as { ratios: readonly StepRatio[] };
    return ratios.map(({ batch, what, ratio }) => ({ batch, what, ratio }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ResultsError(`${path}: could not be read: ${message(error)}`, { cause: error });
  }
}

/** Rows of every kind, apart. */
export function measuredOf(rows: readonly Row[], stepRatios: readonly StepRatio[] = []): Measured {
  const networks = rows.filter((row): row is SurfaceRow => 'surfaces' in row);
  return {
    rows: rows.filter((row): row is TrialRow => 'epochs' in row),
    gradients: rows.filter((row): row is GradientRow => !('epochs' in row || 'surfaces' in row)),
    networks,
    surfaces: networks.filter(isRegistered).flatMap(surfacesOf),
    stepRatios,
    unfinished: new Map(),
  };
}

function surfacesOf(row: SurfaceRow): MeasuredSurface[] {
  const { protocol, activation, seed, offsets, surfaces } = row;
  return surfaces.map((surface, pair) => ({
    ...surface,
    protocol,
    activation,
    seed,
    learned: !isDead(row),
    pair,
    offsets,
    measures: surfaceMeasures(surface, offsets),
  }));
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ndjson'))
      .map(({ name }) => join(folder, name))
      .sort();
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'expected a folder of results, there is none: --results names it, and reproduce makes it'
        : `could not be read: ${message(error)}`;
    throw new ResultsError(`${folder}: ${why}`, { cause: error });
  }
}
