import type { Dtype } from '../../reference/case.ts';
import type { Kink } from './differentiable.ts';
import type { Moved } from './measure.ts';
import { type IsGood, type MeasuredSide, type Sides, sidesOf } from './sides.ts';
import { errorOf, quartic, type Slope } from './slope.ts';

/** A kink or jump on which an element lies, seen from one output. */
export interface MeasuredKink {
  readonly output: number;
  readonly element: number;
  /** The declared kink, if it was. */
  readonly declared: Kink | undefined;
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

/** An output and a colour whose derivative the first evaluations did not settle. */
interface Open {
  readonly at: number;
  readonly output: number;
  readonly colour: number;
  readonly element: number;
  /** The best interval so far. */
  lo: number;
  hi: number;
  kink: MeasuredKink | undefined;
  sides: Sides | undefined;
}

/** The relative truncation error with which a derivative is good enough. */
const target: Readonly<Record<Dtype, number>> = { f64: 2 ** -24, f32: 2 ** -12 };

/**
 * Measures the derivatives of all outputs by one input, its first evaluations made already. Where three points lie on a
 * line up to rounding, f is taken as affine and the slope is exact up to rounding; elsewhere two more points are taken,
 * and where these show a kink or too much curvature, four at a smaller scale, of those elements alone.
 *
 * `y`: the outputs; `noise`: the bound of the rounding error of each.
 */
export async function measureJacobian(
  moved: Moved,
  y: Float64Array,
  noise: Float64Array,
  dtype: Dtype,
): Promise<Jacobian> {
  const { layout } = moved;
  const lo = new Float64Array(layout.colours * y.length).fill(Number.NaN);
  const hi = new Float64Array(lo);
  let open = settleAffine(moved, y, noise, lo, hi);
  const settled: Open[] = [];
  for (let scale = 0; scale < moved.scales && open.length > 0; scale++) {
    const wanted = Array.from({ length: layout.colours }, () => new Uint8Array(layout.sites));
    for (const { output, colour } of open) wanted[colour]![layout.siteOf[output]!] = 1;
    if (scale > 0) await moved.more(scale, 0, wanted);
    await moved.more(scale, 2, wanted);
    const still: Open[] = [];
    for (const entry of open) {
      const isSettled = judge(entry, moved, scale, y, noise[entry.output]!, target[dtype]);
      (isSettled || scale === moved.scales - 1 ? settled : still).push(entry);
    }
    open = still;
  }
  for (const entry of settled) {
    lo[entry.at] = entry.lo;
    hi[entry.at] = entry.hi;
  }
  return { lo, hi, kinks: settled.flatMap(({ kink }) => (kink ? [kink] : [])) };
}

/** Writes the slopes of affine outputs, and returns what is left. */
function settleAffine(moved: Moved, y: Float64Array, noise: Float64Array, lo: Float64Array, hi: Float64Array): Open[] {
  const { layout, given } = moved;
  const { points, side } = moved.stencils[0]!;
  const [near, far] = points;
  const open: Open[] = [];
  for (let colour = 0; colour < layout.colours; colour++) {
    const one = moved.values[0]![0]![colour]!;
    const two = moved.values[0]![1]![colour]!;
    for (let i = 0; i < y.length; i++) {
      const j = layout.element(layout.siteOf[i]!, colour);
      const v = given[j]!;
      const t1 = near[j]! - v;
      const t2 = far[j]! - v;
      const f0 = y[i]!;
      // Not to be moved (∞, NaN, no room between two kinks), or nothing to be measured.
      if (
        t1 === 0 ||
        t2 === 0 ||
        !(Math.abs(v) < Number.POSITIVE_INFINITY) ||
        !(Math.abs(f0) < Number.POSITIVE_INFINITY)
      )
        continue;
      const f1 = one[i]!;
      const f2 = two[i]!;
      const error = noise[i]!;
      const s1 = (f1 - f0) / t1;
      const s2 = (f2 - f0) / t2;
      const apart = Math.abs(s1 - s2);
      const at = colour * y.length + i;
      if (side[j] !== 2 && apart <= 2 * error * (1 / Math.abs(t1) + 1 / Math.abs(t2))) {
        const isCentred = t1 * t2 < 0;
        const slope = isCentred ? (f1 - f2) / (t1 - t2) : s2;
        const bound = apart + (2 * error) / (isCentred ? Math.abs(t1 - t2) : Math.abs(t2));
        lo[at] = slope - bound;
        hi[at] = slope + bound;
      } else {
        open.push({
          at,
          output: i,
          colour,
          element: j,
          lo: Number.NaN,
          hi: Number.NaN,
          kink: undefined,
          sides: undefined,
        });
      }
    }
  }
  return open;
}

/** Writes what one scale says of an open derivative; true if that settles it. */
function judge(entry: Open, moved: Moved, scale: number, y: Float64Array, noise: number, goal: number): boolean {
  const { output, colour, element } = entry;
  const v = moved.given[element]!;
  const f0 = y[output]!;
  const { points, side } = moved.stencils[scale]!;
  const t = points.map((point) => point[element]! - v);
  const f = moved.values[scale]!.map((level) => level[colour]![output]!);
  if (!f.every(Number.isFinite) || t.includes(0)) return false;
  const isGood: IsGood = ({ slope, truncation, rounding }) =>
    truncation <= Math.max(rounding, goal * Math.max(Math.abs(slope), Math.abs(f0) / Math.max(1, Math.abs(v))));
  if (Math.abs(side[element]!) === 1) {
    const slope = quartic(f0, t, f, noise);
    narrow(entry, slope);
    return isGood(slope);
  }
  entry.sides = sidesOf({ f0, t, f, noise }, isGood, entry.sides);
  const { smooth, left, right } = entry.sides;
  const declared = moved.kinksOf?.(element).find(({ at }) => at === v);
  if (declared !== undefined) return judgeDeclared(entry, declared, left, right);
  const areOne =
    left.joined && right.joined && Math.abs(left.slope - right.slope) <= left.slopeError + right.slopeError;
  if (isGood(smooth) || areOne) {
    narrow(entry, smooth);
    return isGood(smooth);
  }
  // A kink on the point, or beside it, which a smaller scale leaves aside; until then any slope between the sides is right.
  setKink(entry, undefined, left, right);
  return left.joined && right.joined && left.good && right.good;
}

/** An element on a declared kink: its derivative is the convention, or any between the sides if there is none. */
function judgeDeclared(entry: Open, kink: Kink, left: MeasuredSide, right: MeasuredSide): boolean {
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
    entry.lo = derivative(entry.output);
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

function setKink(entry: Open, declared: Kink | undefined, left: MeasuredSide, right: MeasuredSide): void {
  entry.lo = Math.min(left.slope - left.slopeError, right.slope - right.slopeError);
  entry.hi = Math.max(left.slope + left.slopeError, right.slope + right.slopeError);
  entry.kink = { output: entry.output, element: entry.element, declared, left, right };
}

/** Keeps the narrower of two intervals for a smooth derivative; one that came of a kink is given up. */
function narrow(entry: Open, slope: Slope): void {
  const error = errorOf(slope);
  if (entry.kink === undefined && entry.hi - entry.lo <= 2 * error) return;
  entry.kink = undefined;
  entry.lo = slope.slope - error;
  entry.hi = slope.slope + error;
}
