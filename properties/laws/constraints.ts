import type { BranchRef, Case } from '../../reference/case.ts';
import { formats } from '../dtypes.ts';
import { dyadic, multiply } from '../exact.ts';
import { sigmoid, sigmoidDerivative } from '../functions.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import { slackOf } from '../trial.ts';
import { freely, mapTensor, times, withConstraint } from './derived.ts';

/** The free pool of a Case, with a bound of 1/2, 1, 3/2 … for each branch. */
function clippable(c: Case) {
  const free = freely(c);
  const { count } = positionsOf(free.pool, free.shape);
  const bounds = free.pool.branches.map((_, k) => (k + 1) / 2);
  return { free, bounds, boundOf: (i: number) => bounds[Math.floor(i / count)]! };
}

export const clipClosed: Law = {
  id: 'constraint/clip-closed',
  statement: 'the interval of clip is closed: dalpha on the bound is that of the free pool, beyond it 0',
  source: 'spec §1',
  finite: true,
  async check(c, trial) {
    const { free, bounds, boundOf } = clippable(c);
    // Every third alpha inside, every third on its bound, every third outside.
    const placed = mapTensor(free, 'alpha', (a, i) => {
      const size = boundOf(i) * ([0.5, 1, 1.5] as const)[i % 3]!;
      return a < 0 ? -size : size;
    });
    const clipped = await trial.askAbout(withConstraint(placed, { kind: 'clip', bounds }));
    const open = await trial.askAbout(placed);
    trial.equate(clipped, 'dalpha', (i) => (i % 3 === 2 ? [] : [{ of: open, at: i }]));
  },
};

export const clipValue: Law = {
  id: 'constraint/clip-value',
  statement: 'a clipped pool is the free pool at the clipped alpha, in y and dx',
  source: 'spec §1',
  finite: true,
  async check(c, trial) {
    const { free, bounds, boundOf } = clippable(c);
    const inside = mapTensor(free, 'alpha', (a, i) => Math.min(Math.max(a, -boundOf(i)), boundOf(i)));
    const clipped = await trial.askAbout(withConstraint(free, { kind: 'clip', bounds }));
    const open = await trial.askAbout(inside);
    for (const name of ['y', 'dx'] as const) trial.equate(clipped, name, (at) => [{ of: open, at }]);
  },
};

/** A sumToOne pool with these branches, its alpha from the rows of the drawn one. */
function summed(c: Case, branches: readonly BranchRef[]): Case {
  const free = freely(c, branches);
  const { count, n } = positionsOf(free.pool, free.shape);
  return withConstraint({ ...free, alpha: free.alpha.slice(0, (n - 1) * count) }, { kind: 'sumToOne' });
}

export const sumToOneGradient: Law = {
  id: 'constraint/sum-to-one-gradient',
  statement: 'under sumToOne dalphaᵢ = dcᵢ - dcₙ',
  source: 'spec §1, §4',
  finite: true,
  async check(c, trial) {
    const branches = c.pool.branches.length > 1 ? c.pool.branches : (['relu', 'step'] as const);
    const one = await trial.askAbout(summed(c, branches));
    const free = await trial.askAbout(freely(c, branches));
    const { n, count } = positionsOf(free.input.pool, free.input.shape);
    trial.equate(one, 'dalpha', (i) => [
      { of: free, at: i },
      { of: free, at: (n - 1) * count + (i % count), sign: -1 },
    ]);
  },
};

export const oppositeGradients: Law = {
  id: 'constraint/opposite-gradients',
  statement: 'under sumToOne dP = -dD: the gradient to P with D = 1 - P is minus that to D with P = 1 - D',
  source: 'spec §1, §4',
  finite: true,
  async check(c, trial) {
    const byP = await trial.askAbout(summed(c, ['relu', 'step']));
    const turned = mapTensor(summed(c, ['step', 'relu']), 'alpha', (p) => formats[c.dtype].round(1 - p));
    const byD = await trial.askAbout(turned);
    trial.equate(byP, 'dalpha', (at) => [{ of: byD, at, sign: -1 }]);
  },
};

export const sumToOneValue: Law = {
  id: 'constraint/sum-to-one-value',
  statement: 'a sumToOne pool of one function repeated is that function, whatever its alpha',
  source: 'spec §1: the coefficients sum to 1',
  finite: true,
  async check(c, trial) {
    const name = c.pool.branches[0]!;
    const repeated = await trial.askAbout(summed(c, [name, ...c.pool.branches.map(() => name)]));
    const alone = await trial.askAbout(mapTensor(freely(c, [name]), 'alpha', () => 1));
    for (const quantity of ['y', 'dx'] as const) trial.equate(repeated, quantity, (at) => [{ of: alone, at }]);
  },
};

