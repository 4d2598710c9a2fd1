import { expect, it } from 'vitest';
import { rowsOf } from '../claims/rows-for-tests.ts';
import { crossingsOf, crossingsTable } from './crossings.ts';

it('curves cross where the lower mean loss passes to the other, and the trials of the four cells are counted', () => {
  const cell = (rate: number, name: string, n: number, loss: number) =>
    rowsOf(`batch-128/rate-${rate}`, name, n, () => ({ loss }));
  const rows = [
    ...cell(0.05, 'relu', 3, 0.1),
    ...cell(0.05, 'pap', 3, 0.2),
    ...cell(0.1, 'relu', 2, 0.3),
    ...cell(0.1, 'pap', 3, 0.2),
    ...cell(0.15, 'relu', 3, 0.4),
    ...cell(0.15, 'pap', 3, 0.2),
  ];
  expect(crossingsOf(rows)).toEqual([{ between: [0.05, 0.1], names: ['relu', 'pap'], trials: [3, 2, 3, 3] }]);
  expect(JSON.stringify(crossingsTable(rows))).toContain('0 of 1 crossings');
  expect(crossingsTable([])).toEqual([]);
});
