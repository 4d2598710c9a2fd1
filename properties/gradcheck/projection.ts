import type { Random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import { layoutOf } from './layout.ts';
import { type MeasuredAt, Moved } from './measure.ts';

/** Directions along which an input without structure is moved as a whole. */
const count = 4;

/** Random directions `t` with `|tⱼ|` the power of two of `max(1, |vⱼ|)`, and random signs. */
export interface Projection {
  readonly directions: readonly Float64Array[];
}

/**
 * An input measured along random directions: `∂y/∂s` of `f(v + Σ sₖ·tₖ)` at `s = 0`, so that `<dy, ∂y/∂sₖ> = <dv, tₖ>`.
 * A single wrong element of dv by δ changes each of the products by `|δ·tⱼ| ≥ |δ|`, so that it is seen with certainty
 * when |δ| is above the error of the product; several may cancel, in one direction with a chance of at most one half.
 */
export function alongDirections(
  name: string,
  side: MeasuredAt,
  draw: Random,
  yShape: readonly number[],
): { moved: Moved; projection: Projection } {
  const values = side.inputs[name]!;
  const { round } = formats[side.dtype];
  const directions = Array.from({ length: count }, () =>
    values.map((v) => 2 ** Math.max(0, Math.floor(Math.log2(Math.abs(v) || 1))) * (draw.below(2) === 0 ? 1 : -1)),
  );
  const along: MeasuredAt = {
    ...side,
    inputs: { ...side.inputs, [name]: new Float64Array(count) },
    numeric: (inputs) => {
      const s = inputs[name]!;
      const moved = values.map((v, j) => round(directions.reduce((sum, t, k) => sum + s[k]! * t[j]!, v)));
      return side.numeric({ ...inputs, [name]: moved });
    },
  };
  const moved = new Moved(name, layoutOf(name, 'dense', [count], yShape), undefined, along, values.length);
  return { moved, projection: { directions } };
}
