import { describe, expect, it } from 'vitest';
import { kindOf, measure } from './measure-for-tests.ts';
import { rowsOf } from './rows-for-tests.ts';

describe('training-time', () => {
  const timed = (ratio: number) => [
    ...rowsOf('author-2016', 'relu', 9, (seed) => ({ stepMs: 2 + seed })),
    ...rowsOf('author-2016', 'pap', 9, (seed) => ({ stepMs: ratio * (2 + seed) })),
  ];
  it('compares pairs, and is two-sided', () => {
    expect(kindOf('training-time', timed(1.1))).toBe('holds');
    expect(kindOf('training-time', timed(1.01))).toBe('does not hold');
    expect(kindOf('training-time', timed(1.3))).toBe('does not hold');
  });

  it('says that PAP takes longer where only how much is open', () => {
    const rows = [
      ...timed(1.04),
      ...rowsOf('author-2016', 'relu', 18, () => ({ stepMs: 2 })).slice(9),
      ...rowsOf('author-2016', 'pap', 18, () => ({ stepMs: 2.14 })).slice(9),
    ];
    expect(kindOf('training-time', rows)).toBe('not decided yet');
    expect(measure('training-time', { rows }).caveat).toBe('but PAP takes longer (the whole interval lies above 1)');
    expect(measure('training-time', { rows: timed(1.1) }).caveat).toBeUndefined();
  });

  it('leaves out a pair from two backends', () => {
    const rows = timed(1.1).map((row) => (row.activation === 'pap' ? { ...row, backend: 'wasm' } : row));
    expect(kindOf('training-time', rows)).toBe('not measured yet');
  });

  it('names the benchmark', () => {
    const stepRatios = [{ batch: 32, what: 'wasm pap / wasm relu', ratio: 0.976 }];
    expect(measure('training-time', { rows: timed(1.1), stepRatios }).sentence).toContain(
      'measures with batches of 32 wasm 0.976.',
    );
  });
});
