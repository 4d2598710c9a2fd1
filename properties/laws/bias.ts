import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { slackOf } from '../trial.ts';
import { freely, mapRow, mapTensor, times } from './derived.ts';

/** The pool `[relu, step]` with free coefficients, and P and D at each element. */
function reluAndStep(c: Parameters<Law['check']>[0]) {
  const input = freely(c, ['relu', 'step']);
  const { count, units, of } = positionsOf(input.pool, input.shape);
  const at = (i: number) => of(i % units);
  return { input, P: (i: number) => input.alpha[at(i)], D: (i: number) => input.alpha[count + at(i)] };
}

export const constant: Law = {
  id: 'bias/constant',
  statement: 'on x > 0 what remains of y without P·x is the constant D: the step is a bias',
  source: 'claim: the step acts as a bias; spec §1, §5',
  finiteCases: true,
  async check(c, trial) {
    const { input, P, D } = reluAndStep(mapTensor(c, 'x', Math.abs));
    const { y } = await trial.ask(input);
    const allowed = trial.expect(input).y;
    trial.balance(input, 'y - P·x', y.length, (i) => ({
      actual: [y[i], times(-P(i), input.x[i])],
      expected: [input.x[i] > 0 ? D(i) : 0],
      slack: slackOf(allowed[i]),
    }));
  },
};

export const noGradient: Law = {
  id: 'bias/dx-without-d',
  statement: 'dx does not depend on D',
  source: 'spec §2: the derivative of step is 0',
  finiteCases: true,
  async check(c, trial) {
    const { input } = reluAndStep(c);
    const other = mapRow(input, 1, (d) => 1 - d / 2);
    const [{ dx }, { dx: expected }] = [await trial.ask(input), await trial.ask(other)];
    trial.same(input, 'dx', dx, (i) => expected[i]);
  },
};

export const replaceable: Law = {
  id: 'bias/replaceable',
  statement: 'replacing the step by a bias D on the active set changes neither output nor gradient',
  source: 'claim: the step acts as a bias',
  finiteCases: true,
  async check(c, trial) {
    const { input, D } = reluAndStep(c);
    const without = mapRow(input, 1, () => 0);
    const [pool, relu] = [await trial.ask(input), await trial.ask(without)];
    const [allowed, allowedRelu] = [trial.expect(input).y, trial.expect(without).y];
    trial.balance(input, 'y', pool.y.length, (i) => ({
      actual: [pool.y[i]],
      expected: [relu.y[i], trial.mayFlush(input, input.x[i]) || input.x[i] <= 0 ? 0 : D(i)],
      slack: trial.mayFlush(input, input.x[i]) ? Number.NaN : slackOf(allowed[i], allowedRelu[i]),
    }));
    trial.same(input, 'dx', pool.dx, (i) => relu.dx[i]);
  },
};

export const derivative: Law = {
  id: 'bias/derivative-zero',
  statement: 'the derivative of a pool of steps is 0 everywhere, whatever its coefficients',
  source: 'spec §2',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c, ['step', ...c.pool.branches.map(() => 'step' as const)]);
    trial.same(input, 'dx', (await trial.ask(input)).dx, () => 0);
  },
};
