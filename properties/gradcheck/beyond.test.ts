import { expect, it } from 'vitest';
import type { Differentiable } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { codes } from './gradcheck-for-tests.ts';
import { gradcheckText } from './report-text.ts';

const x = Float64Array.of(3.1, -2.7, 1.3, 2.2);

/** `yᵢ = xᵢ + e·xᵢ₊₁`, elementwise but for what rounding hides. */
function nearlyElementwise(e: number): Differentiable & Required<Pick<Differentiable, 'jvp'>> {
  const next = (v: Float64Array) => v.map((at, i) => at + e * v[(i + 1) % 4]);
  return {
    forward: (inputs) => next(inputs.x),
    vjp: (_, dy) => ({ x: dy.map((d, i) => d + e * dy[(i + 3) % 4]) }),
    jvp: (_, tangents) => next(tangents.x),
  };
}

const seeds = Array.from({ length: 20 }, (_, k) => k + 1);

it.each([1e-10, 1e-11, 1e-12, 1e-13, 1e-15, 1e-20, 0])('what %g of another element adds is no error', async (e) => {
  for (const seed of seeds) {
    const report = await gradcheck(nearlyElementwise(e), { x }, { seed });
    expect(report.failures, gradcheckText(report)).toEqual([]);
  }
});

it.each([1e-13, 0])('an error is seen beside it: e = %g', async (e) => {
  const f = nearlyElementwise(e);
  const off = (factor: number): Differentiable => ({
    ...f,
    vjp: (inputs, dy, shapes) => {
      const { x: dx } = f.vjp(inputs, dy, shapes) as { x: Float64Array };
      return { x: dx.with(1, dx[1] * factor) };
    },
  });
  const offInForwardMode: Differentiable = {
    ...f,
    jvp: (inputs, tangents, shapes) => {
      const ty = f.jvp(inputs, tangents, shapes) as Float64Array;
      return ty.with(2, ty[2] * (1 + 1e-7));
    },
  };
  for (const seed of seeds) {
    expect(await codes(off(1 + 1e-7), { x }, { seed })).toContain('gradient');
  }
  const inForwardMode = await Promise.all(seeds.map((seed) => codes(offInForwardMode, { x }, { seed })));
  expect(inForwardMode.filter((found) => found.includes('tangent')).length).toBeGreaterThan(15);
  // Small dy that is left out, which shows under another dy alone.
  const clips: Differentiable = {
    ...f,
    vjp: (i, dy, s) =>
      f.vjp(
        i,
        dy.map((d) => (Math.abs(d) < 0.1 ? 0 : d)),
        s,
      ),
  };
  const seen = await Promise.all(seeds.map((seed) => codes(clips, { x }, { seed })));
  expect(seen.filter((found) => found.length > 0).length).toBeGreaterThan(10);
});

it.each([1, 30, 1000])('softmax(%d·x) passes', async (scale) => {
  const softmax = (v: Float64Array) => {
    const most = Math.max(...v);
    const e = v.map((at) => Math.exp(scale * (at - most)));
    const sum = e.reduce((a, b) => a + b, 0);
    return e.map((at) => at / sum);
  };
  const f: Differentiable = {
    forward: (inputs) => softmax(inputs.x),
    vjp(inputs, dy) {
      const p = softmax(inputs.x);
      const mean = p.reduce((sum, v, i) => sum + v * dy[i], 0);
      return { x: p.map((v, i) => scale * v * (dy[i] - mean)) };
    },
  };
  for (const seed of seeds) {
    const report = await gradcheck(f, { x }, { seed });
    expect(report.failures, gradcheckText(report)).toEqual([]);
  }
});
