import type { Case } from '../../reference/case.ts';
import { kappa } from '../../reference/constraints.ts';
import { jvp, vjp } from '../../reference/pool.ts';
import { positionsOf } from '../positions.ts';
import { range, take } from '../transform.ts';
import {
  addToBranch,
  addToSlope,
  change,
  coefficient,
  free,
  inGroup,
  isFree,
  isPlain,
  type Mutant,
  right,
  rowsNamed,
  rowsOf,
} from './mutant.ts';

const mutant = inGroup('formula');

/** Whether the pool is an MReLU of three positions and more, `P + D = 1` at each, and each P as said. */
function isMReLU(c: Case, P: (p: number) => boolean): boolean {
  if (!isFree(c, 'relu', 'step')) return false;
  const [p, d] = rowsOf(c) as [Float64Array, Float64Array];
  return p.length >= 3 && p.every((v, s) => d[s] === 1 - v && P(v));
}

/** The Case with the coefficients of two branches exchanged. */
function exchanged(c: Case, p: number, d: number): Case {
  const { rows, count } = positionsOf(c.pool, c.shape);
  const order = range(rows).map((k) => (k === p ? d : k === d ? p : k));
  return { ...c, alpha: take(c.alpha, [rows, count], 0, order) };
}

/** alpha or dalpha with its rows in the reverse order. */
function withRowsReversed(c: Case, t: Float64Array): Float64Array {
  const { rows, count } = positionsOf(c.pool, c.shape);
  return take(t, [rows, count], 0, range(rows).toReversed());
}

/** What `slope` adds to the derivative of every branch of this name, in both modes. */
function wrongSlope(id: string, bug: string, name: string, slope: (x: number) => number): Mutant {
  return mutant(id, bug, (c) => addToSlope(c, name, slope), {
    jvp(c, { tx, talpha }) {
      const coefficients = rowsNamed(c, name).map((k) => coefficient(c, k));
      return jvp(c, { tx, talpha }).map((ty, i) =>
        coefficients.reduce((sum, at) => sum + at(i) * slope(c.x[i]) * tx[i], ty),
      );
    },
  });
}

