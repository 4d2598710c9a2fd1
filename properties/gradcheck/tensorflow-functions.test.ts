import * as tf from '@tensorflow/tfjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Differentiable, Tensors } from './differentiable.ts';
import { layerFunction, tensorflowFunction } from './tensorflow.ts';

const floats = (...values: number[]) => Float64Array.from(values);
/** Nothing of what is asked stays, also where it fails. */
async function withoutLeak<T>(call: () => T): Promise<Awaited<T>> {
  const before = tf.memory().numTensors;
  try {
    return await call();
  } finally {
    expect(tf.memory().numTensors).toBe(before);
  }
}

beforeEach(async () => {
  await tf.ready();
});

describe('a function of tensors', () => {
  const lessTwice = (a: tf.Tensor, b: tf.Tensor) => tf.sub(a, tf.mul(b, 2));
  const inputs = { a: floats(1, 2, 3, 4), b: floats(0.5, 0.25) };
  const shapes = { a: [2, 2], b: [2] };

  it('is one of float32, by its own name, another, or none', () => {
    expect(tensorflowFunction(tf, lessTwice)).toMatchObject({ name: 'lessTwice', dtype: 'f32' });
    expect(tensorflowFunction(tf, lessTwice, 'g').name).toBe('g');
    expect(
      tensorflowFunction(
        tf,
        (
          () => () =>
            tf.scalar(1)
        )(),
      ).name,
    ).toBe('f');
  });

  it('takes the inputs in their order, in their shapes', async () => {
    const f = tensorflowFunction(tf, lessTwice);
    expect(await withoutLeak(() => f.forward(inputs, shapes))).toEqual(floats(0, 1.5, 2, 3.5));
    const cotangents = await withoutLeak(() => f.vjp(inputs, floats(1, 10, 100, 1000), shapes));
    expect(cotangents).toEqual({ a: floats(1, 10, 100, 1000), b: floats(-202, -2020) });
  });

  it('says the shape of its output', async () => {
    const f = tensorflowFunction(tf, (x: tf.Tensor) => tf.sum(x, 1));
    expect(await withoutLeak(() => f.outputShape!({ x: [3, 4] }))).toEqual([3]);
  });

  it('leaves no tensor where it throws, or answers none', async () => {
    // Without operations on x: what TensorFlow.js keeps of these for a gradient it leaves itself.
    const throwing = tensorflowFunction(tf, () => {
      tf.zeros([2]);
      throw new Error('no');
    });
    const none = tensorflowFunction(tf, (() => [tf.zeros([2])]) as never, 'list');
    for (const [f, message] of [
      [throwing, 'no'],
      [none, 'list expected to answer one tensor, got an array'],
    ] as const) {
      const attempt = async (ask: () => unknown) => withoutLeak(async () => ask());
      await expect(attempt(() => f.forward({ x: floats(1) }, { x: [1] }))).rejects.toThrow(message);
      await expect(attempt(() => f.vjp({ x: floats(1) }, floats(1), { x: [1] }))).rejects.toThrow(message);
      await expect(attempt(() => f.outputShape!({ x: [1] }))).rejects.toThrow(message);
    }
  });
});

describe('a layer', () => {
  const dense = () => {
    const layer = tf.layers.dense({ units: 2, inputShape: [3] });
    const made = layerFunction(tf, layer, [2, 3]);
    return { layer, ...made, held: () => layer.getWeights().map((w) => [...w.dataSync()]) };
  };
  const x = floats(1, 2, 3, -1, 0, 1);
  const given: Tensors = { x, kernel: floats(1, 2, 3, 4, 5, 6), bias: floats(0.5, -0.5) };

  it('is a function of x, a batch, and of its weights, which begin as they are', async () => {
    const { layer, f, weights, shapes, held } = dense();
    expect(f).toMatchObject({ name: layer.name, dtype: 'f32', batch: ['x'] });
    expect(shapes).toEqual({ x: [2, 3], kernel: [3, 2], bias: [2] });
    expect(Object.values(weights).map((w) => [...w])).toEqual(held());
    expect(f.outputShape!({ x: [7, 3] })).toEqual([7, 2]);
  });

  it('answers for the weights that are given, and keeps its own', async () => {
    const { f, shapes, held } = dense();
    const before = held();
    expect(await withoutLeak(() => f.forward(given, shapes))).toEqual(floats(22.5, 27.5, 4.5, 3.5));
    const dy = floats(1, 10, 100, 1000);
    expect(await withoutLeak(() => f.vjp(given, dy, shapes))).toEqual({
      x: floats(21, 43, 65, 2100, 4300, 6500),
      kernel: floats(1 - 100, 10 - 1000, 2, 20, 3 + 100, 30 + 1000),
      bias: floats(101, 1010),
    });
    expect(held()).toEqual(before);
  });

  it('keeps them where it throws, and leaves no tensor', async () => {
    const { f, layer, shapes, held } = dense();
    const before = held();
    layer.call = () => {
      throw new Error('no');
    };
    for (const ask of [() => f.forward(given, shapes), () => f.vjp(given, floats(1, 1, 1, 1), shapes)]) {
      await expect(withoutLeak<unknown>(ask)).rejects.toThrow('no');
      expect(held()).toEqual(before);
    }
  });

  it('answers as it does in inference', async () => {
    const { f, shapes } = layerFunction(tf, tf.layers.dropout({ rate: 0.5 }), [6]);
    expect(await f.forward({ x }, shapes)).toEqual(x);
  });

  it('is built once, for the shape of x', () => {
    const { layer } = dense();
    layer.build = () => {
      throw new Error('again');
    };
    expect(Object.keys(layerFunction(tf, layer, [2, 3]).weights)).toEqual(['kernel', 'bias']);
    const bare = tf.layers.reLU();
    const built: unknown[] = [];
    bare.build = (shape) => built.push(shape);
    const shape = [2, 3];
    layerFunction(tf, bare, shape);
    layerFunction(tf, bare, shape);
    expect([built, bare.built]).toEqual([[[2, 3]], true]);
    expect(built[0]).not.toBe(shape);
  });

  it('has weights of one name each, none of them x or y', () => {
    class Named extends tf.layers.Layer {
      static className = 'Named';
      override build(): void {
        for (const name of ['w', 'a/w', 'x', 'y', 'b/x', 'v'])
          this.addWeight(name, [1], 'float32', tf.initializers.ones());
        this.built = true;
      }
    }
    const { weights, shapes }: { weights: Tensors; shapes: object } = layerFunction(tf, new Named(), [1]);
    const names = ['w', 'w_2', 'x_1', 'y_1', 'x_2', 'v'];
    expect(Object.keys(weights)).toEqual(names);
    expect(Object.keys(shapes)).toEqual(['x', ...names]);
  });
});

it('a function that is undefined is none', () => {
  expect(() => tensorflowFunction(tf, undefined as never) satisfies Differentiable).toThrow(
    new TypeError('tensorflowFunction: "f" expected a function of tensors, got undefined'),
  );
});
