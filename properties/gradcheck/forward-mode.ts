import { formats } from '../dtypes.ts';
import { once } from '../once.ts';
import { indexIn } from '../positions.ts';
import { type Adjoint, adjointOf, isOpen, type Modes, withoutOverflow } from './adjoint.ts';
import { firstDifference } from './calls.ts';
import { confirmed, type Numeric, ratioOf } from './compare.ts';
import type { Context } from './context.ts';
import type { Tensors } from './differentiable.ts';
import { drawTangent, drawWideCotangent } from './draw.ts';
import { type HiddenRounding, measureHidden } from './hidden-rounding.ts';
import { drawPlaces, placesText, touchedBy, withNaN } from './independence.ts';
import type { GradcheckFailure } from './report.ts';
import { expectedTangent } from './tangent.ts';

/** What was wrong in forward mode, and what of it could be compared. */
export interface ForwardMode {
  readonly failures: GradcheckFailure[];
  readonly check: string;
}

/**
 * Forward mode, `ty = J t`, within the measured derivatives; the adjoint identity `<ty, dy> = Σ <t, Jᵀdy>` within
 * rounding alone, which sees what finite differences are too coarse for; both along tangents of one size, and along others
 * of all magnitudes; containment of NaN, and the same bits again.
 */
export async function checkForwardMode(context: Context): Promise<ForwardMode> {
  const { asked, inputs, gradients, dtype, draw } = context;
  const drawn = (each: typeof drawTangent): Tensors =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, { length }]) => [
        name,
        gradients[name] === undefined ? new Float64Array(length) : each(draw, length, 0.1, dtype),
      ]),
    );
  const tangents = drawn(drawTangent);
  const ty = await asked.jvp(inputs, tangents);
  const { failures, ...compared } = await compareAlong(context, tangents, ty);
  const wide = drawn(drawWideCotangent);
  const tyWide = await asked.jvp(inputs, wide);
  if (failures.length === 0) failures.push(...(await compareAlong(context, wide, tyWide)).failures);
  failures.push(...(await spreadOrChange(context, tangents, ty)));
  return { failures, check: checkOf(compared.isCompared, compared.isAdjointCompared) };
}

/** What is wrong along these tangents, and what was compared. Where rounding has no declared bound, it is measured first. */
async function compareAlong(context: Context, given: Tensors, answer: Float64Array) {
  const { inputs, shapes, numerics, declared, dy, gradients } = context;
  const modes = await withoutOverflow(context, { tangents: given, ty: answer, dy, gradients });
  const { tangents, ty } = modes;
  const bound = declared.rounding?.jvp?.(inputs, tangents);
  const compare = (more?: Float64Array) => compareTangent(context, modes, bound, more);
  const withHidden = ({ ty: hidden }: HiddenRounding) =>
    compare(beyondTangent(numerics, tangents, ty.length).map((v, i) => v + hidden[i]));
  const widened = ({ defect }: HiddenRounding) => {
    const adjoint = adjointOf(context, modes);
    return { ...adjoint, allowed: adjoint.allowed + defect };
  };
  const isAdjoint = (adjoint: Adjoint) => isOpen(context, adjoint, modes) || isWithin(adjoint);
  const hidden = once(() =>
    measureHidden(context, modes, (now) => withHidden(now).wrong.size === 0 && isAdjoint(widened(now))),
  );

  const first = await confirmed(
    compare,
    async (wrong) => {
      for (const numeric of numerics) numeric.jacobian = await numeric.confirm(elementsOf(numeric, wrong));
    },
    async () => beyondTangent(numerics, tangents, ty.length),
  );
  const tangent = first.wrong.size > 0 && bound === undefined ? withHidden(await hidden()) : first;
  let adjoint = adjointOf(context, modes);
  if (!isAdjoint(adjoint) && bound === undefined) adjoint = widened(await hidden());

  const failures: GradcheckFailure[] = [];
  const { at, wrong, compared } = tangent;
  if (wrong.size > 0) {
    failures.push({
      code: 'tangent',
      index: indexIn(shapes.y, at),
      analytic: ty[at],
      numeric: tangent.middle,
      lo: tangent.middle - tangent.half,
      hi: tangent.middle + tangent.half,
      wrong: wrong.size,
      compared,
    });
  }
  if (!isAdjoint(adjoint)) failures.push({ code: 'adjoint', ...adjoint });
  return { failures, isCompared: compared > 0, isAdjointCompared: !isOpen(context, adjoint, modes) };
}

/** NaN is within nothing. */
function isWithin({ forward, reverse, allowed }: Adjoint): boolean {
  return Math.abs(forward - reverse) <= allowed;
}

/** The derivatives of projected inputs are not known element by element; an adjoint may be of ∞, or have no bound. */
function checkOf(isCompared: boolean, isAdjointCompared: boolean): string {
  if (isCompared) {
    return isAdjointCompared ? 'forward mode and its adjoint' : 'forward mode, not its adjoint, which is not finite';
  }
  return isAdjointCompared
    ? 'the adjoint of forward mode, not its elements, which are not known'
    : 'forward mode for NaN and repetition alone';
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

/** What elements beyond structures that were only found may add to each output. */
function beyondTangent(numerics: readonly Numeric[], tangents: Tensors, outputs: number): Float64Array {
  const more = new Float64Array(outputs);
  for (const { name, beyond } of numerics) {
    for (const [i, v] of beyond?.tangent(tangents[name]).entries() ?? []) more[i] += v;
  }
  return more;
}

/** Roundings of the measured side itself, in float64. */
const ownRoundings = 8;

/** `ty` against the measured `J t`, wider by what rounding may have done to it: as declared, or by the sizes of the terms. */
function compareTangent(
  { numerics, dtype, roundings }: Context,
  { tangents, ty }: Modes,
  bound: Float64Array | undefined,
  more?: Float64Array,
) {
  const { middle, half, size } = expectedTangent(numerics, tangents, ty.length);
  const { p, etaExponent } = formats[dtype];
  const unit = bound === undefined ? 2 * 2 ** -p * roundings : 2 ** -formats.f64.p * ownRoundings;
  const lost = 2 ** etaExponent * roundings * largest(tangents);
  const wrong = new Set<number>();
  let compared = 0;
  let [at, worst] = [-1, -1];
  const allowed = half.map((h, i) => h + unit * size[i] + (bound?.[i] ?? lost) + (more?.[i] ?? 0));
  for (let i = 0; i < ty.length; i++) {
    if (!(Math.abs(middle[i]) + allowed[i] < Number.POSITIVE_INFINITY)) continue;
    compared++;
    const ratio = ratioOf(Math.abs(ty[i] - middle[i]), allowed[i]);
    if (!(ratio <= 1)) wrong.add(i);
    if (ratio > worst) {
      worst = ratio;
      at = i;
    }
  }
  return { wrong, compared, at, middle: middle[at], half: allowed[at] };
}

/** The largest tangent, at least 1: what is lost before it is multiplied by it. */
function largest(tangents: Tensors): number {
  return Object.values(tangents).reduce((size, t) => t.reduce((most, v) => Math.max(most, Math.abs(v)), size), 1);
}

/** The elements of an input that these outputs depend on. */
function elementsOf({ layout }: Numeric, outputs: ReadonlySet<number>): Set<number> {
  const elements = new Set<number>();
  for (const i of outputs) {
    for (let colour = 0; colour < layout.colours; colour++) elements.add(layout.element(layout.siteOf[i], colour));
  }
  return elements;
}
