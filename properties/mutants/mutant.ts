import type { Answer, Case } from '../../reference/case.ts';
import { kappa } from '../../reference/constraints.ts';
import { sizeOf } from '../../reference/shape.ts';
import type { Subject } from '../../reference/subject.ts';
import { byContent } from '../by-content.ts';
import { formats } from '../dtypes.ts';
import { dyadic, multiply, toNumber } from '../exact.ts';
import { positionsOf } from '../positions.ts';
import { referenceSubject } from '../reference-subject.ts';
import { range } from '../transform.ts';

/** What a mutant gets wrong. */
export const groups = [
  'formula',
  'constraint',
  'local',
  'small',
  'kink',
  'shape',
  'sharing',
  'forward',
  'second-order',
  'special',
  'state',
  'memory',
] as const;
export type Group = (typeof groups)[number];

/** A deliberately wrong Subject: the laws are tested by what they find here. */
export interface Mutant {
  /** Permanent, in the words of the bug. */
  readonly id: string;
  readonly group: Group;
  /** The mistake that it stands for. */
  readonly bug: string;
  /** A fresh one, since some have state. */
  make(): Subject;
}

/** Makes mutants of one group that answer as the reference, but for what `answer` and `more` change. */
export function inGroup(group: Group) {
  return (id: string, bug: string, answer: (c: Case) => Answer, more: Partial<Subject> = {}): Mutant =>
    withState(group)(id, bug, () => ({ answer, ...more }));
}

/** The same for mutants that keep something between calls: `make` is called for each fresh one. */
export function withState(group: Group) {
  return (id: string, bug: string, make: () => Partial<Subject>): Mutant => ({
    id,
    group,
    bug,
    make: () => ({ name: id, dtype: 'f64', facets: [], answer: right, ...make() }),
  });
}

const reference = byContent((c) => referenceSubject.answer(c) as Answer);

/** The reference's answer, in arrays of its own. */
export function right(c: Case): Answer {
  const { y, dx, dalpha } = reference(c);
  return { y: y.slice(), dx: dx.slice(), dalpha: dalpha.slice() };
}

/** The right answer with each element of one of its tensors changed. */
export function change(c: Case, name: keyof Answer, by: (value: number, i: number) => number): Answer {
  const answer = right(c);
  return { ...answer, [name]: answer[name].map(by) };
}

/** The coefficient of branch k at each element. */
export function coefficient(c: Case, k: number): (i: number) => number {
  const { n, rows, count, units, of } = positionsOf(c.pool, c.shape);
  const at = range(count).map((s) => {
    const alpha = range(rows).map((row) => c.alpha[row * count + s]);
    return kappa(c.pool.constraint, alpha, n).c[k];
  });
  return (i) => at[of(i % units)];
}

/** Every branch of this name adds `extra(x)` times its coefficient, if that is finite, to y. */
export function addToBranch(c: Case, name: string, extra: (x: number) => number): Answer {
  const coefficients = rowsNamed(c, name).map((k) => coefficient(c, k));
  const finite = (v: number) => (Number.isFinite(v) ? v : 0);
  return change(c, 'y', (y, i) => coefficients.reduce((sum, at) => sum + finite(at(i)) * extra(c.x[i]), y));
}

/** Every branch of this name adds `extra(x)` times its coefficient and dy to dx. */
export function addToSlope(c: Case, name: string, extra: (x: number) => number): Answer {
  const coefficients = rowsNamed(c, name).map((k) => coefficient(c, k));
  return change(c, 'dx', (dx, i) => coefficients.reduce((sum, at) => sum + at(i) * extra(c.x[i]) * c.dy[i], dx));
}

/** The indices of the branches of this name. */
export function rowsNamed({ pool }: Case, name: string): number[] {
  return range(pool.branches.length).filter((k) => pool.branches[k] === name);
}

export const free = (c: Case): Case => ({ ...c, pool: { ...c.pool, constraint: { kind: 'free' } } });

/** The number of units, the elements of one row of the batch. */
export const unitsOf = (c: Case): number => sizeOf(c.shape.slice(1));

/** Whether the pool is these branches with free coefficients. */
export function isFree({ pool }: Case, ...branches: readonly string[]): boolean {
  return pool.constraint.kind === 'free' && pool.branches.join() === branches.join();
}

/** Whether the coefficients are alpha itself. */
export function isPlain({ pool }: Case): boolean {
  return pool.constraint.kind === 'free' || pool.constraint.kind === 'fixed';
}

/** Whether all elements are one value, of which 0 and -0 are two. */
export const isUniform = (t: Float64Array): boolean => t.every((v) => Object.is(v, t[0]));

/** The rows of alpha. */
export function rowsOf(c: Case): Float64Array[] {
  const { rows, count } = positionsOf(c.pool, c.shape);
  return range(rows).map((row) => c.alpha.subarray(row * count, (row + 1) * count));
}

/** `a·b` rounded toward 0 instead of to nearest. */
export function truncatedProduct(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return a * b;
  const exact = multiply(dyadic(a), dyadic(b));
  return toNumber(exact, formats.f64, exact.m > 0n ? 'down' : 'up');
}

/** A value without its last bit. */
export function withoutLastBit(value: number): number {
  if (!Number.isFinite(value)) return value;
  bitsOf[0] = value;
  wordsOf[0] &= ~1;
  return bitsOf[0];
}

const bitsOf = new Float64Array(1);
const wordsOf = new Uint32Array(bitsOf.buffer);
