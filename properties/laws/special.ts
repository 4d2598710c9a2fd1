import { branches } from '../../reference/branches.ts';
import type { Case } from '../../reference/case.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { takeAxis } from '../transform.ts';
import { freely, isTame, learning, mapTensor } from './derived.ts';

export const nan: Law = {
  id: 'special/nan',
  statement: 'NaN in x is NaN in y, also for branches that compare',
  source: 'spec §3',
  finite: true,
  async check(c, trial) {
    const input = mapTensor(c, 'x', (x, i) => (i % 2 === 0 ? NaN : x));
    trial.same(
      input,
      'y',
      (await trial.ask(input)).y,
      () => NaN,
      (i) => i % 2 === 0,
    );
  },
};

export const infinity: Law = {
  id: 'special/infinity',
  statement: 'relu(∞) = ∞ and step(∞) = 1, both 0 at -∞; the rows of dalpha whose f is finite stay checked',
  source: 'spec §3',
  finite: true,
  async check(c, trial) {
    const input = learning(mapTensor(c, 'x', (x, i) => (i % 3 === 0 ? Infinity : i % 3 === 1 ? -Infinity : x)));
    const { answer, allowed } = await trial.askAbout(input);
    for (const name of ['y', 'dx', 'dalpha'] as const) trial.within(input, name, answer[name], allowed[name]);
  },
};

export const infiniteAlpha: Law = {
  id: 'special/infinite-alpha',
  statement: 'an infinite coefficient makes y infinite, by the sign of its product, wherever its branch is not 0',
  source: 'spec §1, §3; IEEE 754: ∞ times a number that is not 0 is ∞',
  finite: true,
  async check(c, trial) {
    const name = c.pool.branches[0]!;
    const input = mapTensor(freely(c, [name]), 'alpha', (a, i) => (a < 0 || i % 2 === 1 ? -Infinity : Infinity));
    const { units, of } = positionsOf(input.pool, input.shape);
    const value = (i: number) => branches[name].f(input.x[i]!);
    trial.same(
      input,
      'y',
      (await trial.ask(input)).y,
      (i) => input.alpha[of(i % units)]! * Math.sign(value(i)),
      (i) => value(i) !== 0 && isTame(input.x[i]!),
    );
  },
};

export const zero: Law = {
  id: 'special/zero',
  statement: 'at 0 and at -0 value and derivative are the conventions: relu, step and their derivatives are 0',
  source: 'spec §2, §3',
  finite: true,
  async check(c, trial) {
    const input = learning(mapTensor(c, 'x', (_, i) => (i % 2 === 0 ? 0 : -0)));
    const { answer, allowed } = await trial.askAbout(input);
    for (const name of ['y', 'dx', 'dalpha'] as const) trial.within(input, name, answer[name], allowed[name]);
  },
};

export const empty: Law = {
  id: 'special/empty',
  statement: 'an empty batch has an empty y and dx, and a dalpha of zeros',
  source: 'spec §3',
  finite: true,
  async check(c, trial) {
    const input = learning(takeAxis(c, 0, []));
    const { y, dx, dalpha } = await trial.ask(input);
    trial.same(input, 'y', y, () => 0);
    trial.same(input, 'dx', dx, () => 0);
    trial.same(input, 'dalpha', dalpha, () => 0);
  },
};

export const containment: Law = {
  id: 'special/containment',
  statement: 'a non-finite x, dy or alpha touches only its own y and dx and the dalpha that sum it',
  source: 'spec §3',
  finite: true,
  async check(c, trial) {
    const clean = learning(c);
    const { rows, count, units, of } = positionsOf(clean.pool, clean.shape);
    if (clean.x.length === 0 || rows === 0) return;
    const answer = await trial.ask(clean);
    const element = ((clean.x.length * 5) % 7) % clean.x.length;
    const position = of(element % units);
    const others = (i: number) => i !== element;
    const otherSums = (k: number) => k % count !== position;
    const spoiled: [Case, (i: number) => boolean][] = [];
    for (const poison of [NaN, Infinity]) {
      spoiled.push([mapTensor(clean, 'x', (x, i) => (i === element ? poison : x)), others]);
      spoiled.push([mapTensor(clean, 'dy', (d, i) => (i === element ? poison : d)), others]);
    }
    const nonUsers = (i: number) => of(i % units) !== position;
    for (const poison of [NaN, -Infinity]) {
      spoiled.push([mapTensor(clean, 'alpha', (a, k) => (k === position ? poison : a)), nonUsers]);
    }
    for (const [input, untouched] of spoiled) {
      const { y, dx, dalpha } = await trial.ask(input);
      trial.same(input, 'y', y, (i) => answer.y[i]!, untouched);
      trial.same(input, 'dx', dx, (i) => answer.dx[i]!, untouched);
      trial.same(input, 'dalpha', dalpha, (k) => answer.dalpha[k]!, otherSums);
    }
  },
};
