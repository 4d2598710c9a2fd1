import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Differentiable, Tensors } from './differentiable.ts';
import { drawnInputs } from './drawn-inputs.ts';
import { gradcheck } from './gradcheck.ts';
import { codes, normal, tensor } from './gradcheck-for-tests.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';
import { gradcheckText } from './report-text.ts';

describe('f32', () => {
  const f32 = (name: string, { f, df }: { f: (x: number) => number; df: (x: number) => number }): Differentiable => ({
    name,
    dtype: 'f32',
    forward: ({ x }) => x.map((v) => Math.fround(f(v))),
    vjp: ({ x }, dy) => ({ x: x.map((v, i) => Math.fround(Math.fround(df(v)) * dy[i])) }),
  });
  const x = tensor(64, () => Math.fround(normal()));

  it.each(Object.entries(elementwise).filter(([name]) => name !== 'offset'))(
    '%s passes, with a twin and without',
    async (name, scalar) => {
      const drawn = fc.sample(drawnInputs({ shapes: { x: ['n', 'c'] }, dtype: 'f32', kinks: [0, 6, 3, -3] }), {
        seed: 2,
        numRuns: 40,
      });
      for (const { inputs: given } of drawn) {
        const layer = f32(name, scalar);
        for (const f of [layer, { ...layer, twin: ({ x: v }: Tensors) => v.map(scalar.f) }]) {
          const report = await gradcheck(f, given);
          expect(report.failures, gradcheckText(report)).toEqual([]);
        }
      }
    },
  );

  it('with a float64 twin 8 ulp in one element of y or of dx are seen', async () => {
    const layer = f32('relu', elementwise.relu);
    const twin = ({ x: v }: Tensors) => v.map(elementwise.relu.f);
    const at = x.findIndex((v) => v > 0.5);
    const off = (t: Float64Array) => t.with(at, t[at] * (1 + 8 * 2 ** -23));
    expect(await codes({ ...layer, twin }, { x })).toEqual([]);
    expect(await codes({ ...layer, twin, forward: ({ x: v }) => off(v.map((e) => Math.max(e, 0))) }, { x })).toContain(
      'value',
    );
    const vjp: Differentiable['vjp'] = (given, dy, s) => ({ x: off((layer.vjp(given, dy, s) as Tensors).x) });
    expect(await codes({ ...layer, twin, vjp }, { x })).toContain('gradient');
  });

  it.each<[string, (v: number, round: (v: number) => number) => number, (v: number) => number, readonly number[]]>([
    ['1 - tanh', (v, r) => r(1 - r(Math.tanh(v))), (v) => -1 / Math.cosh(v) ** 2, [3, 5.125, 7.5, 9.59375]],
    [
      'a tail of GELU',
      (v, r) => r(r(0.5 * v) * r(1 + r(Math.tanh(v)))),
      (v) => 1 / (1 + Math.exp(-2 * v)) + (0.5 * v) / Math.cosh(v) ** 2,
      [-4.375, -7.25, -9.9375],
    ],
    ['log(1 + exp)', (v, r) => r(Math.log(r(1 + r(Math.exp(v))))), (v) => 1 / (1 + Math.exp(-v)), [-8.875, -7.8125]],
    [
      'beside a pole',
      (v, r) => r(1 / r(1 + r(1 / v))),
      (v) => 1 / (v + 1) ** 2,
      [-1 + 37 * 2 ** -24, -1 + 5 * 2 ** -22, -1 - 2 ** -12],
    ],
  ])(
    'inner rounding of %s is not held against its twin, but errors of any other size',
    async (_name, f, df, places) => {
      const of = (factor: number): Differentiable => ({
        ...f32('f', { f: (v) => factor * f(v, Math.fround), df }),
        twin: ({ x: v }: Tensors) => v.map((e) => f(e, (w) => w)),
      });
      for (const v of places) {
        const report = await gradcheck(of(1), { x: Float64Array.of(v) });
        expect(report.failures, gradcheckText(report)).toEqual([]);
      }
      expect(await codes(of(1.01), { x: Float64Array.from(places) })).toContain('value');
    },
  );

  it('a tolerance is an override, and the report says so', async () => {
    const off = elementwiseLayer('relu', { ...elementwise.relu, df: (v) => (v > 0 ? 1.001 : 0) });
    const { jvp: _jvp, ...layer } = off;
    const report = await gradcheck(layer, { x }, { tolerance: 0.01 });
    expect(report.passed).toBe(true);
    expect(gradcheckText(report)).toContain('OVERRIDE: relative tolerance 0.01');
  });
});

it('bounds of rounding by the caller are an override too, which the report says', async () => {
  const cube = elementwiseLayer('cube', elementwise.cube);
  const rounding = { forward: ({ x }: Tensors) => x.map(() => 1), vjp: ({ x }: Tensors) => ({ x: x.map(() => 1) }) };
  const x = Float64Array.of(1, 2);
  const report = await gradcheck(cube, { x }, { rounding });
  expect(report.override).toEqual({ rounding: true });
  expect(gradcheckText(report)).toContain('OVERRIDE: rounding as the caller bounds it');
  expect((await gradcheck(cube, { x }, { rounding, tolerance: 1 })).override).toEqual({ tolerance: 1, rounding: true });
  expect((await gradcheck({ ...cube, rounding }, { x })).override).toBeUndefined();
});
