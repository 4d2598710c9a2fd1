import { describe, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { contextOf, product, productInputs, productKnown, productShapes } from './context-for-tests.ts';
import type { Differentiable, Tensors } from './differentiable.ts';
import { checkBatch, checkContainment } from './independence.ts';

const declared = { structure: { x: 'elementwise', w: { trailing: 1 } } } as const;
const placesOf = (t: Float64Array, is: (v: number) => boolean) => [...t.keys()].filter((k) => is(t[k]));

/** Checks the product, changed, and says where its parts were asked. */
async function check(change: Partial<Differentiable> = {}, more: Parameters<typeof contextOf>[4] = {}) {
  const f = { ...product, ...change };
  const forward: Tensors[] = [];
  const vjp: { inputs: Tensors; dy: Float64Array }[] = [];
  const seen: Differentiable = {
    ...f,
    forward(inputs, shapes) {
      forward.push(inputs);
      return f.forward(inputs, shapes);
    },
    vjp(inputs, dy, shapes) {
      vjp.push({ inputs, dy });
      return f.vjp(inputs, dy, shapes);
    },
  };
  const context = await contextOf(seen, productInputs, productShapes, productKnown, more);
  const [ys, dys] = [forward.length, vjp.length];
  const { failures, contained, compared } = await checkContainment(context);
  return { failures, contained, compared, forward: forward.slice(ys), vjp: vjp.slice(dys), context };
}

describe('another dy', () => {
  it.each<[string, Partial<Context>]>([
    ['where containment is not asked for', { declared: { ...declared, containment: false } }],
    ['where structure was only found', { declared: {} }],
  ])('%s is without NaN, partly 0, at the inputs themselves', async (_name, more) => {
    let zeros = 0;
    for (let seed = 0; seed < 40; seed++) {
      const { failures, contained, compared, forward, vjp, context } = await check({}, { ...more, seed });
      expect([failures, contained, compared]).toEqual([[], undefined, 8]);
      expect(forward).toEqual([]);
      expect(vjp).toHaveLength(1);
      expect(vjp[0].inputs).toEqual(productInputs);
      expect(vjp[0].dy.every(Number.isFinite)).toBe(true);
      expect(vjp[0].dy).not.toEqual(context.dy);
      zeros += placesOf(vjp[0].dy, (d) => d === 0).length;
    }
    // A quarter of 240.
    expect(zeros).toBeGreaterThan(35);
    expect(zeros).toBeLessThan(85);
  });

  it('finds a gradient that is right for dense dy alone', async () => {
    const wrong: Differentiable['vjp'] = (inputs, dy, shapes) => {
      const right = product.vjp(inputs, dy, shapes) as Tensors;
      return { ...right, x: right.x.map((d, i) => (dy[i] === 0 ? 1 : d)) };
    };
    let found = 0;
    for (let seed = 0; seed < 10; seed++) {
      const { failures, vjp } = await check({ vjp: wrong }, { declared: {}, seed });
      const zeros = placesOf(vjp[0].dy, (d) => d === 0).length;
      found += Math.min(zeros, 1);
      expect(failures).toMatchObject(
        zeros === 0 ? [] : [{ code: 'gradient', input: 'x', analytic: 1, numeric: 0, wrong: zeros, compared: 6 }],
      );
    }
    expect(found).toBeGreaterThan(5);
  });

  it('is compared within declared bounds', async () => {
    const off: Differentiable['vjp'] = (inputs, dy, shapes) => {
      const right = product.vjp(inputs, dy, shapes) as Tensors;
      return { ...right, w: right.w.map((d) => d + 0.01) };
    };
    const bounds = (bound: number) => ({
      forward: ({ x }: Tensors) => x.map(() => 0),
      vjp: ({ x, w }: Tensors) => ({ x: x.map(() => 0.001), w: w.map(() => bound) }),
    });
    expect((await check({ vjp: off }, { declared: { rounding: bounds(0.02) } })).failures).toEqual([]);
    expect((await check({ vjp: off }, { declared: { rounding: bounds(0.005) } })).failures).toMatchObject([
      { input: 'w', wrong: 2 },
    ]);
  });
});

describe('NaN, where all structure is declared,', () => {
  it('is in one element of each input, and in one of dy, each of them by turns', async () => {
    const seen = { x: new Set<number>(), w: new Set<number>(), dy: new Set<number>() };
    const sizes = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { failures, contained, forward, vjp } = await check({}, { declared, seed });
      expect([failures, contained]).toEqual([[], 'y and gradients']);
      expect(vjp.map((asked) => asked.inputs)).toEqual(forward);
      sizes.add(forward.length);
      for (const name of ['x', 'w'] as const) {
        const places = forward.flatMap((inputs) => placesOf(inputs[name], Number.isNaN));
        expect(places).toHaveLength(1);
        seen[name].add(places[0]);
      }
      for (const { dy } of vjp) {
        const [output, ...more] = placesOf(dy, Number.isNaN);
        expect(more).toEqual([]);
        seen.dy.add(output);
      }
    }
    expect([seen.x.size, seen.w.size, seen.dy.size]).toEqual([6, 2, 6]);
    // Both at once if they touch one column, half of the outputs.
    expect(sizes).toEqual(new Set([1, 2]));
  });

  it.each(['x', 'w'])('in %s that spreads is found, with the place alone', async (name) => {
    const forward: Differentiable['forward'] = (inputs) =>
      inputs.x.map((v, i) => v * inputs.w[i % 2] + 0 * inputs[name].reduce((a, b) => a + b, 0));
    for (let seed = 0; seed < 10; seed++) {
      const { failures } = await check({ forward }, { declared, seed });
      expect(failures).toMatchObject([
        { code: 'spreads', from: expect.stringMatching(`^NaN in ${name}\\[[0-9, ]+\\]$`) },
      ]);
    }
  });

  it.each(['x', 'w'])('in %s that spreads to gradients is found', async (name) => {
    const vjp: Differentiable['vjp'] = (inputs, dy, shapes) => {
      const right = product.vjp(inputs, dy, shapes) as Tensors;
      return { ...right, w: right.w.map((d) => d + 0 * inputs[name].reduce((a, b) => a + b, 0)) };
    };
    let found = 0;
    for (let seed = 0; seed < 20; seed++) found += (await check({ vjp }, { declared, seed })).failures.length;
    expect(found).toBeGreaterThan(3);
  });

  it('that spreads to another output is found, with both places', async () => {
    // It reaches the whole row.
    const forward: Differentiable['forward'] = ({ x, w }) =>
      x.map((v, i) => v * w[i % 2] + 0 * x[i % 2 === 0 ? i + 1 : i - 1]);
    const { failures, forward: asked, context } = await check({ forward }, { declared });
    const [element] = placesOf(asked[0].x, Number.isNaN);
    const [r, u] = [Math.floor(element / 2), element % 2];
    expect(failures).toEqual([
      {
        code: 'spreads',
        from: `NaN in x[${r}, ${u}]`,
        to: 'y',
        index: [r, 1 - u],
        was: context.y[2 * r + 1 - u],
        became: Number.NaN,
      },
    ]);
  });

  it('that spreads to a gradient is found; what depends on it is left open', async () => {
    const spreads: Differentiable['vjp'] = (inputs, dy, shapes) => {
      const right = product.vjp(inputs, dy, shapes) as Tensors;
      return { ...right, x: right.x.map((d) => d + 0 * dy.reduce((a, b) => a + b, 0)) };
    };
    let open = 0;
    for (let seed = 0; seed < 10; seed++) {
      const { failures, forward, vjp } = await check({ vjp: spreads }, { declared, seed });
      const touched = new Set([...placesOf(forward[0].x, Number.isNaN), ...placesOf(vjp[0].dy, Number.isNaN)]);
      for (const output of vjp[0].dy.keys()) if (Number.isNaN(forward[0].w[output % 2])) touched.add(output);
      open += 6 - touched.size;
      expect(failures).toMatchObject([
        { code: 'gradient', input: 'x', wrong: 6 - touched.size, compared: 6 - touched.size },
      ]);
      expect((failures[0] as { what: string }).what).toContain('NaN');
    }
    expect(open).toBeLessThan(50);
  });

  it('reaches a gradient of the parameter only where the column does', async () => {
    const wrong: Differentiable['vjp'] = (inputs, dy, shapes) => {
      const right = product.vjp(inputs, dy, shapes) as Tensors;
      return { ...right, w: right.w.map((d) => 2 * d + 1) };
    };
    let found = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { failures, vjp } = await check({ vjp: wrong }, { declared, seed });
      const { inputs, dy } = vjp.at(-1)!;
      const columns = new Set([...placesOf(inputs.x, Number.isNaN), ...placesOf(dy, Number.isNaN)].map((k) => k % 2));
      for (const k of placesOf(inputs.w, Number.isNaN)) columns.add(k);
      found += failures.length;
      expect(failures.map((failure) => (failure as { compared: number }).compared)).toEqual(
        columns.size === 2 ? [] : [1],
      );
    }
    expect(found).toBeGreaterThan(3);
    expect(found).toBeLessThan(20);
  });

  it('of an input alone is tried in forward alone', async () => {
    const { failures, contained, forward, vjp } = await check({}, { declared: { structure: { w: { trailing: 1 } } } });
    expect([failures, contained]).toEqual([[], 'y']);
    expect(placesOf(forward[0].w, Number.isNaN)).toHaveLength(1);
    expect(vjp[0].inputs).toEqual(productInputs);
    expect(vjp[0].dy.some(Number.isNaN)).toBe(false);
  });

  it('is not put into what any output depends on, nor into directions', async () => {
    const context = await contextOf(product, productInputs, productShapes, {
      x: { structure: 'dense', slope: (i, j) => (i === j ? productInputs.w[i % 2] : 0) },
      w: productKnown.w,
    });
    const before = context.asked.calls.forward;
    expect((await checkContainment({ ...context, declared: { structure: { x: 'dense' } } })).failures).toEqual([]);
    expect(context.asked.calls.forward).toBe(before);
    const { numerics } = await contextOf(product, productInputs, productShapes, productKnown);
    const along = numerics.map((numeric) => ({
      ...numeric,
      projection: { directions: [], random: 0, together: 0, alone: [], left: 0 },
    }));
    expect((await checkContainment({ ...context, numerics: along, declared })).failures).toEqual([]);
    expect(context.asked.calls.forward).toBe(before);
  });

  it('of an empty input is none', async () => {
    const inputs = { x: productInputs.x, w: new Float64Array(0) };
    const known = {
      x: { structure: 'elementwise', slope: () => 1 },
      w: { structure: { trailing: 1 }, slope: () => 0 },
    } as const;
    const f: Differentiable = {
      forward: ({ x }) => x.slice(),
      vjp: (_inputs, dy) => ({ x: dy.slice(), w: new Float64Array(0) }),
    };
    const context = await contextOf(f, inputs, { x: [3, 2], w: [0, 2], y: [3, 2] }, known, { declared });
    expect(await checkContainment(context)).toMatchObject({ failures: [], contained: 'y and gradients' });
  });

  it('of an empty output is none', async () => {
    const empty = { x: new Float64Array(0), w: Float64Array.of(1, 2) };
    const context = await contextOf(product, empty, { x: [0, 2], w: [2], y: [0, 2] }, productKnown, { declared });
    expect((await checkContainment(context)).failures).toEqual([]);
    expect(context.asked.calls.forward).toBe(1);
  });

  it('is in the input of the most sites, whichever is the first, and stays in its site though there is a batch', async () => {
    const inRow: Differentiable['forward'] = ({ x, w }) =>
      x.map((v, i) => v * w[i % 2] + 0 * x[i % 2 === 0 ? i + 1 : i - 1]);
    for (const known of [productKnown, { w: productKnown.w, x: productKnown.x }]) {
      const context = await contextOf({ ...product, forward: inRow }, productInputs, productShapes, known, {
        declared: { ...declared, batch: ['x'] },
      });
      expect((await checkContainment(context)).failures).toMatchObject([
        { code: 'spreads', from: expect.stringContaining('x[') },
      ]);
    }
  });

  it('of a batch whose structure is not declared stays in its row', async () => {
    const batch = { declared: { batch: ['x'] } };
    const inRow: Differentiable['forward'] = ({ x, w }) =>
      x.map((v, i) => v * w[i % 2] + 0 * x[i % 2 === 0 ? i + 1 : i - 1]);
    const { failures, forward, vjp } = await check({ forward: inRow }, batch);
    expect(failures).toEqual([]);
    expect(placesOf(forward[0].x, Number.isNaN)).toHaveLength(1);
    expect(vjp[0].dy.some(Number.isNaN)).toBe(false);
    const everywhere: Differentiable['forward'] = ({ x, w }) =>
      x.map((v, i) => v * w[i % 2] + 0 * x.reduce((a, b) => a + b, 0));
    expect((await check({ forward: everywhere }, batch)).failures).toMatchObject([{ code: 'spreads' }]);
    // One row has no others.
    const one = { x: productInputs.x.slice(0, 2), w: productInputs.w };
    const context = await contextOf(product, one, { x: [1, 2], w: [2], y: [1, 2] }, productKnown, batch);
    expect((await checkContainment(context)).failures).toEqual([]);
    expect(context.asked.calls.forward).toBe(1);
  });
});

