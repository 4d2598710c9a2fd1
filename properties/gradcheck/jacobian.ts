import type { DeclaredKink, FloatDtype } from './differentiable.ts';
import type { Moved } from './measure.ts';
import { measurable, type Open, openAt, readAt, type SlopeAt, valuesAt } from './open.ts';
import { sizesWithinReach } from './reach.ts';
import { type IsGood, isKink, type MeasuredSide, offFrom, sidesOf } from './sides.ts';
import { centredOrder, errorOf, quartic, type Slope } from './slope.ts';

/** A kink or jump on which an element lies, seen from one output. */
export interface MeasuredKink {
  /** Where its derivative stands in the Jacobian. */
  readonly derivative: number;
  readonly output: number;
  readonly element: number;
  /** The declared kink, if it was. */
  readonly declared: DeclaredKink | undefined;
  readonly left: MeasuredSide;
  readonly right: MeasuredSide;
}

/** The derivatives of every output by the elements that it depends on, as intervals. */
export interface Jacobian {
  /** At `colour · outputs + output`; NaN where it could not be measured. */
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly kinks: readonly MeasuredKink[];
}

/** The relative truncation error with which a derivative is good enough. */
const target: Readonly<Record<FloatDtype, number>> = { f64: 2 ** -27, f32: 2 ** -12 };

/**
 * Measures the derivatives of all outputs by one input, its first evaluations made already. Where three points lie on a
 * line up to rounding, f is taken as affine and the slope is exact up to rounding; elsewhere two more points are taken,
 * and where these show a kink or too much curvature, four at a smaller scale, of those elements alone.
 *
 * `y`: the outputs; `noise`: the bound of the rounding error of each; `unit`: K·u of the noise that was estimated, 0
 * where its bound is declared. Before a derivative is left open since no limit of slopes was seen, it is judged once more
 * with `unit` times the largest value within reach as the noise: where terms cancel, as in `x - tanh(x)` near 0, noise may
 * be far more than was estimated, and is what keeps the slopes apart.
 */
export async function measureJacobian(
  moved: Moved,
  y: Float64Array,
  noise: Float64Array,
  dtype: FloatDtype,
  unit = 0,
): Promise<Jacobian> {
  const { layout } = moved;
  const lo = new Float64Array(layout.colours * y.length).fill(Number.NaN);
  const hi = new Float64Array(lo);
  // The noise of f32 is so large that three points of a curve lie on a line by chance too often.
  let open = dtype === 'f64' ? settleAffine(moved, y, noise, lo, hi) : measurable(moved, y);
  const settled: Open[] = [];
  for (let scale = 0; open.length > 0; scale++) {
    await readAt(moved, scale, open, scale === 0);
    const still: Open[] = [];
    for (const entry of open) {
      const isSettled = judge(entry, moved, scale, y, noise[entry.output], dtype);
      (isSettled || scale === moved.scales - 1 ? settled : still).push(entry);
    }
    open = still;
  }
  if (unit > 0) await judgeCancelling(settled, moved, y, noise, dtype, unit);
  for (const entry of settled) {
    lo[entry.at] = entry.lo;
    hi[entry.at] = entry.hi;
  }
  return { lo, hi, kinks: settled.flatMap(({ kink }) => (kink ? [kink] : [])) };
}

/** Judges derivatives of which no limit was seen once more, with the noise of terms as large as f is within reach. */
async function judgeCancelling(
  entries: Open[],
  moved: Moved,
  y: Float64Array,
  noise: Float64Array,
  dtype: FloatDtype,
  unit: number,
): Promise<void> {
  const outputs = new Set(entries.flatMap(({ isWithoutLimit, output }) => (isWithoutLimit ? [output] : [])));
  if (outputs.size === 0) return;
  const sizes = await sizesWithinReach(moved, y, outputs);
  for (const [k, { isWithoutLimit, at, output, colour, element }] of entries.entries()) {
    const hidden = unit * (sizes.get(output) ?? 0);
    if (!isWithoutLimit || hidden <= noise[output]) continue;
    const again = openAt(at, output, colour, element);
    judgeFrom(0, again, moved, y, hidden, dtype);
    if (!again.isWithoutLimit) entries[k] = again;
  }
}

