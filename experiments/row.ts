import { namesOf } from './registry.ts';
import {
  type EpochRow,
  type LayerCoefficients,
  quantileLevels,
  type Row,
  type Surface,
  type SweptWeight,
} from './trial.ts';

/** A file of results that is not what it should be, is in use, or can't be written; the message names it. */
export class ResultsError extends Error {
  override readonly name = 'ResultsError';
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
/** Null where it was not finite. */
const isNumberOrNull: Check = (value) => value === null || isNumber(value);
/** What can't be below 0. */
const isSize: Check = (value) => isNumber(value) && (value as number) >= 0;
const isShare: Check = (value) => isSize(value) && (value as number) <= 1;
/** A loss; null where it was not finite. */
const isLoss: Check = (value) => value === null || isSize(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** What the fields of every row hold. */
const common: Readonly<Record<string, Check>> = {
  protocol: isText,
  hash: (value) => typeof value === 'string' && /^[0-9a-f]{16}$/.test(value),
  activation: isText,
  seed: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  backend: isText,
  seconds: isSize,
};

/** Those of a network that is not trained. */
const start: Readonly<Record<string, Check>> = { gradients: listOf(isSize) };

/** Those of a training. */
const training: Readonly<Record<string, Check>> = {
  ...start,
  epochs: (value) => listOf(isEpoch)(value) && (value as unknown[]).length > 0,
  stepMs: isSize,
  coefficients: listOf(isLayer),
};

/** Those of the surfaces around a trained network. */
const surfaces: Readonly<Record<string, Check>> = {
  test: (value) => {
    const { loss, accuracy } = (value ?? {}) as { loss?: unknown; accuracy?: unknown };
    return isLoss(loss) && isShare(accuracy);
  },
  offsets: listOf(isNumber),
  surfaces: listOf((value) => {
    const { weights, losses } = (value ?? {}) as Partial<Surface>;
    return Array.isArray(weights) && weights.length === 2 && weights.every(isWeight) && listOf(listOf(isLoss))(losses);
  }),
};

function isWeight(value: unknown): boolean {
  const { layer, index, norm } = (value ?? {}) as Partial<Record<keyof SweptWeight, unknown>>;
  return isText(layer) && Number.isSafeInteger(index) && isSize(norm);
}

function isLayer(value: unknown): boolean {
  const { quantiles, off } = (value ?? {}) as Partial<Record<keyof LayerCoefficients, unknown>>;
  if (typeof quantiles !== 'object' || quantiles === null || !('sum' in quantiles)) return false;
  return (
    isShare(off) &&
    Object.values(quantiles).every(
      (of) => listOf(isNumberOrNull)(of) && (of as number[]).length === quantileLevels.length,
    )
  );
}

function isEpoch(value: unknown): boolean {
  const { loss, accuracy, trainLoss } = (value ?? {}) as Partial<Record<keyof EpochRow, unknown>>;
  return isLoss(loss) && isLoss(trainLoss) && isShare(accuracy);
}

/**
 * The row of a line of a results file, every field of it checked.
 *
 * @throws ResultsError naming `where` it is, what was expected and what is there
 */
export function parseRow(where: string, line: string): Row {
  let row: Row;
  try {
    row = JSON.parse(line);
  } catch {
    throw new ResultsError(`${where}: expected JSON, got ${JSON.stringify(line.slice(0, 60))}`);
  }
  if (typeof row !== 'object' || row === null)
    throw new ResultsError(`${where}: expected an object, got ${line.slice(0, 60)}`);
  // What a row is of is told by the one field that no other has.
  const own = 'surfaces' in row ? surfaces : 'epochs' in row || 'stepMs' in row ? training : start;
  for (const [field, isRight] of Object.entries({ ...common, ...own })) {
    const value = row[field as keyof Row] as unknown;
    if (!isRight(value)) {
      throw new ResultsError(`${where}: "${field}" is not what a row has: ${JSON.stringify(value)?.slice(0, 60)}`);
    }
  }
  if ('surfaces' in row) {
    const sides = row.surfaces.flatMap(({ losses }) => [losses.length, ...losses.map(({ length }) => length)]);
    const k = row.offsets.length;
    if (sides.some((side) => side !== k)) {
      throw new ResultsError(`${where}: "surfaces" expected ${k} by ${k} losses each, as many as offsets`);
    }
  }
  const names = namesOf(row.hash);
  for (const field of ['protocol', 'activation'] as const) {
    if (names !== undefined && row[field] !== names[field]) {
      throw new ResultsError(`${where}: "${field}" expected ${names[field]}, as its hash says, got ${row[field]}`);
    }
  }
  return row;
}
