import { describe, expect, it } from 'vitest';
import { isRegistered } from '../registry.ts';
import { kindOf, measure, saidOf } from './measure-for-tests.ts';
import { both, noise, rowOf, rowsOf } from './rows-for-tests.ts';
import { verdictText } from './words.ts';

describe('mnist-table', () => {
  const table = (relu: number, pap: number) => [
    ...rowsOf('author-2016', 'relu', 20, (seed) => ({
      loss: relu + 0.005 * noise(seed),
      accuracy: 0.9671 + 0.002 * noise(seed),
    })),
    ...rowsOf('author-2016', 'pap', 20, (seed) => ({
      loss: pap + 0.002 * noise(seed),
      accuracy: 0.9788 + 0.0005 * noise(seed),
    })),
  ];
  it('holds for the published figures, and not for others', () => {
    expect(kindOf('mnist-table', table(0.1102, 0.0672))).toBe('holds');
    expect(kindOf('mnist-table', table(0.1402, 0.0672))).toBe('does not hold');
    expect(kindOf('mnist-table', table(0.1102, 0.0572))).toBe('does not hold');
    expect(kindOf('mnist-table', table(0.1102 + 2 * 0.0078, 0.0672))).toBe('not decided yet');
  });
});

describe('mean-loss', () => {
  it.each([
    [both(0.11, 0.005, 0.066, 0.005), 'holds'],
    [both(0.11, 0.005, 0.1, 0.005), 'does not hold'],
    [both(0.11, 0.005, 0.11 * 0.72, 0.005), 'not decided yet'],
    [both(0.11, 0.005, 0.066, 0.005, 4), 'not decided yet'],
    [both(0.11, 0.005, 0.066, 0.005, 20, 'small'), 'not measured yet'],
    [[...both(0.11, 0.005, 0.066, 0.005), ...both(0.2, 0.005, 0.2, 0.005, 20, 'small')], 'holds'],
    [[...both(0.11, 0.005, 0.11 * 0.72, 0.005), ...both(0.2, 0.005, 0.2, 0.005, 20, 'small')], 'not decided yet'],
  ] as const)('%#: the truth is known', (rows, kind) => {
    expect(kindOf('mean-loss', rows)).toBe(kind);
  });

  it('is decided by the published protocol, with its figure, and names what others give', () => {
    const others = [...both(0.2, 0.005, 0.2, 0.005, 20, 'small'), ...both(0.2, 0.005, 0.1, 0.005, 20, 'iters-94')];
    const { verdict, ours } = measure('mean-loss', { rows: [...others, ...both(0.11, 0.005, 0.11 * 0.72, 0.005)] });
    expect(ours).toEqual([{ name: 'mean loss, pap / relu', value: expect.stringMatching(/^0\.7/) }]);
    expect(saidOf(verdict)).toEqual(['not decided on author-2016', 'holds: iters-94', 'does not hold: small']);
  });

  it('says that an effect is larger than claimed', () => {
    const { verdict, caveat } = measure('mean-loss', { rows: both(0.11, 0.005, 0.03, 0.005) });
    expect(verdictText(verdict, caveat)).toBe('holds on author-2016, by more than claimed');
  });

  it('says the direction where the size alone is open, and not where it is decided or 1 is possible', () => {
    const said = (pap: number, n = 20) => {
      const { verdict, caveat } = measure('mean-loss', { rows: both(0.11, 0.005, pap, 0.005, n) });
      return verdictText(verdict, caveat);
    };
    expect(said(0.11 * 0.72)).toBe(
      'not decided on author-2016, but the loss of PAP is smaller (the whole interval lies below 1)',
    );
    expect(said(0.11 * 0.72, 4)).toBe('not decided on author-2016');
    expect(said(0.066)).toBe('holds on author-2016');
    expect(said(0.1)).toBe('does not hold on author-2016');
  });

  it('counts dead runs, in the figure and apart', () => {
    const rows = [
      ...both(0.11, 0.005, 0.066, 0.005),
      rowOf('author-2016', 'relu', 101, { loss: Math.LN10, accuracy: 0.1 }),
      rowOf('author-2016', 'relu', 102, { loss: null, accuracy: 0.1 }),
    ];
    const { comparisons, cells } = measure('mean-loss', { rows });
    expect(comparisons[0].n).toEqual([20, 21]);
    expect(comparisons[0].value).toBeLessThan(0.33);
    expect(comparisons[0].alive).toBeCloseTo(0.6, 1);
    expect(cells[0]).toMatchObject({ activation: 'relu', n: 21, dead: 2, excluded: 1, alive: expect.closeTo(0.11, 2) });
  });

  it('leaves out rows with another number of epochs than their protocol', () => {
    const rows = both(0.11, 0.005, 0.066, 0.005);
    const short = rowOf('author-2016', 'pap', 50, { loss: 9, hash: '0123456789abcdef' });
    expect(isRegistered(short)).toBe(false);
    expect(measure('mean-loss', { rows: [...rows, short] })).toEqual(measure('mean-loss', { rows }));
  });
});

it('consistency: the spread, not the mean', () => {
  expect(kindOf('consistency', both(0.11, 0.02, 0.11, 0.004))).toBe('holds');
  expect(kindOf('consistency', both(0.11, 0.004, 0.06, 0.004))).toBe('does not hold');
  expect(kindOf('consistency', both(0.11, 0.01, 0.06, 0.004))).toBe('not decided yet');
  expect(measure('consistency', { rows: both(0.11, 0.01, 0.06, 0.004) }).caveat).toMatch(
    'the spread of PAP is smaller',
  );
  expect(measure('consistency', { rows: both(0.11, 0.004, 0.06, 0.004, 4) }).caveat).toBeUndefined();
  expect(kindOf('consistency', both(0.11, 0, 0.06, 0))).toBe('not decided yet');
  const [comparison] = measure('consistency', { rows: both(0.11, 0.02, 0.11, 0.004) }).comparisons;
  expect(comparison.tests[1].p).toBeLessThan(1e-4);
});
