import type { Random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import type { DeclaredKink } from './differentiable.ts';
import { layoutOf } from './layout.ts';
import { type MeasuredAt, Moved } from './measure.ts';
import { type KinksOf, scaleOf, stepScales } from './stencil.ts';

/** Directions along which all elements are moved that lie on no kink. */
const count = 4;
/** Elements about kinks that are measured by themselves, at most. */
const fewAlone = 64;

/** How an input is measured as a whole. */
export interface Projection {
  /** Random directions, then one for each element that is measured by itself. */
  readonly directions: readonly Float64Array[];
  /** How many of them are random, and how many elements these move. */
  readonly random: number;
  readonly together: number;
  /** The elements that are measured by themselves. */
  readonly alone: readonly number[];
  /** How many elements no direction moves. */
  readonly left: number;
}

/**
 * An input measured along directions `t`: `∂y/∂s` of `f(v + Σ sₖ·tₖ)` at `s = 0`, so that `<dy, ∂y/∂sₖ> = <dv, tₖ>`.
 * The random ones have `|tⱼ|` the power of two of `max(1, |vⱼ|)` and random signs: a single wrong element of dv by δ
 * changes each of the products by `|δ·tⱼ|`, so that it is seen with certainty when that is above the error of one of
 * them; several may cancel, in one direction with a chance of at most one half. Elements at 0 or a declared kink, or
 * within the widest step of one, would widen every product by the difference of their slopes: these are moved alone.
 */
export function alongDirections(
  name: string,
  side: MeasuredAt,
  draw: Random,
  yShape: readonly number[],
  kinksOf?: KinksOf,
): { moved: Moved; projection: Projection } {
  const values = side.inputs[name];
  const sizes = values.map(scaleOf);
  const reach = 2 * stepScales[side.dtype][0];
  const isAboutKink = values.map((v, j) =>
    [0, ...(kinksOf?.(j) ?? []).map(({ at }) => at)].some((at) => Math.abs(v - at) <= reach * sizes[j]) ? 1 : 0,
  );
  const aboutKinks = [...values.keys()].filter((j) => isAboutKink[j] === 1);
  const alone = aboutKinks.slice(0, fewAlone);
  const together = values.length - aboutKinks.length;
  const random = together > 0 ? count : 0;
  const directions = [
    ...Array.from({ length: random }, () =>
      sizes.map((size, j) => (isAboutKink[j] === 1 ? 0 : size * (draw.below(2) === 0 ? 1 : -1))),
    ),
    ...alone.map((j) => new Float64Array(values.length).with(j, sizes[j])),
  ];
  const kinksAlong = (k: number): DeclaredKink[] => {
    const j = alone[k - random];
    return j === undefined ? [] : (kinksOf?.(j) ?? []).map((kink) => scaled(kink, values[j], sizes[j]));
  };
  const moved = movedAlong(name, side, directions, yShape, kinksOf && kinksAlong);
  return { moved, projection: { directions, random, together, alone, left: aboutKinks.length - alone.length } };
}

/** The input moved along directions, `v + Σ sₖ·tₖ` from `s = 0`. */
export function movedAlong(
  name: string,
  side: MeasuredAt,
  directions: readonly Float64Array[],
  yShape: readonly number[],
  kinksAlong: KinksOf | undefined,
): Moved {
  const values = side.inputs[name];
  const { round } = formats[side.dtype];
  const along: MeasuredAt = {
    ...side,
    inputs: { ...side.inputs, [name]: new Float64Array(directions.length) },
    numeric: (inputs) => {
      const s = inputs[name];
      const moved = values.slice();
      for (const [k, t] of directions.entries()) if (s[k] !== 0) for (const [j, v] of t.entries()) moved[j] += s[k] * v;
      return side.numeric({ ...inputs, [name]: moved.map(round) });
    },
  };
  const layout = layoutOf(name, 'dense', [directions.length], yShape);
  return new Moved(name, layout, kinksAlong, along, values.length);
}

/** A kink of v in terms of s, `v + s·size`. */
function scaled({ at, derivative, left, right, ...kink }: DeclaredKink, v: number, size: number): DeclaredKink {
  const side = (of: NonNullable<DeclaredKink['left']>) => (output: number) => {
    const { value, slope } = of(output);
    return { value, slope: size * slope };
  };
  return {
    ...kink,
    at: (at - v) / size,
    ...(derivative !== undefined && {
      derivative: typeof derivative === 'function' ? (output) => size * derivative(output) : derivative,
    }),
    ...(left && { left: side(left) }),
    ...(right && { right: side(right) }),
  };
}
