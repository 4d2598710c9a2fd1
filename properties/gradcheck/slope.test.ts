import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { elementwise } from './layers-for-tests.ts';
import { centredOrder, errorOf, parabola, quartic } from './slope.ts';
import { stepScales } from './stencil.ts';

const draw = random(1, 'slope');
const smooth = ['tanh', 'sigmoid', 'softplus', 'exp', 'sin10', 'cube', 'swish', 'square', 'narrow'] as const;

/** The values of f around x at the steps of a centred stencil, and what rounding does to each. */
function readingOf(f: (x: number) => number, x: number, h: number) {
  const points = [1, -2, -1, 2].map((k) => x + k * h);
  const t = points.map((p) => p - x);
  const values = points.map(f);
  const noise = 4 * 2 ** -53 * Math.max(...values.map(Math.abs), Math.abs(f(x)), Math.abs(x));
  return { f0: f(x), t, values, noise };
}

const reorder = (list: readonly number[]) => centredOrder.map((k) => list[k]!);

describe('the error estimate of a slope covers the error', () => {
  it.each(smooth)('%s, at every scale of f64, in 2,000 of 2,000 places', (name) => {
    const { f, df } = elementwise[name]!;
    for (const h of stepScales.f64) {
      for (let k = 0; k < 2000; k++) {
        const x = draw.uniform(-3, 3);
        const { f0, t, values, noise } = readingOf(f, x, h);
        const slope = quartic(f0, reorder(t), reorder(values), noise);
        // The derivative as written here rounds too.
        const own = 8 * 2 ** -53 * (Math.abs(df(x)) + 1);
        expect(Math.abs(slope.slope - df(x)), `${name} at ${x}, h = ${h}`).toBeLessThanOrEqual(errorOf(slope) + own);
      }
    }
  });

  it('also where f″ jumps anywhere within the stencil, so that the quartic is off by up to twice its last terms', () => {
    const h = 2 ** -15;
    let worst = 0;
    for (let k = 0; k < 2000; k++) {
      const x = draw.uniform(-2, 2) * h;
      const { f0, t, values } = readingOf(elementwise.halfSquare!.f, x, h);
      const slope = quartic(f0, reorder(t), reorder(values), 0);
      const error = Math.abs(slope.slope - Math.max(x, 0));
      expect(error, `x = ${x / h} h`).toBeLessThanOrEqual(errorOf(slope) + 2 ** -60);
      if (error > 2 ** -40) worst = Math.max(worst, (4 * error) / slope.truncation);
    }
    expect(worst).toBeGreaterThan(1.5);
  });

  it('on one side of a point', () => {
    for (const name of smooth) {
      const { f, df } = elementwise[name]!;
      for (let k = 0; k < 500; k++) {
        const x = draw.uniform(-3, 3);
        const h = (k % 2 === 0 ? 1 : -1) * 2 ** -15;
        const noise = 4 * 2 ** -53 * (Math.abs(f(x)) + 1);
        const two = parabola(f(x), x + h - x, x + 2 * h - x, f(x + h), f(x + 2 * h), noise);
        const four = quartic(
          f(x),
          [1, 2, 3, 4].map((m) => x + m * h - x),
          [1, 2, 3, 4].map((m) => f(x + m * h)),
          noise,
        );
        for (const slope of [two, four]) {
          // f″ may pass through 0, where the second difference of the parabola says nothing of the third.
          const third = slope === two ? 200 * h * h : 0;
          expect(Math.abs(slope.slope - df(x)), `${name} at ${x}`).toBeLessThanOrEqual(
            errorOf(slope) + third + 2 ** -45,
          );
        }
      }
    }
  });
});
