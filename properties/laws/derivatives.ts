import { branchOf, type Kink } from '../../reference/branches.ts';
import type { BranchName, BranchRef, Case } from '../../reference/case.ts';
import { jvp } from '../../reference/pool.ts';
import type { Format } from '../dtypes.ts';
import { add, type Dyadic, dyadic, multiply, scale, subtract, zero } from '../exact.ts';
import { exactBranchOf } from '../exact-branches.ts';
import { tangentExpectation } from '../interval.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import { type Answered, slackOf, type Trial } from '../trial.ts';
import { freely, learning, mapRow, mapTensor, times } from './derived.ts';

export const adjoint: Law = {
  id: 'adjoint/identity',
  statement: '<ty, dy> = <tx, dx> + <talpha, dalpha>: reverse mode is the adjoint of forward mode',
  source: 'spec §4',
  finiteCases: true,
  async check(c, trial) {
    const input = learning(c);
    const tangents = { tx: input.x.toReversed(), talpha: input.alpha.toReversed() };
    const own = trial.subject.jvp !== undefined;
    const ty = own ? await trial.jvp(input, tangents) : jvp(input, tangents);
    const { answer, allowed } = await trial.askAbout(input);
    const { dtype, facets } = own ? trial.subject : ({ dtype: 'f64', facets: [] } as const);
    const forward = tangentExpectation({ ...input, dtype }, tangents, facets);
    const bounds = (
      [
        [forward, input.dy],
        [allowed.dx, tangents.tx],
        [allowed.dalpha, tangents.talpha],
      ] as const
    ).flatMap(([elements, weights]) =>
      [...weights].flatMap((weight, i) => (weight === 0 ? [] : [[slackOf(elements[i]), weight] as const])),
    );
    const slack = bounds.some(([bound]) => Number.isNaN(bound)) ? Number.NaN : weighted(...bounds);
    const products = (a: Float64Array, b: Float64Array) =>
      [...a].flatMap((v, i) => (v === 0 || b[i] === 0 ? [] : [times(v, b[i])]));
    trial.balance(input, '<ty, dy>', 1, () => ({
      actual: products(ty, input.dy),
      expected: [...products(tangents.tx, answer.dx), ...products(tangents.talpha, answer.dalpha)],
      slack,
    }));
  },
};

const isPolynomial = (ref: BranchRef) => exactBranchOf(ref).polynomial;

export const differencesInX: Law = {
  id: 'finite-differences/x',
  statement: 'away from kinks dx is dy times the central difference of y, exactly so where y is at most quadratic',
  source: 'spec §4',
  finiteCases: true,
  async check(c, trial) {
    const here = await trial.askAbout(c);
    const step = (x: number) => stepFor(c, x, trial.format);
    const ahead = await trial.askAbout(mapTensor(c, 'x', (x) => trial.format.round(x + step(x))));
    const behind = await trial.askAbout(mapTensor(c, 'x', (x) => trial.format.round(x - step(x))));
    const { rows, count, units, of } = positionsOf(c.pool, c.shape);
    trial.balance(c, 'dx·2h', c.x.length, (i) => {
      const [left, right, dy] = [behind.input.x[i], ahead.input.x[i], c.dy[i]];
      const bounds = slackOf(here.allowed.dx[i], ahead.allowed.y[i], behind.allowed.y[i]);
      const { y: up } = ahead.answer;
      const { y: down } = behind.answer;
      const values = [here.answer.dx[i], up[i], down[i]];
      if (right <= left) return undefined;
      if (Number.isNaN(bounds)) return open;
      if (!values.every(Number.isFinite)) return { actual: [Number.NaN], expected: [0], slack: 0 };
      const width = subtract(dyadic(right), dyadic(left));
      const alphas = range(rows).reduce((sum, row) => sum + Math.abs(c.alpha[row * count + of(i % units)]), 1);
      // The central difference over [x - a, x + b] errs by f″·(b - a)/2 + f‴·(a³ + b³)/6; a = b but for rounding.
      const [a, b] = [c.x[i] - left, right - c.x[i]];
      const derivatives = c.pool.branches.map((ref) => exactBranchOf(ref).bounds(c.x[i], Math.max(a, b)));
      // A kink of a custom branch within the step.
      if (derivatives.includes(undefined)) return open;
      const sum = (order: 'second' | 'third') => derivatives.reduce((total, bounds) => total + bounds![order], 0);
      // The derivatives first, since powers of a small step underflow where they are large.
      const [second, third] = [sum('second'), sum('third')];
      const uneven = a === b ? 0 : second * Math.abs(b - a) * (a + b);
      const truncation = alphas * (uneven / 2 + (third * a * a * a + third * b * b * b) / 6);
      if (!Number.isFinite(truncation)) return open;
      const slack = weighted(
        [slackOf(here.allowed.dx[i]), right - left],
        [slackOf(ahead.allowed.y[i], behind.allowed.y[i]), dy],
        [truncation, dy],
      );
      const rise = subtract(dyadic(up[i]), dyadic(down[i]));
      return {
        actual: [multiply(dyadic(here.answer.dx[i]), width)],
        expected: [multiply(dyadic(dy), rise)],
        slack,
      };
    });
  },
};

