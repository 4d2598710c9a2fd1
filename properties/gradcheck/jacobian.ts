import type { Dtype } from '../../reference/case.ts';
import type { Kink } from './differentiable.ts';
import type { Moved } from './measure.ts';
import { type IsGood, isKink, type MeasuredSide, type Sides, sidesOf } from './sides.ts';
import { centredOrder, errorOf, quartic, type Slope } from './slope.ts';

/** A kink or jump on which an element lies, seen from one output. */
export interface MeasuredKink {
  /** Where its derivative stands in the Jacobian. */
  readonly derivative: number;
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
const target: Readonly<Record<Dtype, number>> = { f64: 2 ** -27, f32: 2 ** -12 };

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
  // The noise of f32 is so large that three points of a curve lie on a line by chance too often.
  let open = dtype === 'f64' ? settleAffine(moved, y, noise, lo, hi) : measurable(moved, y);
  const settled: Open[] = [];
  for (let scale = 0; open.length > 0; scale++) {
    await readAt(moved, scale, open, scale === 0);
    const still: Open[] = [];
    for (const entry of open) {
      const isSettled = judge(entry, moved, scale, y, noise[entry.output]!, goodFor(dtype, scale));
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

/** The Jacobian with all derivatives on kinks left open. */
export function withoutKinks({ lo, hi, kinks }: Jacobian): Jacobian {
  for (const { derivative } of kinks) {
    lo[derivative] = Number.NaN;
    hi[derivative] = Number.NaN;
  }
  return { lo, hi, kinks: [] };
}

/**
 * Measures the derivatives by these elements once more, before they are called wrong: three points of a curve may have
 * lain on a line by chance, a curve that is too rough for one scale may look smooth there, and inner cancellation makes
 * more noise than is estimated, so it is measured too. Kinks stay as they are.
 */
export async function confirmJacobian(
  { lo, hi, kinks }: Jacobian,
  elements: ReadonlySet<number>,
  moved: Moved,
  y: Float64Array,
  noise: Float64Array,
): Promise<Jacobian> {
  const onKinks = new Set(kinks.map(({ element, output }) => `${element} ${output}`));
  const open = measurable(moved, y).filter(
    ({ element, output }) => elements.has(element) && !onKinks.has(`${element} ${output}`),
  );
  const again = { lo: lo.slice(), hi: hi.slice(), kinks };
  for (const scale of [0, 1, 2]) await readAt(moved, scale, open, scale === 0);
  for (const entry of open) {
    const estimated = noise[entry.output]!;
    const measured = noiseAt(entry, moved, 2, y[entry.output]!);
    const least = Math.max(estimated, measured);
    const [wide, near] = [0, 1].map((scale) => slopeAt(entry, moved, scale, y, least));
    if (wide === undefined || near === undefined) continue;
    const isConsistent = Math.abs(wide.slope - near.slope) <= errorOf(wide) + errorOf(near);
    // A line after all, with no more noise than was thought: what was measured before is as good as it gets.
    if (isConsistent && wide.truncation <= wide.rounding && measured <= estimated) continue;
    if (!(lo[entry.at]! <= hi[entry.at]!)) continue;
    const best = isConsistent && errorOf(wide) < errorOf(near) ? wide : near;
    again.lo[entry.at] = best.slope - errorOf(best);
    again.hi[entry.at] = best.slope + errorOf(best);
  }
  return again;
}

/** The noise of an output that third differences leave at the smallest scale, where nothing else is left. */
function noiseAt(entry: Open, moved: Moved, scale: number, f0: number): number {
  const values = valuesAt(entry, moved, scale);
  if (values === undefined || Math.abs(moved.stencils[scale]!.side[entry.element]!) === 1) return 0;
  const [f1, fb, fa, f2] = values.f as [number, number, number, number];
  return Math.max(Math.abs(f1 - 3 * f0 + 3 * fa - fb), Math.abs(f2 - 3 * f1 + 3 * f0 - fa));
}

/** Every output and colour with an element that can be moved and a value from which it can be measured. */
function measurable(moved: Moved, y: Float64Array): Open[] {
  const { layout, given } = moved;
  const [near, far] = moved.stencils[0]!.points;
  const open: Open[] = [];
  for (let colour = 0; colour < layout.colours; colour++) {
    for (let output = 0; output < y.length; output++) {
      const element = layout.element(layout.siteOf[output]!, colour);
      const v = given[element]!;
      if (near[element] === v || far[element] === v || !Number.isFinite(v) || !Number.isFinite(y[output])) continue;
      open.push(openAt(colour * y.length + output, output, colour, element));
    }
  }
  return open;
}

function openAt(at: number, output: number, colour: number, element: number): Open {
  return { at, output, colour, element, lo: Number.NaN, hi: Number.NaN, kink: undefined, sides: undefined };
}

/** Evaluates the levels of one scale that open derivatives still want; of the widest the first two are there already. */
async function readAt(moved: Moved, scale: number, open: readonly Open[], hasFirst: boolean): Promise<void> {
  const { layout } = moved;
  const wanted = Array.from({ length: layout.colours }, () => new Uint8Array(layout.sites));
  for (const { output, colour } of open) wanted[colour]![layout.siteOf[output]!] = 1;
  if (!hasFirst) await moved.more(scale, 0, wanted);
  await moved.more(scale, 2, wanted);
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
    const elements = layout.elements(colour);
    for (let i = 0; i < y.length; i++) {
      const j = elements[i]!;
      const v = given[j]!;
      const t1 = near[j]! - v;
      const t2 = far[j]! - v;
      const f0 = y[i]!;
      // Not to be moved (∞, NaN, no room between two kinks), or nothing to be measured.
      const isMeasurable = t1 !== 0 && t2 !== 0 && Math.abs(v) + Math.abs(f0) < Number.POSITIVE_INFINITY;
      if (!isMeasurable) continue;
      const f1 = one[i]!;
      const f2 = two[i]!;
      const error = noise[i]!;
      const s1 = (f1 - f0) / t1;
      const s2 = (f2 - f0) / t2;
      const apart = Math.abs(s1 - s2);
      const at = colour * y.length + i;
      if (side[j] !== 2 && apart <= 2 * error * (1 / Math.abs(t1) + 1 / Math.abs(t2))) {
        const isCentred = side[j] === 0;
        const slope = isCentred ? (f1 - f2) / (t1 - t2) : s2;
        // What hides in the noise may bend f: by up to twice as much as the two slopes are apart, and twice again to be safe.
        const bound = 4 * apart + (2 * error) / (isCentred ? Math.abs(t1 - t2) : Math.abs(t2));
        lo[at] = slope - bound;
        hi[at] = slope + bound;
      } else open.push(openAt(at, i, colour, j));
    }
  }
  return open;
}

/** Whether a slope is good enough at a scale, for values of this size. */
type GoodFor = (size: number) => IsGood;

/** A truncation error below rounding, or small beside slope and values; at the widest scale of f32 only the former. */
function goodFor(dtype: Dtype, scale: number): GoodFor {
  const goal = dtype === 'f32' && scale === 0 ? 0 : target[dtype];
  return (size) =>
    ({ slope, truncation, rounding }) =>
      truncation <= Math.max(rounding, goal * Math.max(Math.abs(slope), size));
}

/** The values of an open derivative at one scale; `undefined` where one of them is not finite. */
function valuesAt({ output, colour, element }: Open, moved: Moved, scale: number) {
  const v = moved.given[element]!;
  const t = moved.stencils[scale]!.points.map((point) => point[element]! - v);
  const f = moved.values[scale]!.map((level) => level[colour]![output]!);
  return f.every(Number.isFinite) && !t.includes(0) ? { t, f } : undefined;
}

/** The slope at one scale as if f were smooth. */
function slopeAt(entry: Open, moved: Moved, scale: number, y: Float64Array, noise: number): Slope | undefined {
  const values = valuesAt(entry, moved, scale);
  if (values === undefined) return undefined;
  const { t, f } = values;
  const order = Math.abs(moved.stencils[scale]!.side[entry.element]!) === 1 ? [0, 1, 2, 3] : centredOrder;
  return quartic(
    y[entry.output]!,
    order.map((k) => t[k]!),
    order.map((k) => f[k]!),
    noise,
  );
}

/** Writes what one scale says of an open derivative; true if that settles it. */
function judge(entry: Open, moved: Moved, scale: number, y: Float64Array, noise: number, goodOf: GoodFor): boolean {
  const { output, element } = entry;
  const v = moved.given[element]!;
  const f0 = y[output]!;
  const values = valuesAt(entry, moved, scale);
  if (values === undefined) return false;
  const isGood = goodOf(Math.abs(f0) / Math.max(1, Math.abs(v)));
  if (Math.abs(moved.stencils[scale]!.side[element]!) === 1) {
    const slope = quartic(f0, values.t, values.f, noise);
    narrow(entry, slope);
    return isGood(slope);
  }
  entry.sides = sidesOf({ f0, ...values, noise }, isGood, entry.sides);
  const { smooth, left, right } = entry.sides;
  const declared = moved.kinksOf?.(element).find(({ at }) => at === v);
  if (declared !== undefined) return judgeDeclared(entry, declared, left, right);
  if (isGood(smooth)) {
    narrow(entry, smooth);
    return true;
  }
  if (isKink(entry.sides, f0)) {
    // Or beside it, which a smaller scale leaves aside; until then any slope between the two sides is right.
    setKink(entry, undefined, left, right);
    return left.joined && right.joined && left.good && right.good;
  }
  // Too coarse to tell. If no scale is fine enough, it may be anything that one of the readings allows.
  const error = errorOf(smooth);
  entry.kink = undefined;
  entry.lo = Math.min(smooth.slope - error, left.slope - left.slopeError, right.slope - right.slopeError);
  entry.hi = Math.max(smooth.slope + error, left.slope + left.slopeError, right.slope + right.slopeError);
  return false;
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
  entry.kink = { derivative: entry.at, output: entry.output, element: entry.element, declared, left, right };
}

/** Keeps the narrower of two intervals for a smooth derivative; one that came of a kink is given up. */
function narrow(entry: Open, slope: Slope): void {
  const error = errorOf(slope);
  if (entry.kink === undefined && entry.hi - entry.lo <= 2 * error) return;
  entry.kink = undefined;
  entry.lo = slope.slope - error;
  entry.hi = slope.slope + error;
}
