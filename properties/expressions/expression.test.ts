import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formats } from '../dtypes.ts';
import { Arithmetic } from '../error-bound.ts';
import { add, type Dyadic, dyadic, multiply, scale, toNumber } from '../exact.ts';
import { expressionBranch, expressionOf } from '../expression-branch.ts';
import { smoothFunctions } from './tree.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const once = (value: Dyadic) => toNumber(value, formats.f64) + 0;

describe('values', () => {
  /** Exact arithmetic on dyadic rationals, which has no digits to run out of. */
  it.each<[string, (x: Dyadic) => Dyadic]>([
    ['x^2 / 2', (x) => scale(multiply(x, x), -1)],
    ['x + 1', (x) => add(x, dyadic(1))],
    ['(x + 1) - x', () => dyadic(1)],
    ['(x + 2^60)^2 - x^2', (x) => add(scale(x, 61), scale(dyadic(1), 120))],
    ['x^3 - x', (x) => add(multiply(multiply(x, x), x), multiply(dyadic(-1), x))],
    ['x * (1 - x) (1 + x)', (x) => add(x, multiply(dyadic(-1), multiply(multiply(x, x), x)))],
  ])('%s is rounded once from the exact value, also where it cancels, ties or underflows', (text, exact) => {
    const { f } = expressionBranch(text);
    fc.assert(
      fc.property(finite, (x) => {
        expect(f(x)).toBe(once(exact(dyadic(x))));
      }),
      { numRuns: 300 },
    );
  });

  it('of functions agree with Math to the error of Math', () => {
    for (const name of smoothFunctions) {
      if (name === 'sec' || name === 'sech') continue;
      const { f } = expressionBranch(`${name}(x)`);
      fc.assert(
        fc.property(fc.oneof(fc.double({ min: -3, max: 3, noNaN: true }), finite), (x) => {
          const [expected, actual] = [Math[name](x), f(x)];
          if (Number.isNaN(expected)) expect(actual).toBeNaN();
          // Beyond, Math's own overflow and underflow.
          else if (Math.abs(expected) < 1e300 && Math.abs(expected) > 1e-300) {
            expect(Math.abs(actual - expected)).toBeLessThanOrEqual(8 * 2 ** -53 * Math.abs(expected));
          }
        }),
        { numRuns: 60 },
      );
    }
  });

  it('do not change with more digits', () => {
    const texts = ['x / (1 + exp(-x))', 'x * tanh(log1p(exp(x)))', 'sin(x) - x', 'expm1(x) - x', 'atan(x) / x', 'x^x'];
    for (const text of texts) {
      const branch = expressionBranch(text);
      fc.assert(
        fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (x) => {
          const value = branch.f(x);
          // Ties among the subnormals are decided by more digits still.
          fc.pre(Number.isFinite(value) && Math.abs(value) > 1e-300);
          const digits = expressionOf(branch).decimal(0, x, -330);
          expect(Number(digits.toString()) + 0).toBe(value);
        }),
        { numRuns: 30 },
      );
    }
  });

  it('of whole branches come from their sides, and NaN is NaN', () => {
    const elu = expressionBranch('x > 0 ? x : expm1(x)');
    expect([2, 0, -Infinity, Infinity, Number.NaN].map(elu.f)).toEqual([2, 0, -1, Infinity, Number.NaN]);
    expect([2, 0, -Infinity].map(elu.df)).toEqual([1, 1, 0]);
    expect(expressionBranch('x > 0 ? 1 : 0', { kinks: [0] }).f(Number.NaN)).toBeNaN();
    expect(expressionBranch('1').f(Number.NaN)).toBeNaN();
  });
});

describe('derivatives', () => {
  it.each<[string, string]>([
    ['x / (1 + exp(-x))', '1/(1+exp(-x)) * (1 + x * (1 - 1/(1+exp(-x))))'],
    ['exp(x)', 'exp(x)'],
    ['expm1(x)', 'exp(x)'],
    ['log(x)', '1/x'],
    ['log1p(x)', '1/(1+x)'],
    ['sqrt(x)', '0.5 / sqrt(x)'],
    ['cbrt(x)', '1 / (3 * cbrt(x)^2)'],
    ['sin(x)', 'cos(x)'],
    ['cos(x)', '-sin(x)'],
    ['tan(x)', '1 + tan(x)^2'],
    ['sec(x)', 'sin(x) / cos(x)^2'],
    ['asin(x)', '1 / sqrt(1 - x^2)'],
    ['acos(x)', '-1 / sqrt(1 - x^2)'],
    ['atan(x)', '1 / (1 + x^2)'],
    ['sinh(x)', 'cosh(x)'],
    ['cosh(x)', 'sinh(x)'],
    ['tanh(x)', '1 - tanh(x)^2'],
    ['sech(x)', '-sinh(x) / cosh(x)^2'],
    ['asinh(x)', '1 / sqrt(1 + x^2)'],
    ['acosh(x)', '1 / sqrt(x^2 - 1)'],
    ['atanh(x)', '1 / (1 - x^2)'],
    ['2^x', 'log(2) * 2^x'],
    ['x^3 / 3', 'x^2'],
    ['x^2.5', '2.5 x^1.5'],
    ['exp(max(x, -1))', 'x > -1 ? exp(x) : 0'],
    ['abs(sin(x))', 'sign(sin(x)) * cos(x)'],
    ['max(x, x^3)', 'x^3 > x ? 3 x^2 : 1'],
  ])('(%s)′ is %s', (text, derivative) => {
    const kinks = [-1, 0, 1];
    const [own, { f }] = [expressionBranch(text, { kinks }), expressionBranch(derivative, { kinks })];
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (x) => {
        fc.pre(!kinks.includes(x));
        // Outside the domain of f its derivative as a formula may go on.
        if (!Number.isNaN(own.f(x))) expect(own.df(x)).toBe(f(x));
      }),
      { numRuns: 20 },
    );
  });
});

