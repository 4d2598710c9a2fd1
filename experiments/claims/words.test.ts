import { expect, it } from 'vitest';
import { atMapRate, rates } from '../protocols.ts';
import type { Comparison } from './claim.ts';
import { figure, formatOf, listOf, timeText, valuesOn } from './words.ts';

it('figures have three digits, accuracies four decimals, times the unit that fits', () => {
  expect([0.1234, 12_345.6, 1e-5, Number.NaN].map(figure)).toEqual(['0.123', '12346', '1.00e-5', '–']);
  expect([0.98, Number.NaN].map(formatOf('mean accuracy, pap'))).toEqual(['0.9800', '–']);
  expect([1, 119, 121, 5999, 6001, 26_460].map(timeText)).toEqual([
    '1 s',
    '119 s',
    '3 min',
    '100 min',
    '1.7 h',
    '7.3 h',
  ]);
});

it('values of one measure stand under its name', () => {
  const of = (part: string | undefined): Comparison => ({
    protocol: 'p',
    ...(part !== undefined && { part }),
    what: 'loss, a / b',
    n: [9],
    value: 1,
    interval: [0.5, 2],
    claimed: {},
    tests: [],
    outcome: 'open',
  });
  const value = '1.00 (0.500 to 2.00)';
  expect(valuesOn([of(undefined)], 'p')).toEqual([{ name: 'loss, a / b', value }]);
  expect(valuesOn([of('steep')], 'p')).toEqual([{ name: 'steep', value }]);
  expect(valuesOn([of('depth (pap)')], 'p')).toEqual([{ name: 'depth (pap)', value }]);
  expect(valuesOn([of('depth (a / b)'), of('depth (a / c)')], 'p')).toEqual([
    { name: 'depth:', value: '' },
    { name: 'a / b', value },
    { name: 'a / c', value },
  ]);
  expect(valuesOn([of('steep')], 'q')).toEqual([]);
});

it('of the learning-rate map only the rates are named', () => {
  expect(listOf(['small', atMapRate(0.1), atMapRate(0.2)])).toBe('small, batch-128 at 0.1, 0.2');
  expect(listOf(rates.map(atMapRate))).toBe('batch-128 at every rate');
});
