import { describe, expect, it } from 'vitest';
import { kindOf, measure, saidOf } from './measure-for-tests.ts';
import { noise, rowOf, rowsOf } from './rows-for-tests.ts';
import { surface } from './surfaces-for-tests.ts';
import { verdictText } from './words.ts';

describe('slope', () => {
  const steep = (name: string, gradient: number, protocol = 'author-2016') =>
    rowsOf(protocol, name, 9, (seed) => ({ gradients: [gradient * (1 + 0.01 * noise(seed))] }));
  /** The same, with a curve that is as rough. */
  const rough = (name: string, size: number, protocol = 'author-2016') =>
    steep(name, size, protocol).map((row) => ({
      ...row,
      epochs: [0.2, 0.2 + 0.1 * row.gradients[0], 0.2].map((loss) => ({ loss, accuracy: 0.9, trainLoss: loss })),
    }));
  const three = (protocol: string, [relu, near, half]: readonly [number, number, number]) => [
    ...rough('relu', relu, protocol),
    ...rough('mrelu-0.8', near, protocol),
    ...rough('mrelu-0.5', half, protocol),
  ];

  it('gradients and curves are compared within pairs', () => {
    expect(kindOf('slope', three('author-2016', [1, 0.9, 0.5]))).toBe('holds');
    expect(kindOf('slope', three('author-2016', [1, 1.2, 1.5]))).toBe('does not hold');
    expect(measure('slope', { rows: three('author-2016', [1, 0.9, 1.5]) }).verdict).toMatchObject({
      kind: 'holds only where',
      where: ['gradient at the start (mrelu-0.8 / relu)', 'roughness of the curve (mrelu-0.8 / relu)'],
    });
  });

  it('is decided in part while an MReLU or the curves are missing', () => {
    const gradients = [...steep('relu', 1), ...steep('mrelu-0.8', 1.2), ...steep('mrelu-0.5', 1.5)];
    const { verdict, sentence } = measure('slope', { rows: gradients });
    expect(verdictText(verdict)).toBe(
      'decided in part on author-2016: does not hold for gradient at the start; open: roughness of the curve',
    );
    expect(sentence).toContain('it is open for roughness of the curve.');
    const noHalf = three('author-2016', [1, 0.9, 0.5]).filter(({ activation }) => activation !== 'mrelu-0.5');
    expect(kindOf('slope', noHalf)).toBe('decided in part');
  });

  it('a network counts once, whatever the rates, and no other has a voice in it', () => {
    const rows = [
      ...three('author-2016', [1, 1.2, 1.5]).flatMap((row) => [
        row,
        rowOf('author-2016/rate-0.05', row.activation, row.seed, { gradients: row.gradients }),
      ]),
      ...three('small', [1, 0.5, 0.4]),
    ];
    const { verdict, n } = measure('slope', { rows });
    expect(n).toBe('9 pairs');
    expect(saidOf(verdict)).toEqual(['does not hold on author-2016', 'holds: small']);
  });

  it('the roughness of a curve leaves out dead pairs, and shows them', () => {
    const curve = (name: string, bend: number, dead: number) =>
      rowsOf('small', name, 9, (seed) => ({
        gradients: [1],
        epochs: [0.2, 0.2 + (seed <= dead ? 1e-6 : bend), 0.2].map((loss) => ({
          loss,
          accuracy: seed <= dead ? 0.1 : 0.9,
          trainLoss: loss,
        })),
      }));
    const { comparisons } = measure('slope', { rows: [...curve('relu', 0.1, 0), ...curve('mrelu-0.8', 0.2, 3)] });
    const found = comparisons.find(({ part }) => part?.startsWith('roughness of the curve'))!;
    expect(found).toMatchObject({ n: [6], value: expect.closeTo(2, 6) });
    expect(found.withDead).toBeLessThan(0.1);
  });
});

it.each([
  [2, 'open'],
  [6, 'does not hold'],
] as const)('slope: surfaces of %i networks count as so many, however many pairs each has: %s', (networks, outcome) => {
  const rough = (activation: string, roughness: number) =>
    Array.from({ length: networks }, (_, k) =>
      Array.from({ length: 20 }, (_, pair) => ({
        ...surface(activation, pair, 0.5),
        seed: k + 1,
        measures: { anisotropy: 0.5, depth: 1, roughness: roughness * (1 + 0.05 * noise(k + pair)) },
      })),
    ).flat();
  const { comparisons } = measure('slope', { surfaces: [...rough('relu', 1), ...rough('mrelu-0.8', 2)] });
  expect(comparisons).toMatchObject([{ n: [networks], value: expect.closeTo(2, 9), outcome }]);
});
