import { indexIn } from '../positions.ts';
import type { DeclaredKink, Shapes } from './differentiable.ts';
import { restOf } from './jacobian.ts';
import { type Limit, valueInterval } from './kink-checks.ts';
import type { Moved } from './measure.ts';
import { movable, type Open, readAt } from './open.ts';
import type { GradcheckFailure } from './report.ts';

/** No value was read, so that nothing is known; there is no limit, as beside a pole; or there is one. */
type Side = 'unknown' | 'none' | Limit;

/**
 * Of outputs that are not finite though all that they depend on is: those that have one finite limit on both sides of an
 * element are wrong, as is NaN on a kink or 0/0 in `sin(x)/x`, and so are those of which a finite value is declared. Where
 * values grow without end beside any of the elements, as those of 1/x at 0, there may be a pole; where two limits differ,
 * as of LayerNorm without epsilon at a variance of 0, there may be no value.
 *
 * `y`: the outputs; `unit`: K·u of the rounding of a value.
 */
export async function singularFailures(
  moves: readonly Moved[],
  outputs: ReadonlySet<number>,
  y: Float64Array,
  shapes: Shapes,
  unit: number,
): Promise<GradcheckFailure[]> {
  const found = new Map<number, GradcheckFailure>();
  const accepted = new Set<number>();
  for (const moved of moves) {
    const entries = movable(moved, (output) => outputs.has(output));
    const declaredAt = ({ element }: Open) => moved.kinksOf?.(element).find(({ at }) => at === moved.given[element]);
    // Of the widest scale the nearest points are there already; nothing more is asked where they tell nothing.
    const isOpen = (entry: Open) => {
      const [[left], [right]] = valuesBeside(entry, moved, 1);
      return declaredAt(entry) !== undefined || (Number.isFinite(left) && Number.isFinite(right));
    };
    const open = entries.filter(isOpen);
    for (let scale = 1; scale < moved.scales - 1; scale++) await readAt(moved, scale, open, false, false);
    for (const entry of entries) {
      const { output } = entry;
      const [left, right] = valuesBeside(entry, moved, moved.scales - 1).map((of) => sideOf(of, y[output], unit));
      const { isAny, failure } = failureAt(entry, declaredAt(entry), left, right, y, shapes);
      if (failure !== undefined) found.set(output, failure);
      const isBroken = declaredAt(entry)?.value === undefined && !mayAgree(left, right);
      if (isAny || isBroken) accepted.add(output);
    }
  }
  return [...found].flatMap(([output, failure]) => (accepted.has(output) ? [] : [failure]));
}

/** Whether nothing that was read speaks against one limit from both sides. */
function mayAgree(left: Side, right: Side): boolean {
  if (left === 'none' || right === 'none') return false;
  if (left === 'unknown' || right === 'unknown') return true;
  return Math.abs(left.value - right.value) <= left.valueError + right.valueError;
}

function failureAt(
  { output }: Open,
  declared: DeclaredKink | undefined,
  left: Side,
  right: Side,
  y: Float64Array,
  shapes: Shapes,
): { readonly isAny: boolean; readonly failure?: GradcheckFailure } {
  const interval = valueInterval(declared, output, limitOf(left), limitOf(right));
  if (interval === undefined) return { isAny: true };
  if (!(Number.isFinite(interval.lo) && Number.isFinite(interval.hi))) return { isAny: false };
  return { isAny: false, failure: { code: 'value', index: indexIn(shapes.y, output), actual: y[output], ...interval } };
}

/** The values of an output nearest to an element on its left and on its right, at each of the first scales. */
function valuesBeside({ output, colour, element }: Open, moved: Moved, scales: number): [number[], number[]] {
  const sides: [number[], number[]] = [[], []];
  for (let scale = 0; scale < scales; scale++) {
    const nearest = [Number.NaN, Number.NaN];
    for (const level of [0, 1]) {
      const point = moved.stencils[scale]?.points[level][element] ?? Number.NaN;
      const side = point < moved.given[element] ? 0 : 1;
      nearest[side] = moved.values[scale]?.[level][colour]?.[output] ?? Number.NaN;
    }
    sides[0].push(nearest[0]);
    sides[1].push(nearest[1]);
  }
  return sides;
}

/** What values tell of their limit, each nearer to it than the one before; `actual`: the value there. */
function sideOf(values: readonly number[], actual: number, unit: number): Side {
  // Where moving an element changes nothing, it is another that makes the value infinite.
  if (values[0] === actual) return 'unknown';
  if (values.some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)) return 'none';
  if (!values.every(Number.isFinite)) return 'unknown';
  const rest = restOf(values.map((value) => ({ slope: value, rounding: unit * Math.abs(value) })));
  const value = values.at(-1)!;
  if (!Number.isFinite(rest)) return 'none';
  return { value, valueError: rest + Math.abs(value - values.at(-2)!) + unit * Math.abs(value) };
}

function limitOf(side: Side): Limit {
  return typeof side === 'string' ? { value: Number.NaN, valueError: 0 } : side;
}
