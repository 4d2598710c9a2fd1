import type { Constraint } from './case.ts';
import { ExactSum } from './sum.ts';

/**
 * κ at one position of S, as a differentiable map from the rows of `alpha` to the n coefficients (spec §1, §4).
 * Arrays are indexed by row (`alpha`, `dalpha`, `talpha`) or by branch (`c`, `dc`, `tc`).
 */
export interface Kappa {
  /** `c = κ(alpha)` */
  readonly c: readonly number[];
  /** `dalpha = κ′ᵀ dc` */
  vjp(dc: readonly number[]): number[];
  /** `tc = κ′ talpha` */
  jvp(talpha: readonly number[]): number[];
  /** The gradient of `<dc, κ′ talpha>` to `alpha`: 0 for the piecewise-linear constraints. */
  second(dc: readonly number[], talpha: readonly number[]): number[];
}

/** κ and its derivatives at `alpha`, the rows of one position; `n` is the number of branches. */
export function kappa(constraint: Constraint, alpha: readonly number[], n: number): Kappa {
  switch (constraint.kind) {
    case 'free':
    case 'fixed':
      return { c: alpha, vjp: (dc) => [...dc], jvp: (talpha) => [...talpha], second: (dc) => dc.map(() => 0) };
    case 'sumToOne':
      return sumToOne(alpha, n);
    case 'clip':
      return clip(alpha, constraint.bounds);
    case 'softmax':
      return softmax(alpha);
  }
}

/** `cₙ = 1 - Σ alphaᵢ`. */
function sumToOne(alpha: readonly number[], n: number): Kappa {
  const last = sum([1, ...alpha.map((a) => -a)]);
  return {
    c: [...alpha, last],
    vjp: (dc) => dc.slice(0, n - 1).map((d) => d - dc[n - 1]),
    jvp: (talpha) => [...talpha, -sum(talpha)],
    second: () => alpha.map(() => 0),
  };
}

/** `cᵢ = min(max(alphaᵢ, -bᵢ), bᵢ)`; the derivative is 1 on the closed interval, so a pool on its bound still learns. */
function clip(alpha: readonly number[], bounds: readonly number[]): Kappa {
  const masked = (values: readonly number[]) => values.map((v, i) => (Math.abs(alpha[i]) > bounds[i] ? 0 : v));
  return {
    c: alpha.map((a, i) => Math.min(Math.max(a, -bounds[i]), bounds[i])),
    vjp: masked,
    jvp: masked,
    second: () => alpha.map(() => 0),
  };
}

/** `cᵢ = exp(alphaᵢ) / Σ exp(alphaⱼ)`. */
function softmax(alpha: readonly number[]): Kappa {
  const top = Math.max(...alpha);
  const e = alpha.map((a) => Math.exp(a - top));
  const total = sum(e);
  const c = e.map((v) => v / total);
  // κ′ is symmetric: κ′ v = c ∘ (v - <c, v>).
  const derivative = (v: readonly number[]) => {
    const mean = dot(c, v);
    return v.map((value, i) => c[i] * (value - mean));
  };
  return {
    c,
    vjp: derivative,
    jvp: derivative,
    second: (dc, talpha) => {
      const tc = derivative(talpha);
      const mean = dot(c, dc);
      const mixed = dot(dc, tc);
      return tc.map((t, i) => t * (dc[i] - mean) - c[i] * mixed);
    },
  };
}

function sum(values: readonly number[]): number {
  const total = new ExactSum();
  for (const v of values) total.add(v);
  return total.value();
}

function dot(a: readonly number[], b: readonly number[]): number {
  const total = new ExactSum();
  for (let i = 0; i < a.length; i++) total.addProduct(a[i], b[i]);
  return total.value();
}
