import type { Case, Pool } from '../reference/case.ts';
import { sizeOf } from '../reference/shape.ts';
import { positionsOf } from './positions.ts';

/** Picks `indices` along one axis of a row-major tensor. */
export function take(
  data: Float64Array,
  shape: readonly number[],
  axis: number,
  indices: readonly number[],
): Float64Array {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const taken = new Float64Array(outer * indices.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indices) {
      const from = (o * shape[axis] + index) * inner;
      taken.set(data.subarray(from, from + inner), to);
      to += inner;
    }
  }
  return taken;
}

/** The Case with only these indices of one axis of `x`; axis 0 is the batch. */
export function takeAxis(c: Case, axis: number, indices: readonly number[]): Case {
  const shape = c.shape.map((n, a) => (a === axis ? indices.length : n));
  const { rows, kept } = positionsOf(c.pool, c.shape);
  const alphaHasAxis = axis > 0 && !isShared(c.pool, axis, c.shape.length);
  return {
    ...c,
    shape,
    x: take(c.x, c.shape, axis, indices),
    dy: take(c.dy, c.shape, axis, indices),
    alpha: alphaHasAxis ? take(c.alpha, [rows, ...kept], axis, indices) : c.alpha,
  };
}

function isShared({ sharing }: Pool, axis: number, rank: number): boolean {
  if (sharing === 'layer') return true;
  if (sharing === 'unit') return false;
  if (sharing === 'channel') return axis !== rank - 1;
  return sharing.sharedAxes.includes(axis);
}

/** The Case with the branches at these indices only, in this order; `sumToOne` keeps its last coefficient implied. */
export function takeBranches(c: Case, indices: readonly number[]): Case {
  const { constraint } = c.pool;
  const { rows, count } = positionsOf(c.pool, c.shape);
  const kept = constraint.kind === 'sumToOne' ? indices.slice(0, -1).map((i) => Math.min(i, rows - 1)) : indices;
  return {
    ...c,
    pool: {
      ...c.pool,
      branches: indices.map((i) => c.pool.branches[i]),
      constraint:
        constraint.kind === 'clip' ? { kind: 'clip', bounds: indices.map((i) => constraint.bounds[i]) } : constraint,
    },
    alpha: take(c.alpha, [rows, count], 0, kept),
  };
}

/** The Case with the alpha of each unit written out: sharing `unit`. */
export function expandToUnits(c: Case): Case {
  const { rows, count, units, of } = positionsOf(c.pool, c.shape);
  const indices = Array.from({ length: units }, (_, unit) => of(unit));
  return { ...c, pool: { ...c.pool, sharing: 'unit' }, alpha: take(c.alpha, [rows, count], 1, indices) };
}

/** The Case with one alpha for all, that of position 0: sharing `layer`. */
export function collapseToLayer(c: Case): Case {
  const { rows, count } = positionsOf(c.pool, c.shape);
  const alpha = count === 0 ? new Float64Array(rows).fill(1) : take(c.alpha, [rows, count], 1, [0]);
  return { ...c, pool: { ...c.pool, sharing: 'layer' }, alpha };
}

/** The same Case in memory of its own. */
export function copyCase({ pool, dtype, shape, x, alpha, dy }: Case): Case {
  const { branches, sharing, constraint } = pool;
  return {
    pool: {
      branches: [...branches],
      sharing: typeof sharing === 'string' ? sharing : { sharedAxes: [...sharing.sharedAxes] },
      constraint: constraint.kind === 'clip' ? { kind: 'clip', bounds: [...constraint.bounds] } : { ...constraint },
    },
    dtype,
    shape: [...shape],
    x: x.slice(),
    alpha: alpha.slice(),
    dy: dy.slice(),
  };
}

/** `0 … n - 1` */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
