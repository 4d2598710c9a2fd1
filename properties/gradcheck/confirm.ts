import type { FloatDtype } from './differentiable.ts';
import { type Jacobian, judgeFrom, slopeAt } from './jacobian.ts';
import type { Moved } from './measure.ts';
import { measurable, type Open, readAt, valuesAt } from './open.ts';
import { outsideDomain, sizesWithinReach } from './reach.ts';
import { errorOf, quarticAt, type Slope } from './slope.ts';
import { lineScale } from './stencil.ts';

/**
 * Measures the derivatives by these elements once more, before they are called wrong: three points of a curve may have
 * lain on a line by chance, a curve that is too rough for one scale may look smooth there, and inner cancellation or
 * values of fewer digits make more noise than is estimated, so it is measured too. Declared kinks stay as they are.
 *
 * `unit`: K·u of the noise that was estimated, 0 where its bound is declared. Where f lies on a line, its noise does not
 * show: `1 - tanh(x)` at 20 is flat. It is then taken as `unit` times the largest value within reach of any element of the
 * output, since terms that are as large there, or cancel here, are rounded to so much.
 */
export async function confirmJacobian(
  { lo, hi, kinks }: Jacobian,
  elements: ReadonlySet<number>,
  moved: Moved,
  y: Float64Array,
  noise: Float64Array,
  dtype: FloatDtype,
  unit: number,
): Promise<Jacobian> {
  const placeOf = ({ element, output }: { element: number; output: number }) => `${element} ${output}`;
  const declared = new Set(kinks.filter((kink) => kink.declared !== undefined).map(placeOf));
  const onKinks = new Set(kinks.map(placeOf));
  const open = measurable(moved, y).filter((entry) => elements.has(entry.element) && !declared.has(placeOf(entry)));
  for (let scale = 0; scale < moved.scales; scale++) await readAt(moved, scale, open, scale === 0);
  for (const scale of moved.noiseScales) await readAt(moved, scale, open, false, false);
  if (unit > 0) {
    for (const scale of moved.lineScales) await readAt(moved, scale, open, false).catch(outsideDomain);
  }
  const sizes =
    unit > 0 ? await sizesWithinReach(moved, y, new Set(open.map(({ output }) => output))) : new Map<number, number>();
  const judged = new Set(open.map(placeOf));
  const again = { lo: lo.slice(), hi: hi.slice(), kinks: kinks.filter((kink) => !judged.has(placeOf(kink))) };
  for (const entry of open) {
    const isOnKink = onKinks.has(placeOf(entry));
    if (!isOnKink && !(lo[entry.at] <= hi[entry.at])) continue;
    const hidden = unit * (sizes.get(entry.output) ?? 0);
    const least = Math.max(noise[entry.output], noiseBeside(entry, moved, dtype), hidden);
    if (isOnKink) judgeFrom(0, entry, moved, y, least, dtype);
    else if (!measureAgain(entry, moved, y, noise[entry.output], hidden, least, dtype)) continue;
    again.lo[entry.at] = entry.lo;
    again.hi[entry.at] = entry.hi;
    if (entry.kink !== undefined) again.kinks.push(entry.kink);
  }
  return again;
}

/** More than so many times the noise nearby is no noise: f is not smooth in the widest stencil. */
const clearly = 4;

