import { checkFinite } from './arguments.ts';
import type { Pool } from './case.ts';

/** The activation of every hidden layer: a pool, where its `alpha` starts, and which of its rows are trained. */
export interface Activation {
  readonly name: string;
  readonly pool: Pool;
  /** One value for each row of `alpha`, for every position of S; rounded to float32. */
  readonly start: readonly number[];
  /** One flag for each row: whether training changes it. */
  readonly trained: readonly boolean[];
}

/** ReLU: the pool `[relu]`, fixed at 1. */
export const relu: Activation = {
  name: 'relu',
  pool: { branches: ['relu'], sharing: 'layer', constraint: { kind: 'fixed' } },
  start: [1],
  trained: [false],
};

/** Momentum ReLU: the pool `[relu, step]`, fixed at `(P, 1 - P)`. */
export function mrelu(P: number): Activation {
  checkFinite('mrelu: "P"', P);
  return {
    name: `mrelu(${P})`,
    pool: { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'fixed' } },
    start: [P, 1 - P],
    trained: [false, false],
  };
}

/** Parametric activation pool: `[relu, step]` with one trained alpha a unit, started at one half each. */
export const pap: Activation = {
  name: 'pap',
  pool: { branches: ['relu', 'step'], sharing: 'unit', constraint: { kind: 'free' } },
  start: [0.5, 0.5],
  trained: [true, true],
};

/** PReLU: the pool `[relu, negative]`, slope 1 above 0, a trained slope a unit below, started at 0.25 (He et al. 2015). */
export const prelu: Activation = {
  name: 'prelu',
  pool: { branches: ['relu', 'negative'], sharing: 'unit', constraint: { kind: 'free' } },
  start: [1, 0.25],
  trained: [false, true],
};
