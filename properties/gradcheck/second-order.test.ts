import { describe, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { contextOf, product, productInputs, productKnown, productShapes } from './context-for-tests.ts';
import type { DeclaredKink, Differentiable, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import type { GradcheckOptions } from './options.ts';
import { checkSecondOrder } from './second-order.ts';

/** The product with the gradients of `Σ <ddx, w·dy> + <ddw, Σ x·dy>`. */
const twice: Differentiable = {
  ...product,
  doubleVjp({ x, w }, dy, { x: ddx, w: ddw }) {
    const toW = new Float64Array(2);
    for (const [i, d] of dy.entries()) toW[i % 2] += d * ddx[i];
    return {
      inputs: { x: dy.map((d, i) => d * ddw[i % 2]), w: toW },
      dy: x.map((v, i) => w[i % 2] * ddx[i] + v * ddw[i % 2]),
    };
  },
};
type Question = { f: Differentiable; inputs: Tensors; options: NonNullable<Parameters<typeof gradcheck>[2]> };

/** What is asked of the checker, which answers with one failure. */
async function asked(f: Differentiable, more: Partial<Context> = {}) {
  const questions: Question[] = [];
  const failure = { code: 'overwritten', what: 'it', element: 3 } as const;
  const check: typeof gradcheck = async (of, inputs, options = {}) => {
    questions.push({ f: of, inputs, options });
    return { failures: [failure], inputs: [] } as never;
  };
  const dy = Float64Array.of(1, -2, 3, 0.5, 1, 1);
  const context = await contextOf(f, productInputs, productShapes, productKnown, { dy, ...more });
  const { failures } = await checkSecondOrder(context, check);
  return { questions, failures, failure, context, dy };
}

describe('each gradient is a function of the inputs and of dy', () => {
  it('whose values are what vjp answers to it', async () => {
    const { questions, dy } = await asked(twice);
    expect(questions.map(({ f }) => f.name)).toEqual(['vjp to x', 'vjp to w']);
    const right = product.vjp({ ...productInputs }, dy, {}) as Tensors;
    for (const [k, name] of ['x', 'w'].entries()) {
      const { f, inputs, options } = questions[k];
      expect(inputs).toEqual({ ...productInputs, dy });
      expect(await f.forward(inputs, {})).toEqual(right[name]);
      expect(options.shapes).toEqual({ x: [3, 2], w: [2], dy: [3, 2], y: productShapes[name as 'x' | 'w'] });
    }
  });

  it('whose own gradient is what doubleVjp answers, other cotangents being 0', async () => {
    const { questions, dy } = await asked(twice);
    const given = Float64Array.of(1, 2, 3, 4, 5, 6);
    const [toX, toW] = questions as [Question, Question];
    expect(await toX.f.vjp(toX.inputs, given, {})).toEqual({
      x: dy.map((d) => d * 0),
      w: Float64Array.of(1 * 1 + 3 * 3 + 5 * 1, -2 * 2 + 0.5 * 4 + 6),
      dy: given.map((d, i) => productInputs.w[i % 2] * d),
    });
    const two = Float64Array.of(7, -1);
    expect(await toW.f.vjp(toW.inputs, two, {})).toEqual({
      x: dy.map((d, i) => d * two[i % 2]),
      w: new Float64Array(2),
      dy: productInputs.x.map((v, i) => v * two[i % 2]),
    });
  });

  it('computes in the dtype of the function, whose shapes it is told', async () => {
    const told: unknown[] = [];
    const f: Differentiable = {
      ...twice,
      dtype: 'f32',
      vjp(inputs, dy, shapes) {
        told.push(shapes);
        return product.vjp(inputs, dy, shapes);
      },
      doubleVjp(inputs, dy, cotangents, shapes) {
        told.push(shapes);
        return twice.doubleVjp!(inputs, dy, cotangents, shapes);
      },
    };
    const { questions } = await asked(f, { dtype: 'f32' });
    const { f: gradient, inputs } = questions[0];
    expect(gradient.dtype).toBe('f32');
    expect((await asked(twice)).questions[0].f.dtype).toBe('f64');
    told.length = 0;
    await gradient.forward(inputs, {});
    await gradient.vjp(inputs, new Float64Array(6), {});
    expect(told).toEqual([productShapes, productShapes]);
  });
});

it('is checked with the seed and the constants, NaN left aside', async () => {
  const { questions } = await asked(twice);
  expect(questions[0].options).toMatchObject({
    seed: 1,
    constants: [],
    kinks: {},
    onKinks: 'compared',
    containment: false,
  });
  const declared = { seed: 9, constants: ['c'], onKinks: 'open' } as const;
  expect((await asked(twice, { declared })).questions[1].options).toMatchObject(declared);
});

it('knows of kinks only where they are, and whether their derivative is a convention of its own', async () => {
  const list: DeclaredKink[] = [{ at: 2, value: 'left', derivative: () => 7, left: () => ({ value: 0, slope: 0 }) }];
  const byElement = (j: number): DeclaredKink[] => [{ at: j, derivative: 'right' }];
  const { questions } = await asked(twice, { declared: { kinks: { x: list, w: byElement } } });
  const { x, w } = questions[0].options.kinks!;
  expect(x).toEqual([{ at: 2, value: 'any', derivative: 'any' }]);
  expect((w as (j: number) => readonly DeclaredKink[])(5)).toEqual([{ at: 5, value: 'any' }]);
});

it('finds for dy a name that no input has', async () => {
  const { x, w } = productInputs;
  const named: Differentiable = {
    forward: ({ dy, dy_: other }) => product.forward({ x: dy, w: other }, {}),
    async vjp({ dy, dy_: other }, d) {
      const g = await product.vjp({ x: dy, w: other }, d, {});
      return { dy: g.x, dy_: g.w };
    },
    async doubleVjp({ dy, dy_: other }, d, { dy: ddx, dy_: ddw }) {
      const g = await twice.doubleVjp!({ x: dy, w: other }, d, { x: ddx, w: ddw }, {});
      return { inputs: { dy: g.inputs.x, dy_: g.inputs.w }, dy: g.dy };
    },
  };
  const inputs = { dy: x, dy_: w };
  const shapes = { dy: [3, 2], dy_: [2], y: [3, 2] };
  const context = await contextOf(named, inputs, shapes, { dy: productKnown.x, dy_: productKnown.w });
  const seen: Question[] = [];
  await checkSecondOrder(context, async (f, of, options = {}) => {
    seen.push({ f, inputs: of, options });
    return { failures: [], inputs: [] } as never;
  });
  expect(Object.keys(seen[0].inputs)).toEqual(['dy', 'dy_', 'dy__']);
  expect(seen[0].options.shapes).toEqual({ ...shapes, dy__: [3, 2], y: [3, 2] });
  expect(await seen[0].f.forward(seen[0].inputs, {})).toEqual(context.gradients.dy);
  expect(Object.keys(await seen[0].f.vjp(seen[0].inputs, new Float64Array(6), {}))).toEqual(['dy', 'dy_', 'dy__']);
});

it('hands on failures, with the name of the gradient, but for values on kinks; and counts the calls', async () => {
  const { questions, failures, failure, context } = await asked(twice);
  expect(failures).toEqual([
    { code: 'second-order', of: 'x', failure },
    { code: 'second-order', of: 'w', failure },
  ]);
  const { vjp } = context.asked.calls;
  const { f, inputs } = questions[0];
  await f.forward(inputs, {});
  await f.vjp(inputs, new Float64Array(6), {});
  expect(context.asked.calls).toMatchObject({ vjp: vjp + 1, doubleVjp: 1 });
  const value = { code: 'value', index: [0], actual: 1, lo: 0, hi: 0, why: 'between' } as const;
  const report = { failures: [value], inputs: [] } as never;
  expect((await checkSecondOrder(context, async () => report)).failures).toEqual([]);
});

it('says how many elements were compared, and by which inputs none', async () => {
  const context = await contextOf(twice, productInputs, productShapes, productKnown);
  /** Of two elements each, so many left open of each input in the report to x, and in that to w. */
  const text = async (...open: Record<string, number>[]) => {
    let k = 0;
    const { checked } = await checkSecondOrder(context, async () => {
      const inputs = Object.entries(open[k++]).map(([name, left]) => ({ name, shape: [2], open: left }));
      return { failures: [], inputs: [...inputs, { name: 'empty', shape: [0], open: 0 }] } as never;
    });
    return checked;
  };
  expect(await text({ x: 0, dy: 0 }, { x: 0, dy: 0 })).toBe('gradient of the gradient');
  expect(await text({ x: 2, dy: 2 }, { x: 2, dy: 2 })).toBe(
    'not the gradient of the gradient: every element was left open',
  );
  const some = 'gradient of the gradient,';
  expect(await text({ x: 2, dy: 0 }, { x: 0, dy: 1 })).toBe(`${some} 5 of 8 elements`);
  expect(await text({ x: 2, dy: 0 }, { x: 2, dy: 1 })).toBe(`${some} 3 of 8 elements, none by x`);
  expect(await text({ x: 2, w: 2, dy: 0 }, { x: 2, w: 2, dy: 1 })).toBe(`${some} 3 of 12 elements, none by x, w`);
  expect(await text({}, {})).toBe('not the gradient of the gradient: no element');
});

describe('on kinks', () => {
  /** An elementwise function with two derivatives. */
  const layer = (df: (v: number) => number, ddf: (v: number) => number, more: Partial<Differentiable> = {}) => ({
    forward: ({ x }: Tensors) => x.map((v) => Math.max(v, 0) ** 2),
    vjp: ({ x }: Tensors, dy: Float64Array) => ({ x: x.map((v, i) => df(v) * dy[i]) }),
    doubleVjp: ({ x }: Tensors, dy: Float64Array, { x: ddx }: Tensors) => ({
      inputs: { x: x.map((v, i) => ddf(v) * dy[i] * ddx[i]) },
      dy: x.map((v, i) => df(v) * ddx[i]),
    }),
    ...more,
  });
  const square = (at0: number, more: Partial<Differentiable> = {}) =>
    layer(
      (v) => 2 * Math.max(v, 0),
      (v) => (v > 0 ? 2 : v < 0 ? 0 : at0),
      more,
    );
  const relu = (at0: number, df0: number) =>
    layer(
      (v) => (v > 0 ? 1 : v < 0 ? 0 : df0),
      (v) => (v === 0 ? at0 : 0),
      { forward: ({ x }) => x.map((v) => Math.max(v, 0)) },
    );
  const kinksAt0 = (kink: Omit<DeclaredKink, 'at'>) => ({ kinks: { x: [{ at: 0, ...kink }] } });
  const declarations = [{}, kinksAt0({}), kinksAt0({ value: 'left', derivative: 'left' })];
  const x = Float64Array.of(-1, 0, 0.5, 0);
  const last = async (f: Differentiable, at: Float64Array, options: GradcheckOptions = {}) => {
    const { failures, checks } = await gradcheck(f, { x: at }, options);
    expect(failures).toEqual([]);
    return checks.at(-1);
  };

  it('a second derivative is one between those of both sides, declared or found', async () => {
    for (const options of declarations) {
      for (const at0 of [0, 1, 2]) {
        expect((await gradcheck(square(at0), { x }, options)).failures, `${at0}`).toEqual([]);
      }
      for (const at0 of [-3, 2.01, 1e6, Number.NaN]) {
        const { failures } = await gradcheck(square(at0), { x }, options);
        expect(failures, `${at0}`).toMatchObject([
          { code: 'second-order', of: 'x', failure: { code: 'gradient', what: 'vjp', wrong: 2 } },
          { code: 'second-order', of: 'x', failure: { code: 'gradient' } },
        ]);
      }
    }
  });

  it('across a jump of the gradient it is the slope beside it', async () => {
    for (const df0 of [0, 0.5]) {
      for (const options of df0 === 0 ? declarations : declarations.slice(0, 2)) {
        expect((await gradcheck(relu(0, df0), { x }, options)).failures).toEqual([]);
        for (const at0 of [1, -1e-3, Number.NaN]) {
          expect((await gradcheck(relu(at0, df0), { x }, options)).failures, `${at0}`).toMatchObject([
            { code: 'second-order', failure: { wrong: 2 } },
            { code: 'second-order' },
          ]);
        }
      }
    }
  });

  it('it is left open, and counted, where the derivative is a convention of its own, or kinks are left open', async () => {
    const some = 'gradient of the gradient, 6 of 8 elements';
    for (const derivative of ['any', () => 0] as const) {
      expect(await last(square(-3), x, kinksAt0({ derivative }))).toBe(some);
    }
    expect(await last(square(-3), x, { onKinks: 'open' })).toBe(some);
    const open = { onKinks: 'open' } as const;
    expect(await last(square(-3), new Float64Array(4), open)).toBe(
      'gradient of the gradient, 4 of 8 elements, none by x',
    );
    expect(await last(square(0), x)).toBe('gradient of the gradient');
    const any = kinksAt0({ derivative: 'any' });
    expect(await last(square(-3, { vjp: ({ x: v }) => ({ x: v.map(() => 0) }) }), new Float64Array(2), any)).toBe(
      'gradient of the gradient, 2 of 4 elements, none by x',
    );
    expect(await last({ ...relu(0, 0), constants: ['x'] }, x)).toBe('not the gradient of the gradient: no element');
  });

  it('of equal elements the gradient may go to any', async () => {
    // A median of three: at a tie the middle one by a stable order has it all, whichever of them moves alone.
    const order = (v: Float64Array) => [0, 1, 2].sort((a, b) => v[a] - v[b] || a - b)[1];
    const median: Differentiable = {
      forward: ({ x: v }) => Float64Array.of(v[order(v)]),
      vjp: ({ x: v }, dy) => ({ x: v.map((_v, j) => (j === order(v) ? dy[0] : 0)) }),
      doubleVjp: ({ x: v }, _dy, { x: ddx }) => ({
        inputs: { x: new Float64Array(3) },
        dy: Float64Array.of(ddx[order(v)]),
      }),
    };
    for (const at of [Float64Array.of(1, 1, 1), Float64Array.of(2, 1, 2), Float64Array.of(0, 0, 5)]) {
      expect((await gradcheck(median, { x: at })).failures, `${at}`).toEqual([]);
    }
  });
});
