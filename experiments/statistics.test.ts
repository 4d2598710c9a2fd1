import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bootstrap,
  bootstrapRatio,
  brownForsythe,
  geometricMean,
  leastValues,
  mean,
  meanInterval,
  median,
  quantiles,
  shareInterval,
  standardDeviation,
  welch,
} from './statistics.ts';

// The samples of Wikipedia's article on Welch's test, and of its article on Student's; values by SciPy 1.17.
const a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
const b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.3];
const s = [30.02, 29.99, 30.11, 29.97, 30.01, 29.99];
const t = [29.89, 29.93, 29.72, 29.98, 30.02, 29.98];

it('values that are all the same have no spread, however their mean is rounded', () => {
  expect(standardDeviation([0.098, 0.098, 0.098])).toBe(0);
});

describe('against SciPy', () => {
  it('mean with the interval of Student', () => {
    const [low, high] = meanInterval(s)!;
    expect(mean(s)).toBeCloseTo(30.015, 12);
    expect(low).toBeCloseTo(29.96284399889906, 9);
    expect(high).toBeCloseTo(30.06715600110094, 9);
  });

  it("Welch's test", () => {
    expect(welch(a, b)).toBeCloseTo(0.008185629704967032, 9);
    expect(welch(s, t)).toBeCloseTo(0.09077332428566112, 9);
  });

  it("Brown and Forsythe's test", () => {
    expect(brownForsythe(a, b)).toBeCloseTo(0.6257298764660838, 9);
    expect(brownForsythe(s, t)).toBeCloseTo(0.2858390482957647, 9);
  });

  it.each([
    [3, 3, 0.2924017738212867, 1],
    [0, 3, 0, 0.7075982261787133],
    [28, 40, 0.5346837147458755, 0.8343727956067644],
    [7, 12, 0.2766696856821058, 0.8483477701915653],
  ])('the interval of a share: %i of %i', (k, n, low, high) => {
    const interval = shareInterval(k, n)!;
    expect(interval[0]).toBeCloseTo(low, 8);
    expect(interval[1]).toBeCloseTo(high, 8);
  });

  // SciPy drew 100,000 resamples: 10,000 others differ by less than a twentieth of the width.
  it.each([
    ['means', mean, 0.8077872055777822, 0.958005362573854],
    ['standard deviations', standardDeviation, 0.5783274043914504, 2.2366366554786588],
  ] as const)('the bootstrap of a ratio of %s', (name, statistic, low, high) => {
    const interval = bootstrapRatio(name, statistic, a, b)!;
    expect(Math.abs(interval[0] - low)).toBeLessThan((high - low) / 20);
    expect(Math.abs(interval[1] - high)).toBeLessThan((high - low) / 20);
  });

  it('the bootstrap of a median', () => {
    const [low, high] = bootstrap('median', median, a)!;
    expect(low).toBe(19);
    // A median of 22.6 or more has probability P(Bin(15, 4/15) ≥ 8) = 0.0254, almost the level itself.
    expect([21.9, 22.6]).toContain(high);
  });
});

const distances = (values: readonly number[]) => values.map((v) => Math.abs(v - median(values)));

const sample = fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 2, maxLength: 12 });

const enoughValues = fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: leastValues, maxLength: 12 });

describe('laws', () => {
  it('tests are blind to the order of the samples, to scale and to shift', () => {
    fc.assert(
      fc.property(sample, sample, fc.constantFrom(0.25, 4), fc.constantFrom(0, 8), (x, y, scale, shift) => {
        const changed = (values: readonly number[]) => values.map((v) => scale * v + shift);
        for (const test of [welch, brownForsythe]) {
          const p = test(x, y);
          const of = [test(y, x), test(changed(x), changed(y))];
          if (p === undefined) continue;
          expect(p).toBeGreaterThanOrEqual(0);
          expect(p).toBeLessThanOrEqual(1);
          // What is left of samples without spread is rounding.
          const compared = test === welch ? [x, y] : [x, y].map(distances);
          if (compared.some((values) => standardDeviation(values) < 1e-3)) continue;
          for (const other of of) expect(other).toBeCloseTo(p, 6);
        }
      }),
    );
  });

  it('two values each have distances without spread, whatever rounding makes of them', () => {
    const two = fc.tuple(fc.double({ min: 0.5, max: 2, noNaN: true }), fc.double({ min: 0.5, max: 2, noNaN: true }));
    fc.assert(fc.property(two, two, (x, y) => brownForsythe(x, y) === undefined));
  });

  it('an interval scales with its sample, and holds the mean', () => {
    fc.assert(
      fc.property(enoughValues, (x) => {
        const [low, high] = meanInterval(x)!;
        expect(low).toBeLessThanOrEqual(mean(x) + 1e-12);
        expect(high).toBeGreaterThanOrEqual(mean(x) - 1e-12);
        const scaled = meanInterval(x.map((v) => 4 * v))!;
        expect(scaled[0]).toBeCloseTo(4 * low, 9);
        expect(scaled[1]).toBeCloseTo(4 * high, 9);
        const geometric = geometricMean(x.map((v) => 4 * v));
        expect(geometric.mean).toBeCloseTo(4 * geometricMean(x).mean, 9);
      }),
    );
  });

  it('a bootstrap gives the same interval every time, and a ratio of scaled samples the scale', () => {
    expect(bootstrapRatio('x', mean, a, b)).toEqual(bootstrapRatio('x', mean, a, b));
    const ratio = bootstrapRatio('x', mean, a, b)!;
    const scaled = bootstrapRatio(
      'x',
      mean,
      a.map((v) => 4 * v),
      b,
    )!;
    expect(scaled[0]).toBeCloseTo(4 * ratio[0], 9);
    expect(scaled[1]).toBeCloseTo(4 * ratio[1], 9);
  });

  it('quantiles lie between order statistics', () => {
    expect(quantiles([4, 1, 3, 2], [0, 0.5, 1])).toEqual([1, 2.5, 4]);
    expect(median([3, 1, 2])).toBe(2);
    expect(quantiles([7], [0, 0.25, 1])).toEqual([7, 7, 7]);
    expect(median([])).toBe(Number.NaN);
  });
});

describe('too few values', () => {
  it('have no interval and no p-value', () => {
    expect(meanInterval([1, 2, 3, 4])).toBeUndefined();
    expect(meanInterval([1, 2, 3, 4, 5])).toBeDefined();
    expect(welch([1], [2, 3])).toBeUndefined();
    expect(welch([1, 1], [2, 2])).toBeUndefined();
    expect(brownForsythe([1, 2], [3])).toBeUndefined();
    expect(brownForsythe([1, 2], [3, 4])).toBeUndefined();
    expect(bootstrapRatio('x', mean, [1, 2, 3, 4, 5], [1, 2, 3, 4])).toBeUndefined();
    expect(shareInterval(0, 0)).toBeUndefined();
  });
});
