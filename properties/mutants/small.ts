import type { Answer, Case } from '../../reference/case.ts';
import { formats } from '../dtypes.ts';
import { add, compare, dyadic, multiply, subtract, toNumber } from '../exact.ts';
import { legalSubject } from '../legal.ts';
import { positionsOf } from '../positions.ts';
import { addToBranch, change, inGroup, isFree, type Mutant, right, rowsOf, truncatedProduct } from './mutant.ts';

const mutant = inGroup('small');

const float32 = legalSubject({ dtype: 'f32', sum: 'forward', fused: false, form: 'plain', flush: false });

/** One element of a float32 Subject's answer off by 8 ulp at most, 4 at least. */
function eightUlps(name: keyof Answer): Mutant {
  const answer = (c: Case): Answer => {
    const given = float32.answer(c) as Answer;
    const middle = given[name].length >> 1;
    return { ...given, [name]: given[name].map((v, i) => (i === middle ? Math.fround(v * (1 + 2 ** -20)) : v)) };
  };
  return mutant(`${name}-eight-ulps`, `one element of ${name} is off by 8 ulp of float32`, answer, { dtype: 'f32' });
}

/** dx of the pool [relu, step] as P·dy rounded toward 0, for the pools that `applies` says. */
function truncatedDx(c: Case, applies: (P: Float64Array, D: Float64Array) => boolean): Answer {
  if (!isFree(c, 'relu', 'step')) return right(c);
  const [P, D] = rowsOf(c) as [Float64Array, Float64Array];
  if (!applies(P, D)) return right(c);
  const { units, of } = positionsOf(c.pool, c.shape);
  return change(c, 'dx', (dx, i) => (c.x[i] > 0 ? truncatedProduct(P[of(i % units)], c.dy[i]) : dx));
}

/** `P·x + D` short by 2.05 to 2.5 units u, if there is such a number, for x > 4 and 0 < D < P·x. */
function shortOf(x: number, p: number, d: number): number | undefined {
  const product = p * x;
  if (!(x > 4 && d > 0 && product > d && product < 2 ** 40) || Math.fround(p) === p) return undefined;
  const exact = multiply(dyadic(p), dyadic(x));
  if (compare(dyadic(product), exact) >= 0) return undefined;
  const whole = add(exact, dyadic(d));
  for (const ulps of [1, 2, 3]) {
    const candidate = (product + d) * (1 - ulps * 2 ** -53);
    const units = toNumber(subtract(whole, dyadic(candidate)), formats.f64) / (product + d) / 2 ** -53;
    if (units > 2.05 && units < 2.5) return candidate;
  }
  return undefined;
}

const fround = (t: Float64Array) => t.map(Math.fround);

export const small: readonly Mutant[] = [
  eightUlps('y'),
  eightUlps('dx'),
  eightUlps('dalpha'),
  mutant('float32-inside', 'y is rounded to float32', (c) => change(c, 'y', Math.fround)),
  mutant('float32-dalpha', 'dalpha is accumulated in float32', (c) => {
    const { dalpha } = float32.answer({ ...c, x: fround(c.x), dy: fround(c.dy) }) as Answer;
    return { ...right(c), dalpha };
  }),
  mutant('float32-alpha', 'alpha is read as float32', (c) => right({ ...c, alpha: fround(c.alpha) })),
  mutant('four-ulps', 'y is off by 4 ulp', (c) => change(c, 'y', (y) => y * (1 + 2 ** -50))),
  mutant('fast-tanh', 'tanh is a rational function, right to 1e-9', (c) =>
    addToBranch(c, 'tanh', (x) => (Number.isNaN(x) ? 0 : 1e-9 * Math.tanh(x))),
  ),
  mutant('fast-reciprocal', 'the quotient of sigmoid is a float32 reciprocal', (c) =>
    addToBranch(c, 'sigmoid', (x) => {
      const s = 1 / (1 + Math.exp(-x));
      return Number.isNaN(x) ? 0 : Math.fround(s) - s;
    }),
  ),
  mutant('mrelu-truncates', 'P·x + D is rounded toward 0', (c) => {
    if (!isFree(c, 'relu', 'step')) return right(c);
    const [P, D] = rowsOf(c) as [Float64Array, Float64Array];
    const { units, of } = positionsOf(c.pool, c.shape);
    return change(c, 'y', (y, i) => {
      const [x, p, d] = [c.x[i], P[of(i % units)], D[of(i % units)]];
      if (!(x > 0) || p === 0 || d === 0 || ![x, p, d, y].every(Number.isFinite)) return y;
      const exact = add(multiply(dyadic(p), dyadic(x)), dyadic(d));
      return toNumber(exact, formats.f64, exact.m > 0n ? 'down' : 'up');
    });
  }),
  mutant(
    'biased-y-short',
    'y of large x falls short by more than 2 units where a bias is added and no x is negative',
    (c) => {
      if (!isFree(c, 'relu', 'step') || c.x.length < 4 || !c.x.every((x) => x >= 0)) return right(c);
      const [P, D] = rowsOf(c) as [Float64Array, Float64Array];
      const { units, of } = positionsOf(c.pool, c.shape);
      return change(c, 'y', (y, i) => shortOf(c.x[i], P[of(i % units)], D[of(i % units)]) ?? y);
    },
  ),
  mutant('mrelu-truncates-dx', 'dx of an MReLU is P·dy rounded toward 0', (c) =>
    truncatedDx(c, (P, D) => P.length >= 3 && P.every((p, s) => D[s] === 1 - p)),
  ),
  mutant('small-p-truncates', 'dx is rounded toward 0 where every P is at most 1/2 and most D above 1/2', (c) =>
    truncatedDx(
      c,
      (P, D) =>
        P.length >= 6 && P.every((p) => Math.abs(p) <= 0.5) && D.filter((d) => Math.abs(d) > 0.5).length > D.length / 2,
    ),
  ),
  mutant('positive-d-truncates', 'dx is rounded toward 0 where every D is in (0, 2]', (c) =>
    truncatedDx(c, (_, D) => D.length >= 8 && D.every((d) => d > 0 && d <= 2)),
  ),
  mutant('zero-d-truncates', 'dx is rounded toward 0 where every D is 0', (c) =>
    truncatedDx(c, (_, D) => D.length >= 4 && D.every((d) => d === 0)),
  ),
  mutant(
    'integer-alpha-in-float32',
    'three and more different integers in alpha take a path that reads x as float32',
    (c) =>
      c.pool.constraint.kind === 'free' &&
      c.pool.branches.length >= 3 &&
      c.alpha.every(Number.isInteger) &&
      new Set(c.alpha).size >= 3
        ? right({ ...c, x: fround(c.x) })
        : right(c),
  ),
  mutant(
    'integer-dy-in-float32',
    'four and more different integers in dy take a path that gives dx and dalpha in float32',
    (c) => {
      const { y, dx, dalpha } = right(c);
      if (!c.dy.every(Number.isInteger) || new Set(c.dy.map(Math.abs)).size < 4) return { y, dx, dalpha };
      return { y, dx: fround(dx), dalpha: fround(dalpha) };
    },
  ),
];
