import type * as fc from 'fast-check';

/** The draws that Cases are made with, from fast-check's source of randomness. */
export class Draw {
  readonly #random: fc.Random;

  constructor(random: fc.Random) {
    this.#random = random;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.#random.nextDouble();
  }

  chance(probability: number): boolean {
    return this.#random.nextDouble() < probability;
  }

  /** From `from` to `to`, both included. */
  int(from: number, to: number): number {
    return this.#random.nextInt(from, to);
  }

  /** An integer from `from`, 1 or more, to `to`, as likely in one octave as in the next. */
  logarithmic(from: number, to: number): number {
    return Math.floor(from * ((to + 1) / from) ** this.fraction());
  }

  /** An integer from the smaller to the larger. */
  between(one: number, other: number): number {
    return this.int(Math.min(one, other), Math.max(one, other));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!;
  }

  sign(): 1 | -1 {
    return this.chance(0.5) ? 1 : -1;
  }
}
