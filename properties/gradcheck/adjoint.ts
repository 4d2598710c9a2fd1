import { formats } from '../dtypes.ts';
import type { Context } from './context.ts';
import type { FloatDtype, Tensors } from './differentiable.ts';
import { allFinite } from './numeric-side.ts';
import { expectedTangent } from './tangent.ts';

/** What `jvp` answered to tangents, and `vjp` to dy. */
export interface Modes {
  readonly tangents: Tensors;
  readonly ty: Float64Array;
  readonly dy: Float64Array;
  readonly gradients: Tensors;
}

/** `<ty, dy>`, `Σ <t, Jᵀdy>`, and how far rounding may have brought them apart; NaN where no bound is known. */
export interface Adjoint {
  readonly forward: number;
  readonly reverse: number;
  readonly allowed: number;
}

/** Both sums, with the sizes and the number of their terms. */
function sidesOf({ tangents, ty, dy, gradients }: Modes) {
  const { sum: forward, size } = dot(ty, dy);
  let [reverse, magnitude, terms] = [0, size, ty.length];
  for (const [name, g] of Object.entries(gradients)) {
    const product = dot(tangents[name], g);
    reverse += product.sum;
    magnitude += product.size;
    terms += g.length;
  }
  return { forward, reverse, magnitude, terms };
}

/** `<ty, dy> - Σ <t, Jᵀdy>` */
export function defectOf(modes: Modes): number {
  const { forward, reverse } = sidesOf(modes);
  return forward - reverse;
}

/** The adjoint identity with what is allowed by the terms that are finite: by declared bounds, or by sizes of results. */
export function adjointOf({ inputs, numerics, dtype, roundings, declared }: Context, modes: Modes): Adjoint {
  const { forward, reverse, magnitude, terms } = sidesOf(modes);
  const { tangents, ty, dy, gradients } = modes;
  const { rounding } = declared;
  let allowed = 0;
  if (rounding !== undefined) {
    const bounds = rounding.vjp(inputs, dy);
    for (const name of Object.keys(gradients)) allowed += weighted(bounds[name], tangents[name]);
  }
  const bound = rounding?.jvp?.(inputs, tangents);
  if (bound !== undefined) {
    // The sums themselves are of float64.
    const own = 2 ** -formats.f64.p * terms * magnitude + 2 ** formats.f64.etaExponent * terms;
    return { forward, reverse, allowed: allowed + weighted(bound, dy) + own };
  }
  const { size } = expectedTangent(numerics, tangents, ty.length);
  let sizes = magnitude;
  for (let i = 0; i < dy.length; i++) sizes += finiteOr0(dy[i] * size[i]);
  // Each product passes the roundings of its derivative and, in sums over many, at most one for each term; as often it
  // may lose what is below the smallest number, before it is multiplied by the other factor.
  const { p, etaExponent } = formats[dtype];
  const [d, t] = [sizeOf([dy]), sizeOf(Object.keys(gradients).map((name) => tangents[name]))];
  const lost = 2 ** etaExponent * (d.sum * t.largest + t.sum * d.largest);
  return { forward, reverse, allowed: allowed + (2 * roundings + terms) * (2 ** -p * sizes + lost) };
}

/** By what a product is made small that overflows. */
const small: Readonly<Record<FloatDtype, number>> = { f64: 2 ** -100, f32: 2 ** -40 };

/**
 * The same modes, or where one side is not finite though all is that was given, for tangents and dy that are small: finite
 * derivatives have finite products with these, and both modes are linear.
 */
export async function withoutOverflow(context: Context, modes: Modes): Promise<Modes> {
  const { asked, inputs, dtype } = context;
  const overflows = !allFinite(modes.ty) || !Number.isFinite(defectOf(modes));
  if (!overflows || !isGivenFinite(context)) return modes;
  const { round } = formats[dtype];
  const made = (tensor: Float64Array) => tensor.map((v) => round(v * small[dtype]));
  const dy = made(modes.dy);
  const tangents = Object.fromEntries(Object.entries(modes.tangents).map(([name, t]) => [name, made(t)]));
  return { tangents, ty: await asked.jvp(inputs, tangents), dy, gradients: await asked.vjp(inputs, dy) };
}

/**
 * Whether the identity says nothing: at ∞ and NaN in what is given, where both modes have ∞ or NaN, as on a vertical
 * tangent, and where a bound is not known. In one mode alone it is wrong.
 */
export function isOpen(context: Context, { forward, reverse, allowed }: Adjoint, { ty, gradients }: Modes): boolean {
  if (Number.isNaN(allowed)) return true;
  if (Number.isFinite(forward - reverse)) return false;
  return !isGivenFinite(context) || allFinite(ty) === Object.values(gradients).every(allFinite);
}

function isGivenFinite({ inputs, y, dy }: Context): boolean {
  return [...Object.values(inputs), y, dy].every(allFinite);
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

/** `Σ bound·|by|`; NaN where a bound is that counts. */
function weighted(bound: Float64Array, by: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < by.length; i++) if (by[i] !== 0) sum += bound[i] * Math.abs(by[i]);
  return sum;
}

/** The sum of the sizes of what is finite, and the largest, at least 1. */
function sizeOf(tensors: readonly Float64Array[]): { sum: number; largest: number } {
  let [sum, largest] = [0, 1];
  for (const tensor of tensors) {
    for (let i = 0; i < tensor.length; i++) {
      const v = finiteOr0(tensor[i]);
      sum += v;
      if (v > largest) largest = v;
    }
  }
  return { sum, largest };
}

function finiteOr0(v: number): number {
  return Number.isFinite(v) ? Math.abs(v) : 0;
}
