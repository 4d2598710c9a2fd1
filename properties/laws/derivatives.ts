import { branches as referenceBranches } from '../../reference/branches.ts';
import type { BranchName, Case, Tangents } from '../../reference/case.ts';
import { kappa } from '../../reference/constraints.ts';
import { jvp } from '../../reference/pool.ts';
import { formats } from '../dtypes.ts';
import { add, type Dyadic, dyadic, multiply, scale, subtract, zero } from '../exact.ts';
import { exactBranches } from '../exact-branches.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import { slackOf } from '../trial.ts';
import { freely, learning, mapRow, mapTensor, times } from './derived.ts';

export const adjoint: Law = {
  id: 'adjoint/identity',
  statement: '<ty, dy> = <tx, dx> + <talpha, dalpha>: reverse mode is the adjoint of forward mode',
  source: 'spec §4',
  finite: true,
  async check(c, trial) {
    const input = learning(c);
    const tangents = { tx: input.x.toReversed(), talpha: input.alpha.toReversed() };
    const own = trial.subject.jvp !== undefined;
    const ty = own ? await trial.jvp(input, tangents) : jvp(input, tangents);
    const { answer, allowed } = await trial.askAbout(input);
    let slack = tangentError(input, tangents, own ? input.dtype : 'f64');
    for (const [i, t] of tangents.tx.entries()) if (t !== 0) slack += Math.abs(t) * slackOf(allowed.dx[i]!);
    for (const [i, t] of tangents.talpha.entries()) if (t !== 0) slack += Math.abs(t) * slackOf(allowed.dalpha[i]!);
    const products = (a: Float64Array, b: Float64Array) =>
      [...a].flatMap((v, i) => (v === 0 || b[i] === 0 ? [] : [times(v, b[i]!)]));
    trial.balance(input, '<ty, dy>', 1, () => ({
      actual: products(ty, input.dy),
      expected: [...products(tangents.tx, answer.dx), ...products(tangents.talpha, answer.dalpha)],
      slack,
    }));
  },
};

/**
 * A bound of the error of `<ty, dy>` that comes from `ty`: each of its monomials passes at most 2n + 3 roundings
 * (the principle of spec §5). 0 where ty is exact, on dyadic Cases.
 */
function tangentError(input: Case, { tx, talpha }: Tangents, dtype: Case['dtype']): number {
  const { n, rows, count, units, of } = positionsOf(input.pool, input.shape);
  const quarters = [input.x, input.alpha, input.dy].every((tensor) =>
    tensor.every((v) => Math.abs(v) <= 8 && Number.isInteger(v * 4)),
  );
  const polynomial = input.pool.branches.every(
    (name) => Number.isInteger(exactBranches[name].third) && exactBranches[name].third === 0,
  );
  if (quarters && polynomial) return 0;
  const u = 2 ** -formats[dtype].p;
  let total = 0;
  for (const [i, x] of input.x.entries()) {
    const s = of(i % units);
    const at = (tensor: Float64Array) => range(rows).map((row) => tensor[row * count + s]!);
    const { c, jvp: tangent } = kappa(input.pool.constraint, at(input.alpha), n);
    const tc = tangent(at(talpha));
    const size = at(input.alpha).reduce((sum, a) => sum + Math.abs(a), 1);
    const tangentSize = at(talpha).reduce((sum, a) => sum + Math.abs(a), 0);
    for (const [k, name] of input.pool.branches.entries()) {
      const { f, df } = referenceBranches[name];
      const isLast = input.pool.constraint.kind === 'sumToOne' && k === n - 1;
      const slopes = Math.max(Math.abs(df(x)), smooth(name)) * (isLast ? size : Math.abs(c[k]!)) * Math.abs(tx[i]!);
      const values = Math.max(Math.abs(f(x)), smooth(name)) * (isLast ? tangentSize : Math.abs(tc[k]!));
      // 8 for E of a transcendental branch.
      total += (2 * n + 3 + 8 * smooth(name)) * u * (slopes + values) * Math.abs(input.dy[i]!);
      total += 2 ** formats[dtype].normalExponent * (4 * n) * Math.max(1, Math.abs(input.dy[i]!));
    }
  }
  return total;
}

