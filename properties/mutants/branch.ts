import { type Branch, branches, nameOf } from '../../reference/branches.ts';
import type { BranchName, Case, PoolInput } from '../../reference/case.ts';
import { doubleVjp, jvp } from '../../reference/pool.ts';
import { inGroup, type Mutant, right } from './mutant.ts';

const mutant = inGroup('formula');

/** Whoever writes a branch wrong uses it in `y` and in `dalpha` alike, and its derivative in `dx`: wrong in all of them. */
export function wrongBranch(name: BranchName, id: string, bug: string, wrong: Partial<Branch>): Mutant {
  const branch = { ...branches[name], ...wrong, name: id, expression: bug };
  const replaced = <Input extends PoolInput>(c: Input): Input => ({
    ...c,
    pool: { ...c.pool, branches: c.pool.branches.map((ref) => (nameOf(ref) === name ? branch : ref)) },
  });
  return mutant(id, `${bug}, in y and in all gradients`, (c: Case) => right(replaced(c)), {
    jvp: (c, tangents) => jvp(replaced(c), tangents),
    doubleVjp: (c, cotangents) => doubleVjp(replaced(c), cotangents),
  });
}

/** relu with this slope on the left. */
export function leaky(slope: number): Partial<Branch> {
  return { f: (x) => (x < 0 ? slope * x : x), df: (x) => (x > 0 ? 1 : slope) };
}

export const branch: readonly Mutant[] = [
  wrongBranch('step', 'heaviside-one', 'step(0) = 1', { f: (x) => (Number.isNaN(x) ? x : x >= 0 ? 1 : 0) }),
  wrongBranch('step', 'heaviside-half', 'step(0) = 1/2', {
    f: (x) => (Number.isNaN(x) ? x : (1 + Math.sign(x)) / 2),
  }),
  wrongBranch('step', 'sign-throughout', 'step is sign(x)', { f: Math.sign }),
  wrongBranch('step', 'step-of-nan-throughout', 'step(NaN) = 0', { f: (x) => (x > 0 ? 1 : 0) }),
  wrongBranch('step', 'step-margin-throughout', 'step starts at 1e-6', {
    f: (x) => (Number.isNaN(x) ? x : x > 1e-6 ? 1 : 0),
  }),
  wrongBranch('step', 'sigmoid-for-step', 'step is 1/(1 + exp(-100x))', {
    f: (x) => 1 / (1 + Math.exp(-100 * x)),
    df: (x) => 100 * branches.sigmoid.df(100 * x),
  }),
  wrongBranch('relu', 'relu-of-nan-throughout', 'relu(NaN) = 0', {
    f: (x) => (Number.isNaN(x) ? 0 : Math.max(x, 0)),
  }),
  wrongBranch('relu', 'leaky-throughout', 'relu has a slope of 1/100 on the left', leaky(1 / 100)),
  wrongBranch('relu', 'relu6-throughout', 'relu stops at 6', {
    f: (x) => Math.min(Math.max(x, 0), 6),
    df: (x) => (x > 0 && x < 6 ? 1 : 0),
  }),
  wrongBranch('relu', 'absolute-value', 'relu is |x|', { f: Math.abs, df: Math.sign }),
  wrongBranch('relu', 'relu-by-product-throughout', 'relu is x·(x > 0), NaN at -∞', {
    f: (x) => x * (x > 0 ? 1 : 0),
  }),
  wrongBranch('halfSquare', 'square-throughout', 'halfSquare is x²', {
    f: (x) => 2 * branches.halfSquare.f(x),
    df: (x) => 2 * branches.halfSquare.df(x),
    d2f: (x) => 2 * branches.halfSquare.d2f(x),
  }),
  wrongBranch('halfSquare', 'half-square-two-sided', 'halfSquare is x²/2 on both sides', {
    f: (x) => (x / 2) * x,
    df: (x) => x,
    d2f: () => 1,
  }),
  wrongBranch('negative', 'negative-positive', 'negative is max(-x, 0)', {
    f: (x) => Math.max(-x, 0),
    df: (x) => (x < 0 ? -1 : 0),
  }),
  wrongBranch('tanh', 'tanh-by-exponentials', 'tanh is (e²ˣ - 1)/(e²ˣ + 1), NaN when e²ˣ overflows', {
    f: (x) => (Math.exp(2 * x) - 1) / (Math.exp(2 * x) + 1),
  }),
  wrongBranch('tanh', 'hard-tanh', 'tanh is x, cut at ±1', {
    f: (x) => Math.max(-1, Math.min(x, 1)),
    df: (x) => (Math.abs(x) < 1 ? 1 : 0),
    d2f: () => 0,
  }),
  wrongBranch('sigmoid', 'hard-sigmoid', 'sigmoid is x/6 + 1/2, cut at 0 and 1', {
    f: (x) => Math.max(0, Math.min(x / 6 + 0.5, 1)),
    df: (x) => (Math.abs(x) < 3 ? 1 / 6 : 0),
    d2f: () => 0,
  }),
  wrongBranch('sigmoid', 'sigmoid-by-exponential', 'sigmoid is eˣ/(1 + eˣ), NaN when eˣ overflows', {
    f: (x) => Math.exp(x) / (1 + Math.exp(x)),
  }),
  wrongBranch('sigmoid', 'sigmoid-flat-beyond-30', 'sigmoid is 0 below -30 and 1 above 30', {
    f: (x) => (x > 30 ? 1 : x < -30 ? 0 : branches.sigmoid.f(x)),
  }),
  wrongBranch('softplus', 'softplus-cut-throughout', 'softplus is x above 20', {
    f: (x) => (x > 20 ? x : branches.softplus.f(x)),
    df: (x) => (x > 20 ? 1 : branches.softplus.df(x)),
  }),
  wrongBranch('softplus', 'softplus-by-exponential', 'softplus is log(1 + eˣ), infinite when eˣ overflows', {
    f: (x) => Math.log(1 + Math.exp(x)),
  }),
];
