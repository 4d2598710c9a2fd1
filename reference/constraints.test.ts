import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Constraint } from './case.ts';
import { kappa } from './constraints.ts';

const n = 3;
const bounds = [0.5, 1, 2];
const rowsOf = ({ kind }: Constraint) => (kind === 'sumToOne' ? n - 1 : n);
const vector = (length: number) =>
  fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: length, maxLength: length });
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);

const constraints: readonly Constraint[] = [
  { kind: 'free' },
  { kind: 'fixed' },
  { kind: 'sumToOne' },
  { kind: 'clip', bounds },
  { kind: 'softmax' },
];

describe.each(constraints.map((constraint) => [constraint.kind, constraint] as const))('%s', (kind, constraint) => {
  const rows = rowsOf(constraint);
  const at = (alpha: readonly number[]) => kappa(constraint, alpha, n);
  const h = 2 ** -14;
  /** `d/dt f(alpha + t·v)` at 0, off by h² times the third derivative. */
  const along = (
    f: (alpha: readonly number[]) => readonly number[],
    alpha: readonly number[],
    v: readonly number[],
  ) => {
    const moved = (step: number) => f(alpha.map((a, i) => a + step * v[i]));
    const [up, down] = [moved(h), moved(-h)];
    return up.map((value, i) => (value - down[i]) / (2 * h));
  };
  const isBesideBounds = (alpha: readonly number[]) =>
    kind !== 'clip' || alpha.every((a, i) => Math.abs(Math.abs(a) - bounds[i]) > 4 * h);

  it('answers without changing its arguments, and never with them', () => {
    const [alpha, dc, talpha] = [[0.25, 0.5, 1].slice(0, rows), [1, 2, 3], [4, 5, 6].slice(0, rows)];
    const { c, vjp, jvp, second } = at(alpha);
    for (const answer of [vjp(dc), jvp(talpha), second(dc, talpha)]) answer.fill(9);
    expect([alpha, dc, talpha]).toEqual([[0.25, 0.5, 1].slice(0, rows), [1, 2, 3], [4, 5, 6].slice(0, rows)]);
    expect(c).toHaveLength(n);
  });

  it('jvp is the derivative of c, vjp its transpose, second the derivative of vjp', () => {
    fc.assert(
      fc.property(vector(rows), vector(n), vector(rows), (alpha, dc, talpha) => {
        fc.pre(isBesideBounds(alpha));
        const { vjp, jvp, second } = at(alpha);
        const tc = jvp(talpha);
        along((moved) => at(moved).c, alpha, talpha).forEach((v, i) => {
          expect(Math.abs(tc[i] - v)).toBeLessThan(1e-6);
        });
        expect(vjp(dc)).toHaveLength(rows);
        expect(Math.abs(dot(tc, dc) - dot(talpha, vjp(dc)))).toBeLessThan(1e-13);
        const twice = second(dc, talpha);
        expect(twice).toHaveLength(kind === 'free' || kind === 'fixed' ? n : rows);
        along((moved) => at(moved).vjp(dc), alpha, talpha).forEach((v, i) => {
          expect(Math.abs(twice[i] - v)).toBeLessThan(1e-6);
        });
      }),
    );
  });
});

it('sumToOne: the last coefficient is 1 less the sum of the others, rounded once', () => {
  expect(kappa({ kind: 'sumToOne' }, [0.25, 2 ** -60], 3).c).toEqual([0.25, 2 ** -60, 0.75]);
  expect(kappa({ kind: 'sumToOne' }, [1e16, -1e16], 3).c).toEqual([1e16, -1e16, 1]);
});

it('clip: the bounds are within, on either side, and the derivative is 1 on them', () => {
  const { c, vjp, jvp } = kappa({ kind: 'clip', bounds }, [0.5, -1, 2.5], n);
  expect(c).toEqual([0.5, -1, 2]);
  expect(vjp([3, 4, 5])).toEqual([3, 4, 0]);
  expect(jvp([3, 4, 5])).toEqual([3, 4, 0]);
  expect(kappa({ kind: 'clip', bounds }, [-0.75, 1.5, -3], n).c).toEqual([-0.5, 1, -2]);
});

it('softmax: positive, of sum 1, the same when all rows are moved, and no overflow', () => {
  fc.assert(
    fc.property(vector(n), fc.integer({ min: -8, max: 8 }), (alpha, move) => {
      const quarters = alpha.map((a) => Math.round(4 * a) / 4);
      const { c } = kappa({ kind: 'softmax' }, quarters, n);
      expect(Math.abs(dot(c, [1, 1, 1]) - 1)).toBeLessThan(2 ** -50);
      expect(c.every((v) => v > 0)).toBe(true);
      expect(
        kappa(
          { kind: 'softmax' },
          quarters.map((a) => a + move),
          n,
        ).c,
      ).toEqual(c);
    }),
  );
  expect(kappa({ kind: 'softmax' }, [1000, 1000, -1000], n).c).toEqual([0.5, 0.5, 0]);
});
