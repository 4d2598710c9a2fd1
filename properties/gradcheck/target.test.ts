import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';
import { gradcheckTarget } from './target.ts';
import '../vitest.ts';

describe('toPassGradcheck', () => {
  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['relu', (x) => tf.relu(x)],
    ['softplus', (x) => tf.softplus(x)],
    ['a softmax over rows', (x) => tf.softmax(x)],
    ['a sum', (x) => tf.sum(x, 1)],
  ])('passes %s of TensorFlow.js', async (_name, f) => {
    await expect(f).toPassGradcheck({ shape: [4, 3], runs: 8 });
  });

  it('passes a product of two tensors, in the order of their shapes', async () => {
    const product = (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D);
    await expect(product).toPassGradcheck({ shapes: { a: ['n', 3], b: [3, 'm'] }, runs: 8 });
  });

  it('passes layers with their weights, and leaves the weights as they were', async () => {
    const dense = tf.layers.dense({ units: 3, activation: 'tanh' });
    await expect(dense).toPassGradcheck({ shape: [4, 2], runs: 5 });
    const before = dense.getWeights().map((w) => [...w.dataSync()]);
    await expect(dense).toPassGradcheck({ shape: [4, 2], runs: 2 });
    expect(dense.getWeights().map((w) => [...w.dataSync()])).toEqual(before);
    await expect(tf.layers.prelu({})).toPassGradcheck({ shape: [8, 16], runs: 2 });
  });

  it('names the element of a wrong one, with a line that finds it again', async () => {
    const wrong = (x: tf.Tensor) =>
      tf.customGrad((v) => ({ value: tf.relu(v as tf.Tensor), gradFunc: (dy: tf.Tensor) => tf.mul(dy, 0.9) }))(x);
    await expect(wrong).not.toPassGradcheck({ shape: [2, 2] });
    const failing = expect(wrong).toPassGradcheck({ shape: [2, 2], seed: 4 });
    await expect(failing).rejects.toThrow(
      /FAIL dx\[\d, \d\] of vjp is [\s\S]*again: toPassGradcheck\(\{ …, seed: 4, path: '[\d:]+' \}\)/,
    );
  });

  it('leaks no tensor', async () => {
    const relu = (x: tf.Tensor) => tf.relu(x);
    await gradcheckTarget(relu, { shape: [2, 2], runs: 1 });
    const dense = tf.layers.dense({ units: 2, inputShape: [2] });
    await gradcheckTarget(dense, { shape: [2, 2], runs: 1 });
    const before = tf.memory().numTensors;
    await gradcheckTarget(relu, { shape: [2, 2], runs: 3 });
    await gradcheckTarget(dense, { shape: [2, 2], runs: 3 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes functions with their gradients, with the shapes that they declare', async () => {
    const relu = elementwiseLayer('relu', elementwise.relu);
    await expect({ ...relu, shapes: { x: [2, 3], y: [2, 3] } }).toPassGradcheck();
    await expect(relu).toPassGradcheck({ shapes: { x: ['n'] } });
    await expect(elementwiseLayer('relu6', elementwise.relu6)).toPassGradcheck({ shape: [9], near: [0, 6] });
  });

  it.each<[unknown, string]>([
    [
      3,
      '"target" expected an object with forward and vjp, a function of TensorFlow.js tensors or a tf.layers layer, got number',
    ],
    [
      elementwiseLayer('relu', elementwise.relu),
      'expected "shape" or "shapes", since the target declares none, got none',
    ],
    [(x: tf.Tensor) => x, 'expected "shape" or "shapes" of the inputs, got none'],
    [tf.layers.reLU(), 'expected "shape" [N, …] of the input x of a layer, got none'],
    [class Foo {}, 'a tf.layers layer, got the class Foo, not an instance'],
    [{ forward: () => {}, vpj: () => {} }, 'since the target declares none, got none'],
  ])('refuses %s', async (target, message) => {
    await expect(gradcheckTarget(target as never, {})).rejects.toThrow(message);
    await expect(gradcheckTarget(target as never, {})).rejects.toThrow(TypeError);
  });
});

