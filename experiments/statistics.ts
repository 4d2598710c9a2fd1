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
  return values.length === 1 ? levels.map(() => only!) : jstat.quantiles([...values], [...levels], 1, 1);
}

/** The quantile at 1/2. */
export function median(values: readonly number[]): number {
  return quantiles(values, [0.5])[0]!;
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
 * `t = (mean a − mean b)/√(s²a/n + s²b/m)`: the two-sided p-value that two means are equal, without equal variances, with
 * the degrees of freedom of Welch (1947) and Satterthwaite. Undefined for fewer than two values, or no spread in both.
 */
export function welch(a: readonly number[], b: readonly number[]): number | undefined {
  const [va, vb] = [a, b].map((values) => standardDeviation(values) ** 2 / values.length) as [number, number];
  if (!(va + vb > 0)) return undefined;
  const t = (mean(a) - mean(b)) / Math.sqrt(va + vb);
  const dof = (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  return 2 * jstat.studentt.cdf(-Math.abs(t), dof);
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

/** Resamples of a bootstrap. */
export const resamples = 10_000;

/**
 * The 95 % percentile interval of `statistic(a)/statistic(b)` (Efron 1979): each sample is drawn anew from itself, the two
 * apart, by `random(1, name)`. A ratio that is not finite counts as larger than all others. Undefined for too few
 * values.
 */
export function bootstrapRatio(
  name: string,
  statistic: (values: readonly number[]) => number,
  a: readonly number[],
  b: readonly number[],
): Interval | undefined {
  return percentileInterval(name, [a, b], ([drawnA, drawnB]) => statistic(drawnA!) / statistic(drawnB!));
}

/** The 95 % percentile interval of `statistic(values)`, drawn and undefined likewise. */
export function bootstrap(
  name: string,
  statistic: (values: readonly number[]) => number,
  values: readonly number[],
): Interval | undefined {
  return percentileInterval(name, [values], ([drawn]) => statistic(drawn!));
}

function percentileInterval(
  name: string,
  samples: readonly (readonly number[])[],
  statistic: (drawn: readonly (readonly number[])[]) => number,
): Interval | undefined {
  if (samples.some(({ length }) => length < leastValues)) return undefined;
  const source = random(1, name);
  const found = Array.from({ length: resamples }, () => {
    const value = statistic(samples.map((values) => values.map(() => values[source.below(values.length)]!)));
    return Number.isFinite(value) ? value : Number.MAX_VALUE;
  });
  const [low, high] = quantiles(found, [0.025, 0.975]);
  return [low!, high!];
}

/**
 * The 95 % interval of a share, `k` of `n`, by Clopper and Pearson (1934): quantiles of beta distributions. It holds at
 * least as often as it says, however small n is. Undefined for n = 0.
 */
export function shareInterval(k: number, n: number): Interval | undefined {
  if (n === 0) return undefined;
  return [k === 0 ? 0 : jstat.beta.inv(0.025, k, n - k + 1), k === n ? 1 : jstat.beta.inv(0.975, k + 1, n - k)];
}
