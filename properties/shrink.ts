import type { Case } from '../reference/case.ts';
import { sizeOf } from '../reference/shape.ts';
import { positionsOf } from './positions.ts';
import { collapseToLayer, expandToUnits, range, take, takeAxis, takeBranches } from './transform.ts';

/**
 * Smaller Cases, the boldest first: rank, batch, unit shape, branches, constraint, sharing, then cells toward 0, 1, -1, ½.
 * Every Case that comes out is valid, and smaller in this order, so that shrinking ends.
 */
export function* shrinkCase(c: Case): IterableIterator<Case> {
  yield* flatter(c);
  for (const axis of range(c.shape.length)) yield* shorterAxis(c, axis);
  for (const axis of range(c.shape.length)) if (axis > 0 && c.shape[axis] === 1) yield dropUnitAxis(c, axis);
  const n = c.pool.branches.length;
  if (n > 1)
    for (const i of range(n))
      yield takeBranches(
        c,
        range(n).filter((k) => k !== i),
      );
  yield* simplerPool(c);
  for (const name of ['dy', 'alpha', 'x'] as const) yield* simplerTensor(c, name);
}

/** The same elements at a lower rank: as a flat tensor that shares its coefficients, as rows of units. */
function* flatter(c: Case): IterableIterator<Case> {
  const [batch, ...units] = c.shape as [number, ...number[]];
  if (units.length > 0) yield { ...collapseToLayer(c), shape: [c.x.length] };
  if (units.length > 1) yield { ...expandToUnits(c), shape: [batch, sizeOf(units)] };
}

function* shorterAxis(c: Case, axis: number): IterableIterator<Case> {
  const n = c.shape[axis];
  if (n <= 1) return;
  const half = Math.floor(n / 2);
  yield takeAxis(c, axis, [0]);
  if (half > 1) {
    yield takeAxis(c, axis, range(half));
    yield takeAxis(c, axis, range(n).slice(n - half));
  }
  if (n <= 8)
    for (const i of range(n))
      yield takeAxis(
        c,
        axis,
        range(n).filter((k) => k !== i),
      );
  else {
    // A quarter less, an eighth, down to one.
    for (let less = Math.floor(n / 4); less > 0; less = Math.floor(less / 2)) {
      yield takeAxis(c, axis, range(n - less));
      yield takeAxis(c, axis, range(n).slice(less));
    }
  }
}

/** Removes a unit axis of length 1. Under `channel` the last axis carries alpha, so it stays while others are there. */
function dropUnitAxis(c: Case, axis: number): Case {
  const { sharing } = c.pool;
  const shape = c.shape.filter((_, a) => a !== axis);
  if (sharing === 'channel') {
    const isLast = axis === c.shape.length - 1;
    return isLast ? { ...collapseToLayer(c), shape } : { ...c, shape };
  }
  if (typeof sharing !== 'object') return { ...c, shape };
  const sharedAxes = sharing.sharedAxes.filter((a) => a !== axis).map((a) => (a > axis ? a - 1 : a));
  return { ...c, shape, pool: { ...c.pool, sharing: { sharedAxes } } };
}

function* simplerPool(c: Case): IterableIterator<Case> {
  const { constraint, sharing } = c.pool;
  if (constraint.kind !== 'free') {
    const { rows, count, n } = positionsOf(c.pool, c.shape);
    // A row of zeros stands in for the coefficient that sumToOne implied.
    const alpha = constraint.kind === 'sumToOne' ? new Float64Array(n * count) : c.alpha;
    if (constraint.kind === 'sumToOne') alpha.set(take(c.alpha, [rows, count], 0, range(rows)));
    yield { ...c, pool: { ...c.pool, constraint: { kind: 'free' } }, alpha };
  }
  if (sharing !== 'layer') yield collapseToLayer(c);
}

function* simplerTensor(c: Case, name: 'x' | 'alpha' | 'dy'): IterableIterator<Case> {
  const tensor = c[name];
  for (const target of [0, 1]) {
    if (tensor.length > 1 && tensor.some((v) => complexity(v) > complexity(target))) {
      yield { ...c, [name]: tensor.map((v) => (complexity(v) > complexity(target) ? target : v)) };
    }
  }
  for (const [i, value] of tensor.entries()) {
    for (const simpler of simplerValues(value)) yield { ...c, [name]: tensor.with(i, simpler) };
  }
}

/** Strictly simpler values, the simplest first. */
export function simplerValues(value: number): number[] {
  const candidates = [0, 1, -1, 0.5, Math.trunc(value), Math.trunc(value / 2), Math.round(value * 4) / 4];
  const simpler = candidates.filter((v) => !Number.isNaN(v) && complexity(v) < complexity(value));
  return [...new Set(simpler)];
}

/** A rank by which values get simpler: 0, 1, -1, ½, small integers, quarters, other finite ones, ±∞, NaN. */
function complexity(value: number): number {
  if (Object.is(value, 0)) return 0;
  if (value === 1) return 1;
  if (value === -1) return 2;
  if (value === 0.5) return 3;
  if (Object.is(value, -0)) return 4;
  const size = Math.min(Math.abs(value), 2 ** 20) / 2 ** 20;
  if (Number.isSafeInteger(value)) return 5 + size;
  if (Number.isSafeInteger(value * 4)) return 7 + size;
  if (Number.isFinite(value)) return 9;
  return Number.isNaN(value) ? 11 : 10;
}
