import type { BranchRef, Case } from '../../reference/case.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { freely, mapTensor, withConstraint } from './derived.ts';

/** The free pool of a Case, with a bound of 1/2, 1, 3/2 … for each branch. */
function clippable(c: Case) {
  const free = freely(c);
  const { count } = positionsOf(free.pool, free.shape);
  const bounds = free.pool.branches.map((_, k) => (k + 1) / 2);
  return { free, bounds, boundOf: (i: number) => bounds[Math.floor(i / count)] };
}

export const clipClosed: Law = {
  id: 'constraint/clip-closed',
  statement: 'the interval of clip is closed: dalpha on the bound is that of the free pool, beyond it 0',
  source: 'spec §1',
  finiteCases: true,
  async check(c, trial) {
    const { free, bounds, boundOf } = clippable(c);
    // Every third alpha inside, every third on its bound, every third outside.
    const placed = mapTensor(free, 'alpha', (a, i) => {
      const size = boundOf(i) * ([0.5, 1, 1.5] as const)[i % 3];
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
  finiteCases: true,
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
  finiteCases: true,
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
  finiteCases: true,
  async check(c, trial) {
    const byP = await trial.askAbout(summed(c, ['relu', 'step']));
    const turned = mapTensor(summed(c, ['step', 'relu']), 'alpha', (p) => trial.format.round(1 - p));
    const byD = await trial.askAbout(turned);
    trial.equate(byP, 'dalpha', (at) => [{ of: byD, at, sign: -1 }]);
  },
};

export const sumToOneValue: Law = {
  id: 'constraint/sum-to-one-value',
  statement: 'a sumToOne pool of one function repeated is that function, whatever its alpha',
  source: 'spec §1: the coefficients sum to 1',
  finiteCases: true,
  async check(c, trial) {
    const name = c.pool.branches[0];
    const repeated = await trial.askAbout(summed(c, [name, ...c.pool.branches.map(() => name)]));
    const alone = await trial.askAbout(mapTensor(freely(c, [name]), 'alpha', () => 1));
    for (const quantity of ['y', 'dx'] as const) trial.equate(repeated, quantity, (at) => [{ of: alone, at }]);
  },
};
