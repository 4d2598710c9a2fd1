import type { CustomBranch } from '../reference/branches.ts';
import type { BranchName, BranchRef } from '../reference/case.ts';
import type { OpenRule } from './allowed.ts';
import type { Arithmetic } from './error-bound.ts';
import { type Dyadic, dyadic, one, zero } from './exact.ts';
import { expressionOf } from './expression-branch.ts';
import { exactExpression } from './expressions/exact-expression.ts';
import * as fixed from './functions.ts';

/**
 * The exact value of a branch or of its derivative at one `x`, as the error analysis of spec §5 needs it:
 * a product of inputs (each factor a float, times a power of two), an exact zero that a legal evaluation may still
 * compute by a mask from `factors`, an approximation of which a legal evaluation may be off by `error` (`bound` is its
 * greatest size, for the overflow rule), or a value that a named rule leaves open.
 */
export type ExactValue =
  | { readonly kind: 'product'; readonly factors: readonly number[]; readonly shift: number }
  | { readonly kind: 'masked'; readonly factors: readonly number[] }
  | { readonly kind: 'approximate'; readonly value: Dyadic; readonly bound: number; readonly error: number }
  | { readonly kind: 'open'; readonly why: OpenRule };

/** A branch, written again from the formulas of spec §2: it shares no code with `reference/`. */
export interface ExactBranch {
  f(x: number, arithmetic: Arithmetic): ExactValue;
  df(x: number, arithmetic: Arithmetic): ExactValue;
  /** ρ and ρ′ of spec §5: roundings on the way of a monomial besides the additions. */
  readonly rho: number;
  readonly rhoDerivative: number;
  /** Whether w, w′, w″ of spec §5 grow with the inputs, as for halfSquare. */
  readonly squares: boolean;
  /** Piecewise polynomial, such that every legal evaluation is exact on a dyadic Case. */
  readonly polynomial: boolean;
  /** Upper bounds of |f″| and |f‴| on `[x - h, x + h]`, for finite differences; `undefined` if a kink may be there. */
  bounds(x: number, h: number): { readonly second: number; readonly third: number } | undefined;
}

const product = (factors: readonly number[], shift = 0): ExactValue => ({ kind: 'product', factors, shift });
const masked = (factors: readonly number[] = []): ExactValue => ({ kind: 'masked', factors });
const unit = product([]);

/** `bound` is max|f| (spec §5), or |f(x)| where f is not bounded; the error is `E·u·bound`, `condition` times. */
function smooth(
  f: (x: number) => Dyadic,
  limits: readonly [Dyadic, Dyadic],
  bound: (x: number) => number,
  condition: 1 | 2 = 1,
) {
  const kept = remembering(f);
  return (x: number, { transcendental, u }: Arithmetic): ExactValue => {
    if (x === Number.POSITIVE_INFINITY && bound(x) === Number.POSITIVE_INFINITY) return product([x]);
    const value = Number.isFinite(x) ? kept(x) : limits[x < 0 ? 0 : 1];
    return { kind: 'approximate', value, bound: bound(x), error: transcendental * u * condition * bound(x) };
  };
}

/** `f`, its last results kept: while a Case is shrunk, most of its elements are asked for hundreds of times. */
function remembering<T>(f: (x: number) => T): (x: number) => T {
  const results = new Map<number, T>();
  return (x) => {
    let result = results.get(x);
    if (result === undefined) {
      result = f(x);
      if (results.size >= 8192) results.clear();
      results.set(x, result);
    }
    return result;
  };
}

const minusOne = dyadic(-1);
/** Bounds away from the kink at 0, which no stencil straddles. */
const bounded = (third: number) => ({ polynomial: third === 0, bounds: () => ({ second: 1, third }) });
const piecewiseLinear = { rhoDerivative: 1, squares: false, ...bounded(0) };

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
    ...bounded(0),
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
    ...bounded(2),
  },
  sigmoid: {
    f: smooth(fixed.sigmoid, [zero, one], () => 1),
    df: smooth(fixed.sigmoidDerivative, [zero, zero], () => 1 / 4, 2),
    rho: 1,
    rhoDerivative: 1,
    squares: false,
    ...bounded(1 / 8),
  },
  softplus: {
    f: smooth(fixed.softplus, [zero, zero], (x) => Math.max(1, x)),
    df: smooth(fixed.sigmoid, [zero, one], () => 1, 2),
    rho: 1,
    rhoDerivative: 1,
    squares: false,
    ...bounded(1 / 8),
  },
};

const custom = new WeakMap<CustomBranch, ExactBranch>();

/** The branch that a pool names or holds. */
export function exactBranchOf(ref: BranchRef): ExactBranch {
  if (typeof ref === 'string') return exactBranches[ref];
  let branch = custom.get(ref);
  if (branch === undefined) {
    branch = exactExpression(expressionOf(ref));
    custom.set(ref, branch);
  }
  return branch;
}
