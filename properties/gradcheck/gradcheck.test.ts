import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Differentiable, Tensors } from './differentiable.ts';
import { type DrawnInputs, drawnInputs } from './drawn-inputs.ts';
import { gradcheck } from './gradcheck.ts';
import { codes, declared, first, inputs, N, pap, shapes, tensor, U } from './gradcheck-for-tests.ts';
import { cancelling, denseLayer, elementwise, elementwiseLayer, papLayer } from './layers-for-tests.ts';
import { describeGradcheckFailure, gradcheckText } from './report-text.ts';

describe('right layers pass', () => {
  it.each(Object.entries(elementwise))(
    '%s, nothing declared, a third of the elements special',
    async (name, scalar) => {
      const drawn = fc.sample(drawnInputs({ shapes: { x: ['n', 'c'] }, kinks: [0, 6, 3, -3] }), {
        seed: 1,
        numRuns: 60,
      });
      for (const { shapes: of, inputs: given } of drawn) {
        const report = await gradcheck(elementwiseLayer(name, scalar), given, { shapes: of });
        expect(report.passed, gradcheckText(report)).toBe(true);
      }
    },
  );

  it.each([
    ['plain normal draws', inputs],
    ['every input 0', { x: new Float64Array(N * U), alpha: inputs.alpha }],
    [
      '-0, subnormal and huge',
      { x: inputs.x.map((v, i) => [-0, 5e-324, -5e-324, 1e300, 1e-300, v][i % 6]), alpha: inputs.alpha },
    ],
    [
      '∞ and NaN among them',
      { x: inputs.x.map((v, i) => [Infinity, NaN, -Infinity, v, v][i % 5]), alpha: inputs.alpha },
    ],
    ['alpha 0', { x: inputs.x, alpha: new Float64Array(2 * U) }],
  ])('a PAP, declared and found: %s', async (_name, given) => {
    for (const options of [declared, { shapes }, {}]) {
      const report = await gradcheck(pap, given, options);
      expect(report.passed, gradcheckText(report)).toBe(true);
    }
  });

  it('empty tensors, and a batch of one', async () => {
    expect(
      await codes(papLayer(3), { x: new Float64Array(0), alpha: tensor(6) }, { shapes: { x: [0, 3], alpha: [2, 3] } }),
    ).toEqual([]);
    expect(
      await codes(papLayer(1), { x: tensor(1), alpha: tensor(2) }, { shapes: { x: [1, 1], alpha: [2, 1] } }),
    ).toEqual([]);
  });

  it('a dense layer: rows and columns are found, the Jacobian is measured whole', async () => {
    const report = await gradcheck(
      denseLayer(4, 3),
      { x: tensor(20), w: tensor(12) },
      { shapes: { x: [5, 4], w: [4, 3], y: [5, 3] } },
    );
    expect(report.passed, gradcheckText(report)).toBe(true);
    expect(report.inputs.map(({ structure }) => structure)).toEqual(['rows', { trailing: 1 }]);
    expect(report.inputs.map(({ compared }) => compared)).toEqual([20, 12]);
  });
});

