import { describe, expect, it } from 'vitest';
import type { DeclaredKink, Differentiable, Rounding, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { elementwise, elementwiseLayer, papLayer } from './layers-for-tests.ts';
import type { GradcheckOptions } from './options.ts';

const floats = (...values: number[]) => Float64Array.from(values);
const spread = (size: number) => Float64Array.from({ length: size }, (_, k) => Math.sin(k + 1));
const relu = elementwiseLayer('relu', elementwise.relu);
const { jvp: _, ...plain } = relu;

/** `Σⱼ tanh(xⱼ)` of each row of x `[rows, n]`. */
const rowSums = (rows: number): Differentiable => {
  const rowOf = (x: Float64Array, j: number) => Math.floor(j / (x.length / rows));
  return {
    forward({ x }) {
      const y = new Float64Array(rows);
      for (const [j, v] of x.entries()) y[rowOf(x, j)] += Math.tanh(v);
      return y;
    },
    vjp: ({ x }, dy) => ({ x: x.map((v, j) => (1 - Math.tanh(v) ** 2) * dy[rowOf(x, j)]) }),
  };
};

/** `tanh(x)·w` over x `[N, 2]` with w `[2]`. */
const scaled: Differentiable = {
  forward: ({ x, w }) => x.map((v, i) => Math.tanh(v) * w[i % 2]),
  vjp({ x, w }, dy) {
    const dw = floats(0, 0);
    for (const [i, v] of x.entries()) dw[i % 2] += Math.tanh(v) * dy[i];
    return { x: x.map((v, i) => (1 - Math.tanh(v) ** 2) * w[i % 2] * dy[i]), w: dw };
  },
};

const counts = async (f: Differentiable, inputs: Tensors, options: GradcheckOptions = {}) => {
  const report = await gradcheck(f, inputs, options);
  expect(report.failures).toEqual([]);
  return Object.fromEntries(report.inputs.map(({ name, compared, open }) => [name, [compared, open]]));
};

describe('outputs that depend on an element that is not finite stay open, all others are compared', () => {
  it.each([Infinity, -Infinity, Number.NaN])(
    'elementwise, and of a parameter the elements that reach them: %s',
    async (v) => {
      const inputs = { x: floats(v, 0.5, 0.25, -1), w: floats(1, 2) };
      expect(await counts(scaled, inputs, { shapes: { x: [2, 2], w: [2] } })).toEqual({ x: [3, 1], w: [1, 1] });
    },
  );

  it('in a row', async () => {
    const of = { shapes: { x: [2, 2], y: [2] } };
    expect(await counts(rowSums(2), { x: floats(1, 2, 0.5, Infinity) }, of)).toEqual({ x: [2, 2] });
  });

  it('in a constant, as its structure says; without one any may depend on it', async () => {
    const masked: Differentiable = {
      constants: ['mask'],
      forward: ({ x, mask }) => x.map((v, i) => v * Math.tanh(mask[i])),
      vjp: ({ mask }, dy) => ({ x: dy.map((d, i) => d * Math.tanh(mask[i])) }),
    };
    const inputs = { x: floats(1, 2, 3), mask: floats(1, Infinity, 0.5) };
    expect(await counts(masked, inputs, { structure: { mask: 'elementwise' } })).toEqual({ x: [2, 1] });
    expect(await counts(masked, inputs)).toEqual({ x: [0, 3] });
    expect(await counts(masked, { ...inputs, mask: floats(1, 2, 3) })).toEqual({ x: [3, 0] });
  });

  it('in a projected input: all', async () => {
    const f: Differentiable = {
      forward: ({ x, b }) => floats(x.reduce((sum, v) => sum + Math.tanh(v), b[0])),
      vjp: ({ x }, dy) => ({ x: x.map((v) => (1 - Math.tanh(v) ** 2) * dy[0]), b: dy.slice() }),
    };
    const inputs = { x: spread(80), b: floats(2) };
    expect(await counts(f, inputs)).toMatchObject({ b: [1, 0] });
    expect(await counts(f, { ...inputs, x: inputs.x.with(50, Infinity) })).toMatchObject({ b: [0, 1] });
  });
});

describe('what a function declares of itself', () => {
  const of = async (f: Differentiable, inputs: Tensors, options: GradcheckOptions = {}) =>
    (await gradcheck(f, inputs, options)).failures.map(({ code }) => code);
  const mixed: Differentiable = {
    forward: ({ x }) => x.map((v) => v + x[0] ** 2),
    vjp: ({ x }, dy) => ({ x: dy.map((d, i) => d + (i === 0 ? 2 * x[0] * dy.reduce((a, b) => a + b, 0) : 0)) }),
  };

  it('is held against it: structure, kinks, batch, constants and shapes', async () => {
    expect(await of({ ...mixed, structure: { x: 'elementwise' } }, { x: spread(5) })).toContain('cross-talk');
    const kinks = (value: DeclaredKink['value'] & {}) => ({ x: [{ at: 0, value, derivative: 'left' as const }] });
    expect(await of({ ...plain, kinks: kinks(() => 1) }, { x: floats(0) })).toEqual(['value']);
    const sized = { ...plain, forward: ({ x }: Tensors) => x.map((v) => v + x.length) };
    expect(await of({ ...sized, shapes: { x: [2, 2] }, batch: ['x'] }, { x: spread(4) })).toContain('batch');
    const report = await gradcheck({ ...plain, shapes: { x: [2, 3] } }, { x: spread(6) });
    expect([report.inputs[0].shape, report.outputShape]).toEqual([
      [2, 3],
      [2, 3],
    ]);
  });

  it('is held against it though some elements are not finite', async () => {
    const f: Differentiable = { ...mixed, structure: { x: 'elementwise' } };
    expect(await of(f, { x: floats(1, 2, 3, Infinity, 5) })).toContain('cross-talk');
  });

  it('gives way to what the call declares', async () => {
    const f: Differentiable = { ...mixed, structure: { x: 'elementwise' } };
    expect(await of(f, { x: spread(5) }, { structure: { x: 'dense' } })).toEqual([]);
  });

  it('constants have no gradient and are not asked for one', async () => {
    const f: Differentiable = {
      forward: ({ x, c }) => x.map((v) => v * c[0]),
      vjp: ({ c }, dy) => ({ x: dy.map((d) => d * c[0]) }),
    };
    const report = await gradcheck(f, { x: spread(3), c: floats(2) }, { constants: ['c'] });
    expect(report.passed).toBe(true);
    expect(report.inputs.map(({ name }) => name)).toEqual(['x']);
  });
});

describe('declared rounding stands in place of the estimate', () => {
  const unit = 1e-6;
  const quantized = (v: number) => Math.round(v / unit) * unit;
  const bound = (forward: Rounding['forward']): Rounding => ({ forward, vjp: ({ x }) => ({ x: x.map(() => 0) }) });
  const f: Differentiable = { forward: ({ x }) => x.map(quantized), vjp: (_of, dy) => ({ x: dy.slice() }) };
  const x = floats(0.1, 0.7, 3.3);

  it('where it is larger', async () => {
    // Nobody knows whether it is flat, as it is nearby, or has the slope of its steps: 0 is as right as 1.
    const flat: Differentiable = { ...f, vjp: (_of, dy) => ({ x: dy.map(() => 0) }) };
    for (const either of [f, flat]) expect((await gradcheck(either, { x })).failures).toEqual([]);
    expect((await gradcheck({ ...f, vjp: (_of, dy) => ({ x: dy.map((d) => 2 * d) }) }, { x })).passed).toBe(false);
    const rounding = bound((at) => at.x.map(() => unit));
    const report = await gradcheck({ ...f, rounding }, { x });
    expect(report.failures).toEqual([]);
    expect(report.inputs[0].compared).toBe(3);
    expect((await gradcheck({ ...flat, rounding }, { x })).passed).toBe(false);
  });

  it('and where it is smaller', async () => {
    const exact = elementwiseLayer('double', { f: (v) => 2 * v, df: () => 2 });
    const { sees } = (await gradcheck({ ...exact, rounding: bound((at) => at.x.map(() => 0)) }, { x: floats(1, 2) }))
      .inputs[0];
    // What the differences lose themselves.
    expect(sees!.everywhere).toBeLessThan(2 ** -48);
    expect((await gradcheck(exact, { x: floats(1, 2) })).inputs[0].sees!.everywhere).toBeGreaterThan(2 ** -40);
  });

  it('is the largest of all places where it was asked', async () => {
    const elsewhere: Differentiable = {
      ...f,
      forward: ({ x: at }) => at.map((v, i) => (v === x[i] ? v : quantized(v))),
      rounding: bound((at) => at.x.map((v, i) => (v === x[i] ? 0 : unit))),
    };
    expect((await gradcheck(elsewhere, { x })).failures).toEqual([]);
  });

  it.each<[string, Partial<Rounding>]>([
    ['"rounding.forward" expected 3 elements, got 2', { forward: () => floats(0, 0) }],
    ['"rounding.forward" expected a Float64Array, got undefined', { forward: () => undefined as never }],
    ['"rounding.forward" expected numbers from 0 or NaN, got -1 at 2', { forward: () => floats(0, Number.NaN, -1) }],
    ['"rounding.vjp.x" expected a Float64Array, got undefined', { vjp: () => ({}) }],
    ['"rounding.vjp.x" expected 3 elements, got 1', { vjp: () => ({ x: floats(0) }) }],
  ])('but has to fit: %s', async (message, wrong) => {
    const rounding = { ...bound((at) => at.x.map(() => 0)), ...wrong };
    await expect(gradcheck({ ...plain, rounding }, { x: floats(1, 2, 3) })).rejects.toThrow(`gradcheck: ${message}`);
  });

  it('that is NaN leaves an output open', async () => {
    const open = { ...plain, rounding: bound((at) => at.x.map((_v, i) => (i === 1 ? Number.NaN : 2 ** -50))) };
    expect(await counts(open, { x: floats(1, 2, 3) })).toEqual({ x: [2, 1] });
  });
});

describe('an input without structure', () => {
  const structures = async (f: Differentiable, inputs: Tensors, options: GradcheckOptions = {}) => {
    const report = await gradcheck(f, inputs, options);
    expect(report.failures).toEqual([]);
    return report.inputs.map(({ structure }) => structure);
  };

  it('of 64 elements is measured whole, of more along directions, or as is asked', async () => {
    expect(await structures(rowSums(1), { x: spread(64) })).toEqual(['dense']);
    expect(await structures(rowSums(1), { x: spread(65) })).toEqual(['projected']);
    expect(await structures(rowSums(1), { x: spread(65) }, { jacobian: 'full' })).toEqual(['dense']);
    expect(await structures(rowSums(1), { x: spread(4) }, { jacobian: 'projected' })).toEqual(['projected']);
  });

  it('is not one with structure, however large', async () => {
    const of = { shapes: { x: [2, 70], y: [2] } };
    expect(await structures(rowSums(2), { x: spread(140) }, of)).toEqual(['rows']);
    expect(await structures(plain, { x: spread(80) }, { jacobian: 'projected' })).toEqual(['elementwise']);
  });

  it('is found where no other structure holds', async () => {
    const mean: Differentiable = {
      forward: ({ x }) => x.map((v) => v - x.reduce((a, b) => a + b, 0) / 4),
      vjp: (_of, dy) => ({ x: dy.map((d) => d - dy.reduce((a, b) => a + b, 0) / 4) }),
    };
    expect(await structures(mean, { x: floats(1, 2, 3, 5) })).toEqual(['dense']);
  });
});

describe('a report', () => {
  it('says what was checked', async () => {
    const checks = async (f: Differentiable, options: GradcheckOptions = {}, x = spread(4)) =>
      (await gradcheck(f, { x }, options)).checks;
    const least = await checks(plain);
    expect(least).toHaveLength(3);
    expect(least[0]).toBe('gradient of every element');
    // NaN is put in where the structure is declared, and nowhere else.
    expect(least[1]).toBe('another dy');
    expect(least[2]).toMatch(/^repeats/);
    const structure = { x: 'elementwise' } as const;
    expect((await checks(plain, { structure }))[1]).toBe('another dy, NaN contained in y and gradients');
    expect((await checks(plain, { structure, containment: false }))[1]).toBe('another dy');
    const added = async (...how: Parameters<typeof checks>) =>
      (await checks(...how)).filter((check) => !least.includes(check));
    expect(await added(relu)).toEqual([expect.stringContaining('forward mode')]);
    expect(await added(plain, { batch: ['x'] })).toEqual(['another dy, NaN contained in y', 'a batch of one']);
    // A batch of one row has no others.
    expect(await added(plain, { batch: ['x'], shapes: { x: [1, 4] } })).toEqual([]);
    expect((await checks(plain, {}, floats(-1, Number.NaN, 2)))[0]).toBe('gradient of 2 of 3 elements');
    const twice: Differentiable = {
      ...plain,
      doubleVjp: ({ x }, dy, { x: ddx }) => ({
        inputs: { x: new Float64Array(x.length) },
        dy: dy.map((_d, i) => (x[i] > 0 ? ddx[i] : 0)),
      }),
    };
    expect(await added(twice)).toEqual([expect.stringMatching(/^gradient of the gradient/)]);
    const infinite = await gradcheck(twice, { x: floats(Infinity, 1) });
    expect(infinite.checks.at(-1)).toMatch(/^not the gradient of the gradient/);
    expect(infinite.calls.doubleVjp).toBe(0);
  });

  it('names the function, f if it has no name, its dtype, the seed, and an override', async () => {
    const { name: _name, ...nameless } = plain;
    const x = spread(3);
    expect(await gradcheck(nameless, { x })).toMatchObject({ name: 'f', dtype: 'f64', seed: 1, override: undefined });
    expect(await gradcheck(plain, { x }, { seed: 9, tolerance: 0.1 })).toMatchObject({
      name: 'relu',
      seed: 9,
      override: { tolerance: 0.1 },
    });
  });

  it('shows the first eight kinks and counts all, declared or found', async () => {
    const step = elementwiseLayer('sign', { f: (v) => (v > 0 ? 1 : -1), df: () => 0 });
    const x = new Float64Array(10);
    for (const [options, declared] of [
      [{}, false],
      [{ kinks: { x: [{ at: 0, value: 'left' }] } }, true],
    ] as const) {
      const { kinks, kinkCount } = (await gradcheck(step, { x }, options)).inputs[0];
      expect([kinks.length, kinkCount]).toEqual([8, 10]);
      expect(kinks[7]).toMatchObject({ element: [7], output: [7], at: 0, declared, jump: 2 });
    }
  });

  it('says of a structure whether it was declared, and what error would have been seen', async () => {
    const inputs = { x: spread(4), alpha: spread(4) };
    const of = { shapes: { x: [2, 2], alpha: [2, 2] } };
    const { inputs: reports } = await gradcheck(papLayer(2), inputs, { ...of, structure: { x: 'elementwise' } });
    expect(reports.map(({ structure, declared }) => [structure, declared])).toEqual([
      ['elementwise', true],
      [{ trailing: 1 }, false],
    ]);
    for (const { sees } of reports) {
      expect(sees!.median).toBeGreaterThan(0);
      expect(sees!.everywhere).toBeLessThan(1e-6);
    }
  });

  it('names the call that did not repeat its answer', async () => {
    let calls = 0;
    const random: Differentiable = { ...plain, forward: ({ x }) => x.map((v) => v * (1 + (calls++ % 7) * 2 ** -40)) };
    expect((await gradcheck(random, { x: spread(4) })).failures[0]).toMatchObject({
      code: 'non-deterministic',
      what: 'forward',
    });
    const adds: Differentiable = { ...plain, vjp: (_of, dy) => ({ x: dy.map((d) => d + calls++ * 1e-13) }) };
    const { failures } = await gradcheck(adds, { x: floats(1, 2) });
    expect(failures.at(-1)).toMatchObject({ code: 'non-deterministic', what: 'vjp to x', element: 0 });
  });
});
