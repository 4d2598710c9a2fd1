import { branchOf } from '../../reference/branches.ts';
import type { BranchRef, Case, GradientCotangents } from '../../reference/case.ts';
import { kappa } from '../../reference/constraints.ts';
import { doubleVjp } from '../../reference/pool.ts';
import { formats } from '../dtypes.ts';
import { dyadic } from '../exact.ts';
import { exactBranchOf } from '../exact-branches.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import { freely, isQuartered, learning, mapTensor, times, withConstraint } from './derived.ts';

export const agreement: Law = {
  id: 'agreement/second-order',
  statement: 'the gradients of <ddx, dx> + <ddalpha, dalpha> are those of the reference, bit for bit on dyadic Cases',
  source: 'spec §4, double backward',
  finiteCases: true,
  needs: 'doubleVjp',
  async check(drawn, trial) {
    // Whether step(x) is 0 for a subnormal x, or a subnormal alpha on a bound of 0, is then up to the Subject.
    const flushed = (v: number) => (trial.mayFlush(drawn, v) ? 0 : v);
    const c = mapTensor(mapTensor(withKnownBranches(learning(drawn)), 'x', flushed), 'alpha', flushed);
    const cotangents = { ddx: c.dy.toReversed(), ddalpha: c.alpha.toReversed() };
    const expected = doubleVjp(c, cotangents);
    const actual = await trial.doubleVjp(c, cotangents);
    // Whoever stores less than the dtype may store here whatever comes in between.
    const { p, largest, normalExponent } = trial.format;
    const isExact = isQuartered(c) && trial.format === formats[c.dtype];
    const sizes = derivativeBounds(c, cotangents, 1);
    const tensors = [c.x, c.alpha, c.dy];
    // What underflows in one factor of a monomial may meet all the others.
    const factors = tensors.reduce((product, tensor) => product * largestOf(tensor) ** 2, largestOf(c.x));
    const underflow = manyRoundings * 2 ** normalExponent * factors;
    for (const [quantity, answer, reference, size] of [
      ['toDy', actual.toDy, expected.toDy, sizes.y],
      ['toX', actual.toX, expected.toX, sizes.dx],
      ['dalpha (toAlpha)', actual.toAlpha, expected.toAlpha, sizes.dalpha],
    ] as const) {
      const roundings = (manyRoundings + (quantity === 'dalpha (toAlpha)' ? c.x.length : 0)) * 2 ** -p;
      trial.balance(c, quantity, answer.length, (i) => ({
        actual: [answer[i]],
        expected: [reference[i]],
        slack: isExact ? 0 : size[i] < largest / manyRoundings ? roundings * size[i] + underflow : Number.NaN,
      }));
    }
  },
};

/** 1, or the largest absolute value. */
const largestOf = (tensor: Float64Array) => tensor.reduce((most, v) => Math.max(most, Math.abs(v)), 1);

export const alongDirection: Law = {
  id: 'second-order/differences',
  statement:
    'double backward is the change of y, dx and dalpha along (ddx, ddalpha), by central differences of the own answers',
  source: 'spec §4: (dx, dalpha) is the gradient of <y, dy>, and its Hessian is symmetric',
  finiteCases: true,
  needs: 'doubleVjp',
  async check(drawn, trial) {
    const { p, normalExponent } = trial.format;
    // With half of the bits in x and alpha both ends of a step of 2⁻ᵖᐟ³ along them are exact, and of 2⁻⁶ of 11 bits.
    const h = 2 ** -Math.max(Math.floor(p / 3), 6);
    const c = smoothCase(drawn, Math.floor(p / 2));
    const ddx = c.x.map((x, i) => (i % 2 === 0 ? x : -x));
    const ddalpha = c.alpha.map((a, k) => (k % 3 === 0 ? -a : a));
    const at = (t: number): Case => ({
      ...c,
      x: c.x.map((x, i) => x + t * ddx[i]),
      alpha: c.alpha.map((a, k) => a + t * ddalpha[k]),
    });
    const [ahead, behind] = [await trial.ask(at(h)), await trial.ask(at(-h))];
    const actual = await trial.doubleVjp(c, { ddx, ddalpha });
    const sizes = [0, 1, 3].map((order) => derivativeBounds(c, { ddx, ddalpha }, order));
    const underflow = 2 ** normalExponent;
    for (const [quantity, second, first] of [
      ['toDy·2h', actual.toDy, 'y'],
      ['toX·2h', actual.toX, 'dx'],
      ['dalpha·2h (toAlpha)', actual.toAlpha, 'dalpha'],
    ] as const) {
      const [size, slope, third] = sizes.map((bounds) => bounds[first]) as [number[], number[], number[]];
      const roundings = (manyRoundings + (first === 'dalpha' ? c.x.length : 0)) * 2 ** -p;
      trial.balance(c, quantity, second.length, (i) => {
        const [up, down] = [ahead[first][i], behind[first][i]];
        const sides = { actual: [times(second[i], 2 * h)], expected: [dyadicOr(up), dyadicOr(down, -1)] };
        // A central difference errs by h²/6 times the third derivative, which grows by less than a tenth over the step.
        const slack = roundings * (2 * size[i] + 2 * h * slope[i]) + ((1.1 * h ** 3) / 3) * third[i];
        return { ...sides, slack: slack + manyRoundings * underflow };
      });
    }
  },
};

/** More than any legal evaluation needs on the way of one monomial, transcendental branches and softmax included. */
const manyRoundings = 100;

const dyadicOr = (value: number, sign: 1 | -1 = 1) => (Number.isFinite(value) ? dyadic(sign * value) : value);

