import { expect, it } from 'vitest';
import { claims } from './claims.ts';
import { measure } from './measure-for-tests.ts';
import { both } from './rows-for-tests.ts';

it('every claim has an id of its own, and is not measured yet without rows', () => {
  expect(new Set(claims.map(({ id }) => id)).size).toBe(9);
  for (const { id } of claims) {
    const { verdict, ours, comparisons } = measure(id, {});
    expect(verdict).toMatchObject({
      kind: 'not measured yet',
      missing: expect.stringMatching(/trial|surfaces|gradients/),
    });
    expect(ours).toEqual([]);
    expect(comparisons).toEqual([]);
  }
});

it('a finding is a function of the rows, in whatever order they are', () => {
  const rows = both(0.11, 0.008, 0.067, 0.002);
  for (const { id } of claims) expect(measure(id, { rows: rows.toReversed() })).toEqual(measure(id, { rows }));
});
