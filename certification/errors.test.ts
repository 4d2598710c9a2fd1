import { expect, it } from 'vitest';
import { expectation } from '../properties/interval.ts';
import type { Case } from '../reference/case.ts';
import { Errors } from './errors.ts';

const input: Case = {
  dtype: 'f64',
  pool: { branches: ['relu', 'identity'], sharing: 'layer', constraint: { kind: 'free' } },
  shape: [2],
  x: Float64Array.of(2, 1),
  alpha: Float64Array.of(1.7e308, -1.7e308),
  dy: Float64Array.of(1, 1),
};

it('an overflow that is allowed is none of the worst inputs, nor an error', () => {
  const errors = new Errors();
  // Exactly 0, but 2·1.7e308 may overflow on the way.
  errors.add('x', input, new Map([['y', Float64Array.of(Number.POSITIVE_INFINITY, 0)]]), expectation(input, []));
  const { histogram, worst } = errors.statistics();
  expect(worst).toEqual([]);
  expect(histogram.reduce((sum, n) => sum + n, 0)).toBe(1);
});

it('of each Case the worst element is kept, of all the ten worst Cases', () => {
  const errors = new Errors();
  const sums = { ...input, alpha: Float64Array.of(0.1, 0.2) };
  const allowed = expectation(sums, []);
  const off = (share: number) => {
    const { exact, bound } = allowed.y[0];
    return Float64Array.of(exact + share * bound, allowed.y[1].exact + 0.99 * share * allowed.y[1].bound);
  };
  for (const k of [3, 12, 1, 8, 5, 11, 2, 7, 10, 4, 9, 6])
    errors.add(`${k}`, sums, new Map([['y', off(k * 2)]]), allowed);
  errors.add('4', sums, new Map([['y', off(30)]]), allowed);
  errors.add('12', sums, new Map([['y', off(3)]]), allowed);
  const { worst } = errors.statistics();
  expect(worst.map(({ id }) => id).sort()).toEqual(['4', '3', '5', '6', '7', '8', '9', '10', '11', '12'].sort());
  expect(worst.every(({ index }) => index[0] === 0)).toBe(true);
});

it('what is wrong is the worst, also ±∞', () => {
  const finite = { ...input, alpha: Float64Array.of(1, 0.5) };
  const errors = new Errors();
  errors.add('x', finite, new Map([['y', Float64Array.of(Number.POSITIVE_INFINITY, 1.5)]]), expectation(finite, []));
  expect(errors.statistics().worst).toMatchObject([{ quantity: 'y', index: [0], share: null }]);
});
