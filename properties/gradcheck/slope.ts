/** The order in which Newton's form wants the points at 1, -2, -1 and 2 steps: the nearest first. */
export const centredOrder: readonly number[] = [0, 2, 3, 1];

/** A derivative with the error that its own differences show, `noise` the bound of the error of each value. */
export interface Slope {
  readonly slope: number;
  /** What is left of the truncation: the last terms of the interpolation that were added. */
  readonly truncation: number;
  /** What rounding of the values can add. */
  readonly rounding: number;
}

/**
 * `f′(0) = f[0,t₁] - t₁·f[0,t₁,t₂] + t₁t₂·f[0,…,t₃] - t₁t₂t₃·f[0,…,t₄]`, by Newton's divided differences from `f(0)` and
 * four values. The error is taken as four times what the last two terms contribute. For a smooth f that is the error of
 * the parabola through the three nearest points, far larger than that of the quartic; four times, because where f″ jumps
 * within the stencil the quartic is off by up to twice as much as these terms (measured by `slope.test.ts`).
 */
export function quartic(f0: number, t: readonly number[], f: readonly number[], noise: number): Slope {
  const t1 = t[0];
  const { d1, d2, d3, d4, t2, t3 } = differences(f0, t, f);
  const cubicTerm = t2 * d3;
  const quarticTerm = t2 * t3 * d4;
  const isCentred = t2 < 0;
  return {
    slope: (d1 - d2 + cubicTerm - quarticTerm) / t1,
    truncation: (4 * (Math.abs(cubicTerm) + Math.abs(quarticTerm))) / Math.abs(t1),
    // Σ|weights| of the five values is 1.5/h around a point and 10.7/h on one side of it.
    rounding: ((isCentred ? 2 : 12) * noise + ownRounding(f0, f)) / Math.abs(t1),
  };
}

/**
 * What the arithmetic of these formulas loses itself, in float64, as if the values had more noise: on a line of slope s at
 * steps of h up to 29 roundings of `s·h` around a point, where the values differ from `f(0)` by `2·s·h`, up to 62 on one
 * side, where they do by `4·s·h`, and up to 20 in a parabola. It counts where `f(0)` is 0, and the noise no larger.
 */
function ownRounding(f0: number, f: readonly number[]): number {
  let most = 0;
  for (const value of f) most = Math.max(most, Math.abs(value - f0));
  return 16 * 2 ** -53 * most + underflow;
}

/**
 * What these formulas lose of a value among the subnormals: third and fourth differences are rounded to multiples of the
 * smallest, each is off by up to two of them, and counts four times.
 */
export const underflow: number = 16 * 2 ** -1074;

/** The interpolation of which `quartic` takes the slope, at a distance `s`. */
export function quarticAt(s: number, f0: number, t: readonly number[], f: readonly number[]): number {
  const { d1, d2, d3, d4, t2, t3 } = differences(f0, t, f);
  const at = s / t[0];
  return f0 + at * (d1 + (at - 1) * (d2 + (at - t2) * (d3 + (at - t3) * d4)));
}

/** Divided differences from `f(0)`, distances in units of the first, so that no power of one over- or underflows. */
function differences(f0: number, t: readonly number[], f: readonly number[]) {
  const [t2, t3, t4] = [t[1] / t[0], t[2] / t[0], t[3] / t[0]];
  const [f1, f2, f3, f4] = f as [number, number, number, number];
  const d1 = f1 - f0;
  const a2 = (f2 - f1) / (t2 - 1);
  const a3 = (f3 - f2) / (t3 - t2);
  const a4 = (f4 - f3) / (t4 - t3);
  const d2 = (a2 - d1) / t2;
  const b3 = (a3 - a2) / (t3 - 1);
  const b4 = (a4 - a3) / (t4 - t2);
  const d3 = (b3 - d2) / t3;
  const c4 = (b4 - b3) / (t4 - 1);
  return { d1, d2, d3, d4: (c4 - d3) / t4, t2, t3 };
}

/** A slope by a parabola, with the second difference, `h·f″` where f is smooth, and the step h that it was taken at. */
export interface Parabola extends Slope {
  readonly bend: number;
  readonly step: number;
}

/**
 * `f′(0±)` from `f(0)` and two values on one side. The error is 1.5 times what the second difference shows, `h·f″` where f
 * is smooth: by so much a jump at 0 changes the slope. Where the curve is known from a scale before, it is at least 1.6
 * times what the second difference is off from that: a jump and the curve may cancel in it.
 */
export function parabola(
  f0: number,
  t1: number,
  t2: number,
  f1: number,
  f2: number,
  noise: number,
  before?: Pick<Parabola, 'bend' | 'step'>,
): Parabola {
  const near = (f1 - f0) / t1;
  const bend = (f2 - f1) / (t2 - t1) - near;
  const jump = before === undefined ? 0 : bend - before.bend * (t1 / before.step);
  return {
    slope: near - (t1 * bend) / t2,
    truncation: Math.max(1.5 * Math.abs(bend), 1.6 * Math.abs(jump)),
    rounding: (4 * noise + ownRounding(f0, [f1, f2])) / Math.abs(t1),
    bend,
    step: t1,
  };
}

/** The bound of the error: truncation and rounding. */
export function errorOf({ truncation, rounding }: Slope): number {
  return truncation + rounding;
}
