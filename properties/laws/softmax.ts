import { branchOf } from '../../reference/branches.ts';
import type { Case } from '../../reference/case.ts';
import { type Format, formats } from '../dtypes.ts';
import { Arithmetic } from '../error-bound.ts';
import { add, type Dyadic, dyadic, multiply, negate, subtract, toNumber } from '../exact.ts';
import { exactBranchOf } from '../exact-branches.ts';
import { softmax } from '../functions.ts';
import type { Law } from '../law.ts';
import { positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import { type Answered, slackOf, type Trial } from '../trial.ts';
import { errorOf, freely, mapTensor, withConstraint } from './derived.ts';

/**
 * Softmax coefficients at one position of S. With `d = max α - αᵢ`, the difference rounds once, its exponential errs by
 * E = 8 units, the sum of n of them by n, the quotient by 1; taking log Σ off instead rounds as often again:
 * relative to itself each coefficient is off by at most `ρᵢ = u·(2·dᵢ + 3·E + 3·n + 4)`, where n also covers the errors
 * of the arguments in the sum, since `Σ cⱼ·dⱼ < n`. Absolutely it may lack what underflows, and what `functions.ts`
 * leaves away.
 */
interface Coefficients {
  readonly exact: readonly Dyadic[];
  readonly c: readonly number[];
  readonly relative: readonly number[];
}

function coefficientsAt(alpha: readonly number[], u: number): Coefficients {
  const exact = softmax(alpha);
  const n = alpha.length;
  const top = Math.max(...alpha);
  return {
    exact,
    c: exact.map((value) => toNumber(value, formats.f64)),
    relative: alpha.map((a) => u * (2 * (top - a) + 3 * 8 + 3 * n + 4)),
  };
}

/** alpha up to ±1000, small or far apart, from the drawn one. */
function spread(c: Case, { round }: Format): Case {
  const scale = [1, 1, 16, 128][(c.x.length + c.alpha.length) % 4];
  return mapTensor(freely(c), 'alpha', (a) => round(Math.max(-1000, Math.min(1000, a * scale))));
}

const sum = (values: readonly number[]) => values.reduce((total, v) => total + v, 0);
/** Covers the second order of the bounds, whose ρ are below 2⁻¹¹, and their own rounding. */
const outward = 1 + 2 ** -8;

export const softmaxAgreement: Law = {
  id: 'constraint/softmax',
  statement:
    'under softmax y and dx are those of the free pool at cᵢ = exp(αᵢ) / Σ exp(αⱼ), dalphaᵢ = cᵢ·(dcᵢ - Σ cⱼ·dcⱼ)',
  source: 'spec §1, §4, §5: softmax, its maximum taken off first, |alpha| ≤ 1000',
  finiteCases: true,
  longSums: true,
  async check(drawn, trial) {
    const given = spread(drawn, trial.format);
    const { n, count, units, of } = positionsOf(given.pool, given.shape);
    const u = 2 ** -formats[given.dtype].p * (trial.subject.facets.includes('faithful') ? 2 : 1);
    // Of the coefficients as the free pool is given them, and of what is stored.
    const held = Math.max(u, 2 ** -trial.format.p);
    const tiny = 2 * 2 ** trial.format.normalExponent + 2 ** -160;
    const columns = range(count).map((s) =>
      coefficientsAt(
        range(n).map((k) => given.alpha[k * count + s]),
        u,
      ),
    );
    const rounded = mapTensor(given, 'alpha', (_, i) =>
      toNumber(columns[i % count].exact[Math.floor(i / count)], trial.format),
    );
    const answer = await trial.ask(withConstraint(given, { kind: 'softmax' }));
    const free = await trial.askAbout(rounded);
    const fs = given.pool.branches.map(branchOf);
    const values = {
      y: (k: number, i: number) => fs[k].f(given.x[i]),
      dx: (k: number, i: number) => fs[k].df(given.x[i]) * given.dy[i],
    };
    for (const name of ['y', 'dx'] as const) {
      trial.balance(given, name, answer[name].length, (i) => {
        const { c, relative } = columns[of(i % units)];
        const off = sum(range(n).map((k) => Math.abs(values[name](k, i)) * (c[k] * (relative[k] + 2 * held) + tiny)));
        return {
          actual: [answer[name][i]],
          expected: [free.answer[name][i]],
          slack:
            outward * (2 * slackOf(free.allowed[name][i]) + off + (n + 1) * tiny * Math.max(1, Math.abs(given.dy[i]))),
        };
      });
    }
    const elements = given.x.length / Math.max(1, count);
    const rounding = (2 * n + 6 + elements) * u + (held > u ? held : 0);
    balanceDalpha(trial, free, answer.dalpha, columns, rounding, tiny);
  },
};

export const softmaxForward: Law = {
  id: 'constraint/softmax-forward',
  statement: 'forward mode under softmax is that of the free pool at c = softmax(alpha) along tcᵢ = cᵢ·(tᵢ - Σ cⱼ·tⱼ)',
  source: 'spec §1, §4: tc = κ′(alpha)·talpha',
  finiteCases: true,
  needs: 'jvp',
  async check(drawn, trial) {
    const given = spread(drawn, trial.format);
    const { n, count, units, of } = positionsOf(given.pool, given.shape);
    const arithmetic = new Arithmetic(given.dtype, trial.subject.facets);
    const u = Math.max(arithmetic.u, 2 ** -trial.format.p);
    const tiny = 2 * 2 ** trial.format.normalExponent + 2 ** -160;
    const tangents = { tx: given.x.toReversed(), talpha: given.alpha.toReversed() };
    const columns = range(count).map((s) => {
      const at = (tensor: Float64Array) => range(n).map((k) => tensor[k * count + s]);
      const [column, t] = [coefficientsAt(at(given.alpha), u), at(tangents.talpha)];
      const mean = column.exact.map((c, j) => multiply(c, dyadic(t[j]))).reduce(add);
      const tc = column.exact.map((c, k) => toNumber(multiply(c, subtract(dyadic(t[k]), mean)), trial.format));
      return { ...column, tc, T: Math.max(...t.map(Math.abs)), worst: Math.max(...column.relative) };
    });
    const rounded = (value: (column: (typeof columns)[number], k: number) => number) =>
      given.alpha.map((_, i) => value(columns[i % count], Math.floor(i / count)));
    const free = { ...given, alpha: rounded(({ exact }, k) => toNumber(exact[k], trial.format)) };
    const wanted = await trial.jvp(free, { tx: tangents.tx, talpha: rounded(({ tc }, k) => tc[k]) });
    const ty = await trial.jvp(withConstraint(given, { kind: 'softmax' }), tangents);
    trial.balance(given, 'ty', ty.length, (i) => {
      const { c, tc, T, relative, worst } = columns[of(i % units)];
      const [x, tx] = [given.x[i], Math.abs(tangents.tx[i])];
      const off = given.pool.branches.map((ref, k) => {
        const { f, df } = branchOf(ref);
        // cᵢ·tᵢ and cᵢ·cⱼ·tⱼ are at most cᵢ·T each, and pass n + 4 roundings; the free pool is given both rounded.
        const ofCoefficient = c[k] * (relative[k] + u) + tiny;
        const ofTangent = 2 * c[k] * T * (relative[k] + worst + (n + 4) * u) + Math.abs(tc[k]) * u + tiny * (1 + T);
        // Of both sides: a branch is off by its own error, and each monomial passes at most 2n + 3 roundings.
        const ofBranch = errorOf(exactBranchOf(ref).f(x, arithmetic)) * (Math.abs(tc[k]) + ofTangent);
        const ofSlope = errorOf(exactBranchOf(ref).df(x, arithmetic)) * (c[k] + ofCoefficient) * tx;
        const roundings =
          (2 * n + 3) * u * (Math.abs(f(x)) * (Math.abs(tc[k]) + ofTangent) + Math.abs(df(x)) * c[k] * tx);
        const own = Math.abs(f(x)) * ofTangent + Math.abs(df(x)) * tx * ofCoefficient;
        return own + 2 * (ofBranch + ofSlope + roundings) + 4 * n * tiny * Math.max(1, tx);
      });
      return { actual: [ty[i]], expected: [wanted[i]], slack: outward * sum(off) };
    });
  },
};

/**
 * Both sides may have every dc off by its bound B. The monomials cᵢ·dcᵢ and cᵢ·cⱼ·dcⱼ, as sums of |f·dy| before they
 * cancel (A), are off by the errors of their coefficients and by `rounding`, of 2n + 6 times more and of the storage,
 * and once for each element of the sum, where `fᵢ - y` is multiplied by dy before it.
 */
function balanceDalpha(
  trial: Trial,
  { input, answer, allowed }: Answered,
  dalpha: Float64Array,
  columns: readonly Coefficients[],
  rounding: number,
  tiny: number,
): void {
  const { n, count, units, of } = positionsOf(input.pool, input.shape);
  const fs = input.pool.branches.map(branchOf);
  const A = new Float64Array(n * count);
  for (const [i, x] of input.x.entries()) {
    for (const k of range(n)) A[k * count + of(i % units)] += Math.abs(fs[k].f(x) * input.dy[i]);
  }
  trial.balance(input, 'dalpha', dalpha.length, (i) => {
    const [row, s] = [Math.floor(i / count), i % count];
    const { exact, c, relative } = columns[s];
    const at = (k: number) => k * count + s;
    const B = range(n).map((k) => slackOf(allowed.dalpha[at(k)]));
    const sizes = range(n).map((k) => A[at(k)] + B[k]);
    const shared = sum(range(n).map((j) => c[j] * (2 * B[j] + sizes[j] * (relative[row] + relative[j] + rounding))));
    const own = 2 * B[row] + sizes[row] * (relative[row] + rounding);
    const underflow = tiny * (2 * n + 4 + 2 * sizes[row] + 3 * sum(sizes));
    const dc = (k: number, ...factors: Dyadic[]) => {
      const value = answer.dalpha[at(k)];
      return Number.isFinite(value) ? factors.reduce(multiply, dyadic(value)) : value;
    };
    return {
      actual: [dalpha[i]],
      expected: [dc(row, exact[row]), ...range(n).map((j) => dc(j, exact[row], negate(exact[j])))],
      slack: outward * (c[row] * (own + shared) + underflow),
    };
  });
}
