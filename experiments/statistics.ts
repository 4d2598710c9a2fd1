import jstat from 'jstat';

/** Quantiles of a sample at these levels, between its order statistics (Hyndman and Fan's type 7, R's default). */
export function quantiles(values: readonly number[], levels: readonly number[]): number[] {
  return jstat.quantiles([...values], [...levels], 1, 1);
}