/** The Case with `bits` significant bits in x and alpha, and no kink in alpha: free, sumToOne, or softmax now and then. */
function smoothCase(drawn: Case, bits: number): Case {
  const { kind } = drawn.pool.constraint;
  const known = withKnownBranches(drawn);
  const free = kind === 'sumToOne' ? known : freely(known);
  const c = kind === 'fixed' ? withConstraint(free, { kind: 'softmax' }) : free;
  const short = (v: number) => {
    if (Math.abs(v) < 2 ** -60) return 0;
    const quantum = 2 ** (Math.floor(Math.log2(Math.abs(v))) + 1 - bits);
    return Math.round(v / quantum) * quantum;
  };
  return mapTensor(mapTensor(c, 'x', short), 'alpha', short);
}

/** Without a user's own branches, of which no derivative beyond the third is bounded. */
function withKnownBranches(c: Case): Case {
  const known = c.pool.branches.filter((branch) => typeof branch === 'string');
  return known.length === c.pool.branches.length ? c : freely(c, known.length > 0 ? known : ['tanh']);
}

/** Bounds of the derivative of this order of each element of an answer along a direction, and of the terms it comes of. */
function derivativeBounds(c: Case, { ddx, ddalpha }: GradientCotangents, order: number) {
  const { n, rows, count, units, of } = positionsOf(c.pool, c.shape);
  const { kind } = c.pool.constraint;
  const at = (tensor: Float64Array, s: number) => range(rows).map((row) => tensor[row * count + s]);
  const coefficients = range(count).map((s) => {
    const { c: values, jvp } = kappa(c.pool.constraint, at(c.alpha, s), n);
    const tangents = jvp(at(ddalpha, s));
    if (kind !== 'softmax') {
      // The terms of 1 - Σ cancel.
      const sizes = [sizeOf(at(c.alpha, s)), sizeOf(at(ddalpha, s))] as const;
      const isImplied = (k: number) => kind === 'sumToOne' && k === n - 1;
      return values.map((v, k) =>
        isImplied(k) ? [1 + sizes[0], sizes[1], 0, 0] : [Math.abs(v), Math.abs(tangents[k]), 0, 0],
      );
    }
    const analytic = cauchy(3.1, at(ddalpha, s));
    return values.map(() => analytic);
  });
  const f = Array.from(c.x, (x, i) => c.pool.branches.map((branch) => composedBounds(branch, x, ddx[i])));
  const leibniz = (a: readonly number[], b: readonly number[]) =>
    range(order + 1).reduce((sum, j) => sum + binomial(order, j) * a[j] * b[order - j], 0);
  const y = f.map((branchesAt, i) =>
    branchesAt.reduce((sum, { value }, k) => sum + leibniz(coefficients[of(i % units)][k], value), 0),
  );
  const dx = f.map((branchesAt, i) =>
    branchesAt.reduce((sum, { slope }, k) => {
      return sum + Math.abs(c.dy[i]) * leibniz(coefficients[of(i % units)][k], slope);
    }, 0),
  );
  const dc = range(n * count).map(() => [0, 0, 0, 0]);
  for (const [i, dy] of c.dy.entries()) {
    for (const k of range(n)) {
      const sum = dc[k * count + of(i % units)];
      for (const m of range(4)) sum[m] += Math.abs(dy) * f[i][k].value[m];
    }
  }
  const dalpha = range(rows * count).map((i) => {
    const s = i % count;
    const column = range(n).map((k) => dc[k * count + s]);
    const own = column[Math.floor(i / count)];
    if (kind === 'softmax') {
      const jacobian = cauchy(3.1 * 4.1, at(ddalpha, s));
      return column.reduce((sum, each) => sum + leibniz(jacobian, each), 0);
    }
    return own[order] + (kind === 'sumToOne' ? column.at(-1)![order] : 0);
  });
  return { y, dx, dalpha };
}

/**
 * Bounds of the derivatives of what softmax makes of alpha along `direction`: for complex |t|·V ≤ 1/2, V the largest
 * |direction|, its values are at most e/cos(1/2) < 3.1, so the j-th derivative is at most 3.1·j!·(2V)ʲ (Cauchy).
 */
function cauchy(most: number, direction: readonly number[]): number[] {
  const V = Math.max(...direction.map(Math.abs));
  return [1, 1, 2, 6].map((factorial, j) => most * factorial * (2 * V) ** j);
}

/** Bounds of the derivatives of `t ↦ f(x + t·dx)` and of f′ there: |f⁽ᵐ⁾|·|dx|ᵐ. The fourth is at most 2.2 times the third. */
function composedBounds(branch: BranchRef, x: number, dx: number) {
  const { f, df, d2f } = branchOf(branch);
  const third = exactBranchOf(branch).bounds(x, 0)?.third ?? 0;
  const isSmooth = third !== 0;
  const size = Math.abs(dx);
  const bounds = [
    isSmooth ? Math.max(1, Math.abs(f(x))) : Math.abs(f(x)),
    isSmooth ? 1 : Math.abs(df(x)),
    isSmooth ? 1 : Math.abs(d2f(x)),
    third,
    2.2 * third,
  ];
  return {
    value: range(4).map((m) => bounds[m] * size ** m),
    slope: range(4).map((m) => bounds[m + 1] * size ** m),
  };
}

const sizeOf = (values: readonly number[]) => values.reduce((sum, v) => sum + Math.abs(v), 0);

function binomial(n: number, k: number): number {
  return [[1], [1, 1], [], [1, 3, 3, 1]][n][k];
}
