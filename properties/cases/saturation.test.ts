import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { branches } from '../../reference/branches.ts';
import { cases } from '../cases.ts';
import { formats } from '../dtypes.ts';
import { expressionBranch } from '../expression-branch.ts';
import { saturationsOf } from './saturation.ts';

it.each(['f64', 'f32', 'f16'] as const)('%s: smooth branches end where their exponential is u', (dtype) => {
  const { p } = formats[dtype];
  // exp(-x) = 2⁻ᵖ, and 2·exp(-2x) for tanh; softplus grows to x, of which it may then lack more. In float64 f is rounded.
  const end = p * Math.LN2;
  const near = (expected: number) => expect.closeTo(expected, dtype === 'f64' ? 0 : 2);
  expect(saturationsOf('sigmoid', formats[dtype])).toEqual([near(-end), near(end)]);
  expect(saturationsOf('tanh', formats[dtype])).toEqual([near(-(end + Math.LN2) / 2), near((end + Math.LN2) / 2)]);
  const [left, right] = saturationsOf('softplus', formats[dtype]);
  expect(left).toEqual(near(-end));
  expect(right + Math.log(right)).toEqual(near(end));
});

it.each([
  ['a polynomial', 'halfSquare'],
  ['what has no asymptote', expressionBranch('x^2 / (1 + exp(-x))')],
  ['what oscillates', expressionBranch('sin(x)')],
] as const)('%s has no end on the right', (_, ref) => {
  expect(saturationsOf(ref, formats.f64).filter((end) => end > 0)).toEqual([]);
});

it('what overflows on one side ends on the other', () => {
  const [end, ...others] = saturationsOf(expressionBranch('exp(x) - 1'), formats.f64);
  expect(end).toBeCloseTo(-53 * Math.LN2, 0);
  expect(others).toEqual([]);
});

it('general x lie below and beyond the ends of sigmoid, where a cut at 30 shows', () => {
  const drawn = fc.sample(cases({ dtype: 'f64', kind: 'general' }), { numRuns: 1000, seed: 1 });
  const xs = drawn.filter(({ pool }) => pool.branches.includes('sigmoid')).flatMap(({ x }) => [...x]);
  for (const sign of [1, -1]) {
    expect(xs.filter((x) => sign * x > 30 && sign * x < 36).length).toBeGreaterThan(10);
    expect(xs.filter((x) => sign * x > 37 && sign * x < 39).length).toBeGreaterThan(3);
  }
  expect(branches.sigmoid.f(30)).toBeLessThan(1);
});
