/**
 * How far a float32 result may lie from the exact one, operation by operation (spec §5: every association, summation
 * tree, contraction and skipping of zeros is legal; u = 2⁻²⁴). Bounds are worst cases, none is fitted to a run.
 */
import { activate, activateVjp, mapsOf, placeOf } from '../../reference/activate.ts';
import type { Activation } from '../../reference/activations.ts';
import { branchOf, nameOf } from '../../reference/branches.ts';
import { crossEntropyBackward, crossEntropyForward } from '../../reference/cross-entropy.ts';
import { denseForward } from '../../reference/dense.ts';
import { product, transpose } from '../../reference/matrix.ts';
import { parameterLayout } from '../../reference/parameters.ts';

/** What a float32 operation on given float32 inputs must come near to, element by element. */
export interface Expected {
  readonly length: number;
  /** Sums of many terms, whose rounding cancels; a value of one or a few roundings often comes near its bound. */
  readonly isSum: boolean;
  value(i: number): number;
  bound(i: number): number;
}

const u = 2 ** -24;

/** What underflow can take from one term: the smallest normal, since flushing to zero is legal. */
const eta = 2 ** -126;

/**
 * Errors of `exp` and `log` in units of u: at most 2 units in the last place, which are up to 4 u. The C libraries and
 * Eigen (tensorflow) state less than that for float32.
 */
const elementary = 4;

/** `γₖ = k·u / (1 - k·u)`, enlarged by more than the float64 evaluation of values and bounds can be off. */
export function gamma(k: number): number {
  return ((k * u) / (1 - k * u)) * (1 + 2 ** -20);
}

/** Exactly these values. */
export function exactly(values: Float64Array): Expected {
  return { length: values.length, isSum: false, value: (i) => values[i], bound: () => 0 };
}

/**
 * `h·W + b`, h: `[N, inputs]`, W: `[inputs, units]`: a term passes its product's rounding and as many sums as there are
 * other terms that are not 0, so K roundings for K such terms, and `γ_K·Σ|terms| ≤ γ_K·(‖h‖·‖W‖ + |b|)` by Cauchy and
 * Schwarz, with the norms of a row of h and a column of W.
 */
export function denseExpected(h: Float64Array, W: Float64Array, b: Float64Array, inputs: number): Expected {
  const units = b.length;
  const columns = norms(transpose(W, inputs, units), inputs);
  const rows = norms(h, inputs);
  const y = denseForward(h, W, b, inputs);
  return {
    length: y.length,
    isSum: true,
    value: (i) => y[i],
    bound(i) {
      const [row, unit] = [Math.floor(i / units), i % units];
      return sumBound(rows.terms[row] + 1, rows.norm[row] * columns.norm[unit] + Math.abs(b[unit]));
    },
  };
}

/** `A·B`, A: `[n, k]`, B: `[k, m]`, bounded like `denseExpected`: `dh = dz·Wᵀ` and `dW = hᵀ·dz`. */
export function productExpected(A: Float64Array, B: Float64Array, n: number, k: number, m: number): Expected {
  const rows = norms(A, k);
  const columns = norms(transpose(B, k, m), k);
  const C = product(A, B, n, k, m);
  return {
    length: C.length,
    isSum: true,
    value: (i) => C[i],
    bound(i) {
      const [row, column] = [Math.floor(i / m), i % m];
      const terms = Math.min(rows.terms[row], columns.terms[column]);
      return sumBound(terms, rows.norm[row] * columns.norm[column]);
    },
  };
}

/** `mask · a`: one rounding. */
export function maskedExpected(a: Float64Array, mask: Float64Array): Expected {
  const value = (i: number): number => a[i] * mask[i];
  return { length: a.length, isSum: false, value, bound: (i) => sumBound(1, Math.abs(value(i))) };
}

/**
 * `a = Σ cᵢ·fᵢ(z)` and its gradients for branches that are piecewise linear and coefficients used as they are:
 * `γₙ·Σ|cᵢ·fᵢ|`, `γₙ·|dy|·Σ|cᵢ·fᵢ′|`, and `γ_M·Σ|fᵢ·dy|` over the M elements that share an alpha.
 *
 * @throws RangeError for another pool
 */
export function activationExpected(
  activation: Activation,
  input: { readonly units: number; readonly z: Float64Array; readonly alpha: Float64Array },
  da: Float64Array,
): { a: Expected; dz: Expected; dalpha: Expected } {
  const { pool } = activation;
  const { units, z, alpha } = input;
  const n = pool.branches.length;
  const maps = mapsOf(activation);
  const linear = pool.branches.every((ref) => ['relu', 'step', 'negative', 'identity'].includes(nameOf(ref)));
  if (!linear || !(pool.constraint.kind === 'free' || pool.constraint.kind === 'fixed')) {
    throw new RangeError(
      `lockstep: "pool" expected piecewise linear branches, free or fixed, got ${pool.branches.map(nameOf)}, ${pool.constraint.kind}`,
    );
  }
  const { positions, positionOf } = parameterLayout(pool, [z.length / units, units]);
  const a = new Float64Array(da.length);
  const slope = new Float64Array(z.length);
  const dalpha = new Float64Array(alpha.length);
  for (const [row, { f, df }] of pool.branches.map(branchOf).entries()) {
    for (let i = 0; i < z.length; i++) {
      const at = row * positions + positionOf[i % units];
      const out = maps === 1 ? i : placeOf(i, row, maps, units);
      a[out] += Math.abs(alpha[at] * f(z[i]));
      slope[i] += Math.abs(alpha[at] * df(z[i]) * da[out]);
      dalpha[at] += Math.abs(f(z[i]) * da[out]);
    }
  }
  const exact = activateVjp(activation, input, da);
  return {
    a: { isSum: false, ...summed(activate(activation, input), a, n) },
    dz: { isSum: false, ...summed(exact.dz, slope, n) },
    dalpha: { isSum: true, ...summed(exact.dalpha, dalpha, z.length / positions) },
  };
}