describe('right functions are not called wrong', () => {
  const gelu = (v: number) => Math.tanh(0.7978845608 * (v + 0.044715 * v ** 3));
  const dgelu = (v: number) =>
    0.5 * (1 + gelu(v)) + 0.5 * v * (1 - gelu(v) ** 2) * 0.7978845608 * (1 + 3 * 0.044715 * v * v);
  const root = (atZero: number) => (v: number) => (v === 0 ? atZero : Math.sign(v) / (2 * Math.sqrt(Math.abs(v))));

  it.each<[string, (v: number) => number, (v: number) => number, readonly number[]]>([
    ['of inner cancellation', (v) => 1 - Math.cos(v), Math.sin, [-(2 ** -13), -3.8e-6, 2 ** -20, 0.3]],
    ['a quotient that cancels', (v) => (Math.exp(v) - 1) / v, (v) => 0.5 + v / 3 + (v * v) / 8, [2 ** -19, -3.8e-6]],
    ['in a tail that cancels', (v) => 0.5 * v * (1 + gelu(v)), dgelu, [-3.762658287433099, -3.9, 0.3]],
    ['of values of few digits', (v) => Math.fround(Math.tanh(v)), (v) => 1 - Math.tanh(v) ** 2, [0.3, -1.1, 1]],
    ['on a vertical tangent', Math.cbrt, (v) => (v === 0 ? 0 : 1 / (3 * Math.cbrt(v) ** 2)), [0, 1e-12, 1e-300, 1]],
    ['on two that meet', (v) => Math.sqrt(Math.abs(v)), root(Infinity), [0, 1, -1e-9]],
    ['on two that meet, 0 there', (v) => Math.sqrt(Math.abs(v)), root(0), [0, 1, -1e-9]],
    ['beside a pole, and far from it', (v) => 1 / v, (v) => -1 / v / v, [1e-12, -1e-15, 1e100, 3]],
  ])('%s', async (_name, f, df, places) => {
    for (const x of [places, ...places.map((v) => [v])]) {
      const { jvp: _, ...layer } = elementwiseLayer('f', { f, df });
      const report = await gradcheck(layer, { x: Float64Array.from(x) });
      expect(report.failures, gradcheckText(report)).toEqual([]);
    }
    const { jvp: _, ...wrong } = elementwiseLayer('f', { f, df: (v) => 1.5 * df(v) + 0.5 });
    expect((await gradcheck(wrong, { x: Float64Array.from(places) })).outcome).toBe('failed');
  });

  it.each(Object.entries(cancelling))(
    '%s, whose noise does not show in its values',
    async (name, { places, ...scalar }) => {
      const { jvp: _, ...layer } = elementwiseLayer(name, scalar);
      for (const x of [places, ...places.map((v) => [v])]) {
        const report = await gradcheck(layer, { x: Float64Array.from(x) });
        expect(report.passed, gradcheckText(report)).toBe(true);
      }
      for (const off of [1e-10, -1]) {
        const { jvp: _jvp, ...wrong } = elementwiseLayer(name, { ...scalar, df: (v) => scalar.df(v) + off });
        expect(await codes(wrong, { x: Float64Array.from(places) })).toContain('gradient');
      }
    },
  );

  it('in float32 at jumps that the widest steps step over, and beside poles', async () => {
    const round = Math.fround;
    const of = (f: (v: number) => number, df: (v: number) => number, dtype: 'f32') => ({
      dtype,
      forward: ({ x }: Tensors) => x.map((v) => round(f(v))),
      vjp: ({ x }: Tensors, dy: Float64Array) => ({ x: x.map((v, i) => round(round(df(v)) * dy[i])) }),
    });
    for (const [f, df, places] of [
      [(v: number) => v - Math.floor(v), () => 1, [-16, -3, 2, 0.5]],
      [(v: number) => 1 / v, (v: number) => -1 / v / v, [-(2 ** -13), 2 ** -23, 3]],
      [(v: number) => Math.sqrt(Math.abs(v)), root(0), [0, 2 ** -28, 1]],
      // A quotient of two that vanish: flat within 2⁻¹³ of 1.
      [
        (v: number) => round(v - 1) / round(round(v * v) - 1),
        (v: number) => -1 / (v + 1) ** 2,
        [1 + 110 * 2 ** -20, 1 + 85 * 2 ** -20, 1 + 2 ** -7],
      ],
    ] as const) {
      const report = await gradcheck(of(f, df, 'f32'), { x: Float64Array.from(places) });
      expect(report.failures, gradcheckText(report)).toEqual([]);
    }
  });

  it('a quotient of two that are small, which is large where only one of them was moved', async () => {
    const round = Math.fround;
    const quotient: Differentiable = {
      dtype: 'f32',
      forward: ({ a, b }) => a.map((v, i) => round(v / b[i])),
      vjp: ({ a, b }, dy) => ({
        a: dy.map((d, i) => round(d / b[i])),
        b: dy.map((d, i) => round(-round(d * a[i]) / round(b[i] * b[i]))),
      }),
    };
    for (const [a, b] of [
      [-(2 ** -22), 2 ** -22],
      [-(2 ** -22), -(2 ** -27)],
      [2 ** -28, -(2 ** -15)],
      [-(2 ** -30), 2 ** -14],
      [1, 3],
    ]) {
      const report = await gradcheck(quotient, { a: Float64Array.of(a), b: Float64Array.of(b) });
      expect(report.failures, gradcheckText(report)).toEqual([]);
    }
  });
});

