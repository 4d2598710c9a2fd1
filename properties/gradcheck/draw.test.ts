import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import { drawCotangent, drawTangent, drawWideCotangent } from './draw.ts';

const drawn = (size: number, zeros: number, seed = 1) => [...drawCotangent(random(seed, 'draw'), size, zeros)];

it('draws sixteen values of either sign, from 1/2 to 2, about as often each, exact in float32', () => {
  const values = drawn(16_000, 0);
  const counts = new Map<number, number>();
  for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1);
  expect(counts.size).toBe(16);
  for (const [v, count] of counts) {
    expect(Math.abs(v)).toBeGreaterThanOrEqual(0.5);
    expect(Math.abs(v)).toBeLessThanOrEqual(2);
    expect(Math.fround(v)).toBe(v);
    expect(counts.has(-v)).toBe(true);
    // 1000 ± 31
    expect(Math.abs(count - 1000)).toBeLessThan(160);
  }
});

it('draws 0 as often as it is asked to, to the word', () => {
  const of = (bits: number, zeros: number) => drawCotangent({ ...random(1, 'draw'), bits: () => bits }, 1, zeros)[0];
  expect(of(2 ** 30 - 1, 0.25)).toBe(0);
  expect(of(2 ** 30, 0.25)).not.toBe(0);
  expect(of(0, 0)).not.toBe(0);
  expect(of(2 ** 32 - 1, 1)).toBe(0);
  expect(drawn(500, 1).every((v) => v === 0)).toBe(true);
});

it('draws the same of one seed, others of another, one word for each element', () => {
  expect(drawn(50, 0.1)).toEqual(drawn(50, 0.1));
  expect(drawn(50, 0.1)).not.toEqual(drawn(50, 0.1, 2));
  const [one, other] = [random(3, 'draw'), random(3, 'draw')];
  drawCotangent(one, 7, 0.5);
  for (let k = 0; k < 7; k++) other.bits();
  expect(one.bits()).toBe(other.bits());
  expect(drawn(0, 0)).toEqual([]);
});

describe('a wide cotangent', () => {
  it.each([
    ['f64', 20],
    ['f32', 10],
  ] as const)(
    'of %s has values of the dtype in ±[2^-span, 2^span), of all bits, and a share of zeros',
    (dtype, span) => {
      const drawn = drawWideCotangent(random(1, 'wide'), 4000, 0.25, dtype);
      expect(drawn.map(formats[dtype].round)).toEqual(drawn);
      const others = [...drawn].filter((d) => d !== 0);
      expect(others.length / 4000).toBeCloseTo(0.75, 1);
      const exponents = new Set(others.map((d) => Math.floor(Math.log2(Math.abs(d)))));
      expect([Math.min(...exponents), Math.max(...exponents), exponents.size]).toEqual([-span, span - 1, 2 * span]);
      expect(others.filter((d) => d > 0).length / others.length).toBeCloseTo(0.5, 1);
      // Few of them have a significand that ends early.
      const isShort = (d: number) => Number.isInteger(2 ** (12 - Math.floor(Math.log2(Math.abs(d)))) * d);
      expect(others.filter(isShort).length).toBeLessThan(20);
      expect(drawWideCotangent(random(1, 'wide'), 4000, 0.25, dtype)).toEqual(drawn);
    },
  );
});

describe('a tangent', () => {
  it.each(['f64', 'f32'] as const)(
    'of %s has values of the dtype in ±[1/2, 2), of all bits, and a share of zeros',
    (dtype) => {
      const drawn = drawTangent(random(1, 'tangent'), 4000, 0.25, dtype);
      expect(drawn.map(formats[dtype].round)).toEqual(drawn);
      const others = [...drawn].filter((d) => d !== 0);
      expect(others.length / 4000).toBeCloseTo(0.75, 1);
      const sizes = others.map(Math.abs);
      expect([Math.min(...sizes) >= 0.5, Math.max(...sizes) <= 2]).toEqual([true, true]);
      // As many from 1/2 to 1 as of a third.
      expect(sizes.filter((d) => d < 1).length / sizes.length).toBeCloseTo(1 / 3, 1);
      expect(others.filter((d) => d > 0).length / others.length).toBeCloseTo(0.5, 1);
      expect(sizes.filter((d) => Number.isInteger(2 ** 12 * d)).length).toBeLessThan(20);
      expect(drawTangent(random(1, 'tangent'), 4000, 0.25, dtype)).toEqual(drawn);
    },
  );

  it('is 0 as often as it is asked to be, to the word', () => {
    const of = (bits: number, zeros: number) =>
      drawTangent({ ...random(1, 'tangent'), bits: () => bits, uniform: () => 1 }, 1, zeros, 'f64')[0];
    expect([of(2 ** 30 - 1, 0.25), of(2 ** 30, 0.25), of(0, 0), of(1, 0)]).toEqual([0, 1, 1, -1]);
  });
});

it('a wide cotangent is 0 as often as it is asked to be, to the word', () => {
  const of = (bits: number, zeros: number) =>
    drawWideCotangent({ ...random(1, 'wide'), bits: () => bits, uniform: () => 0.5 }, 1, zeros, 'f64')[0];
  expect([of(2 ** 30 - 1, 0.25), of(0, 0), of(1, 0), of(2, 0)]).toEqual([0, 1.5, -1.5, 3].map((v) => v * 2 ** -20));
  expect(of(2 ** 30, 0.25)).not.toBe(0);
});

it.each([drawTangent, drawWideCotangent])('zeros take one word each', (draw) => {
  const [one, other] = [random(3, 'draw'), random(3, 'draw')];
  expect(draw(one, 7, 1, 'f64')).toEqual(new Float64Array(7));
  for (let k = 0; k < 7; k++) other.bits();
  expect(one.bits()).toBe(other.bits());
});
