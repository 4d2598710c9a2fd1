import * as tf from '@tensorflow/tfjs';
import { activationPool } from './op.ts';
import type { PoolOptions } from './parameters.ts';

type Wrong = readonly [act: () => unknown, kind: typeof TypeError | typeof RangeError, message: string];

/** Calls of the op with one argument wrong, and what the error says of it. Makes tensors: to be called in a tidy. */
export function wrongCalls(): Wrong[] {
  const x = tf.zeros([2, 3]);
  const alpha = tf.zeros([2, 3]);
  const disposed = tf.zeros([2, 3]);
  disposed.dispose();
  const call =
    (options: unknown, v: unknown = x, a: unknown = alpha) =>
    () =>
      activationPool(v as tf.Tensor, a as tf.Tensor, options as PoolOptions);
  const pulled =
    (dy: tf.Tensor, inputs: tf.Tensor[] = [x, alpha], options: PoolOptions = {}) =>
    () =>
      tf.grads((v, a) => activationPool(v, a, options))(inputs, dy);
  // Neither lies as the kernels want it.
  const [shared, many] = [tf.zeros([2, 3, 4, 2]), tf.zeros([2, 1, 1, 3, 1, 1, 2])];
  const pulledShared = (dy: tf.Tensor) =>
    pulled(dy, [shared, tf.zeros([2, 3, 1, 2])], { sharing: { sharedAxes: [2] } });
  const pulledMany = (dy: tf.Tensor) => pulled(dy, [many, tf.zeros([2])], { sharing: 'layer' });
  const pulledEmpty = (dy: tf.Tensor) => pulled(dy, [tf.zeros([0, 3]), alpha]);
  return [
    [call({}, [1, 2]), TypeError, '"x" expected a float32 tensor, got [1,2]'],
    [
      () => activationPool(x, undefined as unknown as tf.Tensor),
      TypeError,
      '"alpha" expected a float32 tensor, got undefined',
    ],
    [call({}, tf.zeros([2, 3], 'int32')), TypeError, '"x" expected a float32 tensor, got int32'],
    [call({}, x, tf.zeros([2, 3], 'bool')), TypeError, '"alpha" expected a float32 tensor, got bool'],
    [call({}, disposed), TypeError, '"x" expected a float32 tensor, got one that is disposed'],
    [call({}, tf.scalar(1)), RangeError, '"x" expected rank 1 or more'],
    [call({}, x, tf.zeros([3])), RangeError, '"alpha" expected shape [2, 3], got [3]'],
    [call({ sharing: 'layer' }), RangeError, '"alpha" expected shape [2], got [2, 3]'],
    [call({ constraint: { kind: 'sumToOne' } }), RangeError, '"alpha" expected shape [1, 3], got [2, 3]'],
    [call(null), TypeError, '"options" expected an object, got null'],
    [call([]), TypeError, '"options" expected an object, got []'],
    [call({ constraint: { kind: 'free', bounds: [1] } }), TypeError, '"constraint" expected kind, got "bounds"'],
    [call({ sharing: { sharedAxes: [1], axes: [1] } }), TypeError, '"sharing" expected sharedAxes, got "axes"'],
    [call({ branches: 'relu' }), TypeError, '"branches" expected an array of names, got "relu"'],
    [
      call({ branches: ['relu', { name: 'swish', f: Math.exp }] }),
      RangeError,
      '"branches" expected relu, step, halfSquare, negative, identity, tanh, sigmoid, softplus, got the custom branch "swish"',
    ],
    [call({ branches: [] }), RangeError, '"branches" expected at least one name, got []'],
    [call({ branches: ['relu', 'toString'] }), RangeError, '"branches" expected relu, step, '],
    [call({ sharing: 'axis' }), RangeError, '"sharing" expected layer, channel, unit or { sharedAxes }, got "axis"'],
    [call({ sharing: 3 }), TypeError, '"sharing" expected layer, channel, unit or { sharedAxes: number[] }, got 3'],
    [call({ sharing: 'channel' }, tf.zeros([2])), RangeError, '"sharing" \'channel\' expected an x of rank 2'],
    [call({ sharing: { sharedAxes: [0] } }), RangeError, '"sharedAxes" expected axes from 1 to 1 for rank 2, got 0'],
    [call({ sharing: { sharedAxes: [2] } }), RangeError, '"sharedAxes" expected axes from 1 to 1 for rank 2, got 2'],
    [call({ sharing: { sharedAxes: [1, 1] } }), RangeError, '"sharedAxes" expected each axis once, got [1, 1]'],
    [call({ sharing: { sharedAxes: [1.5] } }), RangeError, '"sharedAxes" expected integers, got [1.5]'],
    [call({ constraint: 'free' }), TypeError, '"constraint" expected an object with a kind, got "free"'],
    [call({ constraint: { kind: 'max' } }), RangeError, '"constraint" expected the kind free'],
    [call({ constraint: { kind: 'clip' } }), TypeError, '"bounds" expected an array of 2 numbers, got undefined'],
    [call({ constraint: { kind: 'clip', bounds: [1] } }), RangeError, '"bounds" expected 2 numbers, one for each'],
    [call({ constraint: { kind: 'clip', bounds: [1, -1] } }), RangeError, '"bounds" expected numbers from 0'],
    [pulled(tf.zeros([3])), RangeError, '"dy" expected shape [2, 3], got [3]'],
    [pulled(tf.zeros([2, 4])), RangeError, '"dy" expected shape [2, 3], got [2, 4]'],
    [pulled(tf.zeros([1, 3])), RangeError, '"dy" expected shape [2, 3], got [1, 3]'],
    [pulled(disposed), TypeError, '"dy" expected a float32 tensor, got one that is disposed'],
    [pulledShared(tf.zeros([2, 4, 3])), RangeError, '"dy" expected shape [2, 3, 4, 2], got [2, 4, 3]'],
    [pulledShared(disposed), TypeError, '"dy" expected a float32 tensor, got one that is disposed'],
    [pulledMany(disposed), TypeError, '"dy" expected a float32 tensor, got one that is disposed'],
    [pulledEmpty(tf.zeros([3, 3])), RangeError, '"dy" expected shape [0, 3], got [3, 3]'],
    [pulledEmpty(disposed), TypeError, '"dy" expected a float32 tensor, got one that is disposed'],
    [call({ constraint: { kind: 'clip', bounds: [NaN, 1] } }), RangeError, '"bounds" expected numbers from 0'],
  ];
}