export const softmaxEqual: Law = {
  id: 'constraint/softmax-equal',
  statement: 'under softmax n equal alphas are coefficients 1/n, and n·dalphaᵢ = dcᵢ - Σ dcⱼ / n',
  source: 'spec §1, §4: softmax, where n is 2 or 4 and every exponential is the same',
  finite: true,
  async check(c, trial) {
    const given = c.pool.branches;
    const branches = given.length <= 2 ? [given[0]!, given.at(-1)!] : range(4).map((k) => given[k % given.length]!);
    const n = branches.length;
    const free = mapTensor(freely(c, branches), 'alpha', () => 1 / n);
    const equal = mapTensor(free, 'alpha', () => Math.sign(c.alpha[0] ?? 1));
    const mean = await trial.askAbout(free);
    const softmax = { ...mean, answer: await trial.ask(withConstraint(equal, { kind: 'softmax' })) };
    for (const name of ['y', 'dx'] as const) trial.equate(softmax, name, (at) => [{ of: mean, at }]);
    const { count } = positionsOf(free.pool, free.shape);
    const u = 2 ** -formats[c.dtype].p;
    const underflow = 4 * n ** 3 * 2 ** formats[c.dtype].normalExponent;
    trial.balance(free, 'dalpha·n²', softmax.answer.dalpha.length, (i) => {
      const column = range(n).map((k) => k * count + (i % count));
      const dc = column.map((k) => mean.answer.dalpha[k]!);
      const bounds = column.map((k) => slackOf(mean.allowed.dalpha[k]!));
      // Each of the two evaluations may be off by its bound for every dc, and rounds n + 2 times more; not at all where
      // every dc has few enough bits, as on dyadic Cases.
      const isExact = dc.every((d) => Number.isInteger(d * 2 ** 10) && Math.abs(d) <= 2 ** 10);
      const rounding = isExact ? 0 : 2 * (n + 2) * u * n * dc.reduce((sum, d) => sum + Math.abs(d), 0);
      return {
        actual: [times(softmax.answer.dalpha[i]!, n * n)],
        expected: [times(mean.answer.dalpha[i]!, n), ...dc.map((d) => -d)],
        // Underflow takes at most η from each of the products and quotients, scaled here by n² (the smallest normal, for ftz).
        slack: 4 * n * bounds.reduce((sum, b) => sum + b, 0) + rounding + (isExact ? 0 : underflow),
      };
    });
  },
};

export const softmaxValue: Law = {
  id: 'constraint/softmax-value',
  statement:
    'under softmax the first of two coefficients is sigmoid(alpha₁ - alpha₂), its gradient sigmoid′ · (dc₁ - dc₂)',
  source: 'spec §1, §4: softmax',
  finite: true,
  async check(c, trial) {
    const pair = freely(c, ['relu', 'negative']);
    const { count, units, of } = positionsOf(pair.pool, pair.shape);
    // Quarters, so that the difference of the alphas is exact; at x = 1 only relu is active.
    const quarter = (a: number) => Math.max(-4, Math.min(4, Math.round(a * 4) / 4));
    const free = mapTensor(mapTensor(pair, 'alpha', quarter), 'x', () => 1);
    const { y, dalpha } = await trial.ask(withConstraint(free, { kind: 'softmax' }));
    const u = 2 ** -formats[c.dtype].p;
    const difference = (s: number) => free.alpha[s]! - free.alpha[count + s]!;
    // An exponential errs by E and, by the rounding of its argument, by at most |alpha| units; two of them, their sum
    // and quotient make this many roundings of a coefficient.
    const roundings = 2 * (8 + 8) + 4;
    trial.balance(free, 'y', y.length, (i) => ({
      actual: [y[i]!],
      expected: [sigmoid(difference(of(i % units)))],
      slack: (roundings + 1) * u,
    }));
    trial.balance(free, 'dalpha', dalpha.length, (k) => {
      const s = k % count;
      const dys = [...free.dy].filter((_, i) => of(i % units) === s);
      const slope = sigmoidDerivative(difference(s));
      const size = dys.reduce((sum, d) => sum + Math.abs(d), 0);
      const underflow = (dys.length + 4) * 2 ** formats[c.dtype].normalExponent;
      return {
        actual: [dalpha[k]!],
        expected: dys.map((d) => multiply(dyadic(k < count ? d : -d), slope)),
        slack: (2 * roundings + dys.length + 6) * u * size + underflow,
      };
    });
  },
};
