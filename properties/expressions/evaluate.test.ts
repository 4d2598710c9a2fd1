import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formats } from '../dtypes.ts';
import { dyadic, multiply, toNumber } from '../exact.ts';
import { expressionBranch } from '../expression-branch.ts';
import { most, Point, rounded } from './evaluate.ts';
import { Expression } from './expression.ts';
import { parse } from './parse.ts';

/** Of all magnitudes alike. */
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

/** Where nearly equal quantities meet at tiny, huge or ordinary x. */
const close = [
  'max(x, tanh(x))',
  'max(x, atan(x), asinh(x), sin(x))',
  'max(sinh(x), tan(x))',
  'max(sin(tan(x)), tan(sin(x)))',
  'max(sin(x)^2 + cos(x)^2, 1)',
  'x - sin(x)',
  'x - tanh(x)',
  '1 - exp(-x)',
  '(1 + x) - 1',
  'log(1 + x) - x',
  'cbrt(1 + x) - 1',
  'exp(x) - cosh(x) - sinh(x)',
  '(1 - cos(x)) / x^2',
  'sqrt(x^2 + 1) - x',
  'acosh(1 + x)',
  'atanh(tanh(x)) - x',
  'sin(1/x)',
  'x^x',
  'exp(exp(x))',
];
const nested = `${'sin(x + '.repeat(60)}x${')'.repeat(60)}`;

describe('the work at one x is bounded', () => {
  it.each([...close, nested])('%s', (text) => {
    const whole = parse('test', text);
    fc.assert(
      fc.property(finite, (x) => {
        const point = new Point(x);
        point.value(point.piece(whole)!.tree, (ball) => rounded(ball) !== undefined);
        expect(point.work).toBeLessThanOrEqual(1.5 * most);
      }),
      { numRuns: 40, examples: [[2e-307], [5e-324], [-1e-200], [1e-100], [1e16], [1e154], [-1.7e308]] },
    );
  });
});

describe('what the digits decide', () => {
  it('is right where nearly equal quantities meet', () => {
    const [max, minus, sine] = ['max(x, tanh(x))', '(1 + x) - 1', 'x - sin(x)'].map((text) => expressionBranch(text));
    const tiny = fc.double({ min: -1e-40, max: 1e-40, noNaN: true });
    fc.assert(
      fc.property(tiny, (x) => {
        // tanh(x) is -|x| + |x|³/3 on the left: x once rounded.
        expect([max.f(x), max.df(x), minus.f(x)]).toEqual([x + 0, 1, x + 0]);
        expect(sine.d2f(x)).toBe(x + 0);
        // 1 - cos(x) = x²/2 - …, where ties among the subnormals go down.
        const half = toNumber(multiply(multiply(dyadic(x), dyadic(x)), dyadic(0.5)), formats.f64);
        expect(Math.abs(sine.df(x) - half)).toBeLessThanOrEqual(half * 2 ** -52);
      }),
      { numRuns: 200 },
    );
  });

  it('is certain, and where they do not suffice it is said so', () => {
    const certain = (text: string, x: number, kinks: number[] = []) => {
      const expression = new Expression('test', text, kinks);
      return [expression.isCertain(0, x), expression.isCertain(1, x)];
    };
    expect(certain('max(x, tanh(x))', 5e-324)).toEqual([true, true]);
    expect(certain('max(x, x^3)', 1)).toEqual([true, true]);
    expect(certain('sqrt(x) > 2 ? x : 0', 4)).toEqual([true, true]);
    // x⁷/30 apart: 1200 digits of x are alike.
    expect(certain('max(sin(tan(x)), tan(sin(x)))', 1e-200)).toEqual([false, false]);
    expect(certain('(sin(tan(x)) - tan(sin(x))) / x^7', 1e-200)).toEqual([false, false]);
    // Never apart: a tie where the author says so.
    expect(certain('max(sin(x)^2 + cos(x)^2, 1)', 0.5)).toEqual([false, false]);
    expect(certain('max(sin(x)^2 + cos(x)^2, 1)', 0.5, [0.5])).toEqual([true, true]);
    expect(certain('max(exp(x), exp(x))', 0.5)).toEqual([true, true]);
  });
});
