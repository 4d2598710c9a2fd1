import type { BranchName } from '../reference/case.ts';
import { type Dyadic, dyadic, one, zero } from './exact.ts';
import * as fixed from './functions.ts';

/**
 * The exact value of a branch or of its derivative at one `x`, as the error analysis of spec §5 needs it:
 * a product of inputs (each factor a float, times a power of two), an exact zero that a legal evaluation may still
 * compute by a mask from `factors`, or an approximation of a transcendental value to 2⁻¹⁶⁰.
 */
export type ExactValue =
  | { readonly kind: 'product'; readonly factors: readonly number[]; readonly shift: number }
  | { readonly kind: 'masked'; readonly factors: readonly number[] }
  | { readonly kind: 'approximate'; readonly value: Dyadic; readonly bound: number; readonly condition: 1 | 2 };

/** A branch, written again from the formulas of spec §2: it shares no code with `reference/`. */
export interface ExactBranch {
  f(x: number): ExactValue;
  df(x: number): ExactValue;
  /** ρ and ρ′ of spec §5: roundings on the way of a monomial besides the additions. */
  readonly rho: number;
  readonly rhoDerivative: number;
  /** Whether w, w′, w″ of spec §5 grow with the inputs, as for halfSquare. */
  readonly squares: boolean;
  /** An upper bound of |f‴| away from kinks, for finite differences. */
  readonly third: number;
}

const product = (factors: readonly number[], shift = 0): ExactValue => ({ kind: 'product', factors, shift });
const masked = (factors: readonly number[] = []): ExactValue => ({ kind: 'masked', factors });
const unit = product([]);

/** `bound` is max|f| (spec §5), or |f(x)| where f is not bounded. */
function smooth(
  f: (x: number) => Dyadic,
  limits: readonly [Dyadic, Dyadic],
  bound: (x: number) => number,
  condition: 1 | 2 = 1,
) {
  return (x: number): ExactValue => {
    if (x === Number.POSITIVE_INFINITY && bound(x) === Number.POSITIVE_INFINITY) return product([x]);
    const value = Number.isFinite(x) ? f(x) : limits[x < 0 ? 0 : 1];
    return { kind: 'approximate', value, bound: bound(x), condition };
  };
}

const minusOne = dyadic(-1);
const piecewiseLinear = { rhoDerivative: 1, squares: false, third: 0 };

export const exactBranches: Readonly<Record<BranchName, ExactBranch>> = {
  relu: {
    f: (x) => (x > 0 ? product([x]) : masked([x])),
    df: (x) => (x > 0 ? unit : masked()),
    rho: 1,
    ...piecewiseLinear,
  },
  step: { f: (x) => (x > 0 ? unit : masked()), df: () => masked(), rho: 0, ...piecewiseLinear },
  halfSquare: {
    f: (x) => (x > 0 ? product([x, x], -1) : masked([x, x])),
    df: (x) => (x > 0 ? product([x]) : masked([x])),
    rho: 2,
    rhoDerivative: 2,
    squares: true,
    third: 0,
  },
  negative: {
    f: (x) => (x < 0 ? product([x]) : masked([x])),
    df: (x) => (x < 0 ? unit : masked()),
    rho: 1,
    ...piecewiseLinear,
  },
  identity: { f: (x) => (x === 0 ? masked([x]) : product([x])), df: () => unit, rho: 1, ...piecewiseLinear },
  tanh: {
    f: smooth(fixed.tanh, [minusOne, one], () => 1),
    df: smooth(fixed.tanhDerivative, [zero, zero], () => 1, 2),
    rho: 1,
    rhoDerivative: 1,
    squares: false,
    third: 2,
  },
  sigmoid: {
    f: smooth(fixed.sigmoid, [zero, one], () => 1),
    df: smooth(fixed.sigmoidDerivative, [zero, zero], () => 1 / 4, 2),
    rho: 1,
    rhoDerivative: 1,
    squares: false,
    third: 1 / 8,
  },
  softplus: {
    f: smooth(fixed.softplus, [zero, zero], (x) => Math.max(1, x)),
    df: smooth(fixed.sigmoid, [zero, one], () => 1, 2),
    rho: 1,
    rhoDerivative: 1,
    squares: false,
    third: 1 / 8,
  },
};
