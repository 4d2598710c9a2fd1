import { type Branch, branchOf } from '../../reference/branches.ts';
import { dyadic, multiply } from '../exact.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { slackOf } from '../trial.ts';
import { asMReLU, freely, isNormal, isTame, mapRow, mapTensor, unitInterval } from './derived.ts';

export const proportional: Law = {
  id: 'slope/proportional',
  statement: 'dx of an MReLU is P·dy rounded once on x > 0, and 0 elsewhere',
  source: 'spec §4; claim: less P, smaller gradients',
  finiteCases: true,
  async check(c, trial) {
    const input = asMReLU(c, trial.format, (p) => p);
    const { round } = trial.format;
    const { units, of } = positionsOf(input.pool, input.shape);
    const { dx } = await trial.ask(input);
    const P = (i: number) => input.alpha[of(i % units)];
    const product = (i: number) => (input.x[i] > 0 ? P(i) * input.dy[i] : 0);
    const rounded = (i: number) => round(product(i));
    const isFaithful = trial.subject.facets.includes('faithful');
    trial.same(input, 'dx', dx, rounded, (i) => {
      if (isFaithful && rounded(i) !== product(i)) return false;
      return !trial.mayFlush(input, P(i), input.x[i], input.dy[i], rounded(i));
    });
  },
};

export const lessP: Law = {
  id: 'slope/less-p',
  statement: 'less P, smaller gradients: |dx| never grows when P shrinks toward 0',
  source: 'claim: less P means smaller gradients',
  finiteCases: true,
  async check(c, trial) {
    const input = asMReLU(c, trial.format, unitInterval);
    const less = asMReLU(c, trial.format, (drawn) => trial.format.round(unitInterval(drawn) * 0.6));
    const [{ dx }, { dx: smaller }] = [await trial.ask(input), await trial.ask(less)];
    trial.same(
      less,
      'dx',
      smaller,
      (i) => (Math.abs(smaller[i]) <= Math.abs(dx[i]) ? smaller[i] : dx[i]),
      (i) => !trial.mayFlush(input, input.dy[i]),
    );
  },
};

export const powerOfTwo: Law = {
  id: 'slope/power-of-two',
  statement: 'a quarter of P makes a quarter of dx, bit for bit',
  source: 'claim: less P means smaller gradients; spec §5, point rule',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c, ['relu', 'step']);
    const quarter = mapRow(input, 0, (p) => p / 4);
    const { units, of } = positionsOf(input.pool, input.shape);
    const [{ dx }, { dx: smaller }] = [await trial.ask(input), await trial.ask(quarter)];
    trial.same(
      quarter,
      'dx',
      smaller,
      (i) => dx[i] / 4,
      (i) => isTame(trial.format, input.dy[i], input.alpha[of(i % units)]),
    );
  },
};

export const slopeAndJump: Law = {
  id: 'slope/p-slope-d-jump',
  statement: 'P alone sets the slope on x > 0, y(2x) - y(x) = P·x, and D the jump, 2·y(x) - y(2x) = D',
  source: 'claim: P and D as in a PID controller; spec §2',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(mapTensor(c, 'x', Math.abs), ['relu', 'step']);
    const double = mapTensor(input, 'x', (v) => 2 * v);
    const { count, units, of } = positionsOf(input.pool, input.shape);
    const [near, far] = [await trial.ask(input), await trial.ask(double)];
    const [allowed, allowedFar] = [trial.expect(input).y, trial.expect(double).y];
    const open = (i: number) => trial.mayFlush(input, input.x[i]);
    trial.balance(input, 'y(2x) - y(x)', near.y.length, (i) => ({
      actual: [far.y[i], -near.y[i]],
      expected: [multiply(dyadic(input.alpha[of(i % units)]), dyadic(input.x[i]))],
      slack: open(i) ? Number.NaN : slackOf(allowed[i], allowedFar[i]),
    }));
    trial.balance(input, '2·y(x) - y(2x)', near.y.length, (i) => ({
      actual: [near.y[i], near.y[i], -far.y[i]],
      expected: [input.x[i] > 0 ? input.alpha[count + of(i % units)] : 0],
      slack: open(i) ? Number.NaN : slackOf(allowed[i], allowed[i], allowedFar[i]),
    }));
  },
};

export const pathwayOff: Law = {
  id: 'slope/pathway-off',
  statement: 'D + P → 0 turns the pathway off: y and dx go to 0 linearly with alpha, and are 0 at alpha = 0',
  source: 'claim: trained alphas turn pathways off',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c);
    const { count, units, of } = positionsOf(input.pool, input.shape);
    const full = await trial.ask(input);
    const branches = input.pool.branches.map(branchOf);
    const alphasAt = (i: number) => branches.map((_, k) => input.alpha[k * count + of(i % units)]);
    const tame = (i: number) => isTame(trial.format, input.x[i], input.dy[i], ...alphasAt(i));
    for (const factor of [2 ** -1, 2 ** -10, 0]) {
      const faded = mapTensor(input, 'alpha', (a) => a * factor);
      const { y, dx } = await trial.ask(faded);
      for (const [name, actual, factorOf] of [
        ['y', y, ({ f }: Branch, i: number) => f(input.x[i])],
        ['dx', dx, ({ df }: Branch, i: number) => df(input.x[i]) * input.dy[i]],
      ] as const) {
        const expected = (i: number) => full[name][i] * factor;
        // The last bit of each term, which may be all that is left of their sum, is no subnormal, whether x and dy are
        // taken out of it or not.
        const most = (i: number) =>
          Math.max(1, input.x[i] ** 2) * Math.max(1, Math.abs(input.dy[i])) * 2 ** trial.format.p;
        const terms = (i: number) => alphasAt(i).map((a, k) => a * factor * factorOf(branches[k], i));
        const isExact = (i: number) =>
          [expected(i), ...terms(i)].every((term) => isNormal(trial.format, term / most(i)));
        trial.same(faded, name, actual, expected, (i) => tame(i) && isExact(i));
      }
    }
  },
};
