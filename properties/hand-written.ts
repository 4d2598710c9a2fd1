import { branchOf } from '../reference/branches.ts';
import type { Answer, Case } from '../reference/case.ts';
import { parameterLayout } from '../reference/parameters.ts';
import type { Subject } from '../reference/subject.ts';
import { formats } from './dtypes.ts';

/** A function and its derivative as somebody writes them by hand, every operation rounded to the dtype by `r`. */
export interface ByHand {
  f(x: number, r: (v: number) => number): number;
  df(x: number, r: (v: number) => number): number;
}

/** A Subject that evaluates custom branches by hand, and sums in the order of the branches. For tests. */
export function handWritten(dtype: 'f64' | 'f32', byHand: Readonly<Record<string, ByHand>>): Subject {
  const r = formats[dtype].round;
  return {
    name: `by hand, ${dtype}`,
    dtype,
    facets: [],
    answer: ({ pool, shape, x, alpha, dy }: Case): Answer => {
      const { n, rows, positions, units, positionOf } = parameterLayout(pool, shape);
      const at = (i: number) => positionOf[i % units];
      const value = pool.branches.map((ref) => (v: number) => {
        const own = typeof ref === 'string' ? undefined : byHand[ref.name];
        return own === undefined ? r(branchOf(ref).f(v)) : Number.isNaN(v) ? v : own.f(v, r);
      });
      const slope = pool.branches.map((ref) => (v: number) => {
        const own = typeof ref === 'string' ? undefined : byHand[ref.name];
        return own === undefined ? r(branchOf(ref).df(v)) : own.df(v, r);
      });
      const { constraint } = pool;
      const coefficients = Array.from({ length: positions }, (_, s) => {
        const a = Array.from({ length: rows }, (_, k) => alpha[k * positions + s]);
        if (constraint.kind === 'sumToOne') return [...a, a.reduce((left, v) => r(left - v), 1)];
        if (constraint.kind === 'clip') {
          return a.map((v, k) => Math.min(Math.max(v, -constraint.bounds[k]), constraint.bounds[k]));
        }
        if (constraint.kind !== 'softmax') return a;
        const e = a.map((v) => r(Math.exp(r(v - Math.max(...a)))));
        const total = e.reduce((sum, v) => r(sum + v), 0);
        return e.map((v) => r(v / total));
      });
      const total = (terms: readonly number[]) => terms.reduce((sum, v) => r(sum + v), 0);
      const y = x.map((v, i) => total(value.map((f, k) => r(coefficients[at(i)][k] * f(v)))));
      const dx = x.map((v, i) => r(dy[i] * total(slope.map((df, k) => r(coefficients[at(i)][k] * df(v))))));
      const dalpha = new Float64Array(rows * positions);
      for (let s = 0; s < positions; s++) {
        const dc = value.map((f) => total([...x].flatMap((v, i) => (at(i) === s ? [r(f(v) * dy[i])] : []))));
        const mean = total(dc.map((d, k) => r(coefficients[s][k] * d)));
        for (let k = 0; k < rows; k++) {
          const a = alpha[k * positions + s];
          const isOutside = constraint.kind === 'clip' && Math.abs(a) > constraint.bounds[k];
          dalpha[k * positions + s] =
            constraint.kind === 'sumToOne'
              ? r(dc[k] - dc[n - 1])
              : constraint.kind === 'softmax'
                ? r(coefficients[s][k] * r(dc[k] - mean))
                : isOutside
                  ? 0
                  : dc[k];
        }
      }
      return { y, dx, dalpha };
    },
  };
}
