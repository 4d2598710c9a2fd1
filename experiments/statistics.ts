import jstat from 'jstat';
import { random } from '../reference/random.ts';

/** From `low` to `high`, both included. */
export type Interval = readonly [low: number, high: number];

/** The least values of which an interval is given: of fewer it is wider than what can be measured, or a guess. */
export const leastValues = 5;

/** Quantiles of a sample at these levels, between its order statistics (Hyndman and Fan's type 7, R's default). */
export function quantiles(values: readonly number[], levels: readonly number[]): number[] {
  // jstat (1.9) answers NaN for a single value.
  const [only] = values;
  return values.length === 1 ? levels.map(() => only) : jstat.quantiles([...values], [...levels], 1, 1);
}

/** The quantile at 1/2. */
export function median(values: readonly number[]): number {
  return quantiles(values, [0.5])[0];
}

/** `Σx/n`, NaN of an empty sample. */
export function mean(values: readonly number[]): number {
  return jstat.mean([...values]);
}

/** `√(Σ(x − mean)²/(n − 1))`, NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  // Of values that are all the same, jstat (1.9) answers how their mean was rounded.
  return values.every((value) => value === values[0]) ? 0 : jstat.stdev([...values], true);
}

/** `mean ± t(0.975, n − 1)·s/√n`, the 95 % interval of Student (1908) for a mean; undefined for too few values. */
export function meanInterval(values: readonly number[]): Interval | undefined {
  const n = values.length;
  if (n < leastValues) return undefined;
  const half = (jstat.studentt.inv(0.975, n - 1) * standardDeviation(values)) / Math.sqrt(n);
  return [mean(values) - half, mean(values) + half];
}

/** `exp(mean(ln x))` with the interval of Student of `ln x`, back as `exp`. All values are above 0. */
export function geometricMean(values: readonly number[]): { mean: number; interval: Interval | undefined } {
  const logs = values.map(Math.log);
  const interval = meanInterval(logs);
  return { mean: Math.exp(mean(logs)), interval: interval && [Math.exp(interval[0]), Math.exp(interval[1])] };
}

/**
 * The geometric mean of the values of each cluster, such as all that were measured of one network: values of one are not
 * independent, and an interval over all of them would be too narrow.
 */
export function clusterMeans(values: readonly { readonly cluster: number; readonly value: number }[]): number[] {
  return [...new Set(values.map(({ cluster }) => cluster))].map(
    (name) => geometricMean(values.filter(({ cluster }) => cluster === name).map(({ value }) => value)).mean,
  );
}

/**
 * `t = (mean a − mean b)/√(s²a/n + s²b/m)`: the two-sided p-value that two means are equal, without equal variances, with
 * the degrees of freedom of Welch (1947) and Satterthwaite. Undefined for fewer than two values, or no spread in both.
 */
export function welch(a: readonly number[], b: readonly number[]): number | undefined {
  const [va, vb] = [a, b].map((values) => standardDeviation(values) ** 2 / values.length) as [number, number];
  if (!(va + vb > 0)) return undefined;
  const t = (mean(a) - mean(b)) / Math.sqrt(va + vb);
  return 2 * jstat.studentt.cdf(-Math.abs(t), satterthwaite(va, vb, a, b));
}

