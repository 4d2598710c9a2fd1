import { describe, expect, it } from 'vitest';
import { rowsOf } from '../claims/rows-for-tests.ts';
import { crossingsOf, crossingsTable, crossingsText, lacksOf } from './crossings.ts';

const cell = (rate: number, name: string, n: number, loss: number | null) =>
  rowsOf(`batch-128/rate-${rate}`, name, n, () => ({ loss }));

describe('curves cross where the lower mean loss passes to the other', () => {
  const rows = [
    ...cell(0.05, 'relu', 3, 0.1),
    ...cell(0.05, 'pap', 3, 0.2),
    ...cell(0.1, 'relu', 2, 0.3),
    ...cell(0.1, 'pap', 3, 0.2),
    ...cell(0.15, 'relu', 3, 0.4),
    ...cell(0.15, 'pap', 3, 0.2),
  ];

  it('and the trials of the four cells are counted', () => {
    expect(crossingsOf(rows)).toEqual([{ between: [0.05, 0.1], names: ['relu', 'pap'], trials: [3, 2, 3, 3] }]);
    expect(crossingsText(rows)).toContain('0 of 1 crossings have 3 trials');
    expect(crossingsTable([])).toEqual([]);
    expect(crossingsText([])).toBe('');
  });

  it('and what they lack has a command and a time', () => {
    expect(lacksOf(rows)).toEqual([
      {
        rate: 0.1,
        cells: [{ name: 'relu', n: 2 }],
        command: 'npx poolproof reproduce mnist --protocol batch-128/rate-0.1 --activation relu --trials 3',
        seconds: 100,
      },
    ]);
    expect(JSON.stringify(crossingsTable(rows))).toContain('rate-0.1 --activation relu --trials 3');
  });

  it('and where all runs of the one end without a finite loss', () => {
    const dies = [...rows.slice(0, 6), ...cell(0.1, 'relu', 3, null), ...cell(0.1, 'pap', 3, 0.2)];
    expect(crossingsOf(dies)).toHaveLength(1);
    const both = [...rows.slice(0, 6), ...cell(0.1, 'relu', 3, null), ...cell(0.1, 'pap', 3, null)];
    expect(crossingsOf(both)).toEqual([]);
  });
});
