import { expect, it } from 'vitest';
import { mrelu, pap } from './activations.ts';
import { batches, scalePixels, stepsPerEpoch } from './batches.ts';
import { branchOf, nameOf } from './branches.ts';
import { crossEntropyBackward, crossEntropyForward } from './cross-entropy.ts';
import { denseBackward, denseForward } from './dense.ts';
import { dropoutBackward, dropoutForward, dropoutMask } from './dropout.ts';
import { initialWeights } from './initializers.ts';
import { mreluForward, mreluVjp } from './mrelu.ts';
import { initialParameters, widen, widenBatch, zerosLike } from './network.ts';
import { doubleVjp, forward, jvp } from './pool.ts';
import type { Protocol } from './protocol.ts';
import { random } from './random.ts';
import { learningRateAt, nesterovUpdate } from './sgd.ts';
import { ExactSum } from './sum.ts';
import { trainStep } from './train.ts';

const pool = { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'free' } };
const input = { pool, shape: [2], x: Float64Array.of(1, -1), alpha: Float64Array.of(0.8, 0.2) };
const c = { ...input, dtype: 'f64', dy: Float64Array.of(1, 1) };
const withPool =
  (change: object, more: object = {}) =>
  () =>
    forward({ ...input, ...more, pool: { ...pool, ...change } } as never);
const holed = [0, 1];
delete holed[0];
const none = undefined as never;
const protocol: Protocol = {
  name: 'tiny',
  sizes: [2, 3, 2],
  activation: pap,
  dropout: 0,
  initializer: 'glorotUniform',
  learningRate: 0.1,
  momentum: 0,
  decay: 0,
  batch: 2,
  epochs: 1,
};
const batch = { x: new Float64Array(4), labels: new Uint8Array(2), masks: [new Float64Array(6).fill(1)] };
const start = () => widen(initialParameters(protocol, 1));
const x = Float64Array.of(1, 2);

