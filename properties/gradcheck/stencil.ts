import { formats } from '../dtypes.ts';
import type { DeclaredKink, FloatDtype } from './differentiable.ts';

/**
 * How far the points of a stencil lie, as shares of the scale of an element, the widest first.
 *
 * f64: at 2⁻¹⁵ truncation is taken as 4·h²f‴/6 = 2⁻³¹ f‴, and a rounding error of u·|y| becomes 2⁻³⁸ |y|; where f is
 * not smooth at one scale, the next one is a thousand times nearer. The last is no power of two: on a dyadic lattice
 * the rounding of neighbouring points is alike, and their differences do not show it. f32: rounding leaves 2⁻²² |y| at
 * the first scale, which is so wide that it only serves where f is affine there, 2⁻¹⁹ |y| at the second, and more below,
 * where jumps are told from slopes.
 */
export const stepScales: Readonly<Record<FloatDtype, readonly number[]>> = {
  f64: [2 ** -15, 2 ** -25, 1.37 * 2 ** -35],
  f32: [2 ** -2, 2 ** -5, 2 ** -8, 2 ** -14],
};

/**
 * Between these, and no powers of two either: where noise is measured before a derivative is called wrong, most of them
 * within the scale `lineScale`, in which f is taken as a line on each side of the element.
 */
export const noiseScales: Readonly<Record<FloatDtype, readonly number[]>> = {
  f64: [18, 21, 26, 27, 28, 29, 31, 33].map((k) => 1.37 * 2 ** -k),
  f32: [4, 7, 10, 16, 17, 18, 19].map((k) => 1.37 * 2 ** -k),
};

/** Where f lies on a line in all of these, a wider one tells its slope from the noise of terms that do not show nearby. */
export const lineScales: Readonly<Record<FloatDtype, readonly number[]>> = { f64: [1.37 * 2 ** -5], f32: [] };

/** So small that a curve is no further from a line than rounding, and no smaller, since f has to change by more. */
export const lineScale: Readonly<Record<FloatDtype, number>> = { f64: 1, f32: 3 };

/** Multiples of the step, those that show whether f is affine first. Around a point 1 and -2: an odd f would fool ±1. */
const centred = [1, -2, -1, 2] as const;
const rightward = [1, 2, 3, 4] as const;
const leftward = [-1, -2, -3, -4] as const;
/** Multiples of the element itself, which lead to 0, its half, its quarter and its eighth. */
const inward = [-1, -1 / 2, -3 / 4, -7 / 8] as const;

/** Where one input is moved to: four points for each element, in the order in which they are needed. */
export interface Stencil {
  /** Points by level; equal to the element's own value where there is none to be had. */
  readonly points: readonly [Float64Array, Float64Array, Float64Array, Float64Array];
  /** 0 around the element, 1 or -1 on one side of it, away from a kink; 2 around a kink that it lies on. */
  readonly side: Int8Array;
}

/** A scale, or what has none: see `stencilAt`. */
type Scale = number | 'tiny' | 'reach' | 'inside';

/** Kinks of one element, in no order. */
export type KinksOf = (element: number) => readonly DeclaredKink[];

/**
 * The stencil at one of the scales, or `tiny`: within elements so near to 0 that all scales step over what is there, and
 * for them alone. The points keep to the element's side of every declared kink, but those of `reach` and `inside`: there
 * f is only asked how large it is. Of `reach` the second point lies beyond 0 by at least 0.74 of the element's scale;
 * those of `inside` are 0, and between 0 and the element.
 */
export function stencilAt(
  values: Float64Array,
  dtype: FloatDtype,
  scale: Scale,
  kinksOf: KinksOf | undefined,
): Stencil {
  const { round } = formats[dtype];
  const make = () => new Float64Array(values);
  const points = [make(), make(), make(), make()] as const;
  const side = new Int8Array(values.length);
  const smallest = stepScales[dtype].at(-1)!;
  for (let j = 0; j < values.length; j++) {
    const v = values[j];
    if (scale === 'tiny' && !(v !== 0 && Math.abs(v) < 8 * smallest)) continue;
    let h = stepOf(v, scale);
    let multiples: readonly number[] = scale === 'inside' ? inward : centred;
    const kinks = scale === 'reach' || scale === 'inside' ? undefined : kinksOf?.(j);
    if (kinks !== undefined) {
      let [left, right, isOn] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, false];
      for (const { at } of kinks) {
        if (at === v) isOn = true;
        else if (at < v) left = Math.min(left, v - at);
        else right = Math.min(right, at - v);
      }
      if (isOn) {
        side[j] = 2;
        h = Math.min(h, powerOfTwoBelow(Math.min(left, right) / 4));
      } else if (Math.min(left, right) <= 2 * h) {
        side[j] = right >= left ? 1 : -1;
        multiples = right >= left ? rightward : leftward;
        h = Math.min(h, powerOfTwoBelow(Math.max(left, right) / 8));
      }
    }
    for (let level = 0; level < 4; level++) {
      const point = round(v + multiples[level] * h);
      // Not beyond the largest numbers, nor from ∞ or NaN.
      if (Number.isFinite(point)) points[level][j] = point;
    }
  }
  return { points, side };
}

function stepOf(v: number, scale: Scale): number {
  if (scale === 'inside') return v;
  if (scale === 'tiny') return (1.37 / 8) * powerOfTwoBelow(Math.abs(v));
  return scale === 'reach' ? (v < 0 ? -1.37 : 1.37) * scaleOf(v) : scale * scaleOf(v);
}

/** The power of two by which steps are scaled: that of |v|, and 1 below 1, since an element near 0 need not be small. */
export function scaleOf(v: number): number {
  const size = Math.abs(v);
  return size >= 2 ? powerOfTwoBelow(size) : 1;
}

function powerOfTwoBelow(size: number): number {
  // log₂ of the largest numbers rounds to 1024; without a kink on a side, size is infinite.
  return 2 ** Math.min(1023, Math.floor(Math.log2(size)));
}
