import type { Answer } from '../../reference/case.ts';
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
