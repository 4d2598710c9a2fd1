import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Series, series } from './series.ts';
import { type Big, bigClass, Digits } from './tree.ts';

/** BigNumber's own, which shares nothing with the series; away from where it takes seconds. */
const own: Readonly<Record<Series, (v: Big) => Big>> = {
  exp: (v) => v.exp(),
  expm1: (v) => v.exp().minus(1),
  log: (v) => v.ln(),
  log1p: (v) => v.plus(1).ln(),
  sin: (v) => v.sin(),
  cos: (v) => v.cos(),
  atan: (v) => v.atan(),
  sqrt: (v) => v.sqrt(),
  cbrt: (v) => v.cbrt(),
};
const Wide = bigClass(200);
const xs = fc
  .oneof(
    fc.double({ min: -8, max: 8, noNaN: true }),
    fc.double({ min: -1e-8, max: 1e-8, noNaN: true }),
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
  )
  .filter((x) => Math.abs(x) > 1e-60);

it.each(Object.keys(own) as Series[])('%s is what BigNumber says, to the digits asked for', (name) => {
  fc.assert(
    fc.property(xs, fc.constantFrom(10, 26, 60, 130), (x, digits) => {
      if (name === 'log' || name === 'sqrt') fc.pre(x > 0);
      if (name === 'log1p') fc.pre(x > -1);
      if (name.startsWith('exp')) fc.pre(Math.abs(x) < 1e4);
      const v = new Wide(x);
      const expected = own[name](v);
      const actual = series(name, new Digits(x), digits, Wide);
      const error = actual.minus(expected).abs();
      expect(error.lte(expected.abs().times(`1e-${digits}`)), `${actual} for ${expected}`).toBe(true);
    }),
    { numRuns: 60 },
  );
});
