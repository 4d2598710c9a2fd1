import { describe, expect, it } from 'vitest';
import { kindOf, measure } from './measure-for-tests.ts';
import { noise, rowsOf } from './rows-for-tests.ts';

describe('pathways', () => {
  const trained = (off: number, low: number, high: number) =>
    rowsOf('author-2016', 'pap', 6, (seed) => {
      const d = [low, low, 0.4, 0.5, 0.6, high, high].map((value) => value + 1e-3 * noise(seed));
      return { coefficients: [{ quantiles: { relu: d, step: d, sum: d }, off: off + 1e-3 * noise(seed) }] };
    });
  it('each of three figures may hold or not', () => {
    expect(kindOf('pathways', trained(0.1, 0, 1))).toBe('holds');
    expect(kindOf('pathways', trained(0.01, 0.3, 0.7))).toBe('does not hold');
    expect(measure('pathways', { rows: trained(0.01, 0, 0.7) }).verdict).toMatchObject({
      kind: 'holds only where',
      where: ['steep'],
    });
  });
});