const smooth = (name: BranchName): 0 | 1 => (exactBranches[name].third === 0 ? 0 : 1);

export const differencesInX: Law = {
  id: 'finite-differences/x',
  statement: 'away from kinks dx is dy times the central difference of y, exactly so where y is at most quadratic',
  source: 'spec §4',
  finite: true,
  async check(c, trial) {
    const here = await trial.askAbout(c);
    const step = (x: number) => stepFor(c, x);
    const ahead = await trial.askAbout(mapTensor(c, 'x', (x) => formats[c.dtype].round(x + step(x))));
    const behind = await trial.askAbout(mapTensor(c, 'x', (x) => formats[c.dtype].round(x - step(x))));
    const { rows, count, units, of } = positionsOf(c.pool, c.shape);
    trial.balance(c, 'dx·2h', c.x.length, (i) => {
      const [left, right, dy] = [behind.input.x[i]!, ahead.input.x[i]!, c.dy[i]!];
      const bounds = slackOf(here.allowed.dx[i]!, ahead.allowed.y[i]!, behind.allowed.y[i]!);
      const { y: up } = ahead.answer;
      const { y: down } = behind.answer;
      const values = [here.answer.dx[i]!, up[i]!, down[i]!];
      if (right <= left) return undefined;
      if (Number.isNaN(bounds)) return open;
      if (!values.every(Number.isFinite)) return { actual: [Number.NaN], expected: [0], slack: 0 };
      const width = subtract(dyadic(right), dyadic(left));
      const alphas = range(rows).reduce((sum, row) => sum + Math.abs(c.alpha[row * count + of(i % units)]!), 1);
      const third = c.pool.branches.reduce((sum, name) => sum + exactBranches[name].third, 0);
      // The central difference over [x - a, x + b] errs by f″·(b - a)/2 + f‴·(a³ + b³)/6 times dy; a = b but for rounding.
      const [a, b] = [c.x[i]! - left, right - c.x[i]!];
      const uneven = a === b ? 0 : c.pool.branches.length * Math.abs(b * b - a * a);
      const truncation = Math.abs(dy) * alphas * (uneven / 2 + (third * (a ** 3 + b ** 3)) / 6);
      const slack = weighted(
        [slackOf(here.allowed.dx[i]!), right - left],
        [slackOf(ahead.allowed.y[i]!, behind.allowed.y[i]!), dy],
        [truncation, 1],
      );
      const rise = subtract(dyadic(up[i]!), dyadic(down[i]!));
      return {
        actual: [multiply(dyadic(here.answer.dx[i]!), width)],
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
function stepFor(c: Case, x: number): number {
  if (x === 0) return 0;
  const relative = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 3);
  const quarter = Number.isInteger(x * 4) && Math.abs(x) <= 8 ? 2 ** -3 : relative;
  if (c.pool.branches.every((name) => smooth(name) === 0)) return quarter;
  // The best step for a central difference: u^(1/3) balances rounding and truncation.
  return Math.min(relative, 2 ** -Math.floor(formats[c.dtype].p / 3));
}

export const differencesInAlpha: Law = {
  id: 'finite-differences/alpha',
  statement: 'dalpha is the difference quotient of <y, dy> in each alpha, one-sided and inward on the bound of clip',
  source: 'spec §4',
  finite: true,
  async check(c, trial) {
    const input = learning(c);
    const here = await trial.askAbout(input);
    const { rows, count, units, of } = positionsOf(input.pool, input.shape);
    const { constraint } = input.pool;
    for (const row of range(rows)) {
      const bound = constraint.kind === 'clip' ? constraint.bounds[row]! : Infinity;
      const { round } = formats[input.dtype];
      const moved = mapRow(input, row, (a) => {
        const inward = a > 0 ? -0.25 : 0.25;
        return round(Math.abs(a) <= bound ? a + inward : a - inward);
      });
      const there = await trial.askAbout(moved);
      trial.balance(input, 'dalpha·h', count, (s) => {
        const at = row * count + s;
        const [from, to] = [input.alpha[at]!, moved.alpha[at]!];
        const crosses = Math.abs(from) <= bound !== Math.abs(to) <= bound;
        const elements = range(input.x.length).filter((i) => of(i % units) === s && input.dy[i] !== 0);
        const bounds = elements.flatMap((i) => [here.allowed.y[i]!, there.allowed.y[i]!]);
        const values = [here.answer.dalpha[at]!, ...elements.flatMap((i) => [here.answer.y[i]!, there.answer.y[i]!])];
        if (crosses || from === to) return undefined;
        if (Number.isNaN(slackOf(here.allowed.dalpha[at]!, ...bounds))) return open;
        if (!values.every(Number.isFinite)) return { actual: [Number.NaN], expected: [0], slack: 0 };
        const slack = weighted(
          [slackOf(here.allowed.dalpha[at]!), to - from],
          ...elements.map((i) => [slackOf(here.allowed.y[i]!, there.allowed.y[i]!), input.dy[i]!] as const),
        );
        const width = subtract(dyadic(to), dyadic(from));
        return {
          actual: [multiply(dyadic(here.answer.dalpha[at]!), width)],
          expected: elements.map((i) =>
            multiply(dyadic(input.dy[i]!), subtract(dyadic(there.answer.y[i]!), dyadic(here.answer.y[i]!))),
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

export const kinks: Law = {
  id: 'kinks/one-sided',
  statement: 'at a kink the left slope, the right slope and the jump, measured by values, are those of the branches',
  source: 'spec §2; (f(2h) - f(h))/h = P and 2f(h) - f(2h) - f(0) = D for an MReLU',
  finite: true,
  async check(c, trial) {
    const names = c.pool.branches.map((name) => linear[name] ?? name);
    const input = freely(c, names);
    const h = 0.25;
    const at = (x: number) => trial.askAbout(mapTensor(input, 'x', () => x));
    const [zero, near, far, nearLeft, farLeft] = [
      await at(0),
      await at(h),
      await at(2 * h),
      await at(-h),
      await at(-2 * h),
    ];
    const { count, units, of } = positionsOf(input.pool, input.shape);
    const sum = (i: number, part: (name: BranchName) => number) =>
      names.map((name, k) => multiply(dyadic(input.alpha[k * count + of(i % units)]!), dyadic(part(name))));
    const kink = (name: BranchName) => referenceBranches[name].kinks[0];
    const measured = [
      {
        quantity: 'y(2h) - y(h)',
        of: [
          [far, 1],
          [near, -1],
        ],
        part: (name) => h * (kink(name)?.slope.right ?? 1),
      },
      {
        quantity: 'y(-h) - y(-2h)',
        of: [
          [nearLeft, 1],
          [farLeft, -1],
        ],
        part: (name) => h * (kink(name)?.slope.left ?? 1),
      },
      {
        quantity: '2y(h) - y(2h)',
        of: [
          [near, 2],
          [far, -1],
        ],
        part: (name) => kink(name)?.value.right ?? 0,
      },
      {
        quantity: '2y(-h) - y(-2h)',
        of: [
          [nearLeft, 2],
          [farLeft, -1],
        ],
        part: (name) => kink(name)?.value.left ?? 0,
      },
      { quantity: 'y(0)', of: [[zero, 1]], part: (name) => referenceBranches[name].f(0) },
    ] satisfies { quantity: string; of: [typeof zero, number][]; part: (name: BranchName) => number }[];
    for (const { quantity, of: terms, part } of measured) {
      trial.balance(input, quantity, input.x.length, (i) => ({
        actual: terms.map(([{ answer }, factor]) => factor * answer.y[i]!),
        expected: sum(i, part),
        slack: slackOf(...terms.flatMap(([{ allowed }, factor]) => range(Math.abs(factor)).map(() => allowed.y[i]!))),
      }));
    }
    trial.within(zero.input, 'dx', zero.answer.dx, zero.allowed.dx);
  },
};