/** `Σ bound·|weight|`, a little more for the rounding of its inputs. */
function weighted(...terms: (readonly [bound: number, weight: number])[]): Dyadic {
  const total = terms.reduce((sum, [b, w]) => add(sum, multiply(dyadic(b), dyadic(Math.abs(w)))), zero);
  return add(total, scale(total, -40));
}

const open = { actual: [0], expected: [0], slack: Number.NaN };

/** A power of two that leaves x ± h on the same side of 0; small beside the curvature of a smooth branch. 0 at a kink. */
function stepFor(c: Case, x: number, { p }: Format): number {
  if (x === 0) return 0;
  const relative = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 3);
  const quarter = Number.isInteger(x * 4) && Math.abs(x) <= 8 ? 2 ** -3 : relative;
  if (c.pool.branches.every(isPolynomial)) return quarter;
  // The best step for a central difference: u^(1/3) balances rounding and truncation.
  return Math.min(relative, 2 ** -Math.floor(p / 3));
}

export const differencesInAlpha: Law = {
  id: 'finite-differences/alpha',
  statement: 'dalpha is the difference quotient of <y, dy> in each alpha, one-sided and inward on the bound of clip',
  source: 'spec §4',
  finiteCases: true,
  async check(c, trial) {
    const input = learning(c);
    const here = await trial.askAbout(input);
    const { rows, count, units, of } = positionsOf(input.pool, input.shape);
    const { constraint } = input.pool;
    for (const row of range(rows)) {
      const bound = constraint.kind === 'clip' ? constraint.bounds[row] : Infinity;
      const { round } = trial.format;
      const moved = mapRow(input, row, (a) => {
        const inward = a > 0 ? -0.25 : 0.25;
        return round(Math.abs(a) <= bound ? a + inward : a - inward);
      });
      const there = await trial.askAbout(moved);
      trial.balance(input, 'dalpha·h', count, (s) => {
        const at = row * count + s;
        const [from, to] = [input.alpha[at], moved.alpha[at]];
        const crosses = Math.abs(from) <= bound !== Math.abs(to) <= bound;
        const elements = range(input.x.length).filter((i) => of(i % units) === s && input.dy[i] !== 0);
        const bounds = elements.flatMap((i) => [here.allowed.y[i], there.allowed.y[i]]);
        const values = [here.answer.dalpha[at], ...elements.flatMap((i) => [here.answer.y[i], there.answer.y[i]])];
        if (crosses || from === to) return undefined;
        if (Number.isNaN(slackOf(here.allowed.dalpha[at], ...bounds))) return open;
        if (!values.every(Number.isFinite)) return { actual: [Number.NaN], expected: [0], slack: 0 };
        const slack = weighted(
          [slackOf(here.allowed.dalpha[at]), to - from],
          ...elements.map((i) => [slackOf(here.allowed.y[i], there.allowed.y[i]), input.dy[i]] as const),
        );
        const width = subtract(dyadic(to), dyadic(from));
        return {
          actual: [multiply(dyadic(here.answer.dalpha[at]), width)],
          expected: elements.map((i) =>
            multiply(dyadic(input.dy[i]), subtract(dyadic(there.answer.y[i]), dyadic(here.answer.y[i]))),
          ),
          slack,
        };
      });
    }
  },
};

const linear: Readonly<Partial<Record<BranchName, BranchName>>> = {
  halfSquare: 'relu',
  tanh: 'identity',
  sigmoid: 'step',
  softplus: 'negative',
};

/** The built-in branches made linear on both sides of 0; custom ones as they are. */
const asLinear = (ref: BranchRef): BranchRef => (typeof ref === 'string' ? (linear[ref] ?? ref) : ref);

export const kinks: Law = {
  id: 'kinks/one-sided',
  statement: 'at a kink the left slope, the right slope and the jump, measured by values, are those of the branches',
  source: 'spec §2; (f(2h) - f(h))/h = P and 2f(h) - f(2h) - f(0) = D for an MReLU',
  finiteCases: true,
  async check(c, trial) {
    const input = freely(c, c.pool.branches.map(asLinear));
    const listed = input.pool.branches.flatMap((ref) => branchOf(ref).kinks.map(({ at }) => at));
    for (const place of new Set([0, ...listed])) {
      if (trial.format.round(place) === place) await checkKink(input, place, trial);
    }
  },
};

