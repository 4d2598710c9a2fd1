import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { branches, branchNames, nameOf } from '../reference/branches.ts';
import type { BranchRef, Case, GradientCotangents } from '../reference/case.ts';
import { doubleVjp, forward, jvp, vjp } from '../reference/pool.ts';
import { isVacuous, permits } from './allowed.ts';
import { cases } from './cases.ts';
import { Arithmetic } from './error-bound.ts';
import type { Dyadic } from './exact.ts';
import { exactBranches } from './exact-branches.ts';
import { expressionOf } from './expression-branch.ts';
import { exactBig } from './expressions/evaluate.ts';
import { expectation } from './interval.ts';
import { formulas } from './oracle.ts';
import { positionsOf } from './positions.ts';
import { range } from './transform.ts';

const isSmooth = (ref: BranchRef) => ['tanh', 'sigmoid', 'softplus'].includes(nameOf(ref));
const arithmetic = new Arithmetic('f64', []);

const points = fc.oneof(
  fc.double({ min: -40, max: 40, noNaN: true }),
  fc.double({ min: -1, max: 1, noNaN: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -32, max: 32 }).map((q) => q / 4),
  fc.constantFrom(0, -0, 1, -1, 2 ** -40, -(2 ** -26), 2 ** -61, 100, -100, 5e-324, -5e-324, 2 ** -1022),
);