/** The slope at the two widest scales, with the noise that the points between show; false to leave it as it was. */
function measureAgain(
  entry: Open,
  moved: Moved,
  y: Float64Array,
  estimated: number,
  hidden: number,
  nearby: number,
  dtype: FloatDtype,
): boolean {
  /** The slope at one scale and the noise seen in it; where that is more than was thought, or none shows, `hidden` too. */
  const measuredAt = (scale: number) => {
    const noise = noiseWithin(entry, moved, scale, y[entry.output]);
    const seen = slopeAt(entry, moved, scale, y, Math.max(estimated, noise));
    if (seen === undefined || (!isLine(seen) && noise <= estimated)) return { noise, slope: seen };
    return { noise, slope: slopeAt(entry, moved, scale, y, Math.max(estimated, noise, hidden)) };
  };
  const { slope: wide, noise: atWide } = measuredAt(0);
  const { slope: near } = measuredAt(1);
  if (wide === undefined || near === undefined) return false;
  if (atWide > clearly * nearby) {
    const settled = judgeFrom(1, entry, moved, y, nearby, dtype);
    const nearest = measuredAt(settled).slope;
    const isFlat = nearest?.slope === 0 && nearest.truncation === 0;
    // Flat nearby, and by more than noise not so further away: there are steps, and the slope is either.
    if (isFlat) for (let scale = 0; scale < settled; scale++) include(entry, measuredAt(scale).slope);
    return true;
  }
  const isConsistent = isAsNear(wide, near);
  const isOneLine = isConsistent && isLine(wide);
  // A line after all, with no more noise than was thought: what was measured before is as good as it gets.
  if (isOneLine && Math.max(atWide, hidden) <= estimated) return false;
  let best = isConsistent && errorOf(wide) < errorOf(near) ? wide : near;
  if (isOneLine && atWide <= hidden) {
    for (const scale of moved.lineScales) {
      const { slope } = measuredAt(scale);
      if (slope !== undefined && isAsNear(slope, best) && errorOf(slope) < errorOf(best)) best = slope;
    }
  }
  entry.lo = best.slope - errorOf(best);
  entry.hi = best.slope + errorOf(best);
  return true;
}

/** Widens the interval of a derivative by a slope that differs from it by more than both errors. */
function include(entry: Open, slope: Slope | undefined): void {
  if (slope === undefined) return;
  const error = errorOf(slope);
  if (slope.slope - error <= entry.hi && slope.slope + error >= entry.lo) return;
  entry.lo = Math.min(entry.lo, slope.slope - error);
  entry.hi = Math.max(entry.hi, slope.slope + error);
}

function isLine({ truncation, rounding }: Slope): boolean {
  return truncation <= rounding;
}

function isAsNear(a: Slope, b: Slope): boolean {
  return Math.abs(a.slope - b.slope) <= errorOf(a) + errorOf(b);
}

/**
 * Twice the largest distance of the values within a stencil from the curve through its points: f is smooth there up to
 * noise, or it is not smooth, and then its slope is no better known. Twice, since the curve passes through noise too.
 */
function noiseWithin(entry: Open, moved: Moved, scale: number, f0: number): number {
  const curve = valuesAt(entry, moved, scale);
  if (curve === undefined) return 0;
  const { t, f } = curve;
  let most = 0;
  for (const [s, value] of points(entry, moved)) {
    if (Math.abs(s) < Math.abs(t[0])) most = Math.max(most, Math.abs(value - quarticAt(s, f0, t, f)));
  }
  return 2 * most;
}

/** The same within a small scale, on each side by the line through its points, so that kinks on the element do not count. */
function noiseBeside(entry: Open, moved: Moved, dtype: FloatDtype): number {
  const line = valuesAt(entry, moved, lineScale[dtype]);
  if (line === undefined) return 0;
  const [t1, tb, ta, t2] = line.t as [number, number, number, number];
  const [f1, fb, fa, f2] = line.f as [number, number, number, number];
  let most = 0;
  for (const [s, value] of points(entry, moved)) {
    if (Math.abs(s) >= Math.abs(t1)) continue;
    const expected = s > 0 ? f1 + ((s - t1) * (f2 - f1)) / (t2 - t1) : fa + ((s - ta) * (fb - fa)) / (tb - ta);
    most = Math.max(most, Math.abs(value - expected));
  }
  return 2 * most;
}

/**
 * All points of an output and colour that were read to know f near the element, and on its side of every declared kink:
 * how far away, and the finite values there.
 */
function* points(
  { output, colour, element }: Open,
  { stencils, values, given, reachScales }: Moved,
): IterableIterator<[number, number]> {
  for (const [scale, stencil] of stencils.slice(0, reachScales[0]).entries()) {
    for (const [level, of] of (values[scale] ?? []).entries()) {
      const value = of[colour]?.[output] ?? Number.NaN;
      const s = stencil.points[level][element] - given[element];
      if (Number.isFinite(value) && s !== 0) yield [s, value];
    }
  }
}
