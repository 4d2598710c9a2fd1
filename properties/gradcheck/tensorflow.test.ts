import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { GradcheckError } from './calls.ts';
import { layerFunction, tensorflowFunction } from './tensorflow.ts';

describe('what is no function, no layer or no TensorFlow.js is a TypeError', () => {
  const relu = (x: tf.Tensor) => tf.relu(x);
  const layer = tf.layers.reLU();

  it.each<[string, unknown[]]>([
    ['"tf" expected TensorFlow.js, got undefined', []],
    ['"tf" expected TensorFlow.js, got an object', [{}, relu]],
    ['"f" expected a function of tensors, got undefined', [tf]],
    ['"f" expected a function of tensors, got a ReLU', [tf, layer]],
    ['"name" expected a string, got number', [tf, relu, 3]],
  ])('tensorflowFunction: %s', (message, given) => {
    const attempt = () => tensorflowFunction(...(given as Parameters<typeof tensorflowFunction>));
    expect(attempt).toThrow(new TypeError(`tensorflowFunction: ${message}`));
  });

  it.each<[string, unknown[]]>([
    ['"tf" expected TensorFlow.js, got undefined', []],
    ['"layer" expected a tf.layers layer, got function', [tf, relu, [2]]],
    ['"shape" expected non-negative integers, got undefined', [tf, layer]],
    ['"shape" expected non-negative integers, got ["2"]', [tf, layer, ['2']]],
  ])('layerFunction: %s', (message, given) => {
    const attempt = () => layerFunction(...(given as Parameters<typeof layerFunction>));
    expect(attempt).toThrow(new TypeError(`layerFunction: ${message}`));
  });

  it('a layer that can not be built is what threw', () => {
    const conv = tf.layers.conv2d({ filters: 2, kernelSize: 3 });
    conv.build = () => {
      throw new Error('no channels');
    };
    const attempt = () => layerFunction(tf, conv, [3]);
    expect(attempt).toThrow(new GradcheckError(`build of ${conv.name} threw: no channels`));
  });

  it('a length below 0 is a RangeError', () => {
    expect(() => layerFunction(tf, layer, [-1])).toThrow(RangeError);
  });
});
