import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { slackOf } from '../trial.ts';
import { asMReLU, mapTensor, unitInterval } from './derived.ts';

export const one: Law = {
  id: 'normalisation/one',
  statement: 'an MReLU with 0 ≤ P ≤ 1 gives y(1) = P + D = 1, exactly',
  source: 'spec §1, P + D = 1',
  finiteCases: true,
  async check(c, trial) {
    // Squares have bits that D = 1 - P must round away.
    const P = (drawn: number) => trial.format.round(unitInterval(drawn) ** 2);
    const input = mapTensor(asMReLU(c, trial.format, P), 'x', () => 1);
    const { count, units, of } = positionsOf(input.pool, input.shape);
    const isExact = (i: number) => input.alpha[of(i % units)] + input.alpha[count + of(i % units)] === 1;
    const isFaithful = trial.subject.facets.includes('faithful');
    const answer = await trial.ask(input);
    trial.same(
      input,
      'y',
      answer.y,
      () => 1,
      (i) => !isFaithful || isExact(i),
    );
  },
};

export const oneAnyP: Law = {
  id: 'normalisation/one-any-p',
  statement: 'an MReLU with any P gives y(1) = P + D within the interval of y',
  source: 'spec §1, §5',
  finiteCases: true,
  async check(c, trial) {
    const input = mapTensor(
      asMReLU(c, trial.format, (p) => p),
      'x',
      () => 1,
    );
    trial.within(input, 'y', (await trial.ask(input)).y, trial.expect(input).y);
  },
};

export const between: Law = {
  id: 'normalisation/between',
  statement: 'for 0 ≤ P ≤ 1 an MReLU lies between step and relu: min(x, 1) ≤ y ≤ max(x, 1) on x > 0, y = 0 elsewhere',
  source: 'spec §1, P + D = 1',
  finiteCases: true,
  async check(c, trial) {
    const input = asMReLU(c, trial.format, unitInterval);
    const { y } = await trial.ask(input);
    const allowed = trial.expect(input).y;
    trial.balance(input, 'y', y.length, (i) => {
      const x = Math.max(input.x[i], 0);
      const [low, high] = x > 0 ? [Math.min(x, 1), Math.max(x, 1)] : [0, 0];
      // P + D is 1 only up to the rounding of D = 1 - P, which is at most half an ulp of 1.
      const slack = slackOf(allowed[i]) + (allowed[i].point ? 0 : 2 ** -(trial.format.p + 1));
      return { actual: [y[i]], expected: [Math.min(Math.max(y[i], low), high)], slack };
    });
  },
};

export const isRelu: Law = {
  id: 'normalisation/relu',
  statement: 'with P = 1, D = 0 an MReLU is relu exactly, forward and backward',
  source: 'spec §1, §2',
  finiteCases: true,
  async check(c, trial) {
    const input = asMReLU(c, trial.format, () => 1);
    const { y, dx } = await trial.ask(input);
    const { x, dy } = input;
    trial.same(
      input,
      'y',
      y,
      (i) => Math.max(x[i], 0),
      (i) => !trial.mayFlush(input, x[i]),
    );
    trial.same(
      input,
      'dx',
      dx,
      (i) => (x[i] > 0 ? dy[i] : 0),
      (i) => !trial.mayFlush(input, x[i], dy[i]),
    );
  },
};

export const isStep: Law = {
  id: 'normalisation/step',
  statement: 'with P = 0, D = 1 an MReLU is step exactly, and lets no gradient through',
  source: 'spec §1, §2',
  finiteCases: true,
  async check(c, trial) {
    const input = asMReLU(c, trial.format, () => 0);
    const { y, dx } = await trial.ask(input);
    trial.same(
      input,
      'y',
      y,
      (i) => (input.x[i] > 0 ? 1 : 0),
      (i) => !trial.mayFlush(input, input.x[i]),
    );
    trial.same(input, 'dx', dx, () => 0);
  },
};
