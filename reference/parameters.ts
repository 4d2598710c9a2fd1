import { checkInput, checkTensor, kindOf, shown } from './arguments.ts';
import { checkBranch } from './branches.ts';
import type { Case, Pool } from './case.ts';
import { sizeOf } from './shape.ts';

/** Where the coefficients of a pool lie: `S`, and for each unit the position in `S` that it uses. */
export interface ParameterLayout {
  /** Number of branches n. */
  readonly n: number;
  /** Number of rows of `alpha`: n, or n - 1 under `sumToOne`. */
  readonly rows: number;
  /** `[rows, ...S]`. */
  readonly alphaShape: readonly number[];
  /** |S|. */
  readonly positions: number;
  /**
   * Element i of `x` is unit `i % units` and uses position `positionOf[i % units]`; none for an empty batch, which has no
   * elements however many units there are.
   */
  readonly units: number;
  readonly positionOf: Int32Array;
}

/** The units of an element of the batch: `positionOf` holds one integer for each. */
const largestUnits = 2 ** 31 - 1;

/**
 * The layout of `alpha` for a pool over `x` of `shape` `[N, ...U]` (spec §1).
 *
 * @throws TypeError for a wrong kind, RangeError for a wrong value, naming the argument.
 */
export function parameterLayout(pool: Pool, shape: readonly number[]): ParameterLayout {
  checkPool(pool);
  checkShape('pool', shape);
  const unitShape = shape.slice(1);
  if (sizeOf(unitShape.filter((n) => n > 0)) > largestUnits) {
    throw new RangeError(`pool: "shape" expected at most ${largestUnits} units, got ${shown(shape)}`);
  }
  const shared = sharedAxesOf(pool, shape);
  const positionShape = unitShape.map((n, axis) => (shared.has(axis) ? 1 : n));
  const units = sizeOf(unitShape);
  const positionOf = new Int32Array(shape[0] === 0 ? 0 : units);
  for (let unit = 0; unit < positionOf.length; unit++) {
    let rest = unit;
    let stride = 1;
    for (let axis = unitShape.length - 1; axis >= 0; axis--) {
      const index = rest % unitShape[axis];
      rest = (rest - index) / unitShape[axis];
      if (!shared.has(axis)) positionOf[unit] += index * stride;
      stride *= positionShape[axis];
    }
  }
  const n = pool.branches.length;
  const rows = pool.constraint.kind === 'sumToOne' ? n - 1 : n;
  const kept = pool.sharing === 'layer' ? [] : pool.sharing === 'channel' ? positionShape.slice(-1) : positionShape;
  return { n, rows, alphaShape: [rows, ...kept], positions: sizeOf(positionShape), units, positionOf };
}

/** The unit axes (0 is the first unit axis) along which coefficients are shared. */
function sharedAxesOf(pool: Pool, shape: readonly number[]): ReadonlySet<number> {
  const unitAxes = shape.slice(1).map((_, axis) => axis);
  if (pool.sharing === 'layer') return new Set(unitAxes);
  if (pool.sharing === 'unit') return new Set();
  if (pool.sharing === 'channel') {
    if (unitAxes.length === 0) {
      throw new RangeError(`pool: "sharing" "channel" expected a shape of rank 2 or more, got [${shape}]`);
    }
    return new Set(unitAxes.slice(0, -1));
  }
  for (const axis of pool.sharing.sharedAxes) {
    if (axis < 1 || axis >= shape.length) {
      throw new RangeError(`pool: "sharedAxes" expected axes from 1 to ${shape.length - 1}, got ${axis}`);
    }
  }
  return new Set(pool.sharing.sharedAxes.map((axis) => axis - 1));
}

/**
 * `alpha = 1/n` each: where a pool of n branches starts.
 *
 * shape: `[N, ...U]`; alpha: `[rows, ...S]`, float64.
 *
 * @throws TypeError for a wrong kind, RangeError for a wrong value, naming the argument. Source: spec §1.
 */
