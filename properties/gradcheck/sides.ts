import type { OneSided } from './differentiable.ts';
import { errorOf, type Parabola, parabola, quartic, type Slope, underflow } from './slope.ts';

/** The values of one output at the points of a centred stencil, and what rounding may have done to each. */
export interface Reading {
  readonly f0: number;
  /** Distances and values at 1, -2, -1 and 2 steps. */
  readonly t: readonly number[];
  readonly f: readonly number[];
  readonly noise: number;
}

/** What a function does on one side of a point: the limit of its value and its slope, with their errors. */
export interface MeasuredSide extends OneSided {
  readonly valueError: number;
  readonly slopeError: number;
  /** Whether the value at the point itself lies on this side's curve; after a jump it does not. */
  readonly joined: boolean;
  /** Whether the error of the slope is as small as is needed. */
  readonly good: boolean;
  /** The limit of value and slope by the two points beside the point itself, for the next scale to compare with. */
  readonly beside: OneSided;
  /** The side as if the point itself lay on its curve. */
  readonly curve: Parabola;
}

/** A point seen from both sides, and as if f were smooth there. */
export interface Sides {
  readonly smooth: Slope;
  readonly left: MeasuredSide;
  readonly right: MeasuredSide;
}

/** Whether an error is as small as is needed. */
export type IsGood = (slope: Slope) => boolean;

/** What is declared of each side. */
export interface DeclaredSides {
  readonly left?: OneSided | undefined;
  readonly right?: OneSided | undefined;
}

/**
 * Left slope, right slope and the limits of the value, each by itself: from the point and two others on that side if
 * these fit together better than all five do, else from the outer two alone, whose error is how much they changed since
 * the scale before. A limit that is declared apart from the value takes its place for the slope, since a jump and the
 * curve beside it can cancel in the differences; the limit itself is still measured from the outer two.
 */
export function sidesOf(
  reading: Reading,
  isGood: IsGood,
  before: Sides | undefined,
  declared: DeclaredSides = {},
): Sides {
  const { f0, noise } = reading;
  const [t1, tb, ta, t2] = reading.t as [number, number, number, number];
  const [f1, fb, fa, f2] = reading.f as [number, number, number, number];
  // Newton's form wants the nearest points first.
  const smooth = quartic(f0, [t1, ta, t2, tb], [f1, fa, f2, fb], noise);
  const rounding = (4 * noise) / Math.abs(t1);
  const side = (
    near: number,
    far: number,
    fNear: number,
    fFar: number,
    was: MeasuredSide | undefined,
    limit: number | undefined,
  ): MeasuredSide => {
    const slope = (fFar - fNear) / (far - near);
    const beside = { slope, value: fNear - near * slope };
    const moved = was === undefined ? Number.POSITIVE_INFINITY : Math.abs(was.beside.value - beside.value);
    if (limit !== undefined && Number.isFinite(limit) && Math.abs(limit - f0) > noise) {
      const curve = parabola(limit, near, far, fNear, fFar, noise);
      return {
        value: beside.value,
        slope: curve.slope,
        joined: false,
        valueError: moved + 4 * noise,
        slopeError: errorOf(curve),
        good: was !== undefined && isGood(curve),
        beside,
        curve,
      };
    }
    const own = parabola(f0, near, far, fNear, fFar, noise, was?.joined ? was.curve : undefined);
    // On a curve the parabola gets better as steps shrink; across a jump it gets worse, however large the other side's is.
    const isCurve = errorOf(own) <= errorOf(smooth) / 16 && !(was && own.truncation > errorOf(was.curve));
    if (isGood(smooth) || isGood(own) || isCurve) {
      const best = isGood(smooth) && errorOf(smooth) < errorOf(own) ? smooth : own;
      // Where f″ passes through 0 on this side the parabola does not show its own error, but what both sides say does.
      const slopeError = errorOf(best) + (isGood(smooth) ? Math.abs(own.slope - smooth.slope) : 0);
      // A jump at the point is part of what the differences show, however small.
      const valueError = noise + Math.abs(near) * best.truncation + underflow;
      return {
        value: f0,
        slope: best.slope,
        joined: true,
        valueError,
        slopeError,
        good: isGood(best),
        beside,
        curve: own,
      };
    }
    const apart = was === undefined ? Number.POSITIVE_INFINITY : Math.abs(was.beside.slope - slope);
    // Written out, here and above, since a spread takes longer than all the rest.
    return {
      value: beside.value,
      slope: beside.slope,
      joined: false,
      valueError: moved + 4 * noise,
      slopeError: apart + rounding,
      good: isGood({ slope, truncation: apart, rounding }),
      beside,
      curve: own,
    };
  };
  return {
    smooth,
    left: better(side(ta, tb, fa, fb, before?.left, declared.left?.value), before?.left, rounding),
    right: better(side(t1, t2, f1, f2, before?.right, declared.right?.value), before?.right, rounding),
  };
}

/**
 * The new reading of a side; after a jump the one before, if both agree and its error is smaller, since rounding grows as
 * steps shrink.
 */
function better(now: MeasuredSide, before: MeasuredSide | undefined, rounding: number): MeasuredSide {
  if (before === undefined || before.joined || now.joined || before.slopeError >= now.slopeError) return now;
  // Of the first scale the slope may be known, by a declared limit, but not the limit.
  if (before.valueError === Number.POSITIVE_INFINITY) return now;
  return Math.abs(before.slope - now.slope) <= before.slopeError + rounding ? before : now;
}

/**
 * What of a side is not as declared, with the error that it was allowed; `noise` of the declared value. An infinite limit
 * or slope says that there is none, and no finite reading could be compared with it.
 */
export function offFrom(
  declared: OneSided | undefined,
  side: MeasuredSide,
  noise: number,
): { readonly quantity: 'value' | 'slope'; readonly error: number }[] {
  if (declared === undefined) return [];
  const all = [
    { quantity: 'value', error: side.valueError + noise },
    { quantity: 'slope', error: side.slopeError },
  ] as const;
  return all.filter(
    ({ quantity, error }) =>
      Number.isFinite(declared[quantity]) && Math.abs(side[quantity] - declared[quantity]) > error,
  );
}

/** By so many errors two sides must differ to be called a kink, and not a curve that the stencil is too coarse for. */
const clearly = 4;

/** Whether the two sides show a kink or a jump on the point itself. */
export function isKink({ left, right }: Sides, f0: number): boolean {
  if (left.joined && right.joined) {
    return Math.abs(left.slope - right.slope) > clearly * (left.slopeError + right.slopeError);
  }
  return [left, right].some(({ joined, value, valueError }) => !joined && Math.abs(value - f0) > clearly * valueError);
}
