import { checkInput, kindOf } from '../reference/arguments.ts';

/** The rule of spec §3 or §5 by which an element is left open. */
export type OpenRule =
  | 'non-finite alpha'
  | 'NaN in x'
  | '0·∞'
  | '∞ - ∞'
  | 'non-finite dy'
  | 'small sum of a large count'
  | 'overflow inside a branch'
  | 'ill-conditioned branch'
  | 'undecided branch'
  | 'branch at ±∞';

/**
 * What spec §3 and §5 allow for one element of an answer: a number in `[lo, hi]` (an interval that is empty, `lo > hi`,
 * allows none), and NaN or ±∞ if so stated.
 */
export interface Allowed {
  readonly lo: number;
  readonly hi: number;
  readonly nan: boolean;
  readonly infinite: boolean;
  /** The exact result rounded once, NaN where it is not a number. */
  readonly exact: number;
  /** The greatest distance from the exact result that is allowed. */
  readonly bound: number;
  /** One value only, by the point rule. */
  readonly point: boolean;
  readonly open?: OpenRule;
}

/** Only NaN. */
export const nan: Allowed = {
  lo: Infinity,
  hi: -Infinity,
  nan: true,
  infinite: false,
  exact: NaN,
  bound: 0,
  point: false,
};
/** Only NaN and ±∞. */
export const notFinite: Allowed = { ...nan, infinite: true };
/** Anything. */
export const leftOpen = (why: OpenRule): Allowed => ({ ...notFinite, lo: -Infinity, hi: Infinity, open: why });

/**
 * `lo ≤ actual ≤ hi`, or NaN or ±∞ where that is allowed. The sign of zero is never compared.
 *
 * @throws TypeError naming the argument
 */
export function permits(allowed: Allowed, actual: number): boolean {
  checkInput('permits', 'allowed', allowed);
  if (typeof actual !== 'number') throw new TypeError(`permits: "actual" expected a number, got ${kindOf(actual)}`);
  for (const end of ['lo', 'hi'] as const) {
    if (typeof allowed[end] === 'number') continue;
    throw new TypeError(`permits: "allowed.${end}" expected a number, got ${kindOf(allowed[end])}`);
  }
  if (Number.isNaN(actual)) return allowed.nan;
  if (actual >= allowed.lo && actual <= allowed.hi) return true;
  return allowed.infinite && !Number.isFinite(actual);
}

/**
 * `bound ≥ |exact|`, `exact` not 0: the check says nothing about size or sign.
 *
 * @throws TypeError unless `allowed` is an object
 */
export function isVacuous(allowed: Allowed): boolean {
  checkInput('isVacuous', 'allowed', allowed);
  return allowed.open === undefined && allowed.exact !== 0 && allowed.bound >= Math.abs(allowed.exact);
}

/** Everything that one of the readings allows; u is the unit roundoff, by which each `exact` is off. */
export function hull(readings: readonly Allowed[], u: number): Allowed {
  if (readings.length === 1) return readings[0];
  const undecided = readings.find((reading) => reading.open !== undefined);
  if (undecided !== undefined) return undecided;
  const lo = Math.min(...readings.map((reading) => reading.lo));
  const hi = Math.max(...readings.map((reading) => reading.hi));
  const [{ exact }] = readings as [Allowed];
  return {
    lo,
    hi,
    nan: readings.some((reading) => reading.nan),
    infinite: readings.some((reading) => reading.infinite),
    exact,
    bound: Math.max(...readings.map((reading) => reading.bound + farthest(reading.exact, exact, u))),
    point: false,
  };
}

/** An upper bound of the distance of two numbers of which only the rounded ones are known. */
function farthest(a: number, b: number, u: number): number {
  return (Math.abs(a - b) + u * (Math.abs(a) + Math.abs(b))) * (1 + 2 ** -50);
}
