import { describe, expect, it } from 'vitest';
import { branches, branchNames } from '../../../reference/branches.ts';
import { evaluator, exponential, formulas, type Target } from './formula.ts';

/** Single precision, every operation rounded once. */
function singlePrecision(x: number): Target<number> {
  const { fround } = Math;
  return {
    x,
    constant: fround,
    negate: (a) => -a,
    absolute: Math.abs,
    nearest: (a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : Math.round(a)),
    powerOfTwo: (a) => 2 ** a,
    add: (a, b) => fround(a + b),
    subtract: (a, b) => fround(a - b),
    multiply: (a, b) => fround(a * b),
    divide: (a, b) => fround(a / b),
    maximum: (a, b) => Math.max(a, b),
    ifPositive: (a, b, c) => (a > 0 ? b : c),
  };
}

/** Every magnitude of float32 and both signs, evenly by bits. */
function* singles(count: number): Generator<number> {
  const word = new DataView(new ArrayBuffer(4));
  for (let k = 0; k < count; k++) {
    word.setUint32(0, Math.round((k / count) * 2 ** 32));
    const v = word.getFloat32(0);
    if (!Number.isNaN(v)) yield v;
  }
  // Where exponentials and Taylor's polynomials are at work.
  for (let k = 0; k < count; k++) yield Math.fround(((k + 0.5) / count - 0.5) * 240);
}

it('the exponential is off by the 2⁻²⁷ that its terms leave, but for rounding', () => {
  const exact = (x: number): Target<number> => ({
    ...singlePrecision(x),
    constant: (value) => value,
    add: (a, b) => a + b,
    subtract: (a, b) => a - b,
    multiply: (a, b) => a * b,
    divide: (a, b) => a / b,
  });
  const ofX = exponential({ op: 'x' });
  let worst = 0;
  for (let v = 0; v > -86.9; v -= 86.9 / 100_000) {
    worst = Math.max(worst, Math.abs(evaluator(exact(v))(ofX) / Math.exp(v) - 1));
  }
  expect(worst * 2 ** 27).toBeLessThan(1);
});

describe.each(branchNames)('the formula of %s', (name) => {
  it('is off by 3 u of max(1, |f|) at most, its derivative by 3 u', () => {
    const u = 2 ** -24;
    let [worst, worstDerivative] = [0, 0];
    for (const x of singles(30_000)) {
      const evaluate = evaluator(singlePrecision(x));
      const [value, derivative] = [branches[name].f(x), branches[name].df(x)];
      if (Math.abs(value) < 2 ** 128) {
        const error = Math.abs(evaluate(formulas[name].value) - value);
        worst = Math.max(worst, error / (u * Math.max(1, Math.abs(value))));
      } else expect(evaluate(formulas[name].value)).toBe(Math.fround(value));
      const error = evaluate(formulas[name].derivative) - derivative;
      if (error !== 0) worstDerivative = Math.max(worstDerivative, Math.abs(error) / (u * Math.max(1, derivative)));
    }
    expect(worst).toBeLessThan(3);
    expect(worstDerivative).toBeLessThan(3);
  });

  it('keeps its digits where f is small', () => {
    for (const x of singles(10_000)) {
      const exact = branches[name].f(x);
      if (Math.abs(exact) < 2 ** -120 || Math.abs(exact) > 2 ** 120) continue;
      const value = evaluator(singlePrecision(x))(formulas[name].value);
      expect(Math.abs(value - exact), `${name}(${x})`).toBeLessThan(8 * 2 ** -24 * Math.abs(exact));
    }
  });
});
