import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Evidence, MeasuredSurface, StepRatio } from '../claims/claim.ts';
import { isDead } from '../claims/runs.ts';
import { message } from '../data/idx.ts';
import { isRegistered } from '../registry.ts';
import { ResultsError, readResults } from '../results.ts';
import { surfaceMeasures } from '../surface.ts';
import type { GradientRow, Row, SurfaceRow, TrialRow } from '../trial.ts';

/** What a folder of results holds. */
export interface Measured extends Evidence {
  /** Networks of which surfaces were swept. */
  readonly networks: readonly SurfaceRow[];
  /** Bytes of unfinished rows at the end of files, by the path of the file. */
  readonly unfinished: ReadonlyMap<string, number>;
}

/**
 * The rows of all results files of a folder, `*.ndjson`; none if there is no folder.
 *
 * @throws ResultsError if a file is damaged or can't be read
 */
export function readMeasured(folder: string, stepRatios: readonly StepRatio[] = []): Measured {
  const files = filesOf(folder).map((path) => ({ path, ...readResults(path) }));
  const unfinished = new Map(files.flatMap(({ path, unfinished }) => (unfinished > 0 ? [[path, unfinished]] : [])));
  return {
    ...measuredOf(
      files.flatMap(({ rows }) => rows),
      stepRatios,
    ),
    unfinished,
  };
}

/** Rows of both kinds, apart. */
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
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ResultsError(`${folder}: could not be read: ${message(error)}`, { cause: error });
  }
}
