import { doubleVjp } from '../../reference/pool.ts';
import type { Law } from '../law.ts';
import { learning } from './derived.ts';

export const y: Law = {
  id: 'agreement/y',
  statement: 'y is the exact Σ cᵢ·fᵢ(x) within the interval of every legal evaluation, one value by the point rule',
  source: 'spec §1, §3, §5',
  async check(c, trial) {
    trial.within(c, 'y', (await trial.ask(c)).y, trial.expect(c).y);
  },
};

export const dx: Law = {
  id: 'agreement/dx',
  statement: 'dx is the exact dy·Σ cᵢ·fᵢ′(x) within the interval of every legal evaluation',
  source: 'spec §4, §5',
  async check(c, trial) {
    trial.within(c, 'dx', (await trial.ask(c)).dx, trial.expect(c).dx);
  },
};

export const dalpha: Law = {
  id: 'agreement/dalpha',
  statement: 'dalpha is the exact κ′ᵀ Σ fᵢ(x)·dy, summed over batch and shared axes, within the interval',
  source: 'spec §4, §5',
  longSums: true,
  async check(c, trial) {
    const input = learning(c);
    trial.within(input, 'dalpha', (await trial.ask(input)).dalpha, trial.expect(input).dalpha);
  },
};

export const secondOrder: Law = {
  id: 'agreement/second-order',
  statement: 'the gradients of <ddx, dx> + <ddalpha, dalpha> are those of the reference, bit for bit',
  source: 'spec §4, double backward',
  kinds: ['dyadic'],
  needs: 'doubleVjp',
  async check(drawn, trial) {
    const c = learning(drawn);
    const cotangents = { ddx: c.dy.toReversed(), ddalpha: c.alpha.toReversed() };
    const expected = doubleVjp(c, cotangents);
    const actual = await trial.run(c, () => trial.subject.doubleVjp!(c, cotangents));
    trial.same(c, 'toX', actual.toX, (i) => expected.toX[i]!);
    trial.same(c, 'toDy', actual.toDy, (i) => expected.toDy[i]!);
    trial.same(c, 'dalpha (toAlpha)', actual.toAlpha, (i) => expected.toAlpha[i]!);
  },
};