/** Judges a derivative from a scale on, all of which were read before; the scale that settled it. */
export function judgeFrom(
  first: number,
  entry: Open,
  moved: Moved,
  y: Float64Array,
  noise: number,
  dtype: FloatDtype,
): number {
  let scale = first;
  while (!judge(entry, moved, scale, y, noise, dtype) && scale < moved.scales - 1) scale++;
  return scale;
}

/** The Jacobian with all derivatives on kinks left open. */
export function withoutKinks({ lo, hi, kinks }: Jacobian): Jacobian {
  for (const { derivative } of kinks) {
    lo[derivative] = Number.NaN;
    hi[derivative] = Number.NaN;
  }
  return { lo, hi, kinks: [] };
}

/** Roundings of a slope by two values itself: the distances, both differences, their quotient, and the end of the interval. */
const ownRoundings = 5;

/** Writes the slopes of affine outputs, and returns what is left. */
function settleAffine(moved: Moved, y: Float64Array, noise: Float64Array, lo: Float64Array, hi: Float64Array): Open[] {
  const { layout, given } = moved;
  const { points, side } = moved.stencils[0];
  const [near, far] = points;
  const open: Open[] = [];
  for (let colour = 0; colour < layout.colours; colour++) {
    const one = moved.values[0][0][colour];
    const two = moved.values[0][1][colour];
    const elements = layout.elements(colour);
    for (let i = 0; i < y.length; i++) {
      const j = elements[i];
      const v = given[j];
      const t1 = near[j] - v;
      const t2 = far[j] - v;
      const f0 = y[i];
      // Not to be moved (∞, NaN, no room between two kinks), or nothing to be measured.
      const isMeasurable = t1 !== 0 && t2 !== 0 && Math.abs(v) + Math.abs(f0) < Number.POSITIVE_INFINITY;
      if (!isMeasurable) continue;
      const f1 = one[i];
      const f2 = two[i];
      const error = noise[i];
      const s1 = (f1 - f0) / t1;
      const s2 = (f2 - f0) / t2;
      const apart = Math.abs(s1 - s2);
      const at = colour * y.length + i;
      if (side[j] !== 2 && apart <= 2 * error * (1 / Math.abs(t1) + 1 / Math.abs(t2))) {
        const isCentred = side[j] === 0;
        const slope = isCentred ? (f1 - f2) / (t1 - t2) : s2;
        // What hides in the noise may bend f: by up to twice as much as the two slopes are apart, and twice again to be safe.
        const noisy = (2 * error) / (isCentred ? Math.abs(t1 - t2) : Math.abs(t2));
        const bound = 4 * apart + noisy + ownRoundings * 2 ** -53 * Math.abs(slope);
        lo[at] = slope - bound;
        hi[at] = slope + bound;
      } else open.push(openAt(at, i, colour, j));
    }
  }
  return open;
}

/** Whether a slope is good enough at a scale, for values of this size. */
type GoodFor = (size: number) => IsGood;

/** A truncation error below rounding, or small beside slope and values; at the widest scale of f32 only the former. */
function goodFor(dtype: FloatDtype, scale: number): GoodFor {
  const goal = dtype === 'f32' && scale === 0 ? 0 : target[dtype];
  return (size) =>
    ({ slope, truncation, rounding }) =>
      truncation <= Math.max(rounding, goal * Math.max(Math.abs(slope), size));
}

/** The slope at one scale as if f were smooth. */
export function slopeAt(entry: Open, moved: Moved, scale: number, y: Float64Array, noise: number): Slope | undefined {
  const values = valuesAt(entry, moved, scale);
  if (values === undefined) return undefined;
  const { t, f } = values;
  const order = Math.abs(moved.stencils[scale].side[entry.element]) === 1 ? [0, 1, 2, 3] : centredOrder;
  return quartic(
    y[entry.output],
    order.map((k) => t[k]),
    order.map((k) => f[k]),
    noise,
  );
}

