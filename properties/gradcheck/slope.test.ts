import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { elementwise } from './layers-for-tests.ts';
import { centredOrder, errorOf, parabola, quartic, quarticAt } from './slope.ts';
import { stepScales } from './stencil.ts';

const draw = random(1, 'slope');
const places = 2000 * Math.min(1, Number(process.env.POOLPROOF_ATTACK ?? 1));
const smooth = ['tanh', 'sigmoid', 'softplus', 'exp', 'sin10', 'cube', 'swish', 'square', 'narrow'] as const;

/** The values of f around x at the steps of a centred stencil, and what rounding does to each. */
function readingOf(f: (x: number) => number, x: number, h: number) {
  const points = [1, -2, -1, 2].map((k) => x + k * h);
  const t = points.map((p) => p - x);
  const values = points.map(f);
  const noise = 4 * 2 ** -53 * Math.max(...values.map(Math.abs), Math.abs(f(x)), Math.abs(x));
  return { f0: f(x), t, values, noise };
}

const reorder = (list: readonly number[]) => centredOrder.map((k) => list[k]);

describe('the error estimate of a slope covers the error', () => {
  it.each(smooth)('%s, at every scale of f64, in each of 2,000 places', (name) => {
    const { f, df } = elementwise[name];
    for (const h of stepScales.f64) {
      for (let k = 0; k < places; k++) {
        const x = draw.uniform(-3, 3);
        const { f0, t, values, noise } = readingOf(f, x, h);
        const slope = quartic(f0, reorder(t), reorder(values), noise);
        // The derivative as written here rounds too.
        const own = 8 * 2 ** -53 * (Math.abs(df(x)) + 1);
        expect(Math.abs(slope.slope - df(x)), `${name} at ${x}, h = ${h}`).toBeLessThanOrEqual(errorOf(slope) + own);
      }
    }
  });

  it('also of a line through 0 without noise, by its own arithmetic alone', () => {
    const full = () => 1 + draw.uniform() + 2 ** -32 * draw.uniform();
    for (let k = 0; k < 5 * places; k++) {
      const [s, h, v] = [full(), full() * 2 ** -35, k % 2 === 0 ? 0 : full() * 2 ** -(k % 50)];
      const [around, right] = [
        [1, -1, 2, -2],
        [1, 2, 3, 4],
      ].map((multiples) => multiples.map((m) => v + m * h - v)) as [number[], number[]];
      const line = (t: number) => s * t;
      const [t1, t2] = right as [number, number];
      const slopes = [
        quartic(0, around, around.map(line), 0),
        quartic(0, right, right.map(line), 0),
        parabola(0, t1, t2, line(t1), line(t2), 0),
      ];
      for (const { slope, rounding } of slopes) {
        expect(Math.abs(slope - s), `${s} at ${v}, h = ${h}`).toBeLessThanOrEqual(rounding);
        expect(rounding).toBeLessThanOrEqual(65 * 2 ** -53 * s);
      }
    }
  });

  it('also where f″ jumps anywhere within the stencil, so that the quartic is off by up to twice its last terms', () => {
    const h = 2 ** -15;
    let worst = 0;
    for (let k = 0; k < places; k++) {
      const x = draw.uniform(-2, 2) * h;
      const { f0, t, values } = readingOf(elementwise.halfSquare.f, x, h);
      const slope = quartic(f0, reorder(t), reorder(values), 0);
      const error = Math.abs(slope.slope - Math.max(x, 0));
      expect(error, `x = ${x / h} h`).toBeLessThanOrEqual(errorOf(slope) + 2 ** -60);
      if (error > 2 ** -40) worst = Math.max(worst, (4 * error) / slope.truncation);
    }
    expect(worst).toBeGreaterThan(1.5);
  });

  it('on one side of a point', () => {
    for (const name of smooth) {
      const { f, df } = elementwise[name];
      for (let k = 0; k < places / 4; k++) {
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

describe('a slope', () => {
  // A centred stencil in the order that Newton's form wants, and both sides of a point.
  const stencils = [
    [1, -1, 2, -2],
    [1, 2, 3, 4],
    [-1, -2, -3, -4],
    [0.5, -2, 3, 7],
  ].map((multiples) => multiples.map((m) => m / 8));

  it.each(stencils)('of a quartic is exact at %s, %s, %s, %s, and its truncation the last two terms', (...t) => {
    const f = (v: number) => 5 + 3 * v - 2 * v ** 2 + 7 * v ** 3 - 11 * v ** 4;
    const [t1, t2, t3, t4] = t as [number, number, number, number];
    const { slope, truncation } = quartic(f(0), t, t.map(f), 0);
    expect(slope).toBeCloseTo(3, 11);
    const terms = [t1 * t2 * (7 - 11 * (t1 + t2 + t3)), 11 * t1 * t2 * t3];
    expect(truncation).toBeCloseTo(4 * (Math.abs(terms[0]) + Math.abs(terms[1])), 11);
    expect(t4).not.toBe(t3);
  });

  it.each(stencils)('of a parabola is exact at %s, %s, and its truncation 1.5 times the change of slope', (t1, t2) => {
    const f = (v: number) => 5 + 3 * v - 2 * v ** 2;
    const { slope, truncation } = parabola(f(0), t1, t2, f(t1), f(t2), 0);
    expect(slope).toBeCloseTo(3, 12);
    expect(truncation).toBeCloseTo(1.5 * Math.abs(2 * t2), 12);
  });

  it('has a rounding that covers errors of every sign in the values, and at most doubles that', () => {
    const noise = 2 ** -20;
    const unit = (length: number, at: number) => Array.from({ length }, (_, k) => (k === at ? noise : 0));
    for (const t of stencils.slice(0, 3)) {
      const ofQuartic = [0, 1, 2, 3, 4].map((at) => {
        const [f0, ...f] = unit(5, at) as [number, ...number[]];
        return quartic(f0, t, f, 0).slope;
      });
      const [t1, t2] = t as [number, number];
      const ofParabola = [0, 1, 2].map((at) => {
        const [f0, f1, f2] = unit(3, at) as [number, number, number];
        return parabola(f0, t1, Math.abs(t2) > Math.abs(t1) ? t2 : 2 * t1, f1, f2, 0).slope;
      });
      const sum = (weights: readonly number[]) => weights.reduce((total, w) => total + Math.abs(w), 0);
      for (const [weights, { rounding }] of [
        [ofQuartic, quartic(0, t, [0, 0, 0, 0], noise)],
        [ofParabola, parabola(0, t1, 2 * t1, 0, 0, noise)],
      ] as const) {
        expect(rounding).toBeGreaterThanOrEqual(sum(weights));
        expect(rounding).toBeLessThanOrEqual(2 * sum(weights));
      }
    }
  });
});

it('is taken where powers of the distances overflow or underflow', () => {
  for (const [v, f, slope] of [
    [1e100, (x: number) => 1 / x, -1e-200],
    [1e-200, (x: number) => (1e100 * x) ** 2, 2],
    [1e150, (x: number) => x * x, 2e150],
  ] as const) {
    const h = v * 2 ** -15;
    const t = [1, -1, 2, -2].map((k) => k * h);
    const { slope: measured, truncation } = quartic(
      f(v),
      t,
      t.map((d) => f(v + d)),
      0,
    );
    expect(Math.abs(measured / slope - 1)).toBeLessThan(1e-10);
    expect(truncation).toBeGreaterThanOrEqual(Math.abs(measured - slope) - 1e-10 * Math.abs(slope));
    expect(truncation).toBeLessThan(1e-7 * Math.abs(slope));
  }
  const t = [1, -1, 2, -2].map((k) => k * 1e-100);
  const cubic = (s: number) => 3 + (s / 1e-100) ** 3;
  const at = (s: number) => quarticAt(s, 3, t, t.map(cubic));
  for (const s of [0.5e-100, 1.7e-100, -1.2e-100]) expect(at(s)).toBeCloseTo(cubic(s), 12);
});
