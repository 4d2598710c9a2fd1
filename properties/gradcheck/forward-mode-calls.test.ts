import { describe, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { contextOf, product, productInputs, productKnown, productShapes } from './context-for-tests.ts';
import type { Differentiable, Tensors } from './differentiable.ts';
import { checkForwardMode } from './forward-mode.ts';

type Jvp = NonNullable<Differentiable['jvp']>;
const right = product.jvp!;
const structure = { x: 'elementwise', w: { trailing: 1 } } as const;

/** Checks the product, changed, and says for which tangents jvp was asked. */
async function check(
  change: Partial<Differentiable> = {},
  more: Parameters<typeof contextOf>[4] = {},
  inputs: Tensors = productInputs,
  replaced: (context: Context) => Partial<Context> = () => ({}),
) {
  const asked: Tensors[] = [];
  const f = { ...product, ...change };
  const seen: Differentiable = {
    ...f,
    jvp(at, tangents, shapes) {
      asked.push(tangents);
      return f.jvp!(at, tangents, shapes);
    },
  };
  const context = await contextOf(seen, inputs, productShapes, productKnown, more);
  const mode = await checkForwardMode({ ...context, ...replaced(context) });
  return { ...mode, asked, codes: mode.failures.map(({ code }) => code), context };
}
const hasNaN = (tangents: Tensors) => Object.values(tangents).some((t) => t.includes(Number.NaN));

describe('jvp is asked', () => {
  it('again where no NaN was put in, which says as much', async () => {
    const { asked } = await check();
    expect(asked).toHaveLength(3);
    // After others, which an answer that is kept would show.
    expect(asked[1]).not.toEqual(asked[0]);
    expect(asked[2]).toEqual(asked[0]);
    for (let seed = 0; seed < 5; seed++) {
      const poisoned = await check({}, { seed, declared: { structure } });
      expect(poisoned.codes).toEqual([]);
      expect(poisoned.asked.slice(2).every(hasNaN)).toBe(true);
      expect(poisoned.asked.length).toBeGreaterThan(2);
    }
  });

  it('and where NaN seems to spread, which another answer each time would do too', async () => {
    let calls = 0;
    const jvp: Jvp = (at, tangents, shapes) => {
      calls++;
      return (right(at, tangents, shapes) as Float64Array).map((t) => t * (1 + calls * 2 ** -51));
    };
    expect((await check({ jvp }, { declared: { structure } })).failures).toMatchObject([
      { code: 'non-deterministic', what: 'jvp', element: expect.any(Number) },
    ]);
    const spreading: Jvp = (at, tangents, shapes) => {
      const sum = Object.values(tangents).reduce((all, t) => all + t.reduce((a, b) => a + b, 0), 0);
      return (right(at, tangents, shapes) as Float64Array).map((t) => t + 0 * sum);
    };
    const spread = await check({ jvp: spreading }, { declared: { structure } });
    expect(new Set(spread.codes)).toEqual(new Set(['spreads']));
    expect(spread.asked.at(-1)).toEqual(spread.asked[0]);
  });

  it('for the negative tangents as often as answers are to be held', async () => {
    const { asked } = await check({}, { declared: { held: 2 } });
    expect(asked).toHaveLength(5);
    for (const tangents of asked.slice(3)) {
      for (const name of ['x', 'w']) expect(tangents[name]).toEqual(asked[0][name].map((t) => -t));
    }
    expect((await check({}, { declared: { held: 0 } })).asked).toHaveLength(3);
  });
});

it('allows what rounding adds, and what is hidden, and says how much', async () => {
  const jvp: Jvp = (at, tangents, shapes) =>
    (right(at, tangents, shapes) as Float64Array).map((t, i) => (i === 3 ? t + 1000 : t));
  // So many roundings that they are more than those of the interval itself.
  const { failures, asked } = await check({ jvp }, { roundings: 2 ** 40 });
  const { lo, hi } = failures[0] as unknown as { lo: number; hi: number };
  const size = Math.abs(productInputs.w[1] * asked[0].x[3]) + Math.abs(productInputs.x[3] * asked[0].w[1]);
  const own = 2 * 2 ** -53 * 2 ** 40 * size;
  // Within reach output 3 is as large as at -1/2 of the inputs and more, and by 1000.
  expect(hi - lo).toBeGreaterThan(2 * own);
  expect(hi - lo).toBeLessThan(2 * (own + 2 * 2 ** -53 * 2 ** 40 * (1000 + size)) * 1.001);
});

it('allows each output what lies beyond structures that were only found', async () => {
  const off =
    (by: number): Jvp =>
    (at, tangents, shapes) =>
      (right(at, tangents, shapes) as Float64Array).map((t, i) => (i === 3 ? t + by : t));
  const beyondAt = (output: number, scale: number) => ({
    cotangent: () => new Float64Array(0),
    tangent: (t: Float64Array) => new Float64Array(6).with(output, scale * Math.abs(t[0])),
  });
  const with3 =
    (output: number, name = 'x') =>
    (context: Context) => ({
      numerics: context.numerics.map((numeric) =>
        numeric.name === name ? { ...numeric, beyond: beyondAt(output, 1) } : numeric,
      ),
    });
  for (const name of ['x', 'w']) {
    const { asked } = await check();
    const t = Math.abs(asked[0][name][0]);
    expect(t).toBeGreaterThan(0);
    for (const sign of [1, -1]) {
      const within = { jvp: off(0.99 * sign * t) };
      expect((await check(within, {}, productInputs, with3(3, name))).codes).not.toContain('tangent');
      expect((await check(within, {}, productInputs, with3(2, name))).codes).toContain('tangent');
      expect((await check({ jvp: off(1.01 * sign * t) }, {}, productInputs, with3(3, name))).codes).toContain(
        'tangent',
      );
    }
  }
});

describe('the adjoint is left open where one mode alone is not finite', () => {
  /** NaN in one element of ty; the gradients are finite whatever is given. */
  const jvp: Jvp = () => new Float64Array(6).with(0, Number.NaN);
  const vjp: Differentiable['vjp'] = () => ({ x: new Float64Array(6), w: new Float64Array(2) });
  const isSaid = async (...of: Parameters<typeof check>) => (await check(...of)).codes.includes('adjoint');

  it('at ∞ in an input, in y, or in dy', async () => {
    const x = productInputs.x.with(0, Infinity);
    const finite: Differentiable['forward'] = () => new Float64Array(6);
    expect(await isSaid({ jvp, vjp, forward: finite }, {}, { ...productInputs, x })).toBe(false);
    const forward: Differentiable['forward'] = () => new Float64Array(6).with(0, Infinity);
    expect(await isSaid({ jvp, vjp, forward })).toBe(false);
    expect(await isSaid({ jvp, vjp }, { dy: new Float64Array(6).fill(1).with(0, Infinity) })).toBe(false);
  });

  it('and nowhere else', async () => {
    expect(await isSaid({ jvp, vjp })).toBe(true);
    const inOne: Differentiable['vjp'] = () => ({ x: new Float64Array(6).fill(Number.NaN), w: new Float64Array(2) });
    expect(await isSaid({ vjp: inOne })).toBe(true);
    const inAll: Differentiable['vjp'] = () => ({ x: new Float64Array(6).fill(NaN), w: new Float64Array(2).fill(NaN) });
    expect(await isSaid({ jvp, vjp: inAll })).toBe(false);
  });
});
