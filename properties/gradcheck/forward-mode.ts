import { formats } from '../dtypes.ts';
import { indexIn } from '../positions.ts';
import { firstDifference } from './calls.ts';
import { confirmed, type Numeric, ratioOf } from './compare.ts';
import type { Context } from './context.ts';
import type { Tensors } from './differentiable.ts';
import { drawTangent } from './draw.ts';
import { drawPlaces, placesText, touchedBy, withNaN } from './independence.ts';
import { allFinite } from './numeric-side.ts';
import type { GradcheckFailure } from './report.ts';

/** What was wrong in forward mode, and what of it could be compared. */
export interface ForwardMode {
  readonly failures: GradcheckFailure[];
  readonly check: string;
}

/**
 * Forward mode, `ty = J t`, within the measured derivatives; the adjoint identity `<ty, dy> = Σ <t, Jᵀdy>` within
 * rounding alone, which sees what finite differences are too coarse for; containment of NaN, and the same bits again.
 */
export async function checkForwardMode(context: Context): Promise<ForwardMode> {
  const { asked, inputs, y, gradients, numerics, shapes, dtype, draw, roundings } = context;
  const tangents: Record<string, Float64Array> = {};
  for (const [name, { length }] of Object.entries(inputs)) {
    tangents[name] = gradients[name] === undefined ? new Float64Array(length) : drawTangent(draw, length, 0.1, dtype);
  }
  const ty = await asked.jvp(inputs, tangents);
  const u = 2 ** -formats[dtype].p;
  const rounding = 2 * u * roundings;
  const { at, wrong, compared, expected } = await confirmed(
    (more) => {
      const expected = expectedTangent(numerics, tangents, y.length);
      return { ...compareTangent(ty, expected, rounding, more), expected };
    },
    async (wrong) => {
      for (const numeric of numerics) numeric.jacobian = await numeric.confirm(elementsOf(numeric, wrong));
    },
    async () => beyondTangent(numerics, tangents, y.length),
  );
  const failures: GradcheckFailure[] = [];
  if (wrong.size > 0) {
    const middle = expected.middle[at];
    const half = expected.half[at] + rounding * expected.size[at];
    failures.push({
      code: 'tangent',
      index: indexIn(shapes.y, at),
      analytic: ty[at],
      numeric: middle,
      lo: middle - half,
      hi: middle + half,
      wrong: wrong.size,
      compared,
    });
  }
  const adjoint = adjointOf(context, tangents, ty, expected.size);
  const isAdjointCompared = !isOpen(context, adjoint, ty);
  // NaN is within nothing.
  if (isAdjointCompared && !(Math.abs(adjoint.forward - adjoint.reverse) <= adjoint.allowed)) {
    failures.push({ code: 'adjoint', ...adjoint });
  }
  failures.push(...(await spreadOrChange(context, tangents, ty)));
  return { failures, check: checkOf(compared > 0, isAdjointCompared) };
}

/** The derivatives of projected inputs are not known element by element; an adjoint may overflow, or be of ∞. */
function checkOf(isCompared: boolean, isAdjointCompared: boolean): string {
  if (isCompared) {
    return isAdjointCompared ? 'forward mode and its adjoint' : 'forward mode, not its adjoint, which is not finite';
  }
  return isAdjointCompared
    ? 'the adjoint of forward mode, not its elements, which are not known'
    : 'forward mode for NaN and repetition alone';
}

/** `<ty, dy>`, `Σ <t, Jᵀdy>`, and how far rounding may have brought them apart, by the terms that are finite. */
function adjointOf(
  { y, dy, gradients, dtype, roundings }: Context,
  tangents: Tensors,
  ty: Float64Array,
  size: Float64Array,
): { forward: number; reverse: number; allowed: number } {
  const { sum: forward, size: forwardSize } = dot(ty, dy);
  let [reverse, magnitude, terms] = [0, forwardSize, y.length];
  for (const [name, g] of Object.entries(gradients)) {
    const product = dot(tangents[name], g);
    reverse += product.sum;
    magnitude += product.size;
    terms += g.length;
  }
  for (let i = 0; i < y.length; i++) magnitude += finiteOr0(dy[i] * size[i]);
  // Each product passes the roundings of its derivative and, in sums over many, at most one for each term.
  const allowed = 2 ** -formats[dtype].p * (2 * roundings + terms) * magnitude;
  return { forward, reverse, allowed };
}

/**
 * Whether a side that is not finite says nothing: at ∞ and NaN in what is given, where both modes have ∞ or NaN, as on a
 * vertical tangent, and where finite products overflow. In one mode alone it is wrong.
 */