/** The degrees of freedom of `va + vb`, the variances of estimates from two samples. */
function satterthwaite(va: number, vb: number, a: readonly number[], b: readonly number[]): number {
  return (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
}

/**
 * One-way analysis of variance of `|x − median|`: the p-value that two samples are spread alike (Brown and Forsythe 1974,
 * Levene's test about the median). Undefined for fewer than two values, or no spread of the distances within either, as of two
 * values each: what rounding makes of it is none.
 */
export function brownForsythe(a: readonly number[], b: readonly number[]): number | undefined {
  if (a.length < 2 || b.length < 2) return undefined;
  const distances = [a, b].map((values) => {
    const middle = median(values);
    return values.map((x) => Math.abs(x - middle));
  });
  // The median is rounded once, and the difference from it.
  const rounding = 2 ** -51 * Math.max(...a.map(Math.abs), ...b.map(Math.abs));
  if (distances.every((d) => Math.max(...d) - Math.min(...d) <= rounding)) return undefined;
  return jstat.anovaftest(...distances);
}

/**
 * `θ·exp(±t(0.975, ν)·√(v_a + v_b))`, the 95 % interval of `θ = statistic(a)/statistic(b)`: Student's interval of `ln θ`, with
 * the variances of Tukey's jackknife (1958; for variances Miller 1968), `v = (n − 1)²/n · s²(ln statistic without one value)`,
 * and the degrees of freedom ν of Welch and Satterthwaite. `statistics.test.ts` measures how often it holds the truth:
 * a percentile bootstrap of as few values does less often than it says. Undefined for too few values, and where a
 * statistic is not above 0, with all values or without one: a sample without spread has no ratio of spreads.
 */
export function jackknifeRatio(
  statistic: (values: readonly number[]) => number,
  a: readonly number[],
  b: readonly number[],
): Interval | undefined {
  if (Math.min(a.length, b.length) < leastValues) return undefined;
  const [va, vb] = [a, b].map((values) => {
    const without = values.map((_, i) => Math.log(statistic(values.toSpliced(i, 1))));
    return ((values.length - 1) ** 2 / values.length) * standardDeviation(without) ** 2;
  }) as [number, number];
  const ratio = statistic(a) / statistic(b);
  if (!(va + vb < Number.POSITIVE_INFINITY && ratio > 0 && ratio < Number.POSITIVE_INFINITY)) return undefined;
  const half = va + vb === 0 ? 0 : jstat.studentt.inv(0.975, satterthwaite(va, vb, a, b)) * Math.sqrt(va + vb);
  return [ratio * Math.exp(-half), ratio * Math.exp(half)];
}

/** Pairs of samples that a bootstrap draws. */
const resamples = 10_000;

/**
 * From the 2.5 % to the 97.5 % quantile of `statistic(a*)/statistic(b*)`, the percentile interval of Efron (1979): a* and b*
 * are drawn from a and b with replacement, each as many values, `resamples` times. Of as few values as here it holds the
 * truth less often than it says: see `jackknifeRatio`. A ratio that is not finite is above all others. Undefined for too few
 * values, and where an end is not finite.
 */
export function bootstrapRatio(
  statistic: (values: readonly number[]) => number,
  a: readonly number[],
  b: readonly number[],
): Interval | undefined {
  if (Math.min(a.length, b.length) < leastValues) return undefined;
  const source = random(1, 'bootstrap');
  const drawn = (values: readonly number[]) => values.map(() => values[source.below(values.length)]);
  const ratios = Array.from({ length: resamples }, () => {
    const ratio = statistic(drawn(a)) / statistic(drawn(b));
    return Number.isFinite(ratio) ? ratio : Number.POSITIVE_INFINITY;
  });
  const [low, high] = quantiles(ratios, [0.025, 0.975]);
  return Number.isFinite(low) && Number.isFinite(high) ? [low, high] : undefined;
}

/**
 * The 95 % interval of a median by the sign test: the k-th lowest to the k-th highest value, with the largest k of which
 * `2·P(Bin(n, 1/2) < k) ≤ 0.05`. It holds at least as often as it says, for every continuous distribution. Undefined for
 * n < 6, of which not even all values are enough.
 */
export function medianInterval(values: readonly number[]): Interval | undefined {
  const n = values.length;
  let k = 0;
  while (k < n && 2 * jstat.binomial.cdf(k, n, 0.5) <= 0.05) k++;
  if (k === 0) return undefined;
  const sorted = values.toSorted((x, y) => x - y);
  return [sorted[k - 1], sorted[n - k]];
}

/**
 * The 95 % interval of a share, `k` of `n`, by Clopper and Pearson (1934): quantiles of beta distributions. It holds at
 * least as often as it says, however small n is. Undefined for n = 0.
 */
export function shareInterval(k: number, n: number): Interval | undefined {
  if (n === 0) return undefined;
  return [k === 0 ? 0 : jstat.beta.inv(0.025, k, n - k + 1), k === n ? 1 : jstat.beta.inv(0.975, k + 1, n - k)];
}
