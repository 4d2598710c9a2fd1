import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Case } from '../reference/case.ts';
import { forward, vjp } from '../reference/pool.ts';
import { cases } from './cases.ts';
import { formats } from './dtypes.ts';
import { positionsOf } from './positions.ts';
import { shrinkCase } from './shrink.ts';
import type { Within } from './within.ts';

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

  it.each(['x', 'alpha', 'dy'] as const)('draws special values in %s, at least 0.3 of them', (name) => {
    const values = drawn.flatMap((c) => [...c[name]]);
    const { p, normalExponent } = formats[dtype];
    const isPowerOfTwo = (v: number) => Number.isInteger(Math.log2(Math.abs(v)));
    // ±0, ±∞, NaN, powers of two, subnormal, within rounding of the kink at 0 or of 1.
    const isSpecial = (v: number) =>
      v === 0 ||
      !Number.isFinite(v) ||
      isPowerOfTwo(v) ||
      Math.abs(v) < 2 ** normalExponent ||
      Math.abs(v) < 2 ** (-p / 2) ||
      Math.abs(Math.abs(v) - 1) < 2 ** (-p / 2);
    expect(values.filter(isSpecial).length / values.length).toBeGreaterThan(0.3);
  });

  it('draws wide axes, shared axes in any order and of rank 2, and alpha of every size', () => {
    const some = (what: (c: Case) => boolean) => drawn.filter(what).length;
    expect(some((c) => c.shape.slice(1).some((n) => n > 64))).toBeGreaterThan(10);
    expect(some((c) => c.shape.slice(1).some((n) => n > 16) && c.pool.sharing !== 'layer')).toBeGreaterThan(20);
    const axesOf = ({ pool: { sharing } }: Case) => (typeof sharing === 'object' ? sharing.sharedAxes : []);
    expect(some((c) => c.shape.length === 2 && axesOf(c).length === 1)).toBeGreaterThan(10);
    expect(some((c) => axesOf(c).some((axis, k, all) => k > 0 && axis < all[k - 1]))).toBeGreaterThan(5);
    if (kind === 'dyadic') return;
    const { normalExponent } = formats[dtype];
    const sizes = drawn.flatMap((c) => [...c.alpha].map(Math.abs).filter((a) => a > 0 && a < Infinity));
    const share = (what: (a: number) => boolean) => sizes.filter(what).length / sizes.length;
    expect(share((a) => a > 10)).toBeGreaterThan(0.02);
    expect(share((a) => a < 1e-3)).toBeGreaterThan(0.01);
    expect(share((a) => a < 2 ** normalExponent)).toBeGreaterThan(0.003);
  });

  it('draws up to six axes, more than 8 and 16 branches, and more than 512 positions', () => {
    const some = (what: (c: Case) => boolean) => drawn.filter(what).length;
    for (const rank of [5, 6]) expect(some((c) => c.shape.length === rank)).toBeGreaterThan(5);
    for (const n of [8, 16]) expect(some(({ pool }) => pool.branches.length > n)).toBeGreaterThan(n === 8 ? 10 : 0);
    const positions = kind === 'dyadic' ? 512 : 256;
    expect(some(({ pool, shape }) => positionsOf(pool, shape).count > positions)).toBeGreaterThan(0);
  });

  it('shrinks to valid Cases, and comes to an end', () => {
    for (const c of drawn.filter(({ x }) => x.length <= 48).slice(0, 12)) {
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

it.each(['x', 'alpha', 'dy'] as const)('general Cases hold every size of %s that can be told from overflow', (name) => {
  const drawn = fc.sample(cases({ dtype: 'f64', kind: 'general' }), { numRuns: 20_000, seed: 1 });
  const exponents = drawn.flatMap((c) => [...c[name]].map((v) => Math.log2(Math.abs(v))));
  // By a hundred octaves; of x half as far, since its square has to be finite.
  const most = name === 'x' ? 400 : 900;
  for (let from = -most; from < most; from += 100) {
    expect(exponents.filter((e) => e >= from && e < from + 100).length, `from 2^${from}`).toBeGreaterThan(10);
  }
});

it('clipped coefficients lie at their bounds, and beside them at every distance', () => {
  const drawn = fc.sample(cases({ dtype: 'f64', kind: 'general' }), { numRuns: 20_000, seed: 1 });
  const distances = drawn.flatMap(({ pool: { constraint }, alpha }) => {
    if (constraint.kind !== 'clip') return [];
    const bounds = constraint.bounds.filter((bound) => bound > 0 && bound < Number.POSITIVE_INFINITY);
    return [...alpha].flatMap((a) => bounds.map((bound) => Math.abs(a) / bound - 1));
  });
  for (const k of [10, 20, 30, 40]) {
    for (const sign of [1, -1]) {
      const near = distances.filter((d) => sign * d > 2 ** -(k + 10) && sign * d <= 2 ** -k);
      expect(near.length, `${sign} 2^-${k}`).toBeGreaterThan(20);
    }
  }
});

it('some dyadic Cases of laws on long sums have more than 4,096 elements', () => {
  const drawn = fc.sample(cases({ dtype: 'f32', kind: 'dyadic', longSums: true }), { numRuns: 300, seed: 1 });
  expect(drawn.filter((c) => c.x.length > 4096).length).toBeGreaterThan(2);
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

describe('within', () => {
  it.each([
    [{ branches: ['tanh'], sharing: ['channel'], constraints: ['sumToOne'] }],
    [{ branches: ['relu', 'step'], sharing: ['unit', 'sharedAxes'], constraints: ['free', 'clip'] }],
    [{ branches: ['step'], sharing: ['sharedAxes'], constraints: ['fixed'] }],
    [{ branches: ['identity', 'softplus', 'relu'], sharing: ['layer'], constraints: ['free'] }],
  ] satisfies [Within][])('%j: draws valid Cases of these only, and all of these', (within) => {
    for (const kind of kinds) {
      const drawn = fc.sample(cases({ dtype: 'f32', kind, within, longSums: true }), { numRuns: 200, seed: 1 });
      expect(drawn.every(isValid)).toBe(true);
      const pools = drawn.map(({ pool }) => pool);
      const found = {
        branches: pools.flatMap(({ branches }) => branches),
        sharing: pools.map(({ sharing }) => (typeof sharing === 'string' ? sharing : 'sharedAxes')),
        constraints: pools.map(({ constraint }) => constraint.kind),
      };
      for (const name of ['branches', 'sharing', 'constraints'] as const) {
        // Dyadic Cases have no smooth branch unless there is no other.
        const expected = within[name].filter((one) => !(kind === 'dyadic' && one === 'softplus'));
        expect([...new Set<unknown>(found[name])].sort(), name).toEqual([...expected].sort());
      }
    }
  });
});

it.each<[object, string]>([
  [
    { constraints: ['softmax'] },
    '"within.constraints" expected one or more of free, fixed, sumToOne, clip, got ["softmax"]',
  ],
  [{ sharing: ['channel'] }, '"within.sharing" expected layer or unit for shape [3], got ["channel"]'],
  [{ branches: [] }, '"within.branches" expected one or more of relu,'],
  [{ branches: 'relu' }, '"within.branches" expected an array, got string'],
  [{ sharings: [] }, '"within" expected branches, sharing, constraints, got "sharings"'],
])('refuses to draw within %j', (change, message) => {
  const within = { branches: ['relu'], sharing: ['layer'], constraints: ['free'], ...change } as never;
  expect(() => cases({ dtype: 'f32', kind: 'dyadic', shape: [3], within })).toThrow(`cases: ${message}`);
});

it.each(['finite', 'longSums'])('refuses %s that is no flag', (name) => {
  expect(() => cases({ dtype: 'f32', kind: 'dyadic', [name]: 'no' })).toThrow(
    `cases: "${name}" expected true or false, got "no"`,
  );
});
