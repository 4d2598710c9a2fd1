import { formats } from '../dtypes.ts';
import type { Numeric } from './compare.ts';
import type { FloatDtype } from './differentiable.ts';
import type { Moved } from './measure.ts';

/** Roundings that are allowed for besides one for each element that an output depends on. */
const extraRoundings = 4;

/** The number of roundings that an output of a function with these inputs may have passed. */
export function roundingsOf(moved: readonly Moved[]): number {
  return moved.reduce((total, { reach }) => total + reach, extraRoundings);
}

/** Bounds of the rounding error of outputs. */
export interface Noise {
  /** Of `y`. */
  readonly output: Float64Array;
  /** Of the values to which each input was moved. */
  readonly along: ReadonlyMap<Moved, Float64Array>;
}

/**
 * `νᵢ = K·u·(|yᵢ| + Σⱼ |vⱼ|·|∂yᵢ/∂vⱼ|) + 4η`: what rounding can do to output i of a function whose inner terms are as
 * large as what small relative changes of its inputs do to it; along an input, of the largest value in place of |yᵢ|. K is
 * one rounding for each input element that the output depends on, and four more. The slopes are the smaller of the two that
 * the first evaluations gave, so that a jump does not count.
 */
export function estimateNoise(moved: readonly Moved[], y: Float64Array, dtype: FloatDtype): Noise {
  const { p, etaExponent } = formats[dtype];
  const own = y.map(Math.abs);
  const largest = new Map(moved.map((input) => [input, own.slice()]));
  const condition = new Float64Array(y.length);
  for (const [{ given, layout, values, stencils, reach }, size] of largest) {
    // Along a direction that moves m elements at once, `√m·|slope|` stands for the sum of their contributions.
    const weight = reach > layout.colours ? 2 * Math.sqrt(reach) : 0;
    const [near, far] = stencils[0].points;
    for (let colour = 0; colour < layout.colours; colour++) {
      const [one, two] = [values[0][0][colour], values[0][1][colour]];
      const elements = layout.elements(colour);
      for (let i = 0; i < y.length; i++) {
        const j = elements[i];
        const v = given[j];
        const f0 = y[i];
        const f1 = one[i];
        const f2 = two[i];
        const slope = Math.min(Math.abs((f1 - f0) / (near[j] - v)), Math.abs((f2 - f0) / (far[j] - v)));
        const share = Math.max(Math.abs(v), weight) * slope;
        if (share < Number.POSITIVE_INFINITY) condition[i] += share;
        const larger = Math.max(Math.abs(f1), Math.abs(f2));
        if (larger > size[i] && larger < Number.POSITIVE_INFINITY) size[i] = larger;
      }
    }
  }
  const unit = roundingsOf(moved) * 2 ** -p;
  const least = 4 * 2 ** etaExponent;
  for (const size of [own, ...largest.values()]) {
    for (let i = 0; i < y.length; i++) size[i] = unit * (size[i] + condition[i]) + least;
  }
  return { output: own, along: largest };
}

/**
 * The same bounds where they are smaller than `K·u·(|yᵢ| + Σⱼ|vⱼ·∂yᵢ/∂vⱼ|)` by the derivatives that were measured since:
 * beside a pole the first evaluations step over it, and their slopes are far too small.
 */
export function conditionNoise(
  noise: Float64Array,
  numerics: readonly Numeric[],
  y: Float64Array,
  roundings: number,
  dtype: FloatDtype,
): Float64Array {
  const size = y.map(Math.abs);
  for (const { layout, jacobian, values, projection } of numerics) {
    for (let colour = 0; colour < layout.colours && !projection; colour++) {
      for (const [i, j] of layout.elements(colour).entries()) {
        const k = colour * y.length + i;
        const slope = Math.max(Math.abs(jacobian.lo[k]), Math.abs(jacobian.hi[k]));
        if (Number.isFinite(slope)) size[i] += Math.abs(values[j]) * slope;
      }
    }
  }
  const unit = roundings * 2 ** -formats[dtype].p;
  return noise.map((bound, i) => Math.max(bound, unit * size[i]));
}

/** The bound of the rounding error of `y` in its own dtype, from that of the numeric side. */
export function outputNoise(noise: Float64Array, numeric: FloatDtype, own: FloatDtype): Float64Array {
  if (numeric === own) return noise;
  const scale = 2 ** (formats[numeric].p - formats[own].p);
  return noise.map((bound) => bound * scale + 4 * 2 ** formats[own].etaExponent);
}