describe('kinks', () => {
  it('have one-sided limits of value and slope', () => {
    expect(expressionBranch('x > 0 ? x + 1 : x/4', { kinks: [0] }).kinks).toEqual([
      { at: 0, value: { left: 0, right: 1 }, slope: { left: 0.25, right: 1 } },
    ]);
    expect(expressionBranch('max(0, min(1, x/5 + 0.5))', { kinks: [-2.5, 2.5] }).kinks).toEqual([
      { at: -2.5, value: { left: 0, right: 0 }, slope: { left: 0, right: 0.2 } },
      { at: 2.5, value: { left: 1, right: 1 }, slope: { left: 0.2, right: 0 } },
    ]);
    expect(expressionBranch('sin(x) / x > 2 ? 0 : x > 0.1 ? 1 : 2', { kinks: [0.1] }).kinks[0].value).toEqual({
      left: 2,
      right: 1,
    });
  });

  it('take the side that the expression takes, unless another derivative is stated', () => {
    expect(expressionBranch('x > 0 ? x : 0', { kinks: [0] }).df(0)).toBe(0);
    expect(expressionBranch('x >= 0 ? x : 0', { kinks: [0] }).df(0)).toBe(1);
    expect(expressionBranch('x > 0 ? x : 0', { kinks: [{ at: 0, derivative: 0.5 }] }).df(-0)).toBe(0.5);
    expect(expressionBranch('abs(x)', { kinks: [0] }).df(0)).toBe(0);
    expect(expressionBranch('max(0, x)', { kinks: [0] }).df(0)).toBe(0);
    expect(expressionBranch('max(x, 0)', { kinks: [0] }).df(0)).toBe(1);
  });

  it.each<[string, number[], number]>([
    ['x > 0 ? x : 0', [], 0],
    ['x > 1.5 ? 1 : 0', [0], 1.5],
    ['2 < x ? x : 0', [], 2],
    ['3 x - 6 > 0 ? x : 0', [], 2],
    ['abs(x - 1)', [], 1],
    ['sign(x)', [], 0],
    ['max(0, min(1, x/5 + 0.5))', [-2.5], 2.5],
    ['max(0, min(1, x/5 + 0.5))', [2.5], -2.5],
    ['1 + exp(-abs(x))', [], 0],
    ['x > 0.1 ? 1 : 0', [], 0.1],
  ])('that show in %s must be listed', (text, kinks, missing) => {
    expect(() => expressionBranch(text, { kinks })).toThrow(
      `expressionBranch: "kinks" expected ${missing} among them, where "${text}" has the slopes`,
    );
    expect(() => expressionBranch(text, { kinks: [...kinks, missing] })).not.toThrow();
  });

  it('need not be listed where value and slope agree, and may be where nothing happens', () => {
    expect(() => expressionBranch('x > 0 ? x^2/2 : 0')).not.toThrow();
    expect(() => expressionBranch('x', { kinks: [7] })).not.toThrow();
  });

  it.each<[unknown, string]>([
    ['0', '"kinks" expected an array, got string'],
    [[Number.NaN], '"kinks" expected finite numbers, got NaN'],
    [[0, -0], '"kinks" expected each place once, got [0, 0]'],
    [['0'], '"kinks" expected numbers or { at, derivative }, got "0"'],
    [[{ at: 0, derivative: Infinity }], '"kinks" expected finite numbers, got Infinity'],
    [[null], '"kinks" expected numbers or { at, derivative }, got null'],
  ])('%j is no list of kinks', (kinks, message) => {
    expect(() => expressionBranch('x', { kinks: kinks as number[] })).toThrow(message);
  });
});

describe('a derivative where formulas meet', () => {
  it.each<[string, number, number, number]>([
    ['sign(x)*log1p(abs(x))', 0, 1, 0],
    ['sign(x)*sin(abs(x))', 0, 1, 0],
    ['sign(x - 1)*abs(x - 1)*exp(x)', 1, Math.E, 2 * Math.E],
    ['x > 0 ? sin(x) : sinh(x)', 0, 1, 0],
    ['abs(x)^3 + 2 x', 0, 2, 0],
  ])('is that of both sides where they agree: %s at %d', (text, at, first, second) => {
    for (const kinks of [[], [at]]) {
      const branch = expressionBranch(text, { kinks });
      expect(branch.df(at)).toBeCloseTo(first, 14);
      expect(branch.d2f(at)).toBeCloseTo(second, 14);
    }
  });

  it('is that of the side that is taken where they do not, or where the value is another', () => {
    const kinks = [0];
    expect(expressionBranch('abs(x)', { kinks }).df(0)).toBe(0);
    expect(expressionBranch('max(2 x, x)', { kinks }).df(0)).toBe(2);
    expect(expressionBranch('x == 0 ? 1 : x', { kinks }).df(0)).toBe(0);
    // Both slopes are 1, but not the second derivatives.
    expect(expressionBranch('sign(x)*log1p(abs(x))', { kinks }).d2f(0)).toBe(0);
    expect(expressionBranch('sign(x)*sin(abs(x))', { kinks: [{ at: 0, derivative: 3 }] }).df(0)).toBe(3);
  });

  it('may be rounded as the formulas beside it are', () => {
    const at = 1;
    const branch = expressionBranch('sign(x - 1)*abs(x - 1)*exp(x)', { kinks: [at] });
    const { derivative } = expressionOf(branch).rounding(at, new Arithmetic('f32', []));
    expect(derivative).toBeGreaterThan(Math.E * 2 ** -24);
  });
});