describe('a batch of one', () => {
  const batched = (f: Partial<Differentiable>, more: Partial<Context> = {}) =>
    contextOf({ ...product, ...f }, productInputs, productShapes, productKnown, {
      declared: { batch: ['x'] },
      ...more,
    });

  it('is the last row, with its shapes, and the other inputs whole', async () => {
    const asked: unknown[] = [];
    const context = await batched({
      forward(inputs, shapes) {
        asked.push([inputs, shapes]);
        return product.forward(inputs, shapes);
      },
    });
    expect(await checkBatch(context)).toEqual([]);
    expect(asked[1]).toEqual([
      { x: Float64Array.of(0.5, -0.25), w: productInputs.w },
      { x: [1, 2], w: [2], y: [3, 2] },
    ]);
  });

  it('answers as among the others within twice the rounding', async () => {
    const off = (by: number): Partial<Differentiable> => ({
      forward: ({ x, w }) => x.map((v, i) => v * w[i % 2] + (x.length === 2 && i === 1 ? by : 0)),
    });
    const noise = new Float64Array(6).with(5, 0.25);
    for (const by of [0.5, -0.5]) expect(await checkBatch(await batched(off(by), { noise }))).toEqual([]);
    for (const by of [0.51, -0.51, Number.NaN]) {
      expect(await checkBatch(await batched(off(by), { noise }))).toEqual([
        { code: 'batch', what: 'y', index: [2, 1], alone: 0.5 + by, together: 0.5 },
      ]);
    }
  });

  it('is compared in all of its elements, of two rows too', async () => {
    for (const at of [0, 1]) {
      const f: Differentiable = {
        ...product,
        forward: ({ x, w }) => x.map((v, i) => v * w[i % 2] + (x.length === 2 && i === at ? 1 : 0)),
      };
      const inputs = { x: productInputs.x.slice(0, 4), w: productInputs.w };
      const shapes = { x: [2, 2], w: [2], y: [2, 2] };
      const context = await contextOf(f, inputs, shapes, productKnown, { declared: { batch: ['x'] } });
      expect(await checkBatch(context)).toMatchObject([{ code: 'batch', index: [1, at] }]);
    }
  });

  it('is not compared where y is NaN, and infinite where y is', async () => {
    const last = (v: number, alone: number): Partial<Differentiable> => ({
      forward: ({ x, w }) => x.map((e, i) => (i < x.length - 1 ? e * w[i % 2] : x.length === 2 ? alone : v)),
    });
    expect(await checkBatch(await batched(last(Number.NaN, 1)))).toEqual([]);
    expect(await checkBatch(await batched(last(Infinity, Infinity)))).toEqual([]);
    expect(await checkBatch(await batched(last(Infinity, 1)))).toHaveLength(1);
  });

  it('is not asked for of a batch of one, or of no batch', async () => {
    for (const rows of [0, 1]) {
      const inputs = { x: productInputs.x.slice(0, 2 * rows), w: productInputs.w };
      const shapes = { x: [rows, 2], w: [2], y: [rows, 2] };
      const context = await contextOf(product, inputs, shapes, productKnown, { declared: { batch: ['x'] } });
      expect(await checkBatch(context)).toEqual([]);
      expect(context.asked.calls.forward).toBe(1);
    }
  });
});
