import { expect, it } from 'vitest';
import { kindOf, measure, saidOf } from './measure-for-tests.ts';
import { noise, rowsOf } from './rows-for-tests.ts';

it('sharing: a unit against the layer, and the map by pairs', () => {
  const shared = (protocol: string, unit: number, layer: number) => [
    ...rowsOf(protocol, 'pap', 9, (seed) => ({ loss: unit + 0.001 * noise(seed) })),
    ...rowsOf(protocol, 'pap-layer', 9, (seed) => ({ loss: layer + 0.001 * noise(seed + 1) })),
  ];
  expect(kindOf('sharing', shared('small', 0.1, 0.2))).toBe('holds');
  expect(kindOf('sharing', shared('small', 0.2, 0.1))).toBe('does not hold');
  expect(kindOf('sharing', shared('small', 0.2, 0.2))).toBe('not decided yet');
  const rows = [...shared('small', 0.1, 0.2), ...shared('batch-128/rate-0.1', 0.2, 0.1)];
  expect(saidOf(measure('sharing', { rows }).verdict)).toEqual([
    'holds on small',
    'does not hold: the learning-rate map',
  ]);
  const threeSeeds = ['batch-128/rate-0.05', 'batch-128/rate-0.1', 'batch-128/rate-0.2'].flatMap((protocol) =>
    shared(protocol, 0.2, 0.1).filter(({ seed }) => seed <= 3),
  );
  expect(measure('sharing', { rows: threeSeeds }).comparisons).toMatchObject([{ n: [3], outcome: 'open' }]);
  const worse = rows.map((row) =>
    row.activation === 'pap' ? { ...row, epochs: [{ ...row.epochs[0], accuracy: 0.9 }] } : row,
  );
  const { caveat, sentence } = measure('sharing', { rows: worse });
  expect(caveat).toContain('by the accuracy the layer is better');
  expect(sentence).toContain('0 of 9 runs of pap die, and 0 of 9 of pap-layer');
});
