import { describe, expect, it } from 'vitest';
import type { Differentiable, Rounding, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { codes } from './gradcheck-for-tests.ts';
import type { GradcheckOptions } from './options.ts';

const floats = (...values: number[]) => Float64Array.from(values);
const seeds = Array.from({ length: 20 }, (_, k) => k + 1);
/** An elementwise function, its gradient `by` so much too large. */
const each = (g: (v: number) => number, dg: (v: number) => number, by = 0): Differentiable => ({
  forward: ({ x }) => x.map(g),
  vjp: ({ x }, dy) => ({ x: x.map((v, i) => dg(v) * (1 + by) * dy[i]) }),
});
const cube = each(
  (v) => v ** 3,
  (v) => 3 * v * v,
);
/** These bounds, whatever is asked. */
const bounds = (forward: number, vjp: number, output?: number): Rounding => ({
  forward: ({ x }) => x.map(() => forward),
  vjp: ({ x }) => ({ x: x.map(() => vjp) }),
  ...(output !== undefined && { output: ({ x }: Tensors) => x.map(() => output) }),
});

describe('the cotangent', () => {
  /** The dys that are asked, and how often forward is at x itself. */
  async function asked(options: GradcheckOptions, x = floats(1, 2, 3)) {
    const dys: number[][] = [];
    let atX = 0;
    const f: Differentiable = {
      forward(inputs, shapes) {
        if (inputs.x.every((v, i) => v === x[i])) atX++;
        return cube.forward(inputs, shapes);
      },
      vjp(inputs, dy, shapes) {
        dys.push([...dy]);
        return cube.vjp(inputs, dy, shapes);
      },
    };
    expect((await gradcheck(f, { x }, options)).failures).toEqual([]);
    return { dys, atX };
  }

  it('is what is given, 1 for all of it, or drawn by the seed', async () => {
    expect((await asked({ dy: floats(3, -1, 0.5) })).dys[0]).toEqual([3, -1, 0.5]);
    expect((await asked({ dy: 1 })).dys[0]).toEqual([1, 1, 1]);
    expect((await asked({})).dys).toEqual((await asked({ seed: 1 })).dys);
    expect((await asked({})).dys).not.toEqual((await asked({ seed: 2 })).dys);
  });

  it('is asked again, and its negative as often as answers are to be held', async () => {
    const dy = floats(3, -1, 0.5);
    const often = async (held?: number) => (await asked({ dy, ...(held !== undefined && { held }) })).dys;
    const [first, other, ...again] = await often();
    expect([first, again]).toEqual([[...dy], [[...dy]]]);
    expect(await often(2)).toEqual([first, other, ...again, [-3, 1, -0.5], [-3, 1, -0.5]]);
  });

  it('so is forward at x, unless all but NaN was compared with y', async () => {
    expect((await asked({})).atX).toBe(2);
    expect((await asked({ structure: { x: 'elementwise' } })).atX).toBe(1);
  });

  it('alone may be all that is compared', async () => {
    // Of two outputs NaN in x leaves one out, and NaN in another dy the other.
    const outcomes = await Promise.all(
      seeds.map((seed) => gradcheck(cube, { x: floats(1, 2) }, { seed, structure: { x: 'elementwise' } })),
    );
    for (const { outcome } of outcomes) expect(outcome).toBe('passed');
  });
});

describe('a report', () => {
  it('says what the caller put in place of the intervals, no more', async () => {
    const override = async (options: GradcheckOptions, f = cube) =>
      (await gradcheck(f, { x: floats(1, 2) }, options)).override;
    const rounding = bounds(1e-15, 1e-12);
    expect(await override({})).toBeUndefined();
    expect(await override({}, { ...cube, rounding })).toBeUndefined();
    expect(await override({ tolerance: 0.1 })).toStrictEqual({ tolerance: 0.1 });
    expect(await override({ rounding })).toStrictEqual({ rounding: true });
    expect(await override({ tolerance: 0, rounding })).toStrictEqual({ tolerance: 0, rounding: true });
  });

  it('has no failures of a gradient of the gradient that was not asked for', async () => {
    const twice: Differentiable = { ...cube, doubleVjp: () => ({ inputs: {}, dy: floats() }) };
    const { failures, checks } = await gradcheck(twice, { x: floats(Infinity, 1) });
    expect(failures).toEqual([]);
    expect(checks.at(-1)).toBe('not the gradient of the gradient, since y is not finite');
  });
});

describe('a twin', () => {
  const x = floats(0.5, -1.25, 2).map(Math.fround);
  const rounded = (g: (v: number) => number, dg: (v: number) => number, off = 0): Differentiable => ({
    ...each((v) => Math.fround(g(v) * (1 + off)), dg),
    dtype: 'f32',
    twin: ({ x: at }) => at.map(g),
  });
  const tanh = (off?: number) => rounded(Math.tanh, (v) => Math.fround(1 - Math.tanh(v) ** 2), off);

  it('is what forward has to be up to rounding, by declared bounds alone', async () => {
    expect(await codes(tanh(), { x })).toEqual([]);
    expect(await codes(tanh(1e-4), { x })).toEqual(['value']);
    const { twin: _, ...alone } = tanh(1e-4);
    expect(await codes(alone, { x })).not.toContain('value');
    expect(await codes(tanh(), { x }, { rounding: bounds(1e-15, 1e-6, 2 ** -24) })).toEqual([]);
    const exact = await codes(tanh(), { x }, { rounding: bounds(1e-15, 1e-6, 0) });
    expect(new Set(exact)).toEqual(new Set(['value']));
  });

  it('and more where terms cancel, which steps of forward show', async () => {
    // tanh rounds to 1 there.
    const tail = each(
      (v) => Math.fround(1 - Math.fround(Math.tanh(v))),
      () => 0,
    );
    const f: Differentiable = { ...tail, dtype: 'f32', twin: ({ x: at }) => at.map((v) => 1 - Math.tanh(v)) };
    expect(await codes(f, { x: floats(9.25, 10) })).not.toContain('value');
  });
});

describe('noise', () => {
  it('that does not show where f is flat is allowed for, unless a bound is declared', async () => {
    // 4·exp(-2x), of which 1 - tanh(x) shows nothing.
    const flat = each(
      (v) => 1 - Math.tanh(v),
      (v) => -4 * Math.exp(-2 * v),
    );
    expect(await codes(flat, { x: floats(20) })).toEqual([]);
    // An error of 2⁻⁴⁸ is more than the differences lose of a line, and less than its terms may hide.
    const line = each(
      (v) => 0.75 * v,
      () => 0.75,
      2 ** -48,
    );
    expect(await codes(line, { x: floats(0.5) })).toEqual([]);
    expect(await codes(line, { x: floats(0.5) }, { rounding: bounds(0, 0) })).toContain('gradient');
  });

  it('is allowed for in a batch of one', async () => {
    const f = (off: number): Differentiable => ({
      batch: ['x'],
      forward: ({ x }) => x.map((v) => 3 * v * (x.length === 2 ? 1 + off : 1)),
      vjp: (_inputs, dy) => ({ x: dy.map((d) => 3 * d) }),
    });
    const of = { shapes: { x: [3, 2] } };
    const x = floats(1, 2, 3, 4, 5, 6);
    expect(await codes(f(2 ** -52), { x }, of)).toEqual([]);
    expect(await codes(f(1e-12), { x }, of)).toContain('batch');
  });
});

it('what lies beyond a structure is allowed only where it was found', async () => {
  // `yᵢ = xᵢ + 1e-12·xᵢ₊₁`: no output changes by a bit as another element moves.
  const next = (v: Float64Array) => v.map((at, i) => at + 1e-12 * v[(i + 1) % 4]);
  const f: Differentiable = {
    forward: ({ x }) => next(x),
    vjp: (_, dy) => ({ x: dy.map((d, i) => d + 1e-12 * dy[(i + 3) % 4]) }),
  };
  const x = floats(3.1, -2.7, 1.3, 2.2);
  const found = await Promise.all(seeds.map((seed) => codes(f, { x }, { seed })));
  expect(found.flat()).toEqual([]);
  const structure = { x: 'elementwise' } as const;
  const declared = await Promise.all(seeds.map((seed) => codes(f, { x }, { seed, structure, containment: false })));
  expect(declared.flat()).toContain('gradient');
});

describe('equal elements', () => {
  /** `g` of the maximum, of whose derivative each that is equal has a share. */
  const max = (share: number, g = (v: number) => v, dg = (_v: number) => 1): Differentiable => ({
    forward: ({ x }) => floats(g(Math.max(...x))),
    vjp({ x }, dy) {
      const most = Math.max(...x);
      return { x: x.map((v) => (v === most ? share * dg(most) * dy[0] : 0)) };
    },
  });
  const x = floats(2, 2);
  const what = 'vjp, equal elements moved together';

  it('are moved together, beside each alone', async () => {
    expect(await codes(max(0.5), { x })).toEqual([]);
    const both = await gradcheck(max(0.9), { x });
    expect(both.failures).toMatchObject([{ code: 'gradient', what, input: 'x' }]);
    const more = await gradcheck(max(1.1), { x });
    expect(more.failures.map((failure) => 'what' in failure && failure.what).slice(0, 2)).toEqual(['vjp', what]);
    expect(more.inputs[0]).toMatchObject({ compared: 2, open: 0 });
  });

  it('within a declared bound of both', async () => {
    const within = (bound: number): Rounding => ({ ...bounds(0, bound), forward: () => floats(1e-15) });
    expect(await codes(max(0.55), { x }, { dy: 1, rounding: within(0.5) })).toEqual([]);
    expect(await codes(max(0.55), { x }, { dy: 1, rounding: within(0.01) })).toContain('gradient');
    expect(await codes(max(0.55), { x }, { dy: 1, tolerance: 0.2 })).toEqual([]);
  });

  it('on a kink may have any slope between, or are left open', async () => {
    const folded = (share: number) =>
      max(
        share,
        (v) => Math.abs(v - 2),
        () => 1,
      );
    expect(await codes(folded(0.5), { x })).toEqual([]);
    // Each by itself may have this.
    expect((await gradcheck(folded(0.9), { x })).failures).toMatchObject([{ code: 'gradient', what }]);
    const open = await gradcheck(folded(0.9), { x }, { onKinks: 'open' });
    expect(open).toMatchObject({ outcome: 'nothing-compared', inputs: [{ compared: 0, open: 2 }] });
  });
});
