import { brownForsythe, jackknifeRatio, welch } from '../statistics.ts';
import type { TrialRow } from '../trial.ts';
import { type Comparison, judge, type Region } from './claim.ts';
import { isDead, lossOf, runsOf } from './runs.ts';

type TestName = 'Welch' | 'Brown–Forsythe';

const tests = { Welch: welch, 'Brown–Forsythe': brownForsythe } as const;

/** `statistic(top) / statistic(bottom)` of the final losses of two activations on one protocol, those that are finite. */
export function lossRatio(
  rows: readonly TrialRow[],
  protocol: string,
  [top, bottom]: readonly [string, string],
  {
    what,
    statistic,
    claimed,
    by,
  }: {
    readonly what: string;
    readonly statistic: (values: readonly number[]) => number;
    readonly claimed: Region;
    readonly by: readonly TestName[];
  },
): Comparison {
  const runs = [top, bottom].map((name) => runsOf(rows, protocol, name));
  const [a, b] = runs.map((found) => found.map(lossOf).filter(Number.isFinite)) as [number[], number[]];
  const interval = jackknifeRatio(statistic, a, b);
  const n = [a.length, b.length];
  const living = runs.map((found) => statistic(found.filter((row) => !isDead(row)).map(lossOf)));
  return {
    protocol,
    what: `${what}, ${top} / ${bottom}`,
    n,
    value: statistic(a) / statistic(b),
    interval,
    ...(runs.flat().some(isDead) && { alive: living[0] / living[1] }),
    claimed,
    tests: by.map((name) => ({ name, p: tests[name](a, b) })),
    outcome: judge(interval, claimed, n),
  };
}
