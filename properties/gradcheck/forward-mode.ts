import { formats } from '../dtypes.ts';
import type { Context } from './context.ts';
import { drawCotangent } from './draw.ts';
import { indexOf } from './options.ts';
import type { GradcheckFailure } from './report.ts';

/**
 * Forward mode, `ty = J t`, within the measured derivatives; and the adjoint identity `<ty, dy> = Σ <t, Jᵀdy>` within
 * rounding alone, which sees what finite differences are too coarse for.
 */
export async function checkForwardMode({
  asked,
  inputs,
  y,
  dy,
  gradients,
  numerics,
  shapes,
  dtype,
  draw,
  roundings,
}: Context): Promise<GradcheckFailure[]> {
  const tangents: Record<string, Float64Array> = {};
  for (const [name, { length }] of Object.entries(inputs)) tangents[name] = drawCotangent(draw, length, 0.1);
  for (const name of Object.keys(inputs)) if (gradients[name] === undefined) tangents[name]!.fill(0);
  const ty = await asked.jvp(inputs, tangents);
  const u = 2 ** -formats[dtype].p;
  const [lo, hi, size] = [new Float64Array(y.length), new Float64Array(y.length), new Float64Array(y.length)];
  for (const { name, layout, jacobian, projection } of numerics) {
    for (let i = 0; i < y.length; i++) {
      if (projection) lo[i] = Number.NaN;
      for (let colour = 0; colour < layout.colours && !projection; colour++) {
        const t = tangents[name]![layout.element(layout.siteOf[i]!, colour)]!;
        const [a, b] = [jacobian.lo[colour * y.length + i]!, jacobian.hi[colour * y.length + i]!];
        if (t === 0) continue;
        lo[i]! += Math.min(t * a, t * b);
        hi[i]! += Math.max(t * a, t * b);
        size[i]! += Math.abs(t) * Math.max(Math.abs(a), Math.abs(b));
      }
    }
  }
  const failures: GradcheckFailure[] = [];
  let [wrong, compared] = [0, 0];
  let worst: { at: number; ratio: number; middle: number; half: number } | undefined;
  for (let i = 0; i < y.length; i++) {
    const half = (hi[i]! - lo[i]!) / 2 + 2 * u * roundings * size[i]!;
    if (!(half < Number.POSITIVE_INFINITY)) continue;
    compared++;
    const middle = lo[i]! + (hi[i]! - lo[i]!) / 2;
    const distance = Math.abs(ty[i]! - middle);
    const ratio = distance === 0 ? 0 : Number.isFinite(distance) ? distance / half : Number.POSITIVE_INFINITY;
    if (!(ratio <= 1)) wrong++;
    if (worst === undefined || ratio > worst.ratio) worst = { at: i, ratio, middle, half };
  }
  if (wrong > 0) {
    const { at, middle, half } = worst!;
    failures.push({
      code: 'tangent',
      index: indexOf(shapes.y!, at),
      analytic: ty[at]!,
      numeric: middle,
      lo: middle - half,
      hi: middle + half,
      wrong,
      compared,
    });
  }
  const forward = dot(ty, dy);
  let [reverse, magnitude, terms] = [0, dotSize(ty, dy), y.length];
  for (const [name, g] of Object.entries(gradients)) {
    reverse += dot(tangents[name]!, g);
    magnitude += dotSize(tangents[name]!, g);
    terms += g.length;
  }
  for (let i = 0; i < y.length; i++) if (size[i]! < Number.POSITIVE_INFINITY) magnitude += Math.abs(dy[i]!) * size[i]!;
  // Each product passes the roundings of its derivative and, in sums over many, at most one for each term.
  const allowed = u * (2 * roundings + terms) * magnitude;
  if (Math.abs(forward - reverse) > allowed) failures.push({ code: 'adjoint', forward, reverse, allowed });
  return failures;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, v, i) => (v === 0 || b[i] === 0 ? sum : sum + v * b[i]!), 0);
}

function dotSize(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, v, i) => (v === 0 || b[i] === 0 ? sum : sum + Math.abs(v * b[i]!)), 0);
}