/** Writes what one scale says of an open derivative; true if that settles it. */
function judge(entry: Open, moved: Moved, scale: number, y: Float64Array, noise: number, dtype: FloatDtype): boolean {
  const isSettled = judgeAt(entry, moved, scale, y, noise, goodFor(dtype, scale));
  if (!isSettled && scale === moved.scales - 1) leaveOpenWithoutLimit(entry);
  return isSettled;
}

/**
 * Slopes that differ from scale to scale, by more than rounding, and not ever less, have no limit that was seen: beside
 * a pole, on a vertical tangent or within an oscillation no interval of them is a bound. Those of a kink that differ ever
 * less, as of |x|^1.2 at 0, are still as far from their limit as what is left of the series.
 */
function leaveOpenWithoutLimit(entry: Open): void {
  const { slopes, kink } = entry;
  const rest = { smooth: restOf(slopes.smooth), left: restOf(slopes.left), right: restOf(slopes.right) };
  if (kink !== undefined) {
    const [left, right] = [further(kink.left, rest.left), further(kink.right, rest.right)];
    entry.kink = { ...kink, left, right };
    if (kink.declared?.derivative === undefined) setKink(entry, kink.declared, left, right);
    else if (typeof kink.declared.derivative === 'function') return;
    else judgeDeclared(entry, kink.declared, left, right);
  }
  const all = kink === undefined ? [rest.smooth, rest.left, rest.right] : [rest.left, rest.right];
  // On one side of a kink; around a point it is what both sides allow already.
  if (entry.sides === undefined) {
    entry.lo -= rest.smooth;
    entry.hi += rest.smooth;
  }
  if (all.every(Number.isFinite)) return;
  entry.isWithoutLimit = true;
  entry.lo = Number.NaN;
  entry.hi = Number.NaN;
  if (kink?.declared === undefined) entry.kink = undefined;
}

function further(side: MeasuredSide, rest: number): MeasuredSide {
  // Slopes that grow are as far from a declared limit as they were read.
  return Number.isNaN(rest) ? side : { ...side, slopeError: side.slopeError + rest };
}

/**
 * What slopes, or values, may still change by, whose last changes were d₁ and d₂: `d₂·(r + r² + …)`, r = |d₂/d₁|; ∞ above 1/2, and
 * NaN above 1, where no limit is near.
 */
export function restOf(slopes: readonly SlopeAt[]): number {
  let rest = 0;
  for (let k = 2; k < slopes.length; k++) {
    const { slope, rounding } = slopes[k];
    const [last, before] = [Math.abs(slope - slopes[k - 1].slope), Math.abs(slopes[k - 1].slope - slopes[k - 2].slope)];
    if (last > before / 2 && last > rounding) return last < before ? Number.POSITIVE_INFINITY : Number.NaN;
    rest = last > rounding ? (last * last) / (before - last) : 0;
  }
  return rest;
}