/**
 * Loss and `dz` of softmax cross-entropy, with `s = z - top`, `e = exp(s)`, `S = Σ e`, `p = e / S`.
 *
 * `s` is rounded, so `e` is off by `u·|s|` and the error of exp, relative to itself; S by the mean of that and C sums;
 * `log S` by as much absolutely, and its own error; then one difference, and the mean over N. `p` has the errors of e
 * and S and of the division; then `p - onehot`, `/ N` and `· dy` round once each.
 */
export function crossEntropyExpected(
  z: Float64Array,
  labels: Uint8Array,
  classes: number,
): { loss: Expected; dz: Expected } {
  const N = labels.length;
  const bound = new Float64Array(z.length);
  let errors = 0;
  let magnitudes = 0;
  for (const [i, label] of labels.entries()) {
    const row = z.subarray(i * classes, (i + 1) * classes);
    const top = row.reduce((most, v) => Math.max(most, v), -Infinity);
    const s = row.map((v) => v - top);
    const S = s.reduce((sum, v) => sum + Math.exp(v), 0);
    const p = s.map((v) => Math.exp(v) / S);
    const offS = s.reduce((sum, v, j) => sum + p[j] * gamma(Math.abs(v) + elementary), 0) + gamma(classes);
    errors += offS + gamma(elementary) * Math.max(1, Math.log(S));
    magnitudes += Math.log(S) + Math.abs(s[label]);
    for (const [j, v] of s.entries()) {
      const off = p[j] * (gamma(Math.abs(v) + elementary + 1) + offS);
      bound[i * classes + j] = (off + gamma(3) * Math.abs(p[j] - (j === label ? 1 : 0))) / N + 2 * eta;
    }
  }
  const loss = crossEntropyForward(z, labels, classes);
  const lossBound = (errors + gamma(N + 4) * magnitudes) / N;
  const dz = crossEntropyBackward(z, labels, classes);
  return {
    loss: { length: 1, isSum: true, value: () => loss, bound: () => lossBound },
    dz: { length: dz.length, isSum: false, value: (i) => dz[i], bound: (i) => bound[i] },
  };
}

/** A parameter and its velocity before an update, the gradient, and the velocity after it: all as float32 found them. */
export interface Update {
  readonly w: Float32Array;
  readonly v: Float32Array;
  readonly g: Float32Array;
  readonly moved: Float32Array;
}

/** `v' = momentum·v - rate·g`: momentum and rate are rounded to float32, then each product, then the sum. */
export function velocityExpected({ v, g }: Update, rate: number, momentum: number): Expected {
  return {
    length: v.length,
    isSum: false,
    value: (i) => momentum * v[i] - rate * g[i],
    bound: (i) => sumBound(3, Math.abs(momentum * v[i]) + Math.abs(rate * g[i])),
  };
}

/** `w' = w + momentum·v' - rate·g` with the v' that was found: one sum more. */
export function weightExpected({ w, g, moved }: Update, rate: number, momentum: number): Expected {
  return {
    length: w.length,
    isSum: false,
    value: (i) => w[i] + momentum * moved[i] - rate * g[i],
    bound: (i) => sumBound(4, Math.abs(w[i]) + Math.abs(momentum * moved[i]) + Math.abs(rate * g[i])),
  };
}

/** `γ_K·Σ|terms| + K·η`: each term passes at most K roundings, and underflow takes at most η at each. */
function sumBound(K: number, magnitudes: number): number {
  return gamma(K) * magnitudes + K * eta;
}

function summed(values: Float64Array, magnitudes: Float64Array, K: number): Omit<Expected, 'isSum'> {
  return { length: values.length, value: (i) => values[i], bound: (i) => sumBound(K, magnitudes[i]) };
}

/** The 2-norm of each row of a matrix with `columns` columns, and how many of its elements are not 0. */
function norms(matrix: Float64Array, columns: number): { norm: Float64Array; terms: Int32Array } {
  const rows = matrix.length / columns;
  const norm = new Float64Array(rows);
  const terms = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let squares = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      squares += matrix[i] * matrix[i];
      if (matrix[i] !== 0) terms[row]++;
    }
    norm[row] = Math.sqrt(squares);
  }
  return { norm, terms };
}
