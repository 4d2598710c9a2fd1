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

it('what is wrong is the worst, also ±∞', () => {
  const finite = { ...input, alpha: Float64Array.of(1, 0.5) };
  const errors = new Errors();
  errors.add('x', finite, new Map([['y', Float64Array.of(Number.POSITIVE_INFINITY, 1.5)]]), expectation(finite, []));
  expect(errors.statistics().worst).toMatchObject([{ quantity: 'y', index: [0], share: null }]);
});
