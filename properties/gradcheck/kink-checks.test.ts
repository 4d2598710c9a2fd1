import { describe, expect, it } from 'vitest';
import type { Numeric } from './compare.ts';
import type { DeclaredKink } from './differentiable.ts';
import type { MeasuredKink } from './jacobian.ts';
import { kinkFailures, valueFailures } from './kink-checks.ts';
import type { MeasuredSide } from './sides.ts';

const floats = (...values: number[]) => Float64Array.from(values);
const side = (value: number, slope: number, valueError = 0, slopeError = 0): MeasuredSide => ({
  value,
  slope,
  valueError,
  slopeError,
  joined: true,
  curve: { slope, truncation: 0, rounding: 0, bend: 0, step: 1 },
  good: true,
  beside: { value, slope },
});

/** What is said of the value `actual`, at output 4 of `[2, 3]`, of an element at 8 on a kink between these sides. */
function check(actual: number, left: MeasuredSide, right: MeasuredSide, declared?: Partial<DeclaredKink>, noise = 0) {
  const kink: MeasuredKink = {
    derivative: 4,
    output: 4,
    element: 1,
    declared: declared && { at: 8, ...declared },
    left,
    right,
  };
  const numeric = {
    name: 'x',
    jacobian: { lo: floats(), hi: floats(), kinks: [kink] },
    values: floats(0, 8),
    noise: new Float64Array(6).with(4, noise),
  } as unknown as Numeric;
  const y = new Float64Array(6).with(4, actual);
  return kinkFailures(numeric, y, { y: [2, 3] });
}

describe('the value at a kink', () => {
  const [low, high] = [side(1, 0, 0.25), side(3, 0, 0.5)];

  it.each<[string, Partial<DeclaredKink> | undefined, number, number]>([
    ['undeclared', undefined, 0.75, 3.5],
    ['declared without a value', { derivative: 'left' }, 0.75, 3.5],
    ['of the left', { value: 'left' }, 0.75, 1.25],
    ['of the right', { value: 'right' }, 2.5, 3.5],
    ['a number of its output', { value: (output) => output / 2 }, 2, 2],
  ])('%s has to lie in its interval, wider by rounding', (_name, declared, lo, hi) => {
    for (const noise of [0, 0.125]) {
      for (const actual of [lo - noise, hi + noise]) expect(check(actual, low, high, declared, noise)).toEqual([]);
      for (const actual of [lo - noise - 2 ** -40, hi + noise + 2 ** -40]) {
        expect(check(actual, low, high, declared, noise)).toMatchObject([
          { code: 'value', index: [1, 1], actual, lo: lo - noise, hi: hi + noise },
        ]);
      }
    }
  });

  it('undeclared lies between the limits, whichever is the lower', () => {
    for (const [left, right] of [
      [low, high],
      [high, low],
    ] as const) {
      expect(check(2, left, right)).toEqual([]);
      expect(check(0.74, left, right)).toHaveLength(1);
      expect(check(3.51, left, right)).toHaveLength(1);
    }
    // The wider error may be that of the other limit.
    expect(check(-3, side(1, 0, 4), side(0, 0))).toEqual([]);
    expect(check(5, side(1, 0, 4), side(2, 0))).toEqual([]);
    expect(check(-3, side(0, 0), side(1, 0, 4))).toEqual([]);
    expect(check(5, side(2, 0), side(1, 0, 4))).toEqual([]);
  });

  it('may be any', () => {
    expect(check(1e9, low, high, { value: 'any' })).toEqual([]);
  });

  it('is explained by what was declared', () => {
    const why = (value?: DeclaredKink['value']) =>
      check(9, low, high, value === undefined ? undefined : { value }).map((f) => (f.code === 'value' ? f.why : ''));
    expect(why('left')[0]).toContain('left');
    expect(why('right')[0]).toContain('right');
    expect(new Set([...why(), ...why('left'), ...why('right'), ...why(() => 1)])).toHaveProperty('size', 4);
  });
});

describe.each(['left', 'right'] as const)('limits that are declared of the %s', (name) => {
  const measured = side(1, 2, 0.25, 0.5);
  const other = side(0.5, 100);
  const of = (value: number, slope: number, noise = 0) => {
    const sides = name === 'left' ? ([measured, other] as const) : ([other, measured] as const);
    const told: number[] = [];
    const failures = check(
      1,
      ...sides,
      {
        value: 'any',
        [name]: (output: number) => {
          told.push(output);
          return { value, slope };
        },
      },
      noise,
    );
    expect(told).toEqual([4]);
    return failures;
  };

  it('are those that were measured, within the errors', () => {
    for (const value of [0.75, 1, 1.25]) for (const slope of [1.5, 2, 2.5]) expect(of(value, slope)).toEqual([]);
    const common = { code: 'one-sided', input: 'x', at: 8, index: [1, 1], side: name };
    for (const value of [0.7, 1.3]) {
      expect(of(value, 2)).toEqual([{ ...common, quantity: 'value', actual: 1, expected: value, error: 0.25 }]);
    }
    for (const slope of [1.4, 2.6]) {
      expect(of(1, slope)).toEqual([{ ...common, quantity: 'slope', actual: 2, expected: slope, error: 0.5 }]);
    }
    expect(of(7, 7)).toHaveLength(2);
  });

  it('of the value are wider by its rounding, of the slope are not', () => {
    expect(of(1.375, 2, 0.125)).toEqual([]);
    expect(of(1.376, 2, 0.125)).toMatchObject([{ quantity: 'value', error: 0.375 }]);
    expect(of(1, 2.51, 0.125)).toMatchObject([{ quantity: 'slope', error: 0.5 }]);
  });
});

it('of a kink of which nothing is declared no side is compared', () => {
  expect(check(1, side(1, 2), side(1, 50))).toEqual([]);
});

describe('values of a twin', () => {
  const of = (y: number[], twin: number[], noise: number[]) =>
    valueFailures(floats(...y), floats(...twin), floats(...noise), [1, y.length]);

  it('are those of the function within its rounding', () => {
    expect(of([1, 2, -3], [1.5, 1.5, -3], [0.5, 0.5, 0])).toEqual([]);
    expect(of([1, 2], [1, 2.5], [0, 0.25])).toMatchObject([
      { code: 'value', index: [0, 1], actual: 2, lo: 2.25, hi: 2.75 },
    ]);
  });

  it('are reported where they are farthest outside', () => {
    expect(of([1, 5, 3], [0, 0, 0], [0.5, 4.25, 0])).toMatchObject([{ index: [0, 2], lo: 0, hi: 0 }]);
    expect(of([0, Number.NaN, 9], [0, 0, 0], [1, 1, 1])).toMatchObject([{ index: [0, 1], actual: Number.NaN }]);
    expect(of([Infinity, 1], [0, 0], [1, 0])).toMatchObject([{ index: [0, 0], actual: Infinity }]);
  });

  it('are open where the bound is, or where the twin itself is not finite', () => {
    expect(of([1, 2, 3], [Number.NaN, Infinity, 0], [0, 0, Number.NaN])).toEqual([]);
    // What comes after is compared all the same.
    expect(of([1, 2], [Number.NaN, 0], [0, 0])).toHaveLength(1);
  });
});
