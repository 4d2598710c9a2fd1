import { shown } from './arguments.ts';
import type { BranchName, BranchRef } from './case.ts';

/** Where a branch is not smooth: one-sided limits of value and slope. Value and derivative there are conventions. */
export interface Kink {
  readonly at: number;
  readonly value: { readonly left: number; readonly right: number };
  readonly slope: { readonly left: number; readonly right: number };
  /** The derivative at the kink, where a custom branch states another than that of the side which its formula takes. */
  readonly derivative?: number;
}

/**
 * A branch `f` of a pool with its first two derivatives. `f(NaN)` is NaN for every branch (spec §3);
 * at a kink `df` and `d2f` give the convention (spec §2).
 */
export interface Branch {
  f(x: number): number;
  df(x: number): number;
  d2f(x: number): number;
  readonly kinks: readonly Kink[];
}

/**
 * A branch that is no built-in one, with the formula that it comes from: a plain object, which `poolproof`'s
 * `expressionBranch` makes from the formula alone.
 */
export interface CustomBranch extends Branch {
  readonly name: string;
  readonly expression: string;
}

/** 1 / (1 + e⁻ˣ), from the side where the exponential does not overflow. */
function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

const none: readonly Kink[] = [];

/** The built-in branches (spec §2). */
export const branches: Readonly<Record<BranchName, Branch>> = {
  relu: {
    f: (x) => Math.max(x, 0),
    df: (x) => (x > 0 ? 1 : 0),
    d2f: () => 0,
    kinks: [{ at: 0, value: { left: 0, right: 0 }, slope: { left: 0, right: 1 } }],
  },
  step: {
    f: (x) => (Number.isNaN(x) ? x : x > 0 ? 1 : 0),
    df: () => 0,
    d2f: () => 0,
    kinks: [{ at: 0, value: { left: 0, right: 1 }, slope: { left: 0, right: 0 } }],
  },
  halfSquare: {
    // Halved first, which is exact: x² overflows before x²/2 does, and would be rounded twice among the subnormals.
    f: (x) => (Number.isNaN(x) ? x : x > 0 ? (x / 2) * x : 0),
    df: (x) => Math.max(x, 0),
    d2f: (x) => (x > 0 ? 1 : 0),
    kinks: [{ at: 0, value: { left: 0, right: 0 }, slope: { left: 0, right: 0 } }],
  },
  negative: {
    f: (x) => Math.min(x, 0),
    df: (x) => (x < 0 ? 1 : 0),
    d2f: () => 0,
    kinks: [{ at: 0, value: { left: 0, right: 0 }, slope: { left: 1, right: 0 } }],
  },
  identity: { f: (x) => x, df: () => 1, d2f: () => 0, kinks: none },
  tanh: {
    f: Math.tanh,
    df: (x) => 1 - Math.tanh(x) ** 2,
    d2f: (x) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2),
    kinks: none,
  },
  sigmoid: {
    f: sigmoid,
    df: (x) => sigmoid(x) * sigmoid(-x),
    d2f: (x) => sigmoid(x) * sigmoid(-x) * (sigmoid(-x) - sigmoid(x)),
    kinks: none,
  },
  softplus: {
    f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    df: sigmoid,
    d2f: (x) => sigmoid(x) * sigmoid(-x),
    kinks: none,
  },
};

/** The names of the built-in branches, in the order of the table. */
export const branchNames: readonly BranchName[] = Object.keys(branches) as BranchName[];

/**
 * The branch that a pool names or holds.
 *
 * @throws RangeError for a name that no branch has, TypeError for a custom branch that lacks a part
 */
export function branchOf(ref: BranchRef): Branch {
  checkBranch('branchOf: "ref"', ref);
  return typeof ref === 'string' ? branches[ref] : ref;
}

/**
 * The name of a branch of a pool.
 *
 * @throws RangeError for a name that no branch has, TypeError for a custom branch that lacks a part
 */
export function nameOf(ref: BranchRef): string {
  checkBranch('nameOf: "ref"', ref);
  return typeof ref === 'string' ? ref : ref.name;
}

/** Throws unless `ref` is the name of a built-in branch, or a custom branch with all its parts. */
export function checkBranch(where: string, ref: BranchRef): void {
  if (typeof ref !== 'object' || ref === null || Array.isArray(ref)) {
    if (typeof ref === 'string' && Object.hasOwn(branches, ref)) return;
    throw new RangeError(`${where} expected names among ${branchNames.join(', ')}, got ${shown(ref)}`);
  }
  const { name, expression, kinks, f, df, d2f } = ref;
  const isWhole =
    [name, expression].every((text) => typeof text === 'string') &&
    Array.isArray(kinks) &&
    [f, df, d2f].every((part) => typeof part === 'function');
  if (isWhole) return;
  throw new TypeError(
    `${where} expected custom branches with name, expression, kinks, f, df and d2f, got ${shown(ref)}`,
  );
}
