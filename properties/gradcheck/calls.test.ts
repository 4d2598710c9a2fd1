import { describe, expect, it } from 'vitest';
import { AskedFunction, firstDifference, GradcheckError } from './calls.ts';
import { ask, dy, floats, inputs, right } from './calls-for-tests.ts';
import type { Differentiable, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';

describe('answers', () => {
  it('are those of the parts, each counted', async () => {
    const asked = ask();
    expect([...(await asked.forward(inputs))]).toEqual([4, 8, 12]);
    const { x, w } = await asked.vjp(inputs, dy);
    expect([[...x], [...w]]).toEqual([[4, 0, -4], [-2]]);
    expect([...(await asked.jvp(inputs, { x: dy, w: floats(2) }))]).toEqual([6, 4, 2]);
    expect([...(await asked.row({ x: floats(5), w: floats(3) }, { x: [1], w: [1] }, 1))]).toEqual([15]);
    expect(asked.calls).toEqual({ forward: 2, vjp: 1, jvp: 1, doubleVjp: 0, twin: 0 });
    asked.checkKept();
    expect(asked.failures).toEqual([]);
  });

  it('of the numeric side are those of the twin if there is one', async () => {
    const alone = ask();
    expect([...(await alone.numeric(inputs))]).toEqual([4, 8, 12]);
    expect(alone.calls).toMatchObject({ forward: 1, twin: 0 });
    const twin = ask({ twin: ({ x }) => x.map((v) => -v) });
    expect([...(await twin.numeric(inputs))]).toEqual([-1, -2, -3]);
    expect(twin.calls).toMatchObject({ forward: 0, twin: 1 });
  });

  it('may come later', async () => {
    const asked = ask({ forward: async ({ x }) => x.slice() });
    expect([...(await asked.forward(inputs))]).toEqual([1, 2, 3]);
  });

  it('are told the shapes: of all inputs, and of a batch of one its own', async () => {
    const told: unknown[] = [];
    const asked = ask({
      forward({ x }, shapes) {
        told.push(shapes);
        return x.slice();
      },
    });
    await asked.forward(inputs);
    await asked.row({ x: floats(1) }, { x: [1, 1] }, 1);
    expect(told).toEqual([{ x: [3], w: [1] }, { x: [1, 1] }]);
  });

  it('hold no cotangents of constants', async () => {
    const asked = ask({ vjp: (_, d) => ({ x: d.slice() }) }, { constants: ['w'] });
    expect(Object.keys(await asked.vjp(inputs, dy))).toEqual(['x']);
  });

  it('may hold cotangents of constants', async () => {
    const asked = ask({ vjp: (_, d) => ({ x: d.slice(), w: floats(0) }) }, { constants: ['w'] });
    expect(Object.keys(await asked.vjp(inputs, dy))).toEqual(['x']);
  });

  it('are copies: what a function does to its own afterwards changes nothing', async () => {
    const own = floats(0, 0, 0);
    const asked = ask({ forward: () => own });
    const y = await asked.forward(inputs);
    own.fill(9);
    expect([...y]).toEqual([0, 0, 0]);
  });
});

describe('a function that changes its arguments', () => {
  it('harms nothing and is named, once for each part and argument', async () => {
    const asked = ask({
      forward({ x }) {
        x[1] = 7;
        return x.map((v) => v);
      },
      vjp({ x, w }, d) {
        d[2] = 0;
        w[0] = 0;
        return { x: x.slice(), w: floats(0) };
      },
      jvp(_, { x: tx }) {
        tx[0] = 5;
        return tx.slice();
      },
    });
    const given = { x: floats(1, 2, 3), w: floats(4) };
    const cotangent = floats(1, 2, 3);
    await asked.forward(given);
    await asked.forward(given);
    await asked.vjp(given, cotangent);
    await asked.jvp(given, { x: cotangent, w: floats(0) });
    expect([...given.x, ...given.w, ...cotangent]).toEqual([1, 2, 3, 4, 1, 2, 3]);
    expect(asked.failures).toEqual([
      { code: 'mutated', what: 'forward', input: 'x', element: 1 },
      { code: 'mutated', what: 'vjp', input: 'w', element: 0 },
      { code: 'mutated', what: 'vjp', input: 'dy', element: 2 },
      { code: 'mutated', what: 'jvp', input: 'x', element: 0 },
    ]);
  });

  it('to what they were is let be', async () => {
    const asked = ask({
      forward({ x }) {
        const y = x.slice();
        x.fill(0);
        x.set(y);
        return y;
      },
    });
    await asked.forward(inputs);
    expect(asked.failures).toEqual([]);
  });
});

describe('a function that consumes its arguments', () => {
  /** Gives the memory of a tensor away: the tensor is empty from then on. */
  const consume = (tensor: Float64Array) => structuredClone(tensor, { transfer: [tensor.buffer as ArrayBuffer] });
  type Inputs = Record<string, Float64Array>;

  it.each<[string, string, (given: Inputs) => void]>([
    ['gives their memory away', 'x', ({ x }) => consume(x)],
    [
      'puts another in their place',
      'x',
      (given) => {
        given.x = given.x.slice();
      },
    ],
    [
      'takes them out',
      'w',
      (given) => {
        delete given.w;
      },
    ],
    [
      'puts more beside them',
      'cache',
      (given) => {
        given.cache = floats(1);
      },
    ],
  ])('%s is named, and harms nothing', async (_what, input, consumed) => {
    const given = { x: floats(1, 2, 3), w: floats(4) };
    const asked = ask({
      vjp(of, d, shapes) {
        const answer = right.vjp(of, d, shapes);
        consumed(of as Inputs);
        return answer;
      },
    });
    await asked.vjp(given, dy);
    await asked.vjp(given, dy);
    expect(asked.failures).toEqual([{ code: 'mutated', what: 'vjp', input, element: 0 }]);
    expect(given).toEqual({ x: floats(1, 2, 3), w: floats(4) });
  });

  it('or what it answered before is named', async () => {
    let before: Float64Array | undefined;
    const asked = ask({
      forward({ x }) {
        if (before?.length) consume(before);
        before = x.slice();
        return before;
      },
    });
    await asked.forward(inputs);
    asked.checkKept();
    expect(asked.failures).toEqual([]);
    await asked.forward(inputs);
    await asked.forward(inputs);
    asked.checkKept();
    expect(asked.failures).toEqual([{ code: 'overwritten', what: 'y of forward', element: 0 }]);
  });

  it('or the answer itself has answered nothing', async () => {
    const forward = ({ x }: Tensors) => {
      const y = x.slice();
      consume(y);
      return y;
    };
    expect(await ask({ forward }).forward(inputs)).toEqual(floats());
    const asked = ask({ twin: forward });
    await asked.forward(inputs);
    await expect(asked.numeric(inputs)).rejects.toThrow('twin: "y" expected 3 elements, got 0');
  });

  it('or changes the shapes that it is told has its own', async () => {
    const told: unknown[] = [];
    const shapes = { x: [3], w: [1] };
    const of: Differentiable = {
      ...right,
      forward({ x }, s) {
        told.push(structuredClone(s));
        (s.x as number[])[0] = 0;
        delete (s as Record<string, unknown>).w;
        return x.slice();
      },
    };
    const asked = new AskedFunction(of, {}, shapes);
    await asked.forward(inputs);
    await asked.forward(inputs);
    await asked.row(inputs, shapes, 3);
    expect(told).toEqual([shapes, shapes, shapes]);
    expect(shapes).toEqual({ x: [3], w: [1] });
  });
});

describe('double backward', () => {
  const doubleVjp: NonNullable<Differentiable['doubleVjp']> = (_of, d) => ({
    inputs: { x: floats(1, 2, 3), w: floats(4) },
    dy: d.slice(),
  });

  it('answers gradients of the inputs and of dy, and is counted', async () => {
    const asked = ask({ doubleVjp });
    expect(await asked.doubleVjp(inputs, dy, inputs)).toEqual({ inputs: { x: floats(1, 2, 3), w: floats(4) }, dy });
    expect(asked.calls).toMatchObject({ doubleVjp: 1, vjp: 0 });
    const constant = ask(
      { doubleVjp: (_of, d) => ({ inputs: { x: d.slice() }, dy: d.slice() }) },
      { constants: ['w'] },
    );
    expect(Object.keys((await constant.doubleVjp(inputs, dy, inputs)).inputs)).toEqual(['x']);
  });

  it('is named with what it does to its arguments and answers', async () => {
    const asked = ask({
      doubleVjp(of, d, cotangents) {
        of.w[0] = 0;
        cotangents.x.fill(7);
        return { inputs: { x: d, w: floats(4) }, dy: d };
      },
    });
    await asked.doubleVjp(inputs, dy, { ...inputs });
    expect(asked.failures).toEqual([
      { code: 'mutated', what: 'doubleVjp', input: 'w', element: 0 },
      { code: 'aliased', what: 'doubleVjp', input: 'dy' },
      { code: 'mutated', what: 'doubleVjp', input: 'x', element: 0 },
      { code: 'shared', what: 'doubleVjp', input: 'x', other: 'dy' },
    ]);
  });

  it.each<[string, unknown]>([
    ['doubleVjp: expected an object with inputs and dy, got undefined', undefined],
    ['doubleVjp: expected an object with inputs and dy, got number', 3],
    ['doubleVjp: expected an object with a Float64Array for each input, got undefined', { dy }],
    ['doubleVjp: "w" expected a Float64Array, got undefined', { inputs: { x: dy }, dy }],
    ['doubleVjp: "dy" expected a Float64Array, got null', { inputs, dy: null }],
    ['doubleVjp: "dy" expected 3 elements, got 1', { inputs, dy: floats(1) }],
  ])('%s', async (message, answer) => {
    const error = await ask({ doubleVjp: () => answer as never })
      .doubleVjp(inputs, dy, inputs)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GradcheckError);
    expect((error as Error).message).toBe(message);
  });

  it('that throws is what threw, also where it is asked within another check', async () => {
    const relu = { ...elementwiseLayer('relu', elementwise.relu) };
    const failing = () => {
      throw new Error('no');
    };
    const x = floats(1, 2, -1);
    await expect(gradcheck({ ...relu, doubleVjp: failing }, { x })).rejects.toThrow(/^doubleVjp threw: no$/);
    await expect(gradcheck({ ...relu, doubleVjp: () => undefined as never }, { x })).rejects.toThrow(
      /^doubleVjp: expected an object with inputs and dy, got undefined$/,
    );
  });
});