it.each<[object, typeof TypeError | typeof RangeError, string | RegExp]>([
  [{ shpe: [2] }, TypeError, '"options" expected shape, range, ranges, near, runs, path, shapes,'],
  [{ shape: [2], run: 3 }, TypeError, 'got "run"'],
  [null as never, TypeError, '"options" expected an object, got null'],
  [{ shape: [2], shapes: { x: [2] } }, TypeError, 'expected "shape" of x or "shapes" of all inputs, got both'],
  [{ shape: '3,4' }, RangeError, /^gradcheck: "shape" expected lengths or names of axes, got "3,4"/],
  [{ shape: 3 }, RangeError, /^gradcheck: "shape" expected lengths or names of axes, got 3/],
  [
    { shapes: [[3]] },
    TypeError,
    /^gradcheck: "shapes" expected an object of shapes by the names of inputs, got \[\[3\]\]/,
  ],
  [{ shape: [1e9] }, RangeError, 'gradcheck: "shape" expected at most 16777216 elements, got 1000000000'],
  [[], TypeError, 'gradcheck: "options" expected an object, got an array'],
  [{ shapes: { x: 'n' } }, RangeError, /^gradcheck: "shapes.x" expected lengths or names of axes, got "n"/],
  [{ shape: [2], range: [0, 1], ranges: { x: [0, 1] } }, TypeError, 'expected "range" of x or "ranges" of all inputs'],
  [{ shape: [2], range: [1, 0] }, RangeError, '"range" expected two finite numbers, the lesser first, got [1, 0]'],
  [{ shape: [2], ranges: { z: [0, 1] } }, RangeError, '"ranges" expected names among x, got z'],
  [{ shape: [2], near: '0' }, RangeError, '"near" expected an array of finite numbers, got "0"'],
  [{ shape: [2], near: [1, Number.NaN] }, RangeError, '"near" expected an array of finite numbers, got [1, NaN]'],
  [{ shape: [2], seed: 2 ** 40 }, RangeError, '"seed" expected an integer from 0 to 4294967295, got 1099511627776'],
  [{ shape: [2], path: 'abc' }, RangeError, '"path" expected integers separated by colons, got "abc"'],
  [{ shape: [2], onKinks: 'opne' }, RangeError, '"onKinks" expected compared or open, got "opne"'],
])('gradcheckTarget refuses %j', async (options, kind, message) => {
  const relu = elementwiseLayer('relu', elementwise.relu);
  await expect(gradcheckTarget(relu, options as never)).rejects.toThrow(kind);
  await expect(gradcheckTarget(relu, options as never)).rejects.toThrow(message);
});

it('draws near the values that are named, and within a range', async () => {
  const seen = async (options: Parameters<typeof gradcheckTarget>[1]) => {
    const drawn = new Set<number>();
    const cube = elementwiseLayer('cube', elementwise.cube);
    const forward: typeof cube.forward = (inputs, shapes) => {
      for (const v of inputs.x) drawn.add(v);
      return cube.forward(inputs, shapes);
    };
    await gradcheckTarget({ ...cube, forward }, { shape: [40], runs: 2, ...options });
    return drawn;
  };
  expect([(await seen({})).has(2.71), (await seen({ near: [2.71] })).has(2.71)]).toEqual([false, true]);
  // All but the steps from there.
  for (const how of [{ range: [2.5, 3] as const }, { ranges: { x: [2.5, 3] as const } }]) {
    const within = [...(await seen(how))];
    expect([Math.min(...within) > 2.4, Math.max(...within) < 3.1]).toEqual([true, true]);
  }
});

it('a layer takes lengths alone, and says so of others', async () => {
  const named = gradcheckTarget(tf.layers.reLU(), { shapes: { x: ['n', 2] } });
  await expect(named).rejects.toThrow('"shape" expected lengths alone for the input x of a layer, got ["n", 2]');
});

it('what lacks a part of a function with its gradients is told which', async () => {
  const { vjp } = elementwiseLayer('relu', elementwise.relu);
  const misspelt = { forwrd: () => {}, vjp } as never;
  await expect(gradcheckTarget(misspelt, { shape: [2] })).rejects.toThrow(
    'gradcheckRun: "f" expected an object with forward and vjp, got an object without forward',
  );
});

it.each(['z', 'x, z'])('a layer takes x alone, and says so of %s', async (names) => {
  const shapes = Object.fromEntries(names.split(', ').map((name) => [name, [2, 2]]));
  await expect(gradcheckTarget(tf.layers.reLU(), { shapes })).rejects.toThrow(
    `gradcheck: "shapes" expected x alone, the input of a layer, got ${names}`,
  );
});

it.each<[string, unknown]>([
  ['an array', [1, 2]],
  ['number', 3],
  ['a Promise', Promise.resolve(3)],
  ['undefined', undefined],
  ['null', null],
])('a function of tensors that answers %s is told so', async (kind, answer) => {
  const f = () => answer as tf.Tensor;
  await expect(gradcheckTarget(f, { shape: [2] })).rejects.toThrow(
    `forward threw: f expected to answer one tensor, got ${kind}`,
  );
});

it('a function that throws for want of an input is told which it was given', async () => {
  const relu = elementwiseLayer('relu', elementwise.relu);
  await expect(gradcheckTarget(relu, { shapes: { z: [3] } })).rejects.toThrow(
    /^forward threw: .* \(given the inputs z\)$/,
  );
});

