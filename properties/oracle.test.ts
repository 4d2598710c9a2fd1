import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { branches, branchNames, nameOf } from '../reference/branches.ts';
import type { BranchRef, Case } from '../reference/case.ts';
import { forward, vjp } from '../reference/pool.ts';
import { isVacuous, permits } from './allowed.ts';
import { cases } from './cases.ts';
import { Arithmetic } from './error-bound.ts';
import type { Dyadic } from './exact.ts';
import { exactBranches } from './exact-branches.ts';
import { expressionOf } from './expression-branch.ts';
import { exactBig } from './expressions/evaluate.ts';
import { expectation } from './interval.ts';
import { formulas } from './oracle.ts';

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
    const seen = { cases: 0, elements: 0, points: 0, unchecked: 0, vacuous: 0 };
    const check = (c: Case) => {
      const expected = expectation(c);
      const answer = { y: forward(c), ...vjp(c) };
      seen.cases++;
      for (const name of ['y', 'dx', 'dalpha'] as const) {
        for (const [i, allowed] of expected[name].entries()) {
          const actual = answer[name][i]!;
          seen.elements++;
          if (allowed.unchecked) seen.unchecked++;
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
        `${percent(seen.unchecked)} unchecked, ${percent(seen.vacuous)} vacuous`,
    );
    function percent(n: number) {
      return `${((100 * n) / seen.elements).toFixed(2)} %`;
    }
    expect(seen.cases).toBe(10_000);
    expect((seen.unchecked + seen.vacuous) / seen.elements).toBeLessThan(0.05);
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
          if (isFar(c.x[i]!)) expect(actual + 0).toBe(y[i]!.exact + 0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
