import type { Answer } from '../../reference/case.ts';
import { doubleVjp } from '../../reference/pool.ts';
import type { Law } from '../law.ts';
import { learning } from './derived.ts';

/** The law that one quantity of the answer is in the interval of spec §5. */
function agreement(name: keyof Answer, law: Pick<Law, 'statement' | 'source' | 'longSums'>): Law {
  return {
    id: `agreement/${name}`,
    ...law,
    async check(c, trial) {
      const input = name === 'dalpha' ? learning(c) : c;
      trial.within(input, name, (await trial.ask(input))[name], trial.expect(input)[name]);
    },
  };
}

export const y: Law = agreement('y', {
  statement: 'y is the exact Σ cᵢ·fᵢ(x) within the interval of every legal evaluation, one value by the point rule',
  source: 'spec §1, §3, §5',
  longSums: true,
});

export const dx: Law = agreement('dx', {
  statement: 'dx is the exact dy·Σ cᵢ·fᵢ′(x) within the interval of every legal evaluation',
  source: 'spec §4, §5',
  longSums: true,
});

export const dalpha: Law = agreement('dalpha', {
  statement: 'dalpha is the exact κ′ᵀ Σ fᵢ(x)·dy, summed over batch and shared axes, within the interval',
  source: 'spec §4, §5',
  longSums: true,
});

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
    const actual = await trial.doubleVjp(c, cotangents);
    trial.same(c, 'toX', actual.toX, (i) => expected.toX[i]!);
    trial.same(c, 'toDy', actual.toDy, (i) => expected.toDy[i]!);
    trial.same(c, 'dalpha (toAlpha)', actual.toAlpha, (i) => expected.toAlpha[i]!);
  },
};
