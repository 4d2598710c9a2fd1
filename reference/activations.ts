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
  /**
   * Feature maps of a unit: 1 (default), the sum of the branches; or their number, each branch a map of its own, all
   * of them side by side `[N, maps · units]` in the order of the branches.
   */
  readonly maps?: number;
}

/** ReLU: the pool `[relu]`, fixed at 1. */
export const relu: Activation = {
  name: 'relu',
  pool: { branches: ['relu'], sharing: 'layer', constraint: { kind: 'fixed' } },
  start: [1],
  trained: [false],
};

/**
 * Momentum ReLU: the pool `[relu, step]`, fixed at `(P, 1 - P)`.
 *
 * @throws TypeError, RangeError unless P is a finite number
 */
export function mrelu(P: number): Activation {
  checkFinite('mrelu: "P"', P);
  return {
    name: `mrelu-${P}`,
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

/** The same with one alpha for the whole layer. */
export const papLayer: Activation = { ...pap, name: 'pap-layer', pool: { ...pap.pool, sharing: 'layer' } };

/** The same, started near ReLU: P = 0.8, D = 0.2. */
export const papNearRelu: Activation = { ...pap, name: 'pap-0.8', start: [0.8, 0.2] };

/** The same, every alpha clipped to where it started: `|P| ≤ 1/2`, `|D| ≤ 1/2` (the "-t" of McLeod's code). */
export const papClipped: Activation = {
  ...pap,
  name: 'pap-clipped',
  pool: { ...pap.pool, constraint: { kind: 'clip', bounds: [0.5, 0.5] } },
};

/** The same with `D = 1 - P`, one trained P a unit. */
export const papSumToOne: Activation = {
  name: 'pap-sum-to-one',
  pool: { ...pap.pool, constraint: { kind: 'sumToOne' } },
  start: [0.5],
  trained: [true],
};

/** relu and step as two feature maps into the next layer, instead of their sum (McLeod's first code). */
export const concat: Activation = {
  name: 'concat',
  pool: { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'fixed' } },
  start: [1, 1],
  trained: [false, false],
  maps: 2,
};

/** PReLU: the pool `[relu, negative]`, slope 1 above 0, a trained slope a unit below, started at 0.25 (He et al. 2015). */
export const prelu: Activation = {
  name: 'prelu',
  pool: { branches: ['relu', 'negative'], sharing: 'unit', constraint: { kind: 'free' } },
  start: [1, 0.25],
  trained: [false, true],
};