describe('a power of |x| beside a declared jump', () => {
  const power = (p: number, dtype: 'f64' | 'f32', factor = 1): Differentiable => {
    const round = dtype === 'f64' ? (v: number) => v : Math.fround;
    const df = (v: number) => (v === 0 ? 0 : p * Math.sign(v) * Math.abs(v) ** (p - 1));
    return {
      dtype,
      forward: ({ x }) => x.map((v) => round(round(Math.abs(v) ** p) + (v > 0 ? 1 : 0))),
      vjp: ({ x }, dy) => ({ x: x.map((v, i) => round(round(factor * df(v)) * dy[i])) }),
    };
  };
  const side =
    (value: number, slope = 0) =>
    () => ({ value, slope });
  const kink = { at: 0, value: 'left', derivative: () => 0 } as const;
  const places = Array.from({ length: 48 }, (_, k) => Math.fround((k % 2 === 0 ? 1.3 : -1.3) * 2 ** -k));

  it.each([0.5, 0.9, 1.05, 1.1, 1.2, 1.3, 1.5])('to the %d is not called wrong', async (p) => {
    for (const dtype of ['f64', 'f32'] as const) {
      for (const v of places) {
        const report = await gradcheck(power(p, dtype), { x: Float64Array.of(v) }, { kinks: { x: [kink] } });
        expect(report.failures, gradcheckText(report)).toEqual([]);
      }
      const wrong = power(p, dtype, 1.5);
      expect(await codes(wrong, { x: Float64Array.from(places) }, { kinks: { x: [kink] } })).toContain('gradient');
    }
  });

  it.each([1.05, 1.1, 1.2, 1.3, 1.5])('to the %d has limits of slopes that differ from scale to scale', async (p) => {
    const x = Float64Array.of(0);
    const limits = { x: [{ ...kink, left: side(0), right: side(1) }] };
    expect(await codes(power(p, 'f64'), { x }, { kinks: limits })).toEqual([]);
    const offLimit = { x: [{ ...kink, left: side(0), right: side(1.5) }] };
    expect(await codes(power(p, 'f64'), { x }, { kinks: offLimit })).toContain('one-sided');
    const offSlope = { x: [{ ...kink, left: side(0, 0.5), right: side(1) }] };
    expect(await codes(power(p, 'f64'), { x }, { kinks: offSlope })).toEqual(p < 1.1 ? [] : ['one-sided']);
  });
});

describe('cost', () => {
  it('of the PAP layer at [32, 64] is at most 12 forward and 3 backward runs for every element', async () => {
    const { calls, inputs: reports } = await gradcheck(
      first,
      { ...inputs, x: inputs.x.with(5, 0) },
      { ...declared, batch: [] },
    );
    expect(calls.forward).toBeLessThanOrEqual(12);
    expect(calls.vjp).toBeLessThanOrEqual(3);
    expect(reports.map(({ compared }) => compared)).toEqual([N * U, 2 * U]);
  });
});