function judgeAt(entry: Open, moved: Moved, scale: number, y: Float64Array, noise: number, goodOf: GoodFor): boolean {
  const { output, element } = entry;
  const v = moved.given[element];
  const f0 = y[output];
  const values = valuesAt(entry, moved, scale);
  if (values === undefined) return false;
  const isGood = goodOf(Math.abs(f0) / Math.max(1, Math.abs(v)));
  if (Math.abs(moved.stencils[scale].side[element]) === 1) {
    const slope = quartic(f0, values.t, values.f, noise);
    entry.slopes.smooth.push(slope);
    // Beside a singularity, as of |x|^1.1, truncation is more than a reading shows of it, until rounding hides it.
    const isNew = isGood(slope) && !isTrusted(entry);
    narrow(entry, slope, isNew && scale < moved.scales - 1);
    return isGood(slope) && !isNew;
  }
  const declared = moved.kinksOf?.(element).find(({ at }) => at === v);
  const limits = { left: declared?.left?.(output), right: declared?.right?.(output) };
  entry.sides = sidesOf({ f0, ...values, noise }, isGood, entry.sides, limits);
  const { smooth, left, right } = entry.sides;
  const [t1, tb, ta, t2] = values.t as [number, number, number, number];
  const [f1, fb, fa, f2] = values.f as [number, number, number, number];
  const rounding = (4 * noise) / Math.abs(t1);
  entry.slopes.smooth.push({ slope: smooth.slope, rounding });
  entry.slopes.left.push({ slope: (fb - fa) / (tb - ta), rounding });
  entry.slopes.right.push({ slope: (f2 - f1) / (t2 - t1), rounding });
  if (declared !== undefined) {
    const isOff = offFrom(limits.left, left, noise).length + offFrom(limits.right, right, noise).length > 0;
    // Where f″ passes through 0 beside the kink, a parabola does not show its error; a thousand times nearer it does.
    return judgeDeclared(entry, declared, left, right) && !(isOff && scale === 0);
  }
  if (isGood(smooth)) {
    const isNarrower = narrow(entry, smooth);
    // Within a tiny element rounding may be all that is read.
    return isNarrower || scale < moved.scales - 1;
  }
  if (isKink(entry.sides, f0)) {
    // Or beside it, which a smaller scale leaves aside; until then any slope between the two sides is right.
    setKink(entry, undefined, left, right);
    return left.joined && right.joined && left.good && right.good;
  }
  // Too coarse to tell. If no scale is fine enough, it may be anything that one of the readings allows.
  const error = errorOf(smooth);
  entry.kink = undefined;
  entry.lo = Math.min(smooth.slope - error, left.slope - left.slopeError, right.slope - right.slopeError);
  entry.hi = Math.max(smooth.slope + error, left.slope + left.slopeError, right.slope + right.slopeError);
  return false;
}

/** An element on a declared kink: its derivative is the convention, or any between the sides if there is none. */
function judgeDeclared(entry: Open, kink: DeclaredKink, left: MeasuredSide, right: MeasuredSide): boolean {
  setKink(entry, kink, left, right);
  const { derivative, value } = kink;
  if (derivative === 'left' || derivative === 'right') {
    const { slope, slopeError } = derivative === 'left' ? left : right;
    entry.lo = slope - slopeError;
    entry.hi = slope + slopeError;
  } else if (derivative === 'any') {
    entry.lo = Number.NaN;
    entry.hi = Number.NaN;
  } else if (derivative !== undefined) {
    const given = derivative(entry.output);
    entry.lo = Number.isFinite(given) ? given : Number.NaN;
    entry.hi = entry.lo;
  }
  const isNeeded = (name: 'left' | 'right') =>
    derivative === undefined ||
    value === undefined ||
    derivative === name ||
    value === name ||
    kink[name] !== undefined;
  return (left.good || !isNeeded('left')) && (right.good || !isNeeded('right'));
}

function setKink(entry: Open, declared: DeclaredKink | undefined, left: MeasuredSide, right: MeasuredSide): void {
  entry.lo = Math.min(left.slope - left.slopeError, right.slope - right.slopeError);
  entry.hi = Math.max(left.slope + left.slopeError, right.slope + right.slopeError);
  entry.kink = { derivative: entry.at, output: entry.output, element: entry.element, declared, left, right };
}

/**
 * Whether the interval before may be right: slopes had changed by less than it is wide, or come nearer to each other, as
 * on a curve that all scales resolve.
 */
function isTrusted({ slopes, lo, hi }: Open): boolean {
  const [first, second, third] = slopes.smooth.slice(-3).map(({ slope }) => slope);
  if (third === undefined) return true;
  const before = Math.abs(second - first);
  return before <= (hi - lo) / 2 || Math.abs(third - second) <= before / 2;
}

/**
 * Keeps the narrower of two intervals for a smooth derivative, true if that is the new one; one of a kink is given up, and
 * so is one that the new one lies outside of or has to replace: steps were larger there.
 */
function narrow(entry: Open, slope: Slope, replaces = false): boolean {
  const error = errorOf(slope);
  const isApart = slope.slope - error > entry.hi || slope.slope + error < entry.lo;
  if (entry.kink === undefined && !replaces && !isApart && entry.hi - entry.lo <= 2 * error) return false;
  entry.kink = undefined;
  entry.lo = slope.slope - error;
  entry.hi = slope.slope + error;
  return true;
}