export const formula: readonly Mutant[] = [
  mutant('coefficients-swapped', 'the coefficients of relu and step are swapped', (c) => {
    const [p, d] = [c.pool.branches.indexOf('relu'), c.pool.branches.indexOf('step')];
    const { rows } = positionsOf(c.pool, c.shape);
    if (p < 0 || d < 0 || p >= rows || d >= rows) return right(c);
    const { y, dx, dalpha } = right(exchanged(c, p, d));
    return { y, dx, dalpha: exchanged({ ...c, alpha: dalpha }, p, d).alpha };
  }),
  mutant('coefficients-reversed', 'the coefficients are read in the reverse order of the branches', (c) => {
    const { y, dx, dalpha } = right({ ...c, alpha: withRowsReversed(c, c.alpha) });
    return { y, dx, dalpha: withRowsReversed(c, dalpha) };
  }),
  mutant('dalpha-reversed', 'the rows of dalpha are in the reverse order of the branches', (c) => {
    const { dalpha, ...answer } = right(c);
    return { ...answer, dalpha: withRowsReversed(c, dalpha) };
  }),
  mutant('dx-negated', 'dx has the sign of a descent step', (c) => change(c, 'dx', (dx) => -dx)),
  mutant('dalpha-negated', 'dalpha has the sign of a descent step', (c) => change(c, 'dalpha', (d) => -d)),
  mutant('missing-p-in-dx', 'dx leaves the coefficients out', (c) => {
    const { count, n } = positionsOf(c.pool, c.shape);
    return { ...right(c), dx: right(free({ ...c, alpha: new Float64Array(n * count).fill(1) })).dx };
  }),
  mutant('dx-by-d', 'dx takes the coefficient of step for that of relu', (c) => {
    const D = coefficient(c, c.pool.branches.indexOf('step'));
    if (c.pool.branches.join() !== 'relu,step') return right(c);
    return change(c, 'dx', (_, i) => (c.x[i] > 0 ? D(i) * c.dy[i] : 0));
  }),
  mutant('d-in-dx', 'dx of step is that of relu', (c) => addToSlope(c, 'step', (x) => (x > 0 ? 1 : 0))),
  mutant('dy-twice', 'dx has dy as a factor twice', (c) => change(c, 'dx', (dx, i) => dx * c.dy[i])),
  mutant('normalised-coefficients', 'coefficients are divided by their sum', (c) => {
    const { rows, count } = positionsOf(c.pool, c.shape);
    const sum = (s: number) => range(rows).reduce((total, k) => total + c.alpha[k * count + s], 0);
    return right({ ...c, alpha: c.alpha.map((a, i) => a / (sum(i % count) || 1)) });
  }),
  mutant('alpha-squared', 'the coefficients are alpha squared', (c) => ({
    ...right(c),
    y: right({ ...c, alpha: c.alpha.map((a) => a * Math.abs(a)) }).y,
  })),
  mutant('bias-everywhere', 'the step is a bias on both sides', (c) => addToBranch(c, 'step', (x) => (x <= 0 ? 1 : 0))),
  mutant('leaky-relu', 'relu has a slope of 1/1000 on the left', (c) =>
    addToBranch(c, 'relu', (x) => (x < 0 ? x / 1000 : 0)),
  ),
  mutant('softplus-overflows', 'softplus is log(1 + exp(x)) as written', (c) =>
    addToBranch(c, 'softplus', (x) => (x > 709 ? Number.POSITIVE_INFINITY : 0)),
  ),
  mutant('softplus-threshold', 'softplus is x above 20', (c) =>
    addToBranch(c, 'softplus', (x) => (x > 20 ? -Math.log1p(Math.exp(-x)) : 0)),
  ),
  mutant('small-is-zero', 'relu is 0 below 1e-20', (c) => addToBranch(c, 'relu', (x) => (x > 0 && x < 1e-20 ? -x : 0))),
  mutant('relu6', 'relu stops at 6', (c) => addToBranch(c, 'relu', (x) => (x > 6 ? 6 - x : 0))),
  mutant('sorted-branches', 'the branches are sorted by name, their coefficients are not', (c) =>
    right({ ...c, pool: { ...c.pool, branches: c.pool.branches.toSorted() } }),
  ),
  wrongSlope('tanh-slope-linear', 'the derivative of tanh is 1 - |t| in both modes, not 1 - t²', 'tanh', (x) => {
    const t = Math.tanh(x);
    return t * t - Math.abs(t);
  }),
  wrongSlope('softplus-slope-is-tanh', 'the derivative of softplus is (1 + tanh(x))/2', 'softplus', (x) =>
    Number.isNaN(x) ? 0 : (1 + Math.tanh(x)) / 2 - 1 / (1 + Math.exp(-x)),
  ),
  mutant('sigmoid-slope-forgets-factor', 'the derivative of sigmoid is s, not s(1 - s)', (c) =>
    addToSlope(c, 'sigmoid', (x) => (Number.isNaN(x) ? 0 : 1 / (1 + Math.exp(-x)) ** 2)),
  ),
  mutant('half-square-unhalved', 'halfSquare is x²', (c) =>
    addToBranch(c, 'halfSquare', (x) => (x > 0 ? (x * x) / 2 : 0)),
  ),
  mutant(
    'half-square-whole-in-alpha',
    'the gradient to the coefficient of halfSquare is that of x², in both modes',
    (c) => {
      const more = doubledHalfSquares(c).vjp(c.dy);
      return change(c, 'dalpha', (d, k) => d + more[k]);
    },
    {
      jvp(c, tangents) {
        const more = doubledHalfSquares(c).jvp(tangents.talpha);
        return jvp(c, tangents).map((ty, i) => ty + more[i]);
      },
    },
  ),
  mutant('steps-pass-gradient', 'a kernel of five steps and more passes dy through', (c) => {
    const { branches, constraint } = c.pool;
    if (constraint.kind !== 'free' || branches.length < 5 || branches.some((name) => name !== 'step')) return right(c);
    return change(c, 'dx', (_, i) => c.dy[i]);
  }),
  mutant('mrelu-clamps-p', 'a kernel for five different P and more of P + D = 1 clamps P to [0, 1] in y', (c) => {
    const P = c.alpha.subarray(0, c.alpha.length / 2);
    if (new Set(P).size < 5 || !isMReLU(c, () => true)) return right(c);
    const isP = (k: number) => k < c.alpha.length / 2;
    const alpha = c.alpha.map((a, k) => (isP(k) ? Math.min(Math.max(a, 0), 1) : a));
    return { ...right(c), y: right({ ...c, alpha }).y };
  }),
  mutant('mrelu-leaks', 'a kernel for eight positions and more of P + D = 1 leaks x/1000 on the left', (c) =>
    c.alpha.length >= 16 && isMReLU(c, (p) => p >= 0 && p <= 1) && c.alpha.some((a) => !Number.isInteger(256 * a))
      ? change(c, 'y', (y, i) => (c.x[i] < 0 ? c.x[i] / 1000 : y))
      : right(c),
  ),
  mutant('mrelu-of-one-is-relu6', 'P = 1, D = 0 is handed to a relu6', (c) =>
    isMReLU(c, (p) => p === 1) ? change(c, 'y', (y) => Math.min(y, 6)) : right(c),
  ),
  mutant('mrelu-of-zero-is-heaviside', 'P = 0, D = 1 is handed to a step with step(0) = 1', (c) =>
    isMReLU(c, (p) => p === 0) ? change(c, 'y', (y, i) => (c.x[i] === 0 ? 1 : y)) : right(c),
  ),
  mutant('small-p-doubled', 'dx of an MReLU of six positions and more is 2P·dy when no P is above 0.6', (c) =>
    isMReLU(c, (p) => p >= 0 && p <= 0.6) && c.alpha.length >= 12 && c.alpha.some((a) => a !== 0.5)
      ? change(c, 'dx', (dx) => 2 * dx)
      : right(c),
  ),
  mutant(
    'prunes-small-alpha',
    'a pool of eight different coefficients and more, none above 1/256, is left out',
    (c) => {
      const answer = right(c);
      if (!isPlain(c) || new Set(c.alpha).size < 8 || c.alpha.some((a) => !(Math.abs(a) < 2 ** -8))) return answer;
      return { ...answer, y: answer.y.map(() => 0), dx: answer.dx.map(() => 0) };
    },
  ),
  mutant(
    'quantised-saturates',
    'four x and more, in quarters and none negative, go through a kernel that stops at 8',
    (c) =>
      isFree(c, 'relu', 'step') && c.x.length >= 4 && c.x.every((x) => x >= 0 && Number.isInteger(4 * x))
        ? { ...right(c), y: right({ ...c, x: c.x.map((x) => Math.max(-8, Math.min(x, 8))) }).y }
        : right(c),
  ),
  mutant('dx-of-absolute-alpha', 'dx has |alpha| for alpha', (c) => ({
    ...right(c),
    dx: vjp({ ...c, alpha: c.alpha.map(Math.abs) }).dx,
  })),
  mutant('dalpha-of-slopes', 'dalpha sums dy·f′(x) for dy·f(x) where f is relu', (c) => {
    const rows = rowsNamed(c, 'relu');
    const { count } = positionsOf(c.pool, c.shape);
    const steps = right({
      ...c,
      pool: { ...c.pool, branches: c.pool.branches.map((b) => (b === 'relu' ? 'step' : b)) },
    });
    return change(c, 'dalpha', (d, k) => (rows.includes(Math.floor(k / count)) ? steps.dalpha[k] : d));
  }),
];

