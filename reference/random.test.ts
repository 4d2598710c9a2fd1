import { describe, expect, it } from 'vitest';
import { permutation, random } from './random.ts';

const draws = (seed: number, name: string, n: number): number[] => {
  const source = random(seed, name);
  return Array.from({ length: n }, () => source.bits());
};

describe('random', () => {
  it('is sfc32: another writing of it, with unsigned arithmetic modulo 2^32, draws the same', () => {
    const M = 2n ** 32n;
    // FNV-1a of "x": (offset xor 0x78) * prime.
    let [a, b, c, counter] = [5n, 0n, ((0x811c9dc5n ^ 0x78n) * 0x01000193n) % M, 1n];
    const next = (): number => {
      const t = (a + b + counter) % M;
      counter = (counter + 1n) % M;
      a = b ^ (b >> 9n);
      b = (c * 9n) % M;
      c = ((((c << 21n) | (c >> 11n)) % M) + t) % M;
      return Number(t);
    };
    for (let i = 0; i < 15; i++) next();
    expect(draws(5, 'x', 100)).toEqual(Array.from({ length: 100 }, next));
  });

  it('draws the same for the same seed and name, and otherwise for another seed, a large one too, or name', () => {
    expect(draws(7, 'a', 50)).toEqual(draws(7, 'a', 50));
    const streams = [draws(7, 'a', 50), draws(8, 'a', 50), draws(7, 'b', 50), draws(7 + 2 ** 32, 'a', 50)];
    expect(new Set(streams.map(String)).size).toBe(4);
  });

  it('is uniform: moments of 100,000 draws within 5 standard errors', () => {
    const source = random(1, 'moments');
    const n = 100_000;
    const values = Array.from({ length: n }, () => source.uniform(-1, 1));
    const moment = (k: number): number => values.reduce((sum, v) => sum + v ** k, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / 3 / n));
    expect(Math.abs(moment(2) - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / n));
    expect(values.every((v) => v >= -1 && v < 1)).toBe(true);
  });

  it('draws integers below n evenly', () => {
    const source = random(2, 'below');
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 50_000; i++) counts[source.below(5)]++;
    // Standard deviation of a count is 89.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 89);
  });

  it('permutes', () => {
    const order = permutation(random(3, 'order'), 1000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect([...order]).not.toEqual([...permutation(random(4, 'order'), 1000)]);
    expect([...permutation(random(3, 'order'), 0)]).toEqual([]);
  });

  it('refuses seeds and bounds that are not integers in range', () => {
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => random(seed, 'x')).toThrow(/"seed" expected/);
    for (const n of [0, 1.5, 2 ** 32 + 1]) expect(() => random(1, 'x').below(n)).toThrow(/"n" expected/);
  });
});
