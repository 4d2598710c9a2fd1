import { describe, expect, it } from 'vitest';
import type { DeclaredKink, Differentiable, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { codes } from './gradcheck-for-tests.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';
import type { GradcheckOptions } from './options.ts';
import { describeGradcheckFailure } from './report-text.ts';

const floats = (...values: number[]) => Float64Array.from(values);
const { jvp: _jvp, ...relu } = elementwiseLayer('relu', elementwise.relu);
/** relu, but `value` at 0. */
const but = (value: number): Differentiable => ({
  ...relu,
  forward: ({ x }) => x.map((v) => (v === 0 ? value : Math.max(v, 0))),
});
const kinks = (kink: Omit<DeclaredKink, 'at'>): GradcheckOptions => ({ kinks: { x: [{ at: 0, ...kink }] } });
const values = async (f: Differentiable, inputs: Tensors, options: GradcheckOptions = {}) =>
  (await gradcheck(f, inputs, options)).failures.filter(({ code }) => code === 'value');

describe.each([Number.NaN, Infinity, -Infinity])('%d on a kink', (at) => {
  it.each<[string, GradcheckOptions]>([
    ['undeclared', {}],
    ['declared without a value', kinks({})],
    ['declared as the left limit', kinks({ value: 'left', derivative: 'left' })],
    ['declared as the right limit', kinks({ value: 'right' })],
    ['declared as a number', kinks({ value: () => 0, derivative: 'any' })],
    [
      'declared with both limits',
      kinks({ value: 'left', left: () => ({ value: 0, slope: 0 }), right: () => ({ value: 0, slope: 1 }) }),
    ],
    ['in a structure that is declared', { structure: { x: 'elementwise' } }],
  ])('is wrong, %s', async (_name, options) => {
    const report = await gradcheck(but(at), { x: floats(0, 1, -1, 2) }, options);
    expect(report.outcome).toBe('failed');
    expect(report.failures).toMatchObject([{ code: 'value', index: [0], actual: at }]);
    expect(describeGradcheckFailure(report.failures[0])).toMatch(/^y\[0\] is (NaN|-?Infinity), expected /);
    expect((await gradcheck(relu, { x: floats(0, 1, -1, 2) }, options)).failures).toEqual([]);
  });

  it('may be declared as any, and all kinks left open', async () => {
    expect(await codes(but(at), { x: floats(0, 1) }, kinks({ value: 'any' }))).toEqual([]);
    expect(await codes(but(at), { x: floats(0, 1) }, { onKinks: 'open' })).toEqual([]);
  });

  it('is left open where its bound is NaN, and wrong where the bound is a number', async () => {
    const bounded = (bound: number) => ({
      rounding: {
        forward: ({ x }: Tensors) => x.map((v) => (v === 0 ? bound : 2 ** -52)),
        vjp: ({ x }: Tensors) => ({ x: x.map(() => 2 ** -52) }),
      },
    });
    expect(await values(but(at), { x: floats(0, 1) }, bounded(Number.NaN))).toEqual([]);
    expect(await values(but(at), { x: floats(0, 1) }, bounded(2 ** -52))).toHaveLength(1);
  });

  it('is wrong in a sum too, and in float32', async () => {
    const sum: Differentiable = {
      forward: ({ x }) => floats(x.reduce((total, v) => total + (v === 0 ? at : Math.max(v, 0)), 0)),
      vjp: ({ x }, dy) => ({ x: x.map((v) => (v > 0 ? dy[0] : 0)) }),
    };
    expect(await values(sum, { x: floats(1, 0, -3) })).toMatchObject([{ index: [0], actual: at }]);
    expect(await values({ ...but(at), dtype: 'f32' }, { x: floats(0.5, 0) })).toMatchObject([{ index: [1] }]);
  });
});

it.each<[string, (v: number) => number, (v: number) => number]>([
  ['sin(x)/x', (v) => Math.sin(v) / v, (v) => (v * Math.cos(v) - Math.sin(v)) / (v * v)],
  ['x·log|x|', (v) => v * Math.log(Math.abs(v)), (v) => Math.log(Math.abs(v)) + 1],
  ['3 ± rounding', (v) => (v === 0 ? Number.NaN : 3 + 1e-16 * Math.sin(1 / v)), () => 0],
])('0/0 with a limit on both sides is wrong: %s', async (name, f, df) => {
  const { jvp: _, ...layer } = elementwiseLayer(name, { f, df });
  expect(await values(layer, { x: floats(0, 1) })).toMatchObject([{ index: [0], actual: Number.NaN }]);
});

describe('a value that is not finite is right', () => {
  it.each<[string, (v: number) => number, (v: number) => number, number]>([
    ['at a pole', (v) => 1 / v, (v) => -1 / v / v, 0],
    ['at one from both sides', (v) => 1 / (v * v), (v) => -2 / v ** 3, 0],
    ['at a slow one', (v) => Math.abs(v) ** -0.01, (v) => -0.01 * Math.abs(v) ** -1.01 * Math.sign(v), 0],
    ['at a logarithmic one', (v) => Math.log(Math.abs(v)), (v) => 1 / v, 0],
    ['at a jump', (v) => v / Math.abs(v), (v) => (v === 0 ? Number.NaN : 0), 0],
    ['at the end of a domain', Math.log, (v) => 1 / v, 0],
    ['where NaN goes on to one side', (v) => v * Math.log(v), (v) => Math.log(v) + 1, 0],
    ['where it overflows', Math.exp, Math.exp, 710],
    ['outside of a domain', Math.sqrt, (v) => 0.5 / Math.sqrt(v), -1],
  ])('%s', async (name, f, df, at) => {
    const { jvp: _, ...layer } = elementwiseLayer(name, { f, df });
    expect(await codes(layer, { x: floats(at, 1) })).toEqual([]);
    expect(await codes(layer, { x: floats(at, 1) }, { kinks: { x: [{ at }] } })).toEqual([]);
  });

  it('where an element beside which values grow makes it so', async () => {
    const f: Differentiable = {
      forward: ({ a, b }) => a.map((v, i) => v / b[i]),
      vjp: ({ a, b }, dy) => ({ a: dy.map((d, i) => d / b[i]), b: dy.map((d, i) => (-d * a[i]) / b[i] ** 2) }),
    };
    expect(await codes(f, { a: floats(0, 1), b: floats(0, 2) })).toEqual([]);
  });

  it('where it is declared', async () => {
    expect(await codes(but(Infinity), { x: floats(0, 1) }, kinks({ value: () => Infinity }))).toEqual([]);
  });

  it('where an input is not finite, whatever is beside another', async () => {
    const f: Differentiable = {
      forward: ({ a, b }) => a.map((v, i) => Math.min(Math.max(v * b[i], -1), 1)),
      vjp: ({ a }, dy) => ({ a: a.map((v, i) => 0 * v * dy[i]) }),
      constants: ['b'],
    };
    expect(await values(f, { a: floats(0, 5), b: floats(Infinity, 3) })).toEqual([]);
  });

  it('and asks for nothing more where nothing is read beside it', async () => {
    const calls = async (x: Float64Array) => {
      const root = elementwiseLayer('root', { f: Math.sqrt, df: (v) => 0.5 / Math.sqrt(v) });
      const { jvp: _, ...layer } = root;
      return (await gradcheck(layer, { x }, { structure: { x: 'elementwise' } })).calls.forward;
    };
    expect(await calls(floats(-1, 4, -2))).toBe(await calls(floats(1, 4, 2)));
  });
});
