import { type EncodedCase, encodeCase } from '../fixtures/case.ts';
import { encodeTensor, type Tensor } from '../fixtures/tensor.ts';
import { type Allowed, permits } from '../properties/allowed.ts';
import type { Tensors } from '../properties/judge.ts';
import { indexIn, positionsOf } from '../properties/positions.ts';
import { ulpsApart } from '../properties/ulp.ts';
import type { Answer, Case } from '../reference/case.ts';

/** Bars of the histogram by what they count up to, in ulp: 0, 1, 2, 4, 8, … 2^20, and more. */
export const limits: readonly number[] = [0, ...Array.from({ length: 21 }, (_, k) => 2 ** k), Number.POSITIVE_INFINITY];

/** An element of an answer that came nearest to the end of what is allowed, or beyond. */
export interface WorstElement {
  readonly id: string;
  readonly quantity: keyof Answer;
  readonly index: readonly number[];
  /** actual, expected, lo, hi */
  readonly numbers: Tensor;
  readonly ulps: number | null;
  /** The error over what is allowed; above 1 it is wrong, `null` where nothing but the exact value is. */
  readonly share: number | null;
  /** Left out of Cases of many elements. */
  readonly case?: EncodedCase;
}

/** How far elements were from the exact result rounded once. */
export interface ErrorStatistics {
  /** Elements by error: as many as `limits` has entries. */
  readonly histogram: readonly number[];
  /** The worst first, of each Case its worst. */
  readonly worst: readonly WorstElement[];
}

const mostWorst = 10;
/** Elements of Cases that are worth to be shown. */
const shownElements = 64;

/** Counts errors as answers come. */
export class Errors {
  readonly #histogram = limits.map(() => 0);
  readonly #worst: { id: string; rank: number; make: () => WorstElement }[] = [];

  add(id: string, input: Case, tensors: Tensors, allowed: Readonly<Record<keyof Answer, readonly Allowed[]>>): void {
    for (const [quantity, values] of tensors) {
      for (const [i, actual] of values.entries()) {
        const element = allowed[quantity][i];
        if (element.open !== undefined || !Number.isFinite(element.exact)) continue;
        // An overflow that is allowed is no distance.
        if (!Number.isFinite(actual) && permits(element, actual)) continue;
        const ulps = ulpsApart(actual, element.exact, input.dtype);
        this.#histogram[limits.findIndex((limit) => ulps <= limit)]++;
        if (ulps > 0) this.#rank(id, input, quantity, i, actual, element, ulps);
      }
    }
  }

  statistics(): ErrorStatistics {
    return { histogram: this.#histogram, worst: this.#worst.map(({ make }) => make()) };
  }

  #rank(
    id: string,
    input: Case,
    quantity: keyof Answer,
    i: number,
    actual: number,
    element: Allowed,
    ulps: number,
  ): void {
    const { exact, bound, lo, hi } = element;
    const error = Math.abs(actual - exact) / bound;
    const isRight = permits(element, actual);
    const share = isRight ? Math.min(error, 1) : error;
    // All that is wrong before all that is right, and no number first.
    const rank = isRight ? share : Number.isNaN(error) ? Number.POSITIVE_INFINITY : 1 + error;
    const own = this.#worst.findIndex((one) => one.id === id);
    const replaced = own >= 0 ? own : mostWorst - 1;
    const least = this.#worst[replaced]?.rank ?? Number.NEGATIVE_INFINITY;
    if (Number.isNaN(rank) || rank <= least) return;
    const make = (): WorstElement => {
      const { pool, shape, dtype } = input;
      const { rows, shape: kept } = positionsOf(pool, shape);
      return {
        id,
        quantity,
        index: indexIn(quantity === 'dalpha' ? [rows, ...kept] : shape, i),
        numbers: encodeTensor('numbers', { dtype, shape: [4], values: Float64Array.of(actual, exact, lo, hi) }),
        ulps: Number.isFinite(ulps) ? ulps : null,
        share: Number.isFinite(share) ? share : null,
        ...(input.x.length <= shownElements && { case: encodeCase(input) }),
      };
    };
    this.#worst.splice(replaced, 1);
    this.#worst.push({ id, rank, make });
    this.#worst.sort((a, b) => b.rank - a.rank);
  }
}