export function initialAlpha(pool: Pool, shape: readonly number[]): Float64Array {
  const { alphaShape, n } = parameterLayout(pool, shape);
  return new Float64Array(sizeOf(alphaShape)).fill(1 / n);
}

/** Throws unless the tensors of a Case fit its pool and shape. */
export function checkCase(where: string, input: Case): void {
  checkInput(where, 'input', input);
  const { pool, shape, x, alpha, dy } = input;
  const { alphaShape } = parameterLayout(pool, shape);
  checkTensor(where, 'x', x, shape);
  checkTensor(where, 'alpha', alpha, alphaShape);
  checkTensor(where, 'dy', dy, shape);
}

/** Throws unless `shape` is one of rank 1 or more. */
export function checkShape(where: string, shape: readonly number[]): void {
  if (!Array.isArray(shape)) throw new TypeError(`${where}: "shape" expected an array, got ${kindOf(shape)}`);
  if (shape.length === 0) throw new RangeError(`${where}: "shape" expected rank 1 or more, got []`);
  for (const n of shape) {
    if (typeof n !== 'number') {
      throw new TypeError(`${where}: "shape" expected an array of integers, got ${shown(shape)}`);
    }
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new RangeError(`${where}: "shape" expected non-negative integers, got ${shown(shape)}`);
    }
  }
}

/** Throws unless `pool` is well-formed by itself; what depends on the shape is checked by `parameterLayout`. */
function checkPool(pool: Pool): void {
  if (typeof pool !== 'object' || pool === null) throw new TypeError(`pool: expected an object, got ${kindOf(pool)}`);
  const { branches: names, sharing, constraint } = pool;
  if (!Array.isArray(names)) throw new TypeError(`pool: "branches" expected an array of names, got ${kindOf(names)}`);
  if (names.length === 0) throw new RangeError('pool: "branches" expected at least one branch, got []');
  for (const ref of names) checkBranch('pool: "branches"', ref);
  if (typeof sharing === 'object' && sharing !== null) {
    const axes = sharing.sharedAxes;
    if (!Array.isArray(axes)) throw new TypeError(`pool: "sharedAxes" expected an array, got ${kindOf(axes)}`);
    // `every` would pass over holes.
    if (!Array.from(axes).every(Number.isSafeInteger) || new Set(axes).size !== axes.length) {
      throw new RangeError(`pool: "sharedAxes" expected different integers, got ${shown(axes)}`);
    }
  } else if (sharing !== 'layer' && sharing !== 'channel' && sharing !== 'unit') {
    throw new RangeError(`pool: "sharing" expected layer, channel, unit or { sharedAxes }, got ${shown(sharing)}`);
  }
  checkConstraint(constraint, names.length);
}

function checkConstraint(constraint: Pool['constraint'], n: number): void {
  if (typeof constraint !== 'object' || constraint === null) {
    throw new TypeError(`pool: "constraint" expected an object with a kind, got ${kindOf(constraint)}`);
  }
  switch (constraint.kind) {
    case 'free':
    case 'fixed':
    case 'sumToOne':
    case 'softmax':
      return;
    case 'clip':
      if (!Array.isArray(constraint.bounds)) {
        throw new TypeError(`pool: "bounds" expected an array of ${n} numbers, got ${kindOf(constraint.bounds)}`);
      }
      if (!Array.from(constraint.bounds).every((b) => typeof b === 'number')) {
        throw new TypeError(`pool: "bounds" expected an array of ${n} numbers, got ${shown(constraint.bounds)}`);
      }
      if (constraint.bounds.length !== n || !constraint.bounds.every((b) => b >= 0)) {
        throw new RangeError(`pool: "bounds" expected ${n} numbers b ≥ 0, got ${shown(constraint.bounds)}`);
      }
      return;
    default:
      throw new RangeError(
        `pool: "constraint" expected free, fixed, sumToOne, softmax or clip, got ${shown((constraint as { kind: unknown }).kind)}`,
      );
  }
}
