import { expect, it } from 'vitest';
import { rowOf } from './rows-for-tests.ts';
import { isDead } from './runs.ts';

it('a run is dead below an accuracy of 0.2, or with a loss that is not finite', () => {
  expect(isDead(rowOf('small', 'relu', 1, { accuracy: 0.199 }))).toBe(true);
  expect(isDead(rowOf('small', 'relu', 1, { accuracy: 0.2 }))).toBe(false);
  expect(isDead(rowOf('small', 'relu', 1, { loss: null }))).toBe(true);
});
