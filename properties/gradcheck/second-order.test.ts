import { describe, expect, it } from 'vitest';
import type { Context } from './context.ts';
import { contextOf, product, productInputs, productKnown, productShapes } from './context-for-tests.ts';
import type { Differentiable, Kink, Tensors } from './differentiable.ts';
import type { gradcheck } from './gradcheck.ts';
import { checkSecondOrder } from './second-order.ts';

/** The product with the gradients of `Σ <ddx, w·dy> + <ddw, Σ x·dy>`. */
const twice: Differentiable = {
  ...product,
  doubleVjp({ x, w }, dy, { x: ddx, w: ddw }) {
    const toW = new Float64Array(2);
    for (const [i, d] of dy.entries()) toW[i % 2]! += d * ddx![i]!;
    return {
      inputs: { x: dy.map((d, i) => d * ddw![i % 2]!), w: toW },
      dy: x!.map((v, i) => w![i % 2]! * ddx![i]! + v * ddw![i % 2]!),
    };
  },
};
type Asked = { f: Differentiable; inputs: Tensors; options: NonNullable<Parameters<typeof gradcheck>[2]> };

/** What is asked of the checker, which answers with one failure. */
async function asked(f: Differentiable, more: Partial<Context> = {}) {
  const questions: Asked[] = [];
  const failure = { code: 'overwritten', what: 'it', element: 3 } as const;
  const check: typeof gradcheck = async (of, inputs, options = {}) => {
    questions.push({ f: of, inputs, options });
    return { failures: [failure], calls: { forward: 10, vjp: 20, jvp: 0, doubleVjp: 0, twin: 0 } } as never;
  };
  const dy = Float64Array.of(1, -2, 3, 0.5, 1, 1);
  const context = await contextOf(f, productInputs, productShapes, productKnown, { dy, ...more });
  const before = { ...context.asked.calls };
  const failures = await checkSecondOrder(f, context, check);
  const calls = { vjp: context.asked.calls.vjp - before.vjp, doubleVjp: context.asked.calls.doubleVjp };
  return { questions, failures, failure, calls, dy };
}

describe('each gradient is a function of the inputs and of dy', () => {
  it('whose values are what vjp answers to it', async () => {
    const { questions, dy } = await asked(twice);
    expect(questions.map(({ f }) => f.name)).toEqual(['vjp to x', 'vjp to w']);
    const right = product.vjp({ ...productInputs }, dy, {}) as Tensors;
    for (const [k, name] of ['x', 'w'].entries()) {
      const { f, inputs, options } = questions[k]!;
      expect(inputs).toEqual({ ...productInputs, dy });
      expect(await f.forward(inputs, {})).toEqual(right[name]);
      expect(options.shapes).toEqual({ x: [3, 2], w: [2], dy: [3, 2], y: productShapes[name as 'x' | 'w'] });
    }
  });

  it('whose own gradient is what doubleVjp answers, other cotangents being 0', async () => {
    const { questions, dy } = await asked(twice);
    const given = Float64Array.of(1, 2, 3, 4, 5, 6);
    const [toX, toW] = questions as [Asked, Asked];
    expect(await toX.f.vjp(toX.inputs, given, {})).toEqual({
      x: dy.map((d) => d * 0),
      w: Float64Array.of(1 * 1 + 3 * 3 + 5 * 1, -2 * 2 + 0.5 * 4 + 6),
      dy: given.map((d, i) => productInputs.w[i % 2]! * d),
    });
    const two = Float64Array.of(7, -1);
    expect(await toW.f.vjp(toW.inputs, two, {})).toEqual({
      x: dy.map((d, i) => d * two[i % 2]!),
      w: new Float64Array(2),
      dy: productInputs.x.map((v, i) => v * two[i % 2]!),
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
    const { questions } = await asked(f);
    const { f: gradient, inputs } = questions[0]!;
    expect(gradient.dtype).toBe('f32');
    expect((await asked(twice)).questions[0]!.f.dtype).toBe('f64');
    told.length = 0;
    await gradient.forward(inputs, {});
    await gradient.vjp(inputs, new Float64Array(6), {});
    expect(told).toEqual([productShapes, productShapes]);
  });
});

it('is checked with the seed and the constants, NaN and kinks left aside', async () => {
  const { questions } = await asked(twice);
  expect(questions[0]!.options).toMatchObject({
    seed: 1,
    constants: [],
    kinks: {},
    onKinks: 'open',
    containment: false,
  });
  const declared = { seed: 9, constants: ['c'] };
  expect((await asked(twice, { declared })).questions[1]!.options).toMatchObject(declared);
});

it('knows of kinks only where they are', async () => {
  const list: Kink[] = [{ at: 2, value: 'left', derivative: () => 7, left: () => ({ value: 0, slope: 0 }) }];
  const byElement = (j: number): Kink[] => [{ at: j, derivative: 'right' }];
  const { questions } = await asked(twice, { declared: { kinks: { x: list, w: byElement } } });
  const { x, w } = questions[0]!.options.kinks!;
  expect(x).toEqual([{ at: 2, value: 'any', derivative: 'any' }]);
  expect((w as (j: number) => readonly Kink[])(5)).toEqual([{ at: 5, value: 'any', derivative: 'any' }]);
});

it('finds for dy a name that no input has', async () => {
  const { x, w } = productInputs;
  const named: Differentiable = {
    forward: ({ dy, dy_: other }) => product.forward({ x: dy!, w: other! }, {}),
    async vjp({ dy, dy_: other }, d) {
      const g = await product.vjp({ x: dy!, w: other! }, d, {});
      return { dy: g.x!, dy_: g.w! };
    },
    async doubleVjp({ dy, dy_: other }, d, { dy: ddx, dy_: ddw }) {
      const g = await twice.doubleVjp!({ x: dy!, w: other! }, d, { x: ddx!, w: ddw! }, {});
      return { inputs: { dy: g.inputs.x!, dy_: g.inputs.w! }, dy: g.dy };
    },
  };
  const inputs = { dy: x, dy_: w };
  const shapes = { dy: [3, 2], dy_: [2], y: [3, 2] };
  const context = await contextOf(named, inputs, shapes, { dy: productKnown.x, dy_: productKnown.w });
  const seen: Asked[] = [];
  await checkSecondOrder(named, context, async (f, of, options = {}) => {
    seen.push({ f, inputs: of, options });
    return { failures: [], calls: { forward: 0, vjp: 0 } } as never;
  });
  expect(Object.keys(seen[0]!.inputs)).toEqual(['dy', 'dy_', 'dy__']);
  expect(seen[0]!.options.shapes).toEqual({ ...shapes, dy__: [3, 2], y: [3, 2] });
  expect(await seen[0]!.f.forward(seen[0]!.inputs, {})).toEqual(context.gradients.dy);
  expect(Object.keys(await seen[0]!.f.vjp(seen[0]!.inputs, new Float64Array(6), {}))).toEqual(['dy', 'dy_', 'dy__']);
});

it('hands on failures and calls, with the name of the gradient', async () => {
  const { failures, failure, calls } = await asked(twice);
  expect(failures).toEqual([
    { code: 'second-order', of: 'x', failure },
    { code: 'second-order', of: 'w', failure },
  ]);
  expect(calls).toEqual({ vjp: 20, doubleVjp: 40 });
});
