import { describe, expect, it } from 'vitest';
import type { Differentiable, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { codes, tensor } from './gradcheck-for-tests.ts';
import { elementwise, elementwiseLayer, papLayer } from './layers-for-tests.ts';
import type { GradcheckOptions } from './options.ts';
import { gradcheckRun } from './property.ts';

describe('state', () => {
  const sum = (forward: () => number, vjp: () => number = () => 1): Differentiable => ({
    forward: ({ x }) => Float64Array.of(forward() * x.reduce((a, v) => a + v * v, 0)),
    vjp: ({ x }, dy) => ({ x: x.map((v) => 2 * v * dy[0] * vjp()) }),
  });

  it('of forward is seen where all outputs depend on all elements', async () => {
    let calls = 0;
    expect(
      await codes(
        sum(() => 1 + 1e-15 * calls++),
        { x: tensor(5) },
      ),
    ).toContain('non-deterministic');
  });

  it('one bad call is no structure', async () => {
    const x = tensor(40);
    // Of y and of the first evaluations, in which the structure is seen.
    for (let bad = 1; bad <= 4; bad++) {
      let calls = 0;
      const glitch: Differentiable = {
        forward({ x }) {
          calls++;
          return x.map((v) => v * v + (calls === bad ? 1 : 0));
        },
        vjp: ({ x }, dy) => ({ x: dy.map((d, i) => 2 * x[i] * d) }),
      };
      expect(await codes(glitch, { x }, { shapes: { x: [8, 5] } }), `call ${bad}`).toContain('non-deterministic');
    }
  });

  it('that vjp leaves behind is seen in forward, whatever the structure', async () => {
    let factor = 1;
    const scale: Differentiable = {
      forward: ({ x }) => x.map((v) => factor * v),
      vjp(_inputs, dy) {
        factor = 2;
        return { x: dy.slice() };
      },
    };
    for (const options of [{}, { structure: { x: 'elementwise' } }, { structure: { x: 'rows' } }] as const) {
      factor = 1;
      expect((await gradcheck(scale, { x: tensor(3) }, options)).passed).toBe(false);
    }
  });

  it('a buffer that is used again is seen after any number of calls', async () => {
    const buffer = new Float64Array(12);
    const f: Differentiable = {
      ...sum(() => 1),
      vjp({ x }, dy) {
        for (const [i, v] of x.entries()) buffer[i] = 2 * v * dy[0];
        return { x: buffer };
      },
    };
    expect(await codes(f, { x: tensor(12) })).toContain('overwritten');
  });
});

describe('an answer from buffers in turn', () => {
  const x = Float64Array.from({ length: 12 }, (_, i) => i / 3 - 1.7);
  const cube = elementwiseLayer('cube', elementwise.cube);
  /** The layer with a part that answers from so many buffers. */
  const rotating = (part: 'forward' | 'vjp' | 'jvp', count: number): Differentiable => {
    const buffers = Array.from({ length: count }, () => new Float64Array(12));
    let calls = 0;
    const held = (answer: Float64Array) => {
      if (answer.length !== 12) return answer;
      const buffer = buffers[calls++ % count];
      buffer.set(answer);
      return buffer;
    };
    return {
      ...cube,
      forward: (...of) => (part === 'forward' ? held : (y: Float64Array) => y)(cube.forward(...of) as Float64Array),
      vjp: (...of) => {
        const { x: dx } = cube.vjp(...of) as Tensors;
        return { x: part === 'vjp' ? held(dx) : dx };
      },
      jvp: (...of) => (part === 'jvp' ? held : (t: Float64Array) => t)(cube.jvp!(...of) as Float64Array),
    };
  };

  it.each([2, 3, 4, 5, 6, 7])('of forward is seen, of %d', async (count) => {
    const shapes = { x: [4, 3] };
    for (const options of [{}, { structure: { x: 'elementwise' } }, { structure: { x: 'rows' } }] as const) {
      expect(await codes(rotating('forward', count), { x }, { shapes, ...options })).toContain('overwritten');
    }
  });

  it.each([
    ['vjp', 2],
    ['vjp', 3],
    ['vjp', 4],
    ['jvp', 2],
    ['jvp', 3],
  ] as const)('of %s is seen on drawn inputs, of %d', async (part, count) => {
    const { report } = await gradcheckRun(rotating(part, count), { shapes: { x: [4, 3] } }, { runs: 1 });
    expect(report.failures.map(({ code }) => code)).toContain('overwritten');
  });
});

describe('gradients that are not linear in dy', () => {
  const of = (change: (d: number) => number): Differentiable => ({
    forward: ({ x }) => x.slice(),
    vjp: (_inputs, dy) => ({ x: dy.map(change) }),
  });

  it.each<[string, (d: number) => number]>([
    ['clipped', (d) => Math.max(-2, Math.min(2, d))],
    ['without small ones', (d) => (Math.abs(d) < 0.4 ? 0 : d)],
    ['rounded to float32', Math.fround],
  ])('%s', async (_name, change) => {
    expect(
      await codes(
        of((d) => d),
        { x: tensor(40) },
      ),
    ).toEqual([]);
    expect(await codes(of(change), { x: tensor(40) })).toEqual(['gradient']);
  });

  it('summed in float32', async () => {
    const bias = (round: (v: number) => number): Differentiable => ({
      forward: ({ b }, { b: [n] }) => Float64Array.from({ length: 32 * n }, (_, i) => b[i % n]),
      vjp({ b }, dy) {
        const db = new Float64Array(b.length);
        for (const [i, d] of dy.entries()) db[i % db.length] = round(db[i % db.length] + d);
        return { b: db };
      },
    });
    const shape = { shapes: { b: [6], y: [32, 6] } };
    expect(
      await codes(
        bias((v) => v),
        { b: tensor(6) },
        shape,
      ),
    ).toEqual([]);
    expect(await codes(bias(Math.fround), { b: tensor(6) }, shape)).toContain('gradient');
  });
});

describe('what a layer does besides', () => {
  const x = tensor(12);
  const relu = elementwiseLayer('relu', elementwise.relu);
  const buffer = new Float64Array(12);
  let calls = 0;
  const later = () => {
    calls++;
    return calls;
  };
  it.each<[string, string, Partial<Differentiable>, GradcheckOptions?]>([
    [
      'mutated',
      'changes its input',
      {
        vjp({ x: v }, dy) {
          v[0] = 0;
          return { x: dy.map((d, i) => (x[i] > 0 ? d : 0)) };
        },
      },
    ],
    [
      'aliased',
      'answers with its input',
      {
        forward({ x: v }) {
          for (const [i, e] of v.entries()) v[i] = Math.max(e, 0);
          return v;
        },
      },
    ],
    [
      'overwritten',
      'reuses its answer',
      {
        forward({ x: v }) {
          buffer.set(v.map((e) => Math.max(e, 0)));
          return buffer;
        },
      },
    ],
    [
      'non-deterministic',
      'is random in the last bit',
      {
        forward({ x: v }) {
          const k = later();
          return v.map((e) => Math.max(e, 0) * (1 + (k % 3) * 2 ** -52));
        },
      },
    ],
    [
      'non-deterministic',
      'adds up',
      { vjp: ({ x: v }, dy) => ({ x: dy.map((d, i) => (v[i] > 0 ? d : 0) + later() * 1e-12) }) },
    ],
    ['tangent', 'has a wrong jvp', { jvp: ({ x: v }, { x: t }) => t.map((d, i) => (v[i] > 0 ? 2 * d : 0)) }],
    [
      'adjoint',
      'has a jvp that is off by 1e-12',
      { jvp: ({ x: v }, { x: t }) => t.map((d, i) => (v[i] > 0 ? d * (1 + 1e-12) : 0)) },
    ],
    [
      'spreads',
      'lets NaN spread',
      { forward: ({ x: v }) => (v.some(Number.isNaN) ? v.map(() => NaN) : v.map((e) => Math.max(e, 0))) },
      { structure: { x: 'elementwise' } },
    ],
    [
      'batch',
      'knows the size of the batch',
      { forward: ({ x: v }) => v.map((e) => (v.length > 3 ? Math.max(e, 0) : e)) },
      { shapes: { x: [4, 3] }, batch: ['x'] },
    ],
  ])('%s: %s', async (code, _what, change, options) => {
    expect(await codes(relu, { x }, options)).toEqual([]);
    expect(await codes({ ...relu, ...change }, { x }, options)).toContain(code);
  });

  it('second order: a wrong gradient of the gradient', async () => {
    const small = { x: tensor(6), alpha: tensor(4) };
    const of = { shapes: { x: [3, 2], alpha: [2, 2] } };
    const layer = papLayer(2);
    expect(await codes(layer, small, of)).toEqual([]);
    for (const part of ['x', 'alpha', 'dy']) {
      const wrong: Differentiable = {
        ...layer,
        async doubleVjp(given, dy, cotangents, s) {
          const right = await layer.doubleVjp!(given, dy, cotangents, s);
          const twice = (t: Float64Array) => t.map((v) => 2 * v);
          if (part === 'dy') return { ...right, dy: twice(right.dy) };
          return { ...right, inputs: { ...right.inputs, [part]: twice(right.inputs[part]) } };
        },
      };
      expect(await codes(wrong, small, of), part).toContain('second-order');
    }
  });
});
