import { describe, expect, it } from 'vitest';
import { AskedFunction, answerOf, firstDifference, GradcheckError } from './calls.ts';
import type { Differentiable, Tensors } from './differentiable.ts';

const floats = (...values: number[]) => Float64Array.from(values);
const shapes = { x: [2], w: [2], y: [2] };
const inputs = () => ({ x: floats(1, 2), w: floats(3, 4) });
const nothing: Differentiable = { forward: ({ x }) => x.slice(), vjp: () => ({ x: floats(0, 0), w: floats(0, 0) }) };
const askedOf = (f: Partial<Differentiable>) => new AskedFunction({ ...nothing, ...f }, {}, shapes);

describe('each thing that a function does is noted once, of each call and each input', () => {
  it('changed inputs, and answers with their memory', async () => {
    const asked = askedOf({
      forward({ x }) {
        x[1]++;
        return x;
      },
      vjp({ x, w }) {
        x[0]++;
        w[1]++;
        return { x, w };
      },
    });
    for (let k = 0; k < 2; k++) {
      await asked.forward(inputs());
      await asked.vjp(inputs(), floats(1, 1));
    }
    expect(asked.failures).toEqual([
      { code: 'mutated', what: 'forward', input: 'x', element: 1 },
      { code: 'aliased', what: 'forward', input: 'x' },
      { code: 'mutated', what: 'vjp', input: 'x', element: 0 },
      { code: 'aliased', what: 'vjp', input: 'x' },
      { code: 'mutated', what: 'vjp', input: 'w', element: 1 },
      { code: 'aliased', what: 'vjp', input: 'w' },
    ]);
  });

  it('one memory for several answers', async () => {
    const one = floats(0, 0);
    const all = { x: one, w: one, v: one };
    const asked = askedOf({ vjp: () => all, doubleVjp: () => ({ inputs: { ...all }, dy: floats(0, 0) }) });
    const given = { ...inputs(), v: floats(5, 6) };
    for (let k = 0; k < 2; k++) {
      await asked.vjp(given, floats(1, 1));
      await asked.doubleVjp(given, floats(1, 1), {});
    }
    expect(asked.failures.filter(({ code }) => code === 'shared')).toEqual(
      ['vjp', 'doubleVjp'].flatMap((what) => ['w', 'v'].map((input) => ({ code: 'shared', what, input, other: 'x' }))),
    );
  });

  it('answers of all parts that are written over', async () => {
    const buffers = { y: floats(0, 0), x: floats(0, 0) };
    const asked = askedOf({
      forward: ({ x }) => {
        buffers.y.set(x);
        return buffers.y;
      },
      vjp(_inputs, dy) {
        buffers.x.set(dy);
        return { x: buffers.x, w: floats(0, 0) };
      },
    });
    for (const v of [1, 2, 3]) {
      await asked.forward({ ...inputs(), x: floats(0, v) });
      await asked.vjp(inputs(), floats(v, v));
    }
    asked.checkKept();
    expect(asked.failures).toEqual([
      { code: 'overwritten', what: 'y of forward', element: 1 },
      { code: 'overwritten', what: 'x of vjp', element: 0 },
    ]);
  });
});

it('a buffer that holds once more what it held at first was written over', async () => {
  const buffers = [floats(0, 0), floats(0, 0)];
  const turns = [0, 1, 0, 1, 1, 0];
  const asked = askedOf({
    forward({ x }) {
      const buffer = buffers[turns.shift()!];
      buffer.set(x);
      return buffer;
    },
  });
  for (const v of [1, 2, 3, 2, 2, 1]) await asked.forward({ ...inputs(), x: floats(v, v) });
  asked.checkKept();
  expect(asked.failures).toEqual([{ code: 'overwritten', what: 'y of forward', element: 0 }]);
});

describe('what is no answer is named with the call', () => {
  const said = async (ask: (asked: AskedFunction) => Promise<unknown>, f: Partial<Differentiable>) =>
    ask(askedOf(f)).catch((error: unknown) => error);
  const failing = (cause: unknown) => () => {
    throw cause;
  };

  it('of a batch of one', async () => {
    const row = (asked: AskedFunction) => asked.row({ ...inputs(), x: floats(1) }, shapes, 1);
    const named = 'forward of a batch of one, as "batch" declares: "y" expected 1 elements, got 2';
    expect(await said(row, { forward: () => floats(1, 2) })).toEqual(new GradcheckError(named));
    expect(await said(row, { forward: failing(new Error('no')) })).toEqual(new GradcheckError('forward threw: no'));
  });

  it('of double backward', async () => {
    const twice = (asked: AskedFunction) => asked.doubleVjp(inputs(), floats(1, 1), {});
    expect(await said(twice, { doubleVjp: () => null as never })).toEqual(
      new GradcheckError('doubleVjp: expected an object with inputs and dy, got null'),
    );
    expect(await said(twice, { doubleVjp: () => ({ inputs: null, dy: floats(1, 1) }) as never })).toEqual(
      new GradcheckError('doubleVjp: expected an object with a Float64Array for each input, got null'),
    );
  });

  it('and with the inputs that were given, where it may have wanted others', async () => {
    const forward = (asked: AskedFunction) => asked.forward(inputs() satisfies Tensors);
    expect(await said(forward, { forward: failing(new TypeError('no')) })).toEqual(
      new GradcheckError('forward threw: no (given the inputs x, w)'),
    );
    expect(await said(forward, { forward: failing(new RangeError('no')) })).toEqual(
      new GradcheckError('forward threw: no'),
    );
  });

  it('of a function of the caller', () => {
    expect(answerOf('kinks.x', () => 3)).toBe(3);
    expect(() => answerOf('kinks.x', failing(new Error('no')))).toThrow(new GradcheckError('kinks.x threw: no'));
    const own = new GradcheckError('said already');
    expect(() => answerOf('kinks.x', failing(own))).toThrow(own);
  });
});

it('of two lengths the first that only one has differs, whatever it is', () => {
  expect(firstDifference(floats(1, Number.NaN), floats(1))).toBe(1);
  expect(firstDifference(floats(1), floats(1, 2))).toBe(1);
  expect(firstDifference(floats(1, 2), floats(1, 2))).toBe(-1);
  expect(firstDifference(floats(1, 2), floats(3), Uint8Array.of(1, 1))).toBe(1);
});
