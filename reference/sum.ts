import { kindOf } from './arguments.ts';

/**
 * `Σ aᵢ·bᵢ` in float64, rounded once to nearest even, so that the order of the terms does not matter.
 *
 * The running sum is a list of non-overlapping floats of rising magnitude whose exact total it is
 * (Shewchuk 1997, "Adaptive precision floating-point arithmetic", §2.4); products enter with their rounding error
 * (Dekker 1971). Exact unless a product falls below 2⁻⁹⁶⁰: such a product is rounded once by itself.
 * A term that is not finite makes the result the plain sum of such terms.
 *
 * @throws TypeError for a term or a factor that is no number
 */
export class ExactSum {
  /** Terms below `large`: fewer than 2¹²² of them cannot overflow. */
  #ordinary: number[] = [];
  /** Terms from `large` up, times `down`. */
  #large: number[] = [];
  #special = 0;

  /** Adds `a`. */
  add(a: number): this {
    if (!Number.isFinite(a)) this.#addSpecial(a);
    else if (Math.abs(a) < large) grow(this.#ordinary, a);
    else grow(this.#large, a * down);
    return this;
  }

  #addSpecial(a: number): void {
    if (typeof a !== 'number') throw notANumber('a', a);
    this.#special += a;
  }

  /** Adds `a·b`. */
  addProduct(a: number, b: number): this {
    if (typeof a !== 'number') throw notANumber('a', a);
    if (typeof b !== 'number') throw notANumber('b', b);
    const p = a * b;
    this.add(p);
    if (Number.isFinite(p) && Math.abs(p) > smallestSplit) this.add(productError(a, b, p));
    return this;
  }

  /** The sum so far, rounded once. */
  value(): number {
    if (this.#special !== 0) return this.#special;
    if (this.#large.length === 0) return round(this.#ordinary);
    const top = this.#large[this.#large.length - 1];
    if (Number.isFinite(top * 4 * up)) {
      const all = [...this.#ordinary];
      for (const a of this.#large) grow(all, a * up);
      return round(all);
    }
    // |total| > 2¹⁰²⁰ here: ordinary terms that scaling would make subnormal only decide ties, by their sign.
    const all = [...this.#large];
    for (const a of this.#ordinary) grow(all, Math.abs(a) < 2 ** -900 ? Math.sign(a) * 2 ** -1074 : a * down);
    return round(all) * up;
  }
}

function notANumber(name: string, value: unknown): TypeError {
  return new TypeError(`ExactSum: "${name}" expected a number, got ${kindOf(value)}`);
}

const large = 2 ** 900;
const down = 2 ** -128;
const up = 2 ** 128;
const smallestSplit = 2 ** -960;

/** Adds `a` exactly to the non-overlapping list `parts`, in place. */
function grow(parts: number[], a: number): void {
  let kept = 0;
  let sum = a;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    const next = sum + part;
    const error = Math.abs(sum) >= Math.abs(part) ? part - (next - sum) : sum - (next - part);
    if (error !== 0) parts[kept++] = error;
    sum = next;
  }
  parts.length = kept;
  if (sum !== 0) parts.push(sum);
}

/** The total of a non-overlapping list, rounded once to nearest, ties to even. */
function round(parts: readonly number[]): number {
  let i = parts.length - 1;
  if (i < 0) return 0;
  let sum = parts[i];
  let error = 0;
  while (i > 0 && error === 0) {
    const part = parts[--i];
    const next = sum + part;
    error = part - (next - sum);
    sum = next;
  }
  // `sum + error` may be a tie that the parts below decide.
  if (i > 0 && error !== 0 && Math.sign(error) === Math.sign(parts[i - 1])) {
    const twice = error * 2;
    const next = sum + twice;
    if (next - sum === twice) return next;
  }
  return sum;
}

/** `a·b - p` for `p = fl(a·b)`, exactly, by Dekker's product; needs |p| > 2⁻⁹⁶⁰. */
function productError(a: number, b: number, p: number): number {
  // Veltkamp's splitting multiplies by 2²⁷ + 1: keep it from overflowing.
  if (Math.abs(a) > 2 ** 990) return productError(a * 2 ** -64, b, p * 2 ** -64) * 2 ** 64;
  if (Math.abs(b) > 2 ** 990) return productError(a, b * 2 ** -64, p * 2 ** -64) * 2 ** 64;
  const ah = upperHalf(a);
  const bh = upperHalf(b);
  const al = a - ah;
  const bl = b - bh;
  return al * bl - (p - ah * bh - al * bh - ah * bl);
}

function upperHalf(a: number): number {
  const t = 134217729 * a;
  return t - (t - a);
}
