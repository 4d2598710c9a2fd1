import { branchOf } from '../../reference/branches.ts';
import type { Case } from '../../reference/case.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { takeAxis } from '../transform.ts';
import { freely, isTame, learning, mapTensor } from './derived.ts';

export const nan: Law = {
  id: 'special/nan',
  statement: 'NaN in x is NaN in y and in the dalpha that sums it, also for branches that compare',
  source: 'spec §3',
  finiteCases: true,
  longSums: true,
  async check(c, trial) {
    const input = learning(mapTensor(c, 'x', (x, i) => (i % 2 === 0 ? NaN : x)));
    const { answer, allowed } = await trial.askAbout(input);
    for (const name of ['y', 'dalpha'] as const) {
      trial.same(
        input,
        name,
        answer[name],
        () => NaN,
        // Where a sum overflows, ∞ is as right as NaN.
        (i) => allowed[name][i].nan && !allowed[name][i].infinite && allowed[name][i].lo > allowed[name][i].hi,
      );
    }
  },
};

export const infinity: Law = {
  id: 'special/infinity',
  statement: 'relu(∞) = ∞ and step(∞) = 1, both 0 at -∞; the rows of dalpha whose f is finite stay checked',
  source: 'spec §3',
  finiteCases: true,
  asksInfinity: true,
  async check(c, trial) {
    const input = learning(mapTensor(c, 'x', (_, i) => (i % 2 === 0 ? Infinity : -Infinity)));
    const { answer, allowed } = await trial.askAbout(input);
    for (const name of ['y', 'dx', 'dalpha'] as const) trial.within(input, name, answer[name], allowed[name]);
  },
};

export const alpha: Law = {
  id: 'special/alpha',
  statement: 'a NaN in alpha is NaN in y and dx where its branch is active, an infinite one is not finite there',
  source: 'spec §1, §3: only masked-out terms may be skipped',
  finiteCases: true,
  async check(c, trial) {
    // What the clip of NaN is, the spec leaves open.
    const free = c.pool.constraint.kind === 'clip' ? freely(c) : c;
    const { rows, count, units, of } = positionsOf(free.pool, free.shape);
    if (rows === 0 || count === 0) return;
    const row = c.x.length % rows;
    const position = c.x.length % count;
    const branch = branchOf(free.pool.branches[row]);
    // At ±1 every branch but the masked ones is far from 0, and so is dy.
    const placed = mapTensor(
      mapTensor(free, 'x', (_, i) => (i % 2 === 0 ? 1 : -1)),
      'dy',
      (d) => (d < 0 ? -1 : 1),
    );
    const at = row * count + position;
    for (const poison of [NaN, Infinity]) {
      const input = mapTensor(placed, 'alpha', (a, k) => (k === at ? poison : a));
      const { y, dx } = await trial.ask(input);
      const spoilt = (i: number, value: number) => of(i % units) === position && value !== 0;
      const wanted = (v: number) => (Number.isNaN(poison) || Number.isFinite(v) ? NaN : v);
      trial.same(
        input,
        'y',
        y,
        (i) => wanted(y[i]),
        (i) => spoilt(i, branch.f(input.x[i])),
      );
      trial.same(
        input,
        'dx',
        dx,
        (i) => wanted(dx[i]),
        (i) => spoilt(i, branch.df(input.x[i])),
      );
    }
  },
};

export const forward: Law = {
  id: 'special/forward',
  statement:
    'forward mode of an MReLU at NaN is NaN, at -∞ it is 0, at ∞ it is ∞ for a positive talpha; ' +
    'a NaN in tx or talpha is NaN in ty where x > 0, and touches no other ty',
  source: 'spec §3, §4: ty holds Σ fᵢ(x)·tcᵢ',
  finiteCases: true,
  needs: 'jvp',
  async check(c, trial) {
    const free = freely(c, ['relu', 'step']);
    const special = [NaN, -Infinity, Infinity];
    const input = mapTensor(free, 'x', (x, i) => special[i % 4] ?? x);
    const tangents = { tx: input.x.map(() => 1), talpha: input.alpha.map(() => 1) };
    const clean = await trial.jvp(free, tangents);
    const ty = await trial.jvp(input, tangents);
    const wanted = [NaN, 0, Infinity];
    trial.same(input, 'ty', ty, (i) => wanted[i % 4] ?? clean[i]);
    for (const { spoil, touched } of spoiledOne(free)) {
      const spoiled = { tx: spoil('x', tangents.tx), talpha: spoil('alpha', tangents.talpha) };
      const answer = await trial.jvp(free, spoiled);
      const isSure = (i: number) => !touched(i) || free.x[i] >= 1;
      trial.same(free, 'ty', answer, (i) => (touched(i) ? NaN : clean[i]), isSure);
    }
  },
};

