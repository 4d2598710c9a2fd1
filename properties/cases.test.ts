import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Case } from '../reference/case.ts';
import { forward, vjp } from '../reference/pool.ts';
import { cases } from './cases.ts';
import { formats } from './dtypes.ts';
import { shrinkCase } from './shrink.ts';

const kinds = ['dyadic', 'general'] as const;
const dtypes = ['f64', 'f32'] as const;
const each = dtypes.flatMap((dtype) => kinds.map((kind) => ({ dtype, kind })));

/** The reference refuses any Case whose parts do not fit together. */
function isValid(c: Case): boolean {
  forward(c);
  vjp(c);
  const { round } = formats[c.dtype];
  return [c.x, c.alpha, c.dy].every((tensor) => tensor.every((v) => Object.is(round(v), v)));
}

describe.each(each)('cases($dtype, $kind)', ({ dtype, kind }) => {
  const arbitrary = cases({ dtype, kind });
  const drawn = fc.sample(arbitrary, { numRuns: 1000, seed: 1 });

  it('draws the same Cases from the same seed', () => {
    expect(fc.sample(arbitrary, { numRuns: 1000, seed: 1 })).toEqual(drawn);
  });

  it('draws valid Cases of numbers of the dtype', () => {
    expect(drawn.every(isValid)).toBe(true);
  });

  it('draws every rank, empty axes, equal axes, odd sizes, every sharing and constraint', () => {
    const some = (what: (c: Case) => boolean) => drawn.filter(what).length;
    for (const rank of [1, 2, 3, 4]) expect(some((c) => c.shape.length === rank)).toBeGreaterThan(20);
    expect(some((c) => c.x.length === 0)).toBeGreaterThan(10);
    expect(some((c) => c.x.length % 4 !== 0)).toBeGreaterThan(200);
    expect(some((c) => c.shape.length > 2 && c.shape[1] === c.shape[2])).toBeGreaterThan(50);
    for (const sharing of ['layer', 'channel', 'unit'])
      expect(some((c) => c.pool.sharing === sharing)).toBeGreaterThan(50);
    expect(some((c) => typeof c.pool.sharing === 'object')).toBeGreaterThan(50);
    for (const constraint of ['free', 'fixed', 'sumToOne', 'clip']) {
      expect(some((c) => c.pool.constraint.kind === constraint)).toBeGreaterThan(50);
    }
    for (const n of [1, 2, 3, 4]) expect(some((c) => c.pool.branches.length === n)).toBeGreaterThan(20);
  });

  it('draws at least 30 % special values in x', () => {
    const values = drawn.flatMap((c) => [...c.x]);
    const isPowerOfTwo = (v: number) => Number.isInteger(Math.log2(Math.abs(v)));
    const special = values.filter((v) => !Number.isFinite(v) || Math.abs(v) < 1e-3 || isPowerOfTwo(v));
    expect(special.length / values.length).toBeGreaterThan(0.3);
  });

  it('shrinks to valid Cases, and comes to an end', () => {
    for (const c of drawn.slice(0, 12)) {
      for (const smaller of shrinkCase(c)) expect(isValid(smaller)).toBe(true);
      let current = c;
      let steps = 0;
      for (let next: Case | undefined = c; next !== undefined; steps++) {
        current = next;
        // The last candidate is the least bold: the longest way down.
        next = [...shrinkCase(current)].at(-1);
      }
      expect(steps).toBeLessThan(1000);
    }
  });
});

it('a bug of one cell shrinks to one cell', () => {
  const found = fc.check(
    fc.property(cases({ dtype: 'f64', kind: 'general' }), (c) => !c.x.some((v) => v > 2)),
    { seed: 1 },
  );
  const [smallest] = found.counterexample!;
  expect(smallest.shape).toEqual([1]);
  expect(smallest.pool.branches).toHaveLength(1);
  expect(smallest.pool.sharing).toBe('layer');
  expect(smallest.pool.constraint.kind).toBe('free');
});

it('finite Cases hold neither NaN nor infinity, and nothing near overflow', () => {
  fc.assert(
    fc.property(cases({ dtype: 'f32', kind: 'general', finite: true }), (c) =>
      [...c.x, ...c.alpha, ...c.dy].every((v) => Math.abs(v) <= 2 ** 20),
    ),
    { numRuns: 1000 },
  );
});