describe('wrong gradients are found', () => {
  /** The layer with one element of a cotangent changed. */
  const withElement = (input: string, at: number, change: (v: number) => number): Differentiable => ({
    ...first,
    async vjp(given, dy, of) {
      const right = await pap.vjp(given, dy, of);
      return { ...right, [input]: right[input].with(at, change(right[input][at])) };
    },
  });

  it.each([
    ['x', 1e-7],
    ['alpha', 1e-7],
    ['x', 1e-8],
  ])('one element of d%s off by %d of itself, by finite differences alone', async (input, relative) => {
    const elements = inputs[input as 'x' | 'alpha'].length;
    for (let k = 0; k < 20; k++) {
      const at = Math.floor((k * elements) / 20);
      if (input === 'x' && inputs.x[at] <= 0) continue;
      const report = await gradcheck(
        withElement(input, at, (v) => v * (1 + relative)),
        inputs,
        declared,
      );
      const failure = report.failures.find(({ code }) => code === 'gradient');
      expect(failure, `${input} ${at}`).toMatchObject({ input, index: [Math.floor(at / U), at % U] });
    }
  });

  it('a gradient of 1e-13 where f is 0, but as large as 1 within reach', async () => {
    const { jvp: _, ...leaky } = elementwiseLayer('relu', { ...elementwise.relu, df: (v) => (v > 0 ? 1 : 1e-13) });
    const x = Float64Array.of(-0.5, -1, -3);
    expect(await codes(leaky, { x })).toContain('gradient');
    expect(await codes(leaky, { x }, { kinks: { x: [{ at: 0, derivative: 'left' }] } })).toContain('gradient');
  });

  it('where terms cancel, whose rounding alone keeps slopes apart', async () => {
    const x = Float64Array.of(0.01, 0.003, 0.001, 1.5, -2, 3);
    const shrink = (df: (v: number) => number) => elementwiseLayer('shrink', { f: (v) => v - Math.tanh(v), df });
    const { jvp: _, ...right } = shrink((v) => Math.tanh(v) ** 2);
    expect((await gradcheck(right, { x })).inputs[0]).toMatchObject({ compared: 6, open: 0 });
    for (const at of x) {
      const { jvp: _jvp, ...wrong } = shrink((v) => (v === at ? 5 : Math.tanh(v) ** 2));
      expect(await codes(wrong, { x })).toContain('gradient');
    }
  });

  it('all of the sort that a formula gets wrong', async () => {
    const wrong = (change: (right: Tensors, given: Tensors, dy: Float64Array) => Tensors): Differentiable => ({
      ...first,
      vjp: (given, dy, of) => change(pap.vjp(given, dy, of) as Tensors, given, dy),
    });
    for (const f of [
      wrong((g, { x }, dy) => ({ ...g, x: x.map((v, i) => (v > 0 ? dy[i] : 0)) })),
      wrong((g) => ({ ...g, alpha: g.alpha.map((d) => d / N) })),
      wrong((g) => ({ ...g, alpha: Float64Array.of(...g.alpha.subarray(U), ...g.alpha.subarray(0, U)) })),
      wrong((g) => ({ ...g, x: g.x.map((d) => -d) })),
      wrong((g) => ({ ...g, x: g.x.map(() => Number.NaN) })),
      wrong((g, { x, alpha }, dy) => ({
        ...g,
        x: g.x.map((d, i) => d + (Math.abs(x[i]) < 0.5 ? alpha[U + (i % U)] * dy[i] : 0)),
      })),
    ]) {
      expect(await codes(f, inputs, declared)).toContain('gradient');
      expect(await codes(f, inputs, { shapes })).toContain('gradient');
    }
  });

  it('at a kink: the declared convention, or else anything beyond the slopes from both sides', async () => {
    const onKink = { ...inputs, x: inputs.x.with(3, 0) };
    const atZero = (slope: number): Differentiable => ({
      ...first,
      async vjp({ x, alpha }, dy, of) {
        const right = await pap.vjp({ x: x, alpha: alpha }, dy, of);
        return { ...right, x: right.x.map((d, i) => (x[i] === 0 ? slope * alpha[i % U] * dy[i] : d)) };
      },
    });
    expect(await codes(atZero(1), onKink, { ...declared, batch: [] })).toContain('gradient');
    expect(await codes(atZero(1), onKink, { shapes })).toEqual([]);
    expect(await codes(atZero(1.01), onKink, { shapes })).toContain('gradient');
    expect(await codes(atZero(-0.01), onKink, { shapes })).toContain('gradient');
  });

  it('the value at a kink', async () => {
    const step = (atZero: number): Differentiable =>
      elementwiseLayer('step', { f: (x) => (x === 0 ? atZero : x > 0 ? 1 : 0), df: () => 0 });
    const x = Float64Array.of(0, 1, -1);
    expect(await codes(step(1), { x }, { kinks: { x: [{ at: 0, value: 'left', derivative: () => 0 }] } })).toContain(
      'value',
    );
    expect(await codes(step(0.5), { x }, { kinks: { x: [{ at: 0, value: () => 0.5, derivative: () => 0 }] } })).toEqual(
      [],
    );
    expect(await codes(step(0.5), { x }, {})).toEqual([]);
    expect(await codes(step(3), { x }, {})).toContain('value');
  });
});

