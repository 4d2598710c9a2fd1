import type { BranchRef, Case, Constraint } from '../../reference/case.ts';
import { type Format, formats } from '../dtypes.ts';
import { type Dyadic, dyadic, multiply } from '../exact.ts';
import { type ExactValue, exactBranchOf } from '../exact-branches.ts';
import { positionsOf } from '../positions.ts';

/** Cases that laws make from the Case they are given. Each keeps shape, dtype, `x` and `dy`. */

/** The same pool with trainable, unconstrained coefficients; a row that `sumToOne` implied repeats the first. */
export function freely(c: Case, branches: readonly BranchRef[] = c.pool.branches): Case {
  const { rows, count } = positionsOf(c.pool, c.shape);
  const alpha = Float64Array.from({ length: branches.length * count }, (_, i) =>
    rows === 0 ? 0.5 : c.alpha[i % (rows * count)],
  );
  return { ...c, pool: { branches, sharing: c.pool.sharing, constraint: { kind: 'free' } }, alpha };
}

/** The pool `[relu, step]` with the given P at each position and `D = 1 - P`, rounded once. */
export function asMReLU(c: Case, { round }: Format, P: (drawn: number) => number): Case {
  const free = freely(c, ['relu', 'step']);
  const count = free.alpha.length / 2;
  const alpha = free.alpha.map((_, i) => {
    const p = P(free.alpha[i % count]);
    return i < count ? p : round(1 - p);
  });
  return { ...free, alpha };
}

/** A drawn number folded into [0, 1], both ends included, without rounding. */
export function unitInterval(drawn: number): number {
  const size = Math.abs(drawn);
  return size > 0 && Number.isInteger(size) ? 1 : size - Math.floor(size);
}

/** The same pool with a `dalpha` to compare: `fixed` becomes `free`. */
export function learning(c: Case): Case {
  return c.pool.constraint.kind === 'fixed' ? freely(c) : c;
}

export function withConstraint(c: Case, constraint: Constraint): Case {
  return { ...c, pool: { ...c.pool, constraint } };
}

/** The Case with `change` applied to one of its tensors. */
export function mapTensor(c: Case, name: 'x' | 'alpha' | 'dy', change: (v: number, i: number) => number): Case {
  return { ...c, [name]: c[name].map(change) };
}

/** Only the coefficients of one row kept, the others 0. */
export function mapRow(c: Case, row: number, change: (v: number, position: number) => number): Case {
  const { count } = positionsOf(c.pool, c.shape);
  return mapTensor(c, 'alpha', (v, i) => (Math.floor(i / count) === row ? change(v, i % count) : v));
}

/** `[integral part, rest]`, whose sum is `v` exactly. */
export function split(v: number): readonly [number, number] {
  const whole = Math.trunc(v);
  return [whole, v - whole];
}

/**
 * Whether a value scaled by up to 2⁻²⁰ cannot bring a product of four such values, or a tail of tanh, near underflow;
 * in a format of few exponents, scaled by up to 2⁻¹⁰ a product of two.
 */
export function isTame({ normalExponent }: Format, ...values: readonly number[]): boolean {
  const least = 2 ** Math.max(-20, Math.ceil(normalExponent / 6));
  return values.every((v) => v === 0 || (Math.abs(v) >= least && Math.abs(v) <= 2 ** 4));
}

/** Whether a number is 0 or has all its significand bits. */
export function isNormal({ normalExponent }: Format, value: number): boolean {
  return value === 0 || Math.abs(value) >= 2 ** normalExponent;
}

/** `a·b` exactly; NaN or ±∞ where a factor is not finite. */
export function times(a: number, b: number): Dyadic | number {
  return Number.isFinite(a) && Number.isFinite(b) ? multiply(dyadic(a), dyadic(b)) : a * b;
}

/**
 * Whether every legal evaluation of the Case and of its derivatives is exact: quarters up to 8, polynomial branches, and
 * no 16-bit dtype.
 */
export function isQuartered({ dtype, x, alpha, dy, pool }: Case): boolean {
  const isQuarter = (v: number) => Math.abs(v) <= 8 && Number.isInteger(v * 4);
  const tensors = [x, alpha, dy];
  const bounds = pool.constraint.kind === 'clip' ? pool.constraint.bounds : [];
  return (
    formats[dtype].p >= 24 &&
    pool.constraint.kind !== 'softmax' &&
    tensors.every((tensor) => tensor.every(isQuarter)) &&
    bounds.every((bound) => bound === Infinity || isQuarter(bound)) &&
    pool.branches.every((ref) => exactBranchOf(ref).polynomial)
  );
}

/** How far the value of a branch may itself be off; NaN where a rule leaves that open. */
export function errorOf(value: ExactValue): number {
  return value.kind === 'approximate' ? value.error : value.kind === 'open' ? Number.NaN : 0;
}