describe('the built-in branches against their formulas', () => {
  it.each(branchNames)('%s: value, both derivatives and kinks', (name) => {
    const [own, formula] = [branches[name], formulas[name]];
    expect(formula.kinks).toEqual(own.kinks);
    fc.assert(
      fc.property(points, (x) => {
        for (const [part, roundings] of [
          ['f', 4],
          ['df', 4],
          // A product of three factors, each within 4 u.
          ['d2f', 12],
        ] as const) {
          const [actual, expected] = [own[part](x), formula[part](x)];
          if (!isSmooth(name)) expect(actual + 0).toBe(expected);
          else if (Number.isFinite(expected)) {
            const size = Math.max(1, Math.abs(expected));
            expect(Math.abs(actual - expected)).toBeLessThanOrEqual((roundings + 1) * 2 ** -53 * size);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each(branchNames)('%s at NaN and ±∞', (name) => {
    expect(formulas[name].f(Number.NaN)).toBeNaN();
    expect(formulas[name].f(Infinity)).toBe(branches[name].f(Infinity));
    expect(formulas[name].f(-Infinity)).toBe(branches[name].f(-Infinity) + 0);
  });
});

describe('the fixed-point functions against BigNumber', () => {
  /** |a - b| < 2⁻¹⁵⁰, compared as integers of 2⁻¹⁶⁰. */
  const near = ({ m, e }: Dyadic, big: ReturnType<typeof exactBig>) => {
    // In the class of `exactBig`, which keeps all digits.
    const scaled = BigInt(
      exactBig(2 ** 160)
        .times(big)
        .round()
        .toFixed(),
    );
    const own = e + 160 >= 0 ? m << BigInt(e + 160) : m >> BigInt(-e - 160);
    const distance = own - scaled;
    return distance < 1024n && distance > -1024n;
  };

  it.each(['tanh', 'sigmoid', 'softplus'] as const)('%s is exact to 2⁻¹⁵⁰, the reference within 4 u', (name) => {
    const formula = expressionOf(formulas[name]);
    fc.assert(
      fc.property(
        points.filter((x) => Math.abs(x) <= 100),
        (x) => {
          for (const [order, side] of (['f', 'df'] as const).entries()) {
            const exact = exactBranches[name][side](x, arithmetic);
            if (exact.kind !== 'approximate') throw new Error('not approximate');
            const big = formula.decimal(order as 0 | 1, x, -50);
            expect(near(exact.value, big)).toBe(true);
            const error = big
              .minus(exactBig(branches[name][side](x)))
              .abs()
              .toNumber();
            expect(error).toBeLessThanOrEqual(4 * 2 ** -53 * exact.bound);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the reference against exact arithmetic', () => {
  it('on 10,000 Cases: one value where the spec says exact, in the interval elsewhere', () => {
    const seen = { cases: 0, elements: 0, points: 0, open: 0, vacuous: 0 };
    const check = (c: Case) => {
      const expected = expectation(c);
      const answer = { y: forward(c), ...vjp(c) };
      seen.cases++;
      for (const name of ['y', 'dx', 'dalpha'] as const) {
        for (const [i, allowed] of expected[name].entries()) {
          const actual = answer[name][i];
          seen.elements++;
          if (allowed.open) seen.open++;
          else if (isVacuous(allowed)) seen.vacuous++;
          if (allowed.point) seen.points++;
          if (!permits(allowed, actual))
            throw new Error(`${name}[${i}] is ${actual}, allowed ${JSON.stringify(allowed)}`);
        }
      }
    };
    for (const kind of ['dyadic', 'general'] as const) {
      fc.assert(fc.property(cases({ dtype: 'f64', kind }), check), { numRuns: 5000 });
    }
    console.log(
      `${seen.cases} Cases, ${seen.elements} elements: ${percent(seen.points)} one value only, ` +
        `${percent(seen.open)} open, ${percent(seen.vacuous)} vacuous`,
    );
    function percent(n: number) {
      return `${((100 * n) / seen.elements).toFixed(2)} %`;
    }
    expect(seen.cases).toBe(10_000);
    expect((seen.open + seen.vacuous) / seen.elements).toBeLessThan(0.05);
  });

  it('forward mode and double backward are their formulas on 2,000 dyadic Cases, where float64 is exact', () => {
    fc.assert(
      fc.property(cases({ dtype: 'f64', kind: 'dyadic' }), (c) => {
        fc.pre(c.pool.constraint.kind !== 'fixed');
        const directions = { ddx: c.dy.toReversed(), ddalpha: c.alpha.toReversed() };
        const { toX, toDy, toAlpha } = twiceByFormula(c, directions);
        expect(doubleVjp(c, directions)).toEqual({
          toX: positive(toX),
          toDy: positive(toDy),
          toAlpha: positive(toAlpha),
        });
        expect(jvp(c, { tx: directions.ddx, talpha: directions.ddalpha })).toEqual(positive(toDy));
      }),
      { numRuns: 2000 },
    );
  });

  it('rounds y once, where branches are exact and nothing underflows', () => {
    fc.assert(
      fc.property(cases({ dtype: 'f64', kind: 'general', finite: true }), (c) => {
        fc.pre(!c.pool.branches.some((name) => isSmooth(name) || name === 'halfSquare'));
        fc.pre(c.pool.constraint.kind !== 'sumToOne');
        // A product that underflows to 0 can't decide a tie between the others.
        const isFar = (v: number) => v === 0 || Math.abs(v) > 2 ** -400;
        fc.pre(c.alpha.every(isFar));
        const { y } = expectation(c);
        for (const [i, actual] of forward(c).entries()) {
          // The sign of 0 is never compared.
          if (isFar(c.x[i])) expect(actual + 0).toBe(y[i].exact + 0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** Without the sign of 0, which is never compared. */
const positive = (tensor: readonly number[]) => Float64Array.from(tensor, (v) => v + 0);

/** `∂<ddx, dx>/∂· + <ddalpha, dalpha>/∂·` by the derivatives of each monomial `cₖ·fₖ(x)`, term by term. */
function twiceByFormula({ pool, shape, x, alpha, dy }: Case, { ddx, ddalpha }: GradientCotangents) {
  const { n, rows, count, units, of } = positionsOf(pool, shape);
  const { constraint } = pool;
  const at = (tensor: Float64Array, k: number, s: number) => tensor[k * count + s];
  const total = (terms: readonly number[]) => terms.reduce((sum, term) => sum + term, 0);
  /** ∂cₖ/∂αⱼ. */
  const partial = (k: number, j: number, s: number): number => {
    if (constraint.kind === 'sumToOne' && k === n - 1) return -1;
    if (constraint.kind === 'clip' && Math.abs(at(alpha, k, s)) > constraint.bounds[k]) return 0;
    return k === j ? 1 : 0;
  };
  const c = (k: number, s: number): number => {
    if (constraint.kind === 'sumToOne' && k === n - 1) return 1 - total(range(rows).map((j) => at(alpha, j, s)));
    const bound = constraint.kind === 'clip' ? constraint.bounds[k] : Infinity;
    return Math.max(-bound, Math.min(bound, at(alpha, k, s)));
  };
  const tc = (k: number, s: number) => total(range(rows).map((j) => partial(k, j, s) * at(ddalpha, j, s)));
  const fs = pool.branches.map((ref) => formulas[nameOf(ref) as keyof typeof formulas]);
  const elements = range(x.length).map((i) => ({ x: x[i], dy: dy[i], ddx: ddx[i], s: of(i % units) }));
  const sumOver = (term: (k: number, element: (typeof elements)[number]) => number) =>
    elements.map((element) => total(range(n).map((k) => term(k, element))));
  return {
    toDy: sumOver((k, e) => e.ddx * c(k, e.s) * fs[k].df(e.x) + tc(k, e.s) * fs[k].f(e.x)),
    toX: sumOver((k, e) => e.dy * (e.ddx * c(k, e.s) * fs[k].d2f(e.x) + tc(k, e.s) * fs[k].df(e.x))),
    toAlpha: range(rows * count).map((place) => {
      const [j, s] = [Math.floor(place / count), place % count];
      const members = elements.filter((element) => element.s === s);
      return total(members.flatMap((e) => range(n).map((k) => partial(k, j, s) * e.dy * e.ddx * fs[k].df(e.x))));
    }),
  };
}