export const secondOrder: Law = {
  id: 'special/second-order',
  statement:
    'a NaN in ddx or ddalpha of an MReLU is NaN in the gradient to dy where x > 0, ' +
    'and touches only the gradients of its own elements and coefficients',
  source: 'spec §3, §4, double backward',
  finiteCases: true,
  needs: 'doubleVjp',
  async check(c, trial) {
    const free = freely(c, ['relu', 'step']);
    const { count, units, of } = positionsOf(free.pool, free.shape);
    const directions = { ddx: free.x.map(() => 1), ddalpha: free.alpha.map(() => 1) };
    const clean = await trial.doubleVjp(free, directions);
    for (const { spoil, touched } of spoiledOne(free)) {
      const spoiled = { ddx: spoil('x', directions.ddx), ddalpha: spoil('alpha', directions.ddalpha) };
      const answer = await trial.doubleVjp(free, spoiled);
      const isSure = (i: number) => !touched(i) || free.x[i] >= 1;
      trial.same(free, 'toDy', answer.toDy, (i) => (touched(i) ? NaN : clean.toDy[i]), isSure);
      const positions = new Set([...free.x.keys()].filter(touched).map((i) => of(i % units)));
      trial.same(
        free,
        'toX',
        answer.toX,
        (i) => clean.toX[i],
        (i) => !touched(i),
      );
      trial.same(
        free,
        'dalpha (toAlpha)',
        answer.toAlpha,
        (k) => clean.toAlpha[k],
        (k) => !positions.has(k % count),
      );
    }
  },
};

/**
 * One NaN in a direction of x, and one in a direction of alpha: `spoil` puts it into the tensor it is for, `touched`
 * says which elements it may reach.
 */
function spoiledOne({ pool, shape, x }: Case) {
  const { count, units, of } = positionsOf(pool, shape);
  if (x.length === 0 || count === 0) return [];
  const element = ((x.length * 5) % 7) % x.length;
  const position = of(element % units);
  const spoiling = (name: 'x' | 'alpha', at: number, touched: (i: number) => boolean) => ({
    spoil: (tensor: 'x' | 'alpha', values: Float64Array) => (tensor === name ? values.with(at, NaN) : values),
    touched,
  });
  return [spoiling('x', element, (i) => i === element), spoiling('alpha', position, (i) => of(i % units) === position)];
}

export const infiniteAlpha: Law = {
  id: 'special/infinite-alpha',
  statement: 'an infinite coefficient makes y infinite, by the sign of its product, wherever its branch is not 0',
  source: 'spec §1, §3; IEEE 754: ∞ times a number that is not 0 is ∞',
  finiteCases: true,
  asksInfinity: true,
  async check(c, trial) {
    const name = c.pool.branches[0];
    const input = mapTensor(freely(c, [name]), 'alpha', (a, i) => (a < 0 || i % 2 === 1 ? -Infinity : Infinity));
    const { units, of } = positionsOf(input.pool, input.shape);
    // What the branch itself may be answered as: not where that can be 0.
    const values = trial.expect(mapTensor(input, 'alpha', () => 1)).y;
    trial.same(
      input,
      'y',
      (await trial.ask(input)).y,
      (i) => input.alpha[of(i % units)] * Math.sign(values[i].exact),
      (i) => (values[i].lo > 0 || values[i].hi < 0) && isTame(trial.format, input.x[i]),
    );
  },
};

export const zero: Law = {
  id: 'special/zero',
  statement: 'at 0 and at -0 value and derivative are the conventions: relu, step and their derivatives are 0',
  source: 'spec §2, §3',
  finiteCases: true,
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
  finiteCases: true,
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
  finiteCases: true,
  longSums: true,
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
      trial.same(input, 'y', y, (i) => answer.y[i], untouched);
      trial.same(input, 'dx', dx, (i) => answer.dx[i], untouched);
      trial.same(input, 'dalpha', dalpha, (k) => answer.dalpha[k], otherSums);
    }
  },
};
