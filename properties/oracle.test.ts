import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { branches } from '../reference/branches.ts';
import type { Case } from '../reference/case.ts';
import { forward, vjp } from '../reference/pool.ts';
import { isVacuous, permits } from './allowed.ts';
import { cases } from './cases.ts';
import type { Dyadic } from './exact.ts';
import { exactBranches } from './exact-branches.ts';
import { expectation } from './interval.ts';
import { exactly, type Smooth, smoothValue } from './oracle.ts';

const isSmooth = (name: string): name is Smooth => ['tanh', 'sigmoid', 'softplus'].includes(name);

describe('transcendental branches against mathjs BigNumber', () => {
  const points = fc.oneof(
    fc.double({ min: -40, max: 40, noNaN: true }),
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, 2 ** -40, -(2 ** -26), 2 ** -61, 100, -100),
  );
  /** |a - b| < 2⁻¹⁵⁰, compared as integers of 2⁻¹⁶⁰. */
  const near = ({ m, e }: Dyadic, big: ReturnType<typeof exactly>) => {
    const scaled = BigInt(
      big
        .times(exactly(2 ** 160))
        .round()
        .toFixed(),
    );
    const own = e + 160 >= 0 ? m << BigInt(e + 160) : m >> BigInt(-e - 160);
    const distance = own - scaled;
    return distance < 1024n && distance > -1024n;
  };

  it.each(['tanh', 'sigmoid', 'softplus'] as const)('%s: fixed point is exact, the reference within 4 u', (name) => {
    fc.assert(
      fc.property(points, (x) => {
        for (const side of ['f', 'df'] as const) {
          const exact = exactBranches[name][side](x);
          if (exact.kind !== 'approximate') throw new Error('not approximate');
          const big = smoothValue(name, side, x);
          expect(near(exact.value, big)).toBe(true);
          const error = big
            .minus(exactly(branches[name][side](x)))
            .abs()
            .toNumber();
          expect(error).toBeLessThanOrEqual(4 * 2 ** -53 * exact.bound);
        }
      }),
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
        const { y } = expectation(c);
        for (const [i, actual] of forward(c).entries()) {
          if (Math.abs(actual) > 2 ** -900) expect(actual).toBe(y[i]!.exact);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