it.each<[string, () => unknown, ErrorConstructor, string]>([
  ['bounds of text', withPool({ constraint: { kind: 'clip', bounds: ['1', '2'] } }), TypeError, 'got ["1", "2"]'],
  ['bounds of null', withPool({ constraint: { kind: 'clip', bounds: [null, 1] } }), TypeError, 'got [null, 1]'],
  ['bounds with a hole', withPool({ constraint: { kind: 'clip', bounds: holed } }), TypeError, 'got [undefined, 1]'],
  [
    'axes with a hole',
    withPool({ sharing: { sharedAxes: holed } }, { shape: [1, 2] }),
    RangeError,
    'got [undefined, 1]',
  ],
  ['branches in a list', withPool({ branches: [['relu'], 'step'] }), RangeError, 'got ["relu"]'],
  ['branches of symbols', withPool({ branches: [Symbol('a')] }), RangeError, 'got Symbol(a)'],
  ['a shape of symbols', withPool({}, { shape: [Symbol('a')] }), TypeError, 'got [Symbol(a)]'],
  [
    'an unknown branch',
    () => branchOf('nope' as never),
    RangeError,
    'branchOf: "ref" expected names among relu, step, ',
  ],
  ['what every object has', () => branchOf('constructor' as never), RangeError, 'got "constructor"'],
  ['no branch', () => nameOf(null as never), RangeError, 'softplus, got null'],
  [
    'half a branch',
    () => nameOf({ name: 'a' } as never),
    TypeError,
    'nameOf: "ref" expected custom branches with name, ',
  ],
  ['a huge shape', withPool({}, { shape: [0, 2 ** 33], x: new Float64Array(0) }), RangeError, 'got [0, 8589934592]'],
  ['no input', () => forward(none), TypeError, 'forward: "input" expected an object, got undefined'],
  ['no tangents', () => jvp(input as never, none), TypeError, 'jvp: "tangents" expected an object, got undefined'],
  ['no cotangents', () => doubleVjp(c as never, none), TypeError, 'doubleVjp: "cotangents" expected an object'],
  ['no matrix', () => denseForward(none, none, none, none), TypeError, 'denseForward: "x" expected a Float64Array'],
  [
    'a matrix of text',
    () => denseForward(['a', 2] as never, x, x, 2),
    TypeError,
    'denseForward: "x" expected a Float64Array, got an array',
  ],
  [
    'weights of float32',
    () => denseForward(x, Float32Array.of(1, 2) as never, Float64Array.of(0), 2),
    TypeError,
    'denseForward: "W" expected a Float64Array, got a Float32Array',
  ],
  [
    'a bias in a list',
    () => denseForward(x, x, [0] as never, 2),
    TypeError,
    'denseForward: "b" expected a Float64Array',
  ],
  [
    'a dy of float32',
    () => denseBackward(Float32Array.of(1) as never, x, 2, 1),
    TypeError,
    'denseBackward: "dy" expected a Float64Array, got a Float32Array',
  ],
  ['no weights', () => nesterovUpdate(none, none, none, 1, 0), TypeError, 'nesterovUpdate: "w" expected a F'],
  [
    'a negative step',
    () => learningRateAt({ learningRate: 1, decay: 1, momentum: 0 }, -5),
    RangeError,
    'learningRateAt: "iterations"',
  ],
  ['no width', () => initialWeights(random(1, 'w'), 'uniform', -3, 4), RangeError, 'initialWeights: "inputs" expected'],
  ['a term of text', () => new ExactSum().add('1' as never), TypeError, 'ExactSum: "a" expected a number, got string'],
  ['a factor of text', () => new ExactSum().addProduct('2' as never, 3), TypeError, 'ExactSum: "a" expected a number'],
  ['no second factor', () => new ExactSum().addProduct(2, none), TypeError, 'ExactSum: "b" expected a number, got un'],
  ['no x', () => mreluForward(null as never, 0.5), TypeError, 'mreluForward: "x" expected a Float64Array, got null'],
  [
    'x in a list',
    () => mreluForward([1] as never, 0.5),
    TypeError,
    'mreluForward: "x" expected a Float64Array, got an array',
  ],
  ['a P of text', () => mreluVjp(x, 'a' as never, x), TypeError, 'mreluVjp: "P" expected a number, got string'],
  ['a dy of another length', () => mreluVjp(x, 1, Float64Array.of(1)), RangeError, 'mreluVjp: "dy" expected shape [2]'],
  ['no P', () => mrelu(none), TypeError, 'mrelu: "P" expected a number, got undefined'],
  ['no labels', () => crossEntropyForward(x, none, 2), TypeError, 'crossEntropyForward: "labels" expected an array'],
  ['no classes', () => crossEntropyBackward(x, [1], none), TypeError, 'crossEntropyBackward: "classes" expected an'],
  ['no logits', () => crossEntropyForward(none, [1], 2), TypeError, 'crossEntropyForward: "z" expected a Float64Array'],
  ['logits in a list', () => crossEntropyForward([1, 2] as never, [0], 2), TypeError, 'got an array'],
  ['labels of symbols', () => crossEntropyForward(x, [Symbol('a')] as never, 2), RangeError, 'got Symbol(a) at 0'],
  ['nothing to drop', () => dropoutForward(none, x), TypeError, 'dropoutForward: "x" expected a Float64Array'],
  [
    'a mask of float32',
    () => dropoutBackward(x, new Float32Array(2) as never),
    TypeError,
    'dropoutBackward: "mask" expected a Float64Array, got a Float32Array',
  ],
  ['no source', () => dropoutMask(none, 1, 0), TypeError, 'dropoutMask: "source" expected an object, got undefined'],
  ['no stream', () => dropoutMask({} as never, 1, 0), TypeError, 'dropoutMask: "source" expected a stream of random'],
  ['no name', () => random(1, none), TypeError, 'random: "name" expected text, got undefined'],
  [
    'no options',
    () => learningRateAt(none, 0),
    TypeError,
    'learningRateAt: "options" expected an object, got undefined',
  ],
  [
    'no rate',
    () => learningRateAt({} as never, 0),
    TypeError,
    'learningRateAt: "learningRate" expected a number, got undefined',
  ],
  ['no protocol', () => initialParameters(none, 1), TypeError, 'protocol: expected an object, got undefined'],
  [
    'a protocol without pool',
    () => initialParameters({ ...protocol, activation: {} } as never, 1),
    TypeError,
    'pool: expected an object, got undefined',
  ],
  [
    'a protocol without start',
    () => initialParameters({ ...protocol, activation: { pool: pap.pool } } as never, 1),
    TypeError,
    'protocol: "activation.start" expected an array, got undefined',
  ],
  ['no data', () => stepsPerEpoch(protocol, none), TypeError, 'stepsPerEpoch: "data" expected an object'],
  [
    'data without images',
    () => batches(protocol, {} as never, 1).next(),
    TypeError,
    'batches: "images" expected a Uint8Array, got undefined',
  ],
  ['no pixels', () => scalePixels(none), TypeError, 'scalePixels: "images" expected a Uint8Array, got undefined'],
  ['no parameters', () => widen(none), TypeError, 'widen: "parameters" expected an array, got undefined'],
  ['no layer', () => zerosLike([none]), TypeError, 'zerosLike: "parameters[0]" expected an object, got undefined'],
  ['a layer of nothing', () => widen([{}] as never), TypeError, 'widen: "parameters[0].W" expected an array'],
  ['no batch', () => widenBatch(none), TypeError, 'widenBatch: "batch" expected an object, got undefined'],
  ['a batch of nothing', () => widenBatch({} as never), TypeError, 'widenBatch: "batch.x" expected an array'],
  ['no training', () => trainStep(protocol, none, batch), TypeError, 'trainStep: "training" expected an object'],
  [
    'no velocities',
    () => trainStep(protocol, { parameters: start(), velocities: [], iterations: 0 }, batch),
    RangeError,
    'trainStep: "velocities" expected shape [2], 2 elements, got 0',
  ],
  [
    'a training without batch',
    () => trainStep(protocol, { parameters: start(), velocities: zerosLike(start()), iterations: 0 }, none),
    TypeError,
    'trainStep: "batch" expected an object, got undefined',
  ],
  ['a uniform of text', () => random(1, 'u').uniform('a' as never, 2), TypeError, 'uniform: "low" expected a number'],
  [
    'too wide a span',
    () => random(1, 'u').uniform(-1e308, 1e308),
    RangeError,
    'uniform: "high - low" expected a finite',
  ],
])('refuses %s', (_, act, kind, message) => {
  expect(act).toThrow(kind);
  expect(act).toThrow(message);
});
