import { describe, expect, it } from 'vitest';
import type { AskedFunction } from './calls.ts';
import type { Tensors } from './differentiable.ts';
import { valueNoise } from './value-noise.ts';

type Scalar = (x: number, w: number) => number;

const b = 2 ** -14;
/** The twin is x near x = 1, and 1000 beyond 0. */
const exact: Scalar = (x) => (x > 0 ? x : 1000);
/** What the terms of a thousand are rounded to by ten roundings of float32. */
const larger = 10 * 1000 * 2 ** -24;

/** The bound at x = w = 1 of a function whose values are those of `own`. */
async function boundOf(own: Scalar, twin: Scalar = exact): Promise<number> {
  const of = (f: Scalar) => async (inputs: Tensors) => Float64Array.of(f(inputs.x[0], inputs.w[0]));
  const asked = { forward: of(own), numeric: of(twin) } as unknown as AskedFunction;
  const inputs = { x: Float64Array.of(1), w: Float64Array.of(1) };
  const [y, there] = [await asked.forward(inputs), await asked.numeric(inputs)];
  return (await valueNoise(asked, inputs, y, there, Float64Array.of(b), 10, 'f32'))[0];
}

/** Off by more than two bounds where x is so far from 1. */
const offAt =
  (...distances: number[]): Scalar =>
  (x) =>
    x + (distances.includes(x - 1) ? 3 * b : 0);

describe('the bound of a value', () => {
  it('stays where y moves as its twin does, from wherever it starts', async () => {
    expect(await boundOf(exact)).toBe(b);
    expect(await boundOf((x) => x + 0.5)).toBe(b);
    expect(await boundOf((x) => x + (x === 1 ? 0 : 2 * b))).toBe(b);
  });

  it('on steps is that of terms as large as the twin is beyond 0', async () => {
    expect(await boundOf((x) => Math.round(x * 2 ** 10) / 2 ** 10)).toBe(larger);
    // Seen on one side of the value alone.
    expect(await boundOf((x) => Math.max(x, 1))).toBe(larger);
    expect(await boundOf((x) => Math.min(x, 1))).toBe(larger);
    expect(await boundOf((x) => x + (x === 1 ? 0 : 2.1 * b))).toBe(larger);
  });

  it.each([
    [8, larger],
    [128, larger],
    [4, b],
    [256, b],
  ])('is told by moves of %d bounds or not', async (bounds, expected) => {
    expect(await boundOf(offAt(bounds * b))).toBe(expected);
    expect(await boundOf(offAt(-bounds * b))).toBe(expected);
  });

  it('is never smaller, and not made of what is not finite', async () => {
    const onSteps: Scalar = (x) => Math.max(x, 1);
    expect(await boundOf(onSteps, (x) => (x > 0 ? x : 1e-3))).toBe(b);
    expect(await boundOf(onSteps, (x) => (x > 0 ? x : Number.NaN))).toBe(b);
    expect(await boundOf(onSteps, (x) => (x > 0 ? x : Infinity))).toBe(b);
    // Of two inputs that turn, the larger.
    expect(await boundOf(onSteps, (x, w) => (w < 0 ? 1000 : x))).toBe(larger);
  });
});
