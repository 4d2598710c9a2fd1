import type { Constraint } from '../../../reference/case.ts';

/** κ of spec §1 on plain arrays: `alpha` is `[rows, B]`, `c` and `dc` are `[n, B]`; float64 on the way, rounded once. */
export interface ArrayKappa {
  /** `c = κ(alpha)`; may be `alpha` itself. */
  coefficients(alpha: Float32Array): Float32Array;
  /** `dalpha = κ′ᵀ dc` */
  pullBack(dc: Float64Array, alpha: Float32Array): Float32Array;
}

/** κ for `n` branches at B positions. */
export function arrayKappa(constraint: Constraint, n: number, B: number): ArrayKappa {
  switch (constraint.kind) {
    case 'free':
      return { coefficients: (alpha) => alpha, pullBack: (dc) => new Float32Array(dc) };
    case 'fixed':
      return { coefficients: (alpha) => alpha, pullBack: () => new Float32Array(n * B) };
    case 'sumToOne':
      return sumToOne(n, B);
    case 'clip':
      return clip(constraint.bounds, B);
    case 'softmax':
      return softmax(n, B);
  }
}

/** `cₙ = 1 - Σ alphaᵢ`, `dalphaᵢ = dcᵢ - dcₙ`. */
function sumToOne(n: number, B: number): ArrayKappa {
  const last = (n - 1) * B;
  return {
    coefficients: (alpha) => {
      const c = new Float32Array(n * B);
      c.set(alpha);
      for (let b = 0; b < B; b++) {
        let rest = 1;
        for (let at = b; at < last; at += B) rest -= alpha[at];
        c[last + b] = rest;
      }
      return c;
    },
    pullBack: (dc) => Float32Array.from({ length: last }, (_, at) => dc[at] - dc[last + (at % B)]),
  };
}

/** `cᵢ = min(max(alphaᵢ, -bᵢ), bᵢ)`; the derivative is 1 on the closed interval and 0 outside. */
function clip(bounds: readonly number[], B: number): ArrayKappa {
  const boundAt = (at: number) => Math.fround(bounds[Math.floor(at / B)]);
  return {
    coefficients: (alpha) => alpha.map((a, at) => Math.min(Math.max(a, -boundAt(at)), boundAt(at))),
    pullBack: (dc, alpha) => Float32Array.from(dc, (d, at) => (Math.abs(alpha[at]) > boundAt(at) ? 0 : d)),
  };
}

/** `cᵢ = exp(alphaᵢ) / Σ exp(alphaⱼ)`, `dalpha = c ∘ (dc - Σ cⱼ dcⱼ)`. */
function softmax(n: number, B: number): ArrayKappa {
  const exact = (alpha: Float32Array): Float64Array => {
    const c = new Float64Array(n * B);
    for (let b = 0; b < B; b++) {
      let top = Number.NEGATIVE_INFINITY;
      for (let at = b; at < c.length; at += B) top = Math.max(top, alpha[at]);
      let sum = 0;
      for (let at = b; at < c.length; at += B) sum += c[at] = Math.exp(alpha[at] - top);
      for (let at = b; at < c.length; at += B) c[at] /= sum;
    }
    return c;
  };
  return {
    coefficients: (alpha) => Float32Array.from(exact(alpha)),
    pullBack: (dc, alpha) => {
      const c = exact(alpha);
      const dalpha = new Float32Array(c.length);
      for (let b = 0; b < B; b++) {
        let mean = 0;
        for (let at = b; at < c.length; at += B) mean += c[at] * dc[at];
        for (let at = b; at < c.length; at += B) dalpha[at] = c[at] * (dc[at] - mean);
      }
      return dalpha;
    },
  };
}
