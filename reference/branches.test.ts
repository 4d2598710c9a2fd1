import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Branch, branches, branchNames, branchOf, nameOf } from './branches.ts';

/** Beside every kink, where values, slopes and curvatures are all well away from 0 and from each other. */
const x = fc.oneof(fc.double({ min: 0.05, max: 4, noNaN: true }), fc.double({ min: -4, max: -0.05, noNaN: true }));
const h = 2 ** -12;

/** The derivative by central differences of two steps, extrapolated: off by h⁴ times the fifth derivative, below 1e-11. */
function differences(f: (x: number) => number, at: number): number {
  const once = (step: number) => (f(at + step) - f(at - step)) / (2 * step);
  return (4 * once(h) - once(2 * h)) / 3;
}

describe.each(branchNames.map((name): [string, Branch] => [name, branches[name]]))('%s', (name, branch) => {
  it('has the derivatives of its values', () => {
    fc.assert(
      fc.property(x, (at) => {
        expect(Math.abs(branch.df(at) - differences(branch.f, at))).toBeLessThan(1e-9);
        expect(Math.abs(branch.d2f(at) - differences(branch.df, at))).toBeLessThan(1e-9);
      }),
    );
  });

  it('has at each kink the limits that it declares, and takes the value and the slope of the left', () => {
    for (const { at, value, slope } of branch.kinks) {
      for (const [side, sign] of [
        ['left', -1],
        ['right', 1],
      ] as const) {
        const beside = (n: number) => branch.f(at + sign * n * 2 ** -60);
        // Linear between, up to the curvature over 2⁻⁶⁰.
        expect(Math.abs(2 * beside(1) - beside(2) - value[side])).toBeLessThan(2 ** -100);
        expect(Math.abs((beside(2) - beside(1)) * 2 ** 60 * sign - slope[side])).toBeLessThan(2 ** -50);
      }
      expect(branch.f(at) + 0).toBe(value.left);
      expect(branch.df(at) + 0).toBe(name === 'negative' ? slope.right : slope.left);
    }
  });

  it('has no other kink: slopes agree from both sides', () => {
    const places = fc.integer({ min: -32, max: 32 }).map((n) => n / 8);
    fc.assert(
      fc.property(places, (at) => {
        fc.pre(branch.kinks.every((kink) => kink.at !== at));
        expect(Math.abs(branch.f(at + h) - 2 * branch.f(at) + branch.f(at - h))).toBeLessThan(2 * h * h);
      }),
    );
  });

  it('keeps NaN, in its value', () => {
    expect(branch.f(Number.NaN)).toBeNaN();
  });

  it('is found by its name', () => {
    expect(branchOf(name as never)).toBe(branch);
    expect(nameOf(name as never)).toBe(name);
  });
});

describe('a custom branch', () => {
  const square = {
    name: 'square',
    expression: 'x^2',
    kinks: [],
    f: (v: number) => v * v,
    df: (v: number) => 2 * v,
    d2f: () => 2,
  };
  it('is itself, by its own name', () => {
    expect(branchOf(square)).toBe(square);
    expect(nameOf(square)).toBe('square');
  });

  it.each(['name', 'expression', 'kinks', 'f', 'df', 'd2f'])('has to have %s', (part) => {
    for (const value of [undefined, 3]) {
      expect(() => branchOf({ ...square, [part]: value } as never)).toThrow(
        'branchOf: "ref" expected custom branches with name, expression, kinks, f, df and d2f, got an object',
      );
    }
  });

  it.each([[null], [['relu']], [3], ['rellu'], ['toString']])('is not %j', (ref) => {
    expect(() => nameOf(ref as never)).toThrow(/^nameOf: "ref" expected names among relu, step, .*softplus, got /);
  });
});