it('toPassGradcheck does not pass where nothing was compared', async () => {
  const nan = elementwiseLayer('nan', { f: () => Number.NaN, df: () => 0 });
  await expect(expect(nan).toPassGradcheck({ shape: [2], runs: 1 })).rejects.toThrow('NOTHING COMPARED');
  const empty = expect(nan).toPassGradcheck({ shape: [0, 3], runs: 1 });
  await expect(empty).rejects.toThrow('NOTHING COMPARED');
});

it('not.toPassGradcheck fails where nothing was compared: then nothing was found to be wrong', async () => {
  const nan = elementwiseLayer('nan', { f: () => Number.NaN, df: () => 0 });
  await expect(expect(nan).not.toPassGradcheck({ shape: [2], runs: 1 })).rejects.toThrow('NOTHING COMPARED');
});

describe('toBeWithinUlp', () => {
  it('counts the numbers between', () => {
    expect(1 + 2 ** -52).toBeWithinUlp(1, 1);
    expect(1 + 2 ** -52).not.toBeWithinUlp(1, 0);
    expect([1, -0, Number.NaN]).toBeWithinUlp([1, 0, Number.NaN], 0);
    expect(Float32Array.of(1 + 2 ** -23)).toBeWithinUlp([1], 1, 'f32');
    expect(5e-324).toBeWithinUlp(-5e-324, 2);
    expect([Infinity, -Infinity]).toBeWithinUlp([Infinity, -Infinity], 0);
    expect([Infinity]).not.toBeWithinUlp([Number.MAX_VALUE], 1);
    expect(-Number.MAX_VALUE).not.toBeWithinUlp(-Infinity, 2 ** 52);
  });

  it('says which element is how far away', () => {
    expect(Math.fround(0.1)).toBeWithinUlp(0.1, 0, 'f32');
    expect(() => expect(0.1).toBeWithinUlp(0.1, 1, 'f32')).toThrow('and 0.1 is no number of f32');
    expect(() => expect(1).toBeWithinUlp(1, 1, 'f8' as never)).toThrow('toBeWithinUlp: "dtype" expected');
    expect(() => expect([1, 1.5]).toBeWithinUlp([1, 1], 3)).toThrow('element 1 is 1.5, expected 1 within 3 ulp of f64');
    expect(() => expect([1]).toBeWithinUlp([1, 1], 3)).toThrow(
      'expected 2 elements up to [1], got 1 elements up to [0]',
    );
    expect(() => expect(1).toBeWithinUlp(1, -1)).toThrow('toBeWithinUlp: "ulps" expected a number from 0, got -1');
  });

  it('compares nested arrays, of one shape', () => {
    expect([[1, 2], Float32Array.of(3, 4)]).toBeWithinUlp(
      [
        [1, 2],
        [3, 4],
      ],
      0,
    );
    expect([
      [1, 2],
      [3, 4],
    ]).not.toBeWithinUlp(
      [
        [1, 2],
        [3, 5],
      ],
      1,
    );
    const other = () =>
      expect([
        [1, 2],
        [3, 4.5],
      ]).toBeWithinUlp(
        [
          [1, 2],
          [3, 4],
        ],
        1,
      );
    expect(other).toThrow('element 1,1 is 4.5, expected 4 within 1 ulp of f64');
    expect(() =>
      expect([1, 2, 3, 4]).toBeWithinUlp(
        [
          [1, 2],
          [3, 4],
        ],
        1,
      ),
    ).toThrow('expected 4 elements up to [1,1], got 4 elements up to [3]');
    expect(() => expect([[1], [2, 3]]).toBeWithinUlp([[1, 2], [3]], 1)).toThrow('expected 3 elements up to [1,0]');
    expect(() => expect([]).toBeWithinUlp(1, 0)).toThrow('expected a number, got no elements');
    expect([]).toBeWithinUlp([], 0);
    expect(1).not.toBeWithinUlp([1], 0);
  });

  it.each<[unknown, string]>([
    [['a'], 'got "a" at 0'],
    [[[1], [2n]], 'got 2 at 1,0'],
    [{}, 'got an object'],
    ['12', 'got "12"'],
    [undefined, 'got undefined'],
    [null, 'got null'],
    [[1, undefined], 'got undefined at 1'],
  ])('refuses %s', (value, message) => {
    const of = (actual: unknown, expected: unknown) => () => expect(actual).toBeWithinUlp(expected as never, 1);
    expect(of(value, value)).toThrow(TypeError);
    expect(of(value, value)).toThrow(`toBeWithinUlp: "actual" expected numbers or arrays of numbers, ${message}`);
    expect(of(1, value)).toThrow(`toBeWithinUlp: "expected" expected numbers or arrays of numbers, ${message}`);
  });
});