/** What x²/2 of the halfSquare branches adds to dalpha and, by talpha, to a tangent. */
function doubledHalfSquares(c: Case) {
  const { n, rows, count, units, of } = positionsOf(c.pool, c.shape);
  const column = (t: Float64Array, s: number) => range(rows).map((row) => t[row * count + s]);
  const kappas = range(count).map((s) => kappa(c.pool.constraint, column(c.alpha, s), n));
  const halves = rowsNamed(c, 'halfSquare');
  const f = (i: number) => (c.x[i] > 0 ? c.x[i] ** 2 / 2 : 0);
  return {
    vjp(dy: Float64Array): Float64Array {
      const dc = range(count).map(() => new Array<number>(n).fill(0));
      for (const [i, d] of dy.entries()) for (const k of halves) dc[of(i % units)][k] += f(i) * d;
      const pulled = kappas.map((at, s) => at.vjp(dc[s]));
      return c.alpha.map((_, k) => pulled[k % count][Math.floor(k / count)]);
    },
    jvp(talpha: Float64Array): Float64Array {
      const tangents = kappas.map((at, s) => at.jvp(column(talpha, s)));
      return c.x.map((_, i) => halves.reduce((sum, k) => sum + tangents[of(i % units)][k] * f(i), 0));
    },
  };
}
