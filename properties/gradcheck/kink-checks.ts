import { indexIn } from '../positions.ts';
import type { Numeric } from './compare.ts';
import type { DeclaredKink, Shapes } from './differentiable.ts';
import type { MeasuredKink } from './jacobian.ts';
import type { GradcheckFailure } from './report.ts';
import { type MeasuredSide, offFrom } from './sides.ts';

/** At each kink that an element lies on: the value, and the limits of value and slope on both sides, as declared. */
export function kinkFailures(numeric: Numeric, y: Float64Array, shapes: Shapes): GradcheckFailure[] {
  return numeric.jacobian.kinks.flatMap((kink) => [
    ...valueAt(kink, y, numeric.noise, shapes),
    ...sideFailures(kink, 'left', numeric, shapes),
    ...sideFailures(kink, 'right', numeric, shapes),
  ]);
}

/** Kinks that were found are measured once more before a value on one is called wrong. */
export async function confirmKinks(numeric: Numeric, y: Float64Array, shapes: Shapes): Promise<void> {
  const wrong = numeric.jacobian.kinks.filter(
    (kink) => kink.declared === undefined && valueAt(kink, y, numeric.noise, shapes).length > 0,
  );
  if (wrong.length > 0) numeric.jacobian = await numeric.confirm(new Set(wrong.map(({ element }) => element)));
}

/** The limit of a value from one side. */
export type Limit = Pick<MeasuredSide, 'value' | 'valueError'>;

/** Where a value may lie: at the declared one; where none is declared, at one of the limits or between them. */
export function valueInterval(
  declared: DeclaredKink | undefined,
  output: number,
  left: Limit,
  right: Limit,
): { readonly lo: number; readonly hi: number; readonly why: string } | undefined {
  const value = declared?.value;
  if (value === 'any') return undefined;
  if (value === 'left' || value === 'right') {
    const side = value === 'left' ? left : right;
    const why = `the limit from the ${value}, as declared`;
    return { lo: side.value - side.valueError, hi: side.value + side.valueError, why };
  }
  if (value !== undefined) {
    const given = value(output);
    return { lo: given, hi: given, why: 'the declared value' };
  }
  return {
    lo: Math.min(left.value - left.valueError, right.value - right.valueError),
    hi: Math.max(left.value + left.valueError, right.value + right.valueError),
    why: 'between the limits from both sides',
  };
}

function valueAt(
  { output, declared, left, right }: MeasuredKink,
  y: Float64Array,
  noise: Float64Array,
  shapes: Shapes,
): GradcheckFailure[] {
  const interval = valueInterval(declared, output, left, right);
  if (interval === undefined) return [];
  const actual = y[output];
  const [lo, hi] = [interval.lo - noise[output], interval.hi + noise[output]];
  if (!(actual < lo || actual > hi)) return [];
  return [{ code: 'value', index: indexIn(shapes.y, output), actual, lo, hi, why: interval.why }];
}

function sideFailures(
  kink: MeasuredKink,
  side: 'left' | 'right',
  numeric: Numeric,
  shapes: Shapes,
): GradcheckFailure[] {
  const declared = kink.declared?.[side]?.(kink.output);
  if (declared === undefined) return [];
  const measured = kink[side];
  const index = indexIn(shapes.y, kink.output);
  const at = numeric.values[kink.element];
  return offFrom(declared, measured, numeric.noise[kink.output]).map(({ quantity, error }) => ({
    code: 'one-sided',
    input: numeric.name,
    at,
    index,
    side,
    quantity,
    actual: measured[quantity],
    expected: declared[quantity],
    error,
  }));
}

/** `y` against its twin in float64, within the bound of the rounding error of y; NaN leaves an element open. */
export function valueFailures(
  y: Float64Array,
  twin: Float64Array,
  noise: Float64Array,
  shape: readonly number[],
): GradcheckFailure[] {
  let worst: { at: number; excess: number } | undefined;
  for (let i = 0; i < y.length; i++) {
    if (Number.isNaN(noise[i]) || !Number.isFinite(twin[i])) continue;
    const distance = Math.abs(y[i] - twin[i]);
    const excess = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance - noise[i];
    if (excess > (worst?.excess ?? 0)) worst = { at: i, excess };
  }
  if (worst === undefined) return [];
  const { at } = worst;
  const bound = noise[at];
  return [
    {
      code: 'value',
      index: indexIn(shape, at),
      actual: y[at],
      lo: twin[at] - bound,
      hi: twin[at] + bound,
      why: 'the value of the twin',
    },
  ];
}