function isOpen(
  { inputs, y, dy, gradients }: Context,
  { forward, reverse }: { readonly forward: number; readonly reverse: number },
  ty: Float64Array,
): boolean {
  if (Number.isFinite(forward - reverse)) return false;
  if (![...Object.values(inputs), y, dy].every(allFinite)) return true;
  return allFinite(ty) === Object.values(gradients).every(allFinite);
}

/**
 * NaN in one element of a tangent reaches what its structure lets it reach; and the same tangents give the same bits, of
 * which the answer to NaN holds all that it does not reach.
 */
async function spreadOrChange(context: Context, tangents: Tensors, ty: Float64Array): Promise<GradcheckFailure[]> {
  const { asked, inputs, shapes, declared } = context;
  const groups = drawPlaces(context);
  const failures: GradcheckFailure[] = [];
  for (const group of groups) {
    const poisoned = await asked.jvp(inputs, withNaN(tangents, group));
    const at = firstDifference(poisoned, ty, touchedBy(group));
    if (at < 0) continue;
    failures.push({
      code: 'spreads',
      from: `NaN in the tangent of ${placesText(group, shapes)}`,
      to: 'ty',
      index: indexIn(shapes.y, at),
      was: ty[at],
      became: poisoned[at],
    });
  }
  if (groups.length === 0 || failures.length > 0) {
    const again = await asked.jvp(inputs, tangents);
    const element = firstDifference(again, ty);
    if (element >= 0) {
      return [{ code: 'non-deterministic', what: 'jvp', element, first: ty[element], again: again[element] }];
    }
  }
  const { held = 0 } = declared;
  if (held > 0) {
    const negated = Object.fromEntries(Object.entries(tangents).map(([name, t]) => [name, t.map((v) => -v)]));
    for (let k = 0; k < held; k++) await asked.jvp(inputs, negated);
  }
  return failures;
}

/** `J t` in intervals, middle and half width, and `Σ|∂y/∂v·t|`; NaN where a derivative is not known by itself. */
function expectedTangent(numerics: readonly Numeric[], tangents: Tensors, outputs: number) {
  const [middle, half, size] = [new Float64Array(outputs), new Float64Array(outputs), new Float64Array(outputs)];
  for (const { name, layout, jacobian, projection } of numerics) {
    if (projection) middle.fill(Number.NaN);
    const tangent = tangents[name];
    for (let colour = 0; colour < layout.colours && !projection; colour++) {
      const elements = layout.elements(colour);
      for (let i = 0; i < outputs; i++) {
        const t = tangent[elements[i]];
        const least = jacobian.lo[colour * outputs + i];
        const radius = (jacobian.hi[colour * outputs + i] - least) / 2;
        const width = Math.abs(t) * radius;
        const term = t * (least + radius);
        middle[i] += term;
        half[i] += width;
        size[i] += Math.abs(term) + width;
      }
    }
  }
  return { middle, half, size };
}

/** What elements beyond structures that were only found may add to each output. */
function beyondTangent(numerics: readonly Numeric[], tangents: Tensors, outputs: number): Float64Array {
  const more = new Float64Array(outputs);
  for (const { name, beyond } of numerics) {
    for (const [i, v] of beyond?.tangent(tangents[name]).entries() ?? []) more[i] += v;
  }
  return more;
}

function compareTangent(
  ty: Float64Array,
  { middle, half, size }: ReturnType<typeof expectedTangent>,
  rounding: number,
  more?: Float64Array,
) {
  const wrong = new Set<number>();
  let compared = 0;
  let [at, worst] = [-1, -1];
  for (let i = 0; i < ty.length; i++) {
    const allowed = half[i] + rounding * size[i] + (more?.[i] ?? 0);
    if (!(Math.abs(middle[i]) + allowed < Number.POSITIVE_INFINITY)) continue;
    compared++;
    const ratio = ratioOf(Math.abs(ty[i] - middle[i]), allowed);
    if (!(ratio <= 1)) wrong.add(i);
    if (ratio > worst) {
      worst = ratio;
      at = i;
    }
  }
  return { wrong, compared, at };
}

/** The elements of an input that these outputs depend on. */
function elementsOf({ layout }: Numeric, outputs: ReadonlySet<number>): Set<number> {
  const elements = new Set<number>();
  for (const i of outputs) {
    for (let colour = 0; colour < layout.colours; colour++) elements.add(layout.element(layout.siteOf[i], colour));
  }
  return elements;
}

/** `Σ aᵢ·bᵢ`, without the terms in which a factor is 0 and the other may be ∞ or NaN, and `Σ |aᵢ·bᵢ|` of what is finite. */
function dot(a: Float64Array, b: Float64Array): { sum: number; size: number } {
  let sum = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === 0 || b[i] === 0) continue;
    const product = a[i] * b[i];
    sum += product;
    size += finiteOr0(product);
  }
  return { sum, size };
}

function finiteOr0(v: number): number {
  return Number.isFinite(v) ? Math.abs(v) : 0;
}
