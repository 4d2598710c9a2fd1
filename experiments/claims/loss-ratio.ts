import { bootstrapRatio, brownForsythe, jackknifeRatio, welch } from '../statistics.ts';
import { type Comparison, judge, type Region } from './claim.ts';
import { isDead, lossOf, runsOf, type Trained } from './runs.ts';

/** A statistic of the final losses of two activations, and where a claim says that its ratio is. */
export interface RatioOfLosses {
  /** `mean loss` */
  readonly what: string;
  readonly statistic: (values: readonly number[]) => number;
  readonly top: string;
  readonly bottom: string;
  readonly claimed: Region;
}

/** `statistic(losses of top)/statistic(losses of bottom)` on a protocol; a loss that is not finite is left out. */
export function lossRatio(
  rows: readonly Trained[],
  protocol: string,
  { what, statistic, top, bottom, claimed }: RatioOfLosses,
): Comparison {
  const runs = [top, bottom].map((name) => runsOf(rows, protocol, name));
  const ratioOf = ([a, b]: readonly (readonly number[])[]): number => statistic(a) / statistic(b);
  const losses = runs.map((found) => found.map(lossOf).filter(Number.isFinite)) as [number[], number[]];
  const living = runs.map((found) => found.filter((row) => !isDead(row)).map(lossOf));
  const interval = jackknifeRatio(statistic, ...losses);
  const bootstrap = bootstrapRatio(statistic, ...losses);
  const n = losses.map(({ length }) => length);
  return {
    protocol,
    what: `${what}, ${top} / ${bottom}`,
    n,
    value: ratioOf(losses),
    interval,
    ...(bootstrap && { bootstrap }),
    ...(runs.flat().some(isDead) && { alive: ratioOf(living) }),
    claimed,
    tests: [
      { name: 'Welch', p: welch(...losses) },
      { name: 'Brown–Forsythe', p: brownForsythe(...losses) },
    ],
    outcome: judge(interval, claimed, n),
  };
}
