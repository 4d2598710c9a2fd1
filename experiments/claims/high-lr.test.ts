import { describe, expect, it } from 'vitest';
import { kindOf, measure } from './measure-for-tests.ts';
import { rowOf, rowsOf } from './rows-for-tests.ts';
import { verdictText } from './words.ts';

describe('high-lr', () => {
  const at = 'author-2016/rate-0.35';
  const shares = (relu: number, mrelu: number, n = 6) => [
    ...rowsOf(at, 'relu', n, (seed) => ({ accuracy: seed <= relu ? 0.95 : 0.1 })),
    ...['mrelu-0.8', 'mrelu-0.5'].flatMap((name) =>
      rowsOf(at, name, n, (seed) => ({ accuracy: seed <= mrelu ? 0.95 : 0.1 })),
    ),
  ];
  it.each([
    [shares(0, 6), 'holds'],
    [shares(2, 4), 'holds'],
    [shares(6, 6), 'does not hold'],
    [shares(0, 0), 'does not hold'],
    [shares(0, 4, 4), 'not decided yet'],
    [shares(3, 6), 'not decided yet'],
  ] as const)('%#: by the share that learns', (rows, kind) => {
    expect(kindOf('high-lr', rows)).toBe(kind);
  });

  it('says where trials end, and that the bound lies between them', () => {
    const { sentence } = measure('high-lr', { rows: shares(0, 5) });
    expect(sentence).toContain('relu 0.1000 to 0.1000; mrelu-0.8 0.1000 to 0.9500, on both sides of the bound; ');
  });

  it('needs both MReLUs', () => {
    const one = shares(0, 6).filter(({ activation }) => activation !== 'mrelu-0.8');
    expect(verdictText(measure('high-lr', { rows: one }).verdict)).toBe(
      `decided in part on ${at}: holds for mrelu-0.5; open: mrelu-0.8`,
    );
  });

  it('names the largest rate that each learns at, and cells as claimed that are not judged', () => {
    const rows = [
      rowOf('batch-128/rate-0.1', 'relu', 1),
      rowOf('batch-128/rate-0.35', 'mrelu-0.5', 1),
      rowOf('batch-128/rate-0.35', 'relu', 1, { accuracy: 0.1 }),
      rowOf(at, 'relu', 1, { accuracy: 0.1, hash: '0123456789abcdef' }),
    ];
    const { sentence, verdict } = measure('high-lr', { rows });
    expect(verdict.kind).toBe('not measured yet');
    expect(sentence).toContain('relu 0.1, mrelu-0.5 0.35');
    expect(sentence).toContain('on batch-128/rate-0.35 learn relu 0 of 1, mrelu-0.5 1 of 1.');
    expect(sentence).toContain('Trainings of 1 epochs on author-2016/rate-0.35, which are judged nowhere');
  });
});