describe('kinks are measured: left slope, right slope and jump apart', () => {
  it('exactly for an MReLU on a dyadic lattice: P and D', async () => {
    const given = { x: Float64Array.of(0, 0, 1, -0.5), alpha: Float64Array.of(0.75, 0.5, 0.25, 0.5) };
    for (const options of [{ kinks: declared.kinks! }, {}]) {
      const { inputs: reports } = await gradcheck(papLayer(2), given, {
        ...options,
        shapes: { x: [2, 2], alpha: [2, 2] },
      });
      const [kink, other] = reports[0].kinks;
      expect(kink).toMatchObject({ element: [0, 0], at: 0, left: 0, right: 0.75, jump: 0.25 });
      expect(other).toMatchObject({ element: [0, 1], right: 0.5, jump: 0.5 });
    }
  });

  it('and compared with what is declared of them', async () => {
    const leaky = elementwiseLayer('leaky', { f: (x) => (x > 0 ? x : x / 1000), df: (x) => (x > 0 ? 1 : 1 / 1000) });
    const kinks = (left: number) =>
      ({ x: [{ at: 0, derivative: 'left', left: () => ({ value: 0, slope: left }) }] }) as const;
    expect(await codes(leaky, { x: Float64Array.of(0) }, { kinks: kinks(1 / 1000) })).toEqual([]);
    expect(await codes(leaky, { x: Float64Array.of(0) }, { kinks: kinks(0) })).toContain('one-sided');
  });

  it('between two declared kinks an element is measured on its own side', async () => {
    const f = elementwiseLayer('hat', {
      f: (x) => Math.max(0, 1 - Math.abs(x) * 1e6),
      df: (x) => (Math.abs(x) < 1e-6 ? -1e6 * Math.sign(x) : 0),
    });
    const kinks = { x: [-1e-6, 0, 1e-6].map((at) => ({ at, value: 'any' as const, derivative: 'any' as const })) };
    const report = await gradcheck(f, { x: Float64Array.of(3e-7, -9e-7, 2e-6, 0.5) }, { kinks });
    expect(report.passed, gradcheckText(report)).toBe(true);
    expect(report.inputs[0].vacuous).toBe(0);
  });
});

