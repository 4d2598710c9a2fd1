import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { range, takeBranches } from '../transform.ts';
import { freely, isTame, learning, mapTensor, split } from './derived.ts';

export const inAlpha: Law = {
  id: 'linearity/alpha',
  statement: 'y and dx are linear in alpha: the answers for two alphas add up to the answer for their sum',
  source: 'spec §1',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c);
    const whole = await trial.askAbout(input);
    const first = await trial.askAbout(mapTensor(input, 'alpha', (a) => split(a)[0]));
    const second = await trial.askAbout(mapTensor(input, 'alpha', (a) => split(a)[1]));
    for (const name of ['y', 'dx'] as const) {
      trial.equate(whole, name, (at) => [
        { of: first, at },
        { of: second, at },
      ]);
    }
  },
};

export const inDy: Law = {
  id: 'linearity/dy',
  statement: 'dx and dalpha are linear in dy',
  source: 'spec §4',
  finiteCases: true,
  async check(c, trial) {
    const input = learning(c);
    const whole = await trial.askAbout(input);
    const first = await trial.askAbout(mapTensor(input, 'dy', (d) => split(d)[0]));
    const second = await trial.askAbout(mapTensor(input, 'dy', (d) => split(d)[1]));
    for (const name of ['dx', 'dalpha'] as const) {
      trial.equate(whole, name, (at) => [
        { of: first, at },
        { of: second, at },
      ]);
    }
  },
};

export const order: Law = {
  id: 'linearity/branch-order',
  statement: 'the order of the branches does not matter: y and dx stay, the rows of dalpha move along',
  source: 'spec §1',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c);
    const n = input.pool.branches.length;
    const whole = await trial.askAbout(input);
    const turned = await trial.askAbout(takeBranches(input, range(n).toReversed()));
    const { count } = positionsOf(input.pool, input.shape);
    for (const name of ['y', 'dx'] as const) trial.equate(whole, name, (at) => [{ of: turned, at }]);
    trial.equate(whole, 'dalpha', (i) => {
      const row = n - 1 - Math.floor(i / count);
      return [{ of: turned, at: row * count + (i % count) }];
    });
  },
};

export const homogeneous: Law = {
  id: 'homogeneity/relu',
  statement: 'relu is positively homogeneous: relu(s·x) = s·relu(x) for s > 0, with the same gradient, bit for bit',
  source: 'spec §2',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c, ['relu']);
    const { units, of } = positionsOf(input.pool, input.shape);
    const tame = (i: number) => isTame(trial.format, input.x[i], input.dy[i], input.alpha[of(i % units)]);
    const answer = await trial.ask(input);
    for (const s of [2, 2 ** -6]) {
      const scaled = mapTensor(input, 'x', (v) => v * s);
      const { y, dx } = await trial.ask(scaled);
      trial.same(scaled, 'y', y, (i) => answer.y[i] * s, tame);
      trial.same(scaled, 'dx', dx, (i) => answer.dx[i], tame);
    }
  },
};

export const scaleInvariant: Law = {
  id: 'homogeneity/step',
  statement: 'step does not change with the scale of x: step(s·x) = step(x) for s > 0',
  source: 'spec §2',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c, ['step']);
    const { y } = await trial.ask(input);
    for (const s of [4, 2 ** -6]) {
      const scaled = mapTensor(input, 'x', (v) => v * s);
      const answer = await trial.ask(scaled);
      trial.same(
        scaled,
        'y',
        answer.y,
        (i) => y[i],
        (i) => isTame(trial.format, input.x[i]),
      );
    }
  },
};
