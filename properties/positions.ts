import type { Pool } from '../reference/case.ts';
import { sizeOf } from '../reference/shape.ts';

/** Where a pool's coefficients lie over a shape, derived here once more from spec §1, apart from `reference/`. */
export interface Positions {
  readonly n: number;
  readonly rows: number;
  /** S, without its leading axis of rows. */
  readonly shape: readonly number[];
  /** S with the rank of U, shared axes as 1. */
  readonly kept: readonly number[];
  readonly count: number;
  readonly units: number;
  /** The position of S that unit `i` uses. */
  of(unit: number): number;
}

export function positionsOf({ branches, sharing, constraint }: Pool, shape: readonly number[]): Positions {
  const unitShape = shape.slice(1);
  const last = unitShape.length - 1;
  const isShared = (axis: number) => {
    if (sharing === 'layer') return true;
    if (sharing === 'unit') return false;
    if (sharing === 'channel') return axis !== last;
    return sharing.sharedAxes.includes(axis + 1);
  };
  const kept = unitShape.map((n, axis) => (isShared(axis) ? 1 : n));
  const strides = unitShape.map((_, axis) => sizeOf(unitShape.slice(axis + 1)));
  const keptStrides = kept.map((n, axis) => (n === 1 ? 0 : sizeOf(kept.slice(axis + 1))));
  return {
    n: branches.length,
    rows: constraint.kind === 'sumToOne' ? branches.length - 1 : branches.length,
    shape: sharing === 'layer' ? [] : sharing === 'channel' ? kept.slice(-1) : kept,
    kept,
    count: sizeOf(kept),
    units: sizeOf(unitShape),
    of: (unit) => unitShape.reduce((at, n, axis) => at + (Math.floor(unit / strides[axis]) % n) * keptStrides[axis], 0),
  };
}

/** The index, by axis, of element `flat` of a row-major tensor. */
export function indexIn(shape: readonly number[], flat: number): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const n of shape.toReversed()) {
    index.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return index;
}