it('gradcheck leaves the declared shapes alone, whatever is done to those that a function is told', async () => {
  const relu = elementwiseLayer('relu', elementwise.relu);
  const shapes = { x: [3] };
  const f: Differentiable = {
    ...relu,
    outputShape(s) {
      (s.x as number[])[0] = 9;
      return [3];
    },
    forward(of, s) {
      (s.x as number[])[0] = 0;
      return relu.forward(of, s);
    },
  };
  const { failures, inputs: reports } = await gradcheck(f, { x: floats(1, 2, -1) }, { shapes });
  expect([failures, reports[0].shape, shapes]).toEqual([[], [3], { x: [3] }]);
});

describe('a part that does not do as its kind says', () => {
  it.each<[string, Partial<Differentiable>, (asked: AskedFunction) => Promise<unknown>]>([
    ['forward threw: no', { forward: () => Promise.reject(new Error('no')) }, (asked) => asked.forward(inputs)],
    [
      'twin threw: why',
      {
        twin() {
          throw 'why';
        },
      },
      (asked) => asked.numeric(inputs),
    ],
    ['vjp threw: null', { vjp: () => Promise.reject(null) }, (asked) => asked.vjp(inputs, dy)],
    ['vjp threw: an object', { vjp: () => Promise.reject(Object.create(null)) }, (asked) => asked.vjp(inputs, dy)],
    ['vjp threw: late', { vjp: () => Promise.reject({ message: 'late' }) }, (asked) => asked.vjp(inputs, dy)],
    ['"y" expected a Float64Array, got an array', { forward: () => [1] as never }, (asked) => asked.forward(inputs)],
    ['vjp: expected an object', { vjp: () => 3 as never }, (asked) => asked.vjp(inputs, dy)],
    ['got null', { vjp: () => null as never }, (asked) => asked.vjp(inputs, dy)],
    [
      'vjp: expected an object with a Float64Array for each input, got a Float64Array',
      { vjp: (_, dy) => dy as never },
      (asked) => asked.vjp(inputs, dy),
    ],
    [
      'vjp: expected an object with a Float64Array for each input, got an array',
      { vjp: () => [dy] as never },
      (asked) => asked.vjp(inputs, dy),
    ],
    ['"w" expected a Float64Array, got undefined', { vjp: () => ({ x: dy }) }, (asked) => asked.vjp(inputs, dy)],
    [
      '"w" expected 1 elements, got 2',
      { vjp: (_, d) => ({ x: d.slice(), w: floats(0, 0) }) },
      (asked) => asked.vjp(inputs, dy),
    ],
    [
      'vjp: expected gradients of the given inputs, x, w, got "beta" too',
      { vjp: (_, d) => ({ x: d.slice(), w: floats(0), beta: floats(0) }) },
      (asked) => asked.vjp(inputs, dy),
    ],
    ['"y" expected 2 elements, got 3', {}, (asked) => asked.row(inputs, {}, 2)],
  ])('%s', async (message, change, call) => {
    const error = await call(ask(change)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(GradcheckError);
    expect((error as Error).name).toBe('GradcheckError');
    expect((error as Error).message).toContain(message);
  });

  it('is blamed with the cause', async () => {
    const cause = new RangeError('no');
    await expect(ask({ forward: () => Promise.reject(cause) }).forward(inputs)).rejects.toMatchObject({ cause });
  });

  it('has to answer as many elements each time, in every part that answers y', async () => {
    const asked = ask({ jvp: () => floats(0, 0), twin: () => floats(0, 0, 0, 0) });
    await asked.forward(inputs);
    await expect(asked.forward({ ...inputs, x: floats(1) })).rejects.toThrow('"y" expected 3 elements, got 1');
    await expect(asked.jvp(inputs, inputs)).rejects.toThrow('jvp: "y" expected 3 elements, got 2');
    await expect(asked.numeric(inputs)).rejects.toThrow('twin: "y" expected 3 elements, got 4');
  });
});

it('the first difference is one of values, whatever the sign of 0 or the payload of NaN', () => {
  expect(firstDifference(floats(1, 2), floats(1, 2))).toBe(-1);
  expect(firstDifference(floats(0, -0, Number.NaN), floats(-0, 0, Number.NaN))).toBe(-1);
  expect(firstDifference(floats(1, 2, 3), floats(1, 2 + 2 ** -51, 4))).toBe(1);
  expect(firstDifference(floats(Number.NaN), floats(1))).toBe(0);
  expect(firstDifference(floats(1), floats(Number.NaN))).toBe(0);
  expect(firstDifference(floats(1, 2, 3), floats(0, 0, 0), Uint8Array.of(1, 1, 0))).toBe(2);
  expect(firstDifference(floats(1, 2), floats(0, 0), Uint8Array.of(1, 1))).toBe(-1);
  expect(firstDifference(floats(1, 2), floats(1, 2, 3))).toBe(2);
  expect(firstDifference(floats(1), floats())).toBe(0);
});
