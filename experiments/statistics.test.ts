import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { random } from '../reference/random.ts';
import {
  bootstrapRatio,
  brownForsythe,
  clusterMeans,
  geometricMean,
  type Interval,
  jackknifeRatio,
  leastValues,
  mean,
  meanInterval,
  median,
  medianInterval,
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
});

it('the ranks of the interval of a median are those of the tables of the sign test', () => {
  const ofRanks = (n: number) => medianInterval(Array.from({ length: n }, (_, i) => n - i));
  expect(ofRanks(5)).toBeUndefined();
  expect(ofRanks(6)).toEqual([1, 6]);
  expect(ofRanks(9)).toEqual([2, 8]);
  expect(ofRanks(10)).toEqual([2, 9]);
  expect(ofRanks(20)).toEqual([6, 15]);
  expect(ofRanks(25)).toEqual([8, 18]);
});

describe('how often an interval holds the truth', () => {
  const source = random(1, 'coverage');
  const normal = () => Math.sqrt(-2 * Math.log(1 - source.uniform())) * Math.cos(2 * Math.PI * source.uniform());
  const shapes = {
    normal,
    // Skewness 0.95, scaled to a mean of 0 and a deviation of 1.
    lognormal: () => (Math.exp(0.3 * normal()) - Math.exp(0.045)) / Math.sqrt(Math.exp(0.18) - Math.exp(0.09)),
  };
  const draws = 3000;
  const coverage = (n: number, draw: () => number, interval: (a: number[], b: number[]) => Interval | undefined) => {
    const sampleOf = (scale: number) => Array.from({ length: n }, () => scale * (1 + 0.2 * draw()));
    let held = 0;
    for (let k = 0; k < draws; k++) {
      const [low, high] = interval(sampleOf(3), sampleOf(1))!;
      if (low <= 3 && 3 <= high) held++;
    }
    return held / draws;
  };
  // Of 3000 draws, 0.95 has a standard error of 0.004.
  it.each([
    ['means', mean, 'normal', 0.94],
    ['standard deviations', standardDeviation, 'normal', 0.94],
    ['means', mean, 'lognormal', 0.94],
    ['standard deviations', standardDeviation, 'lognormal', 0.92],
  ] as const)('the ratio of %s of 5, 10 and 20 values', (_, statistic, shape, least) => {
    for (const n of [5, 10, 20]) {
      const found = coverage(n, shapes[shape], (a, b) => jackknifeRatio(statistic, a, b));
      expect(found, `n = ${n}`).toBeGreaterThanOrEqual(least);
      expect(found, `n = ${n}`).toBeLessThanOrEqual(0.98);
    }
  });

  it('the median of 6, 10 and 20 values', () => {
    for (const n of [6, 10, 20]) {
      // Of the second sample, whose median is 1.
      const found = coverage(n, normal, (_, b) => {
        const [low, high] = medianInterval(b)!;
        return [3 * low, 3 * high];
      });
      expect(found, `n = ${n}`).toBeGreaterThanOrEqual(0.95);
    }
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

  it('an interval of a ratio holds the ratio, and scales with its samples', () => {
    for (const statistic of [mean, standardDeviation]) {
      const [low, high] = jackknifeRatio(statistic, a, b)!;
      expect(low).toBeLessThan(statistic(a) / statistic(b));
      expect(high).toBeGreaterThan(statistic(a) / statistic(b));
      const scaled = a.map((v) => 4 * v);
      expect(jackknifeRatio(statistic, scaled, b)).toEqual([expect.closeTo(4 * low, 9), expect.closeTo(4 * high, 9)]);
      expect(jackknifeRatio(statistic, b, a)).toEqual([expect.closeTo(1 / high, 9), expect.closeTo(1 / low, 9)]);
    }
  });

  it('a bootstrap holds the ratio, is near the judged interval, and is the same every time', () => {
    for (const statistic of [mean, standardDeviation]) {
      const [low, high] = bootstrapRatio(statistic, a, b)!;
      const [judgedLow, judgedHigh] = jackknifeRatio(statistic, a, b)!;
      expect(low).toBeLessThan(statistic(a) / statistic(b));
      expect(high).toBeGreaterThan(statistic(a) / statistic(b));
      expect(Math.log(high / low) / Math.log(judgedHigh / judgedLow)).toBeGreaterThan(0.75);
      expect(Math.log(high / low) / Math.log(judgedHigh / judgedLow)).toBeLessThan(1.1);
      expect(bootstrapRatio(statistic, a, b)).toEqual([low, high]);
    }
  });

  it('quantiles lie between order statistics', () => {
    expect(quantiles([4, 1, 3, 2], [0, 0.5, 1])).toEqual([1, 2.5, 4]);
    expect(median([3, 1, 2])).toBe(2);
    expect(quantiles([7], [0, 0.25, 1])).toEqual([7, 7, 7]);
    expect(median([])).toBe(Number.NaN);
  });
});

it('values of one cluster are one value', () => {
  const values = [
    { cluster: 1, value: 1 },
    { cluster: 2, value: 8 },
    { cluster: 1, value: 4 },
  ];
  expect(clusterMeans(values)).toEqual([expect.closeTo(2, 12), expect.closeTo(8, 12)]);
});

describe('too few values', () => {
  it('have no interval and no p-value', () => {
    expect(meanInterval([1, 2, 3, 4])).toBeUndefined();
    expect(meanInterval([1, 2, 3, 4, 5])).toBeDefined();
    expect(welch([1], [2, 3])).toBeUndefined();
    expect(welch([1, 1], [2, 2])).toBeUndefined();
    expect(brownForsythe([1, 2], [3])).toBeUndefined();
    expect(brownForsythe([1, 2], [3, 4])).toBeUndefined();
    expect(jackknifeRatio(mean, [1, 2, 3, 4, 5], [1, 2, 3, 4])).toBeUndefined();
    expect(bootstrapRatio(mean, [1, 2, 3, 4, 5], [1, 2, 3, 4])).toBeUndefined();
    expect(shareInterval(0, 0)).toBeUndefined();
  });
});

it('without spread there is no interval of a ratio of spreads', () => {
  const [spread, none] = [
    [1, 2, 3, 4, 5],
    [1, 1, 1, 1, 1],
  ];
  for (const [x, y] of [
    [none, none],
    [spread, none],
    [none, spread],
    [spread, [1, 1, 1, 1, 2]],
  ] as const) {
    expect(jackknifeRatio(standardDeviation, x, y)).toBeUndefined();
    if (y === none) expect(bootstrapRatio(standardDeviation, x, y)).toBeUndefined();
  }
  expect(jackknifeRatio(mean, none, none)).toEqual([1, 1]);
});
