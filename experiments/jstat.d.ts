/** What is used of jstat, which has no types of its own. */
declare module 'jstat' {
  const jstat: {
    quantiles(values: number[], levels: number[], alphap: number, betap: number): number[];
    mean(values: number[]): number;
    median(values: number[]): number;
    /** With n - 1 if `isSample`. */
    stdev(values: number[], isSample: boolean): number;
    /** The p-value of a one-way analysis of variance. */
    anovaftest(...groups: number[][]): number;
    readonly binomial: { cdf(k: number, n: number, p: number): number };
    readonly beta: { inv(p: number, alpha: number, beta: number): number };
    readonly studentt: { cdf(x: number, dof: number): number; inv(p: number, dof: number): number };
  };
  export default jstat;
}
