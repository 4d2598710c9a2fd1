import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactSum } from './sum.ts';

function sum(terms: readonly number[]): number {
  const total = new ExactSum();
  for (const term of terms) total.add(term);
  return total.value();
}

/** Finite floats of every magnitude, with many that cancel. */
const terms = fc.array(
  fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(1, -1, 2 ** 1023)),
);

describe('ExactSum', () => {
  it('rounds once: a tie is decided by what lies far below it', () => {
    expect(sum([1, 2 ** -53, 2 ** -300])).toBe(1 + 2 ** -52);
    expect(sum([1, 2 ** -53, -(2 ** -300)])).toBe(1);
    expect(sum([1, 2 ** -53])).toBe(1);
    expect(sum([1e300, 1, -1e300])).toBe(1);
  });

  it('does not overflow on the way', () => {
    expect(sum([2 ** 1023, 2 ** 1023, -(2 ** 1023), 1])).toBe(2 ** 1023);
    expect(sum([2 ** 1023, 2 ** 1023, -(2 ** 1023), -(2 ** 1023), 3])).toBe(3);
    expect(sum([2 ** 1023, 2 ** 1023])).toBe(Infinity);
    expect(sum([Number.MAX_VALUE, 2 ** 969])).toBe(Number.MAX_VALUE);
    expect(sum([Number.MAX_VALUE, 2 ** 970])).toBe(Infinity);
    // A tie between Ω and overflow, decided by a far smaller term.
    expect(sum([Number.MAX_VALUE, 2 ** 970, -1])).toBe(Number.MAX_VALUE);
  });

  it('does not depend on the order of the terms', () => {
    fc.assert(
      fc.property(terms, fc.infiniteStream(fc.nat()), (values, keys) => {
        const shuffled = values.map((v) => [keys.next().value, v] as const).sort(([a], [b]) => a - b);
        expect(sum(shuffled.map(([, v]) => v))).toBe(sum(values));
      }),
    );
  });

  it('is odd: the sum of the negatives is the negative', () => {
    fc.assert(
      fc.property(terms, (values) => {
        expect(-sum(values.map((v) => -v)) + 0).toBe(sum(values) + 0);
      }),
    );
  });

  it('adds products without their rounding', () => {
    const product = (a: number, b: number, c: number) => new ExactSum().addProduct(a, b).add(c).value();
    expect(product(1 + 2 ** -30, 1 + 2 ** -30, -1 - 2 ** -29)).toBe(2 ** -60);
    expect(product(2 ** 1000 + 2 ** 960, 1 + 2 ** -40, -(2 ** 1000) - 2 ** 961)).toBe(2 ** 920);
    expect(product(0.1, 0.1, -(0.1 * 0.1))).not.toBe(0);
  });

  it('passes NaN and infinities on, in any order', () => {
    expect(sum([1, Infinity, -1])).toBe(Infinity);
    expect(sum([Infinity, 1, -Infinity])).toBeNaN();
    expect(sum([NaN, 1])).toBeNaN();
    expect(new ExactSum().addProduct(0, Infinity).value()).toBeNaN();
  });
});