async function checkKink(input: Case, place: number, trial: Trial): Promise<void> {
  const refs = input.pool.branches;
  const h = stepAt(input, place, trial.format);
  const at = (x: number) => trial.askAbout(mapTensor(input, 'x', () => trial.format.round(x)));
  const [here, right, right2, left, left2] = [
    await at(place),
    await at(place + h),
    await at(place + 2 * h),
    await at(place - h),
    await at(place - 2 * h),
  ];
  const { count, units, of } = positionsOf(input.pool, input.shape);
  const alphaOf = (k: number, i: number) => input.alpha[k * count + of(i % units)];
  const limits = refs.map((ref) => limitsAt(ref, place));
  const measured = [
    ...(['right', 'left'] as const).flatMap((side) => {
      const [near, far] = side === 'right' ? [right, right2] : [left, left2];
      const [sign, name] = side === 'right' ? [1, ''] : [-1, '-'];
      const curvatures = refs.map((ref) => curvatureBeside(ref, place, sign * h));
      return [
        {
          quantity: `y(${name}2h) - y(${name}h)`,
          of: [
            [far, 1],
            [near, -1],
          ] as [Answered, number][],
          part: (k: number) => sign * h * limits[k].slope[side],
          // ∫ f″ over [h, 2h], at distances of up to 2h from the limit of the slope.
          error: (k: number) => 1.5 * h * h * curvatures[k],
        },
        {
          quantity: `2y(${name}h) - y(${name}2h)`,
          of: [
            [near, 2],
            [far, -1],
          ] as [Answered, number][],
          part: (k: number) => limits[k].value[side],
          error: (k: number) => 3 * h * h * curvatures[k],
        },
      ];
    }),
    { quantity: 'y(0)', of: [[here, 1]] as [Answered, number][], part: (k: number) => limits[k].here, error: () => 0 },
  ];
  for (const { quantity, of: terms, part, error } of measured) {
    const name = place === 0 ? quantity : quantity.replaceAll(/y\((-?)/g, (_, sign) => `y(${place}${sign || '+'}`);
    trial.balance(input, name, input.x.length, (i) => {
      const own = refs.reduce((sum, ref, k) => {
        // The limits of a custom branch are rounded to float64 themselves.
        const rounding = isPolynomial(ref) ? 0 : 2 ** -52 * Math.abs(part(k));
        return sum + Math.abs(alphaOf(k, i)) * (error(k) + rounding);
      }, 0);
      const bounds = terms.flatMap(([{ allowed }, factor]) => range(Math.abs(factor)).map(() => allowed.y[i]));
      const slack = slackOf(...bounds) + own * (1 + 2 ** -40);
      if (!Number.isFinite(slack)) return open;
      return {
        actual: terms.map(([{ answer }, factor]) => factor * answer.y[i]),
        expected: refs.map((_, k) => multiply(dyadic(alphaOf(k, i)), dyadic(part(k)))),
        slack,
      };
    });
  }
  trial.within(here.input, 'dx', here.answer.dx, here.allowed.dx);
}

/** A quarter where all branches are linear that far on both sides; else the step of a central difference. */
function stepAt(input: Case, place: number, { p }: Format): number {
  const refs = input.pool.branches;
  // The kinks of the built-in branches are at 0.
  const room = place === 0 ? 0.25 : Math.min(0.25, 2 ** (Math.floor(Math.log2(Math.abs(place))) - 2));
  const isLinear = refs.every((ref) => [room, -room].every((h) => curvatureBeside(ref, place, h) === 0));
  return isLinear ? room : Math.min(room, 2 ** -Math.floor(p / 3));
}

/** An upper bound of |f″| on the way from a place to `2h` beside it; NaN if there is a kink on the way. */
function curvatureBeside(ref: BranchRef, place: number, h: number): number {
  if (typeof ref === 'string') return 0;
  // All but the first millionth of the way, where f″ may not be defined.
  const bounds = exactBranchOf(ref).bounds(place + h * (1 + 2 ** -20), Math.abs(h) * (1 - 2 ** -20));
  return bounds?.second ?? Number.NaN;
}

/** Value and one-sided limits of a branch at a place; away from its kinks all sides agree. */
function limitsAt(ref: BranchRef, place: number) {
  const { f, df, kinks: listed } = branchOf(ref);
  const here = f(place);
  const [value, slope] = [here, df(place)].map((v) => ({ left: v, right: v })) as [Kink['value'], Kink['slope']];
  return { value, slope, here, ...listed.find(({ at }) => at === place) };
}
