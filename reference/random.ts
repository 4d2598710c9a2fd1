import { checkFinite, checkInput, kindOf, shown } from './arguments.ts';

/**
 * Seeded random numbers in 32-bit integer arithmetic, so that every machine draws the same ones.
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand 0.95: "small fast counting", period at least 2^32,
 * no failure in terabytes of its author's tests), seeded as there: three words, counter 1, 15 rounds thrown away.
 */
export interface Random {
  /** The next 32 bits, an integer in [0, 2^32). */
  bits(): number;
  /**
   * Uniform on [low, high), 53 bits; default [0, 1). Where the sum rounds up to it, `high` is drawn too.
   *
   * @throws TypeError, RangeError unless low, high and high - low are finite numbers
   */
  uniform(low?: number, high?: number): number;
  /** Uniform integer in [0, n), without bias. @throws RangeError unless n is an integer in [1, 2^32] */
  below(n: number): number;
}

/** Throws unless `source` is what `random` gives. */
export function checkSource(where: string, source: Random): void {
  checkInput(where, 'source', source);
  if (typeof source.bits === 'function' && typeof source.uniform === 'function') return;
  throw new TypeError(`${where}: "source" expected a stream of random(seed, name), got ${kindOf(source)}`);
}

/** FNV-1a (32 bits) over UTF-16 units, another hash for each 32-bit `seed`; an integer in [-2^31, 2^31). */
export function fnv1a(text: string, seed: number = 0): number {
  let h = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

/**
 * The stream called `name` of `seed`. Two words of the state are the seed's and one is the name's, so different seeds
 * never share a stream, and the draws of one stream do not depend on how many were taken from another.
 *
 * @throws TypeError unless `name` is text, RangeError if `seed` is not an integer in [0, 2^53)
 */
export function random(seed: number, name: string): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`random: "seed" expected an integer in [0, 2^53), got ${shown(seed)}`);
  }
  if (typeof name !== 'string') throw new TypeError(`random: "name" expected text, got ${kindOf(name)}`);
  // a, b, c and the counter; in an array of 32-bit integers, which wraps by itself and is not boxed.
  const state = Int32Array.of(seed, Math.floor(seed / 2 ** 32), fnv1a(name), 1);
  function next(): number {
    const [a, b, c, counter] = [state[0], state[1], state[2], state[3]];
    const t = (a + b + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + t;
    state[3] = counter + 1;
    return t;
  }
  for (let i = 0; i < 15; i++) next();
  const bits = (): number => next() >>> 0;
  const unit = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) * 2 ** -53;
  return {
    bits,
    uniform(low = 0, high = 1) {
      checkFinite('uniform: "low"', low);
      checkFinite('uniform: "high"', high);
      checkFinite('uniform: "high - low"', high - low);
      return low + (high - low) * unit();
    },
    below(n) {
      if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
        throw new RangeError(`below: "n" expected an integer in [1, 2^32], got ${shown(n)}`);
      }
      for (;;) {
        const draw = bits();
        // The quotient is off by less than 2⁻²¹/n, and at least 1/n below the next integer.
        const first = n * Math.floor(draw / n);
        if (first + n <= 2 ** 32) return draw - first;
      }
    },
  };
}

/** A permutation of `[0, n)` by Fisher and Yates: each of the n! is equally likely. */
export function permutation(source: Random, n: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = source.below(i + 1);
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}