describe('structure', () => {
  it('that is declared and does not hold is named, with the output that changed', async () => {
    const mean: Differentiable = {
      ...elementwiseLayer('relu', elementwise.relu),
      forward: ({ x }) => x.map((v) => Math.max(v, 0) + x[0] / 1024),
    };
    const report = await gradcheck(mean, { x: tensor(12) }, { structure: { x: 'elementwise' } });
    expect(report.failures[0]).toMatchObject({ code: 'cross-talk', input: 'x' });
  });

  it.each([2, 3, 5, 11])('any two of %d rows that see each other are parted', async (n) => {
    for (const from of [0, n - 1]) {
      const to = n - 1 - from;
      if (from === to) continue;
      const f: Differentiable = {
        forward: ({ x }) => x.map((v, i) => (i === to ? v + x[from] ** 2 : v)),
        vjp: (_given, dy) => ({ x: dy.slice() }),
      };
      expect(await codes(f, { x: tensor(n) }, { structure: { x: 'elementwise' } })).toContain('cross-talk');
    }
  });

  it('projects a large input without structure, and says what it sees', async () => {
    const m = 100;
    const f = denseLayer(m, 2);
    const given = { x: tensor(m), w: tensor(2 * m) };
    const flat = { shapes: { x: [m], w: [2 * m], y: [2] } };
    const report = await gradcheck(f, given, flat);
    expect(report.passed, gradcheckText(report)).toBe(true);
    expect(report.inputs.map(({ structure }) => structure)).toEqual(['projected', 'projected']);
    expect((await gradcheck(f, given, { ...flat, jacobian: 'full' })).inputs[1]).toMatchObject({
      structure: 'dense',
      compared: 2 * m,
    });
    const wrong: Differentiable = {
      ...f,
      vjp: (of, dy, s) => {
        const g = f.vjp(of, dy, s) as Tensors;
        return { ...g, w: g.w.with(17, g.w[17] + 1e-5) };
      },
    };
    expect(await codes(wrong, given, flat)).toContain('gradient');
  });
});

it('random projections see what is wrong beside a share of elements on a kink', async () => {
  const [n, c] = [16, 12];
  const transposed = (slope: (v: number, k: number) => number): Differentiable => ({
    forward: ({ x }) => Float64Array.from({ length: n * c }, (_, k) => Math.max(x[(k % n) * c + Math.floor(k / n)], 0)),
    vjp: ({ x }, dy) => ({ x: x.map((v, k) => slope(v, k) * dy[(k % c) * n + Math.floor(k / c)]) }),
  });
  const [{ inputs: drawn }] = fc.sample(drawnInputs({ shapes: { x: [n, c] } }), { seed: 1, numRuns: 1 }) as [
    DrawnInputs,
  ];
  const given = { x: drawn.x };
  const shape = { shapes: { x: [n, c] } };
  const wrongAt = given.x.findIndex((v) => v > 1);
  const report = await gradcheck(
    transposed((v) => (v > 0 ? 1 : 0)),
    given,
    shape,
  );
  expect(report.passed, gradcheckText(report)).toBe(true);
  const { projection, sees, compared, open } = report.inputs[0];
  expect(projection!.random).toBe(4);
  expect(projection!.together + projection!.alone + open).toBe(n * c);
  expect(compared).toBe(4 + projection!.alone);
  expect(sees!.absolute).toBe(true);
  expect(sees!.median).toBeLessThan(1e-4);
  expect(report.checks[0]).toBe('gradient of x along directions');
  for (const slope of [
    (v: number) => (v > 0 ? 1.05 : 0),
    (v: number) => (v > 0 ? 1 : v < 0 ? 0.1 : 0),
    (v: number, k: number) => (v > 0 ? (k === wrongAt ? 2 : 1) : 0),
  ]) {
    expect(await codes(transposed(slope), given, shape)).toContain('gradient');
  }
});

it('a report is at most 40 lines, and each failure a sentence that names the element', async () => {
  const wrong = {
    ...first,
    vjp: (given: Tensors, dy: Float64Array) => ({ x: dy.map((d) => 2 * d), alpha: given.alpha.slice() }),
  };
  const report = await gradcheck(wrong, { ...inputs, x: inputs.x.with(0, 0) }, declared);
  const text = gradcheckText(report);
  expect(text.split('\n').length).toBeLessThanOrEqual(40);
  expect(text).toMatch(/^gradcheck pap: FAILED, \d+ failures/);
  expect(describeGradcheckFailure(report.failures[0])).toMatch(
    /^dx\[\d+, \d+\] of vjp is .*, measured .*, allowed \[.*\] \(\d+ of \d+ elements wrong\); x\[\d+, \d+\] = \S+, dy \S+: derivative 2, measured 0$/,
  );
});
