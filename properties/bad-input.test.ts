import { expect, it } from 'vitest';
import { denseForward } from '../reference/dense.ts';
import { initialWeights } from '../reference/initializers.ts';
import { doubleVjp, forward, jvp } from '../reference/pool.ts';
import { random } from '../reference/random.ts';
import { nesterovUpdate, rateAt } from '../reference/sgd.ts';
import { ExactSum } from '../reference/sum.ts';
import { cases } from './cases.ts';
import { caseText } from './failure-text.ts';
import { expectation } from './interval.ts';

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
  ['a huge shape', withPool({}, { shape: [0, 2 ** 33], x: new Float64Array(0) }), RangeError, 'got [0, 8589934592]'],
  ['no input', () => forward(none), TypeError, 'forward: "input" expected an object, got undefined'],
  ['no tangents', () => jvp(input as never, none), TypeError, 'jvp: "tangents" expected an object, got undefined'],
  ['no cotangents', () => doubleVjp(c as never, none), TypeError, 'doubleVjp: "cotangents" expected an object'],
  ['no case', () => expectation(none), TypeError, 'expectation: "input" expected an object'],
  [
    'a case of another dtype',
    () => expectation({ ...c, dtype: 'f32' } as never),
    RangeError,
    '"alpha" expected numbers',
  ],
  ['no constraints', () => cases(none), TypeError, 'cases: "options" expected an object'],
  ['an empty case', () => caseText({} as never), TypeError, 'pool: expected an object, got undefined'],
  ['no matrix', () => denseForward(none, none, none, none), TypeError, 'denseForward: "x" expected an array'],
  ['no weights', () => nesterovUpdate(none, none, none, 1, 0), TypeError, 'nesterovUpdate: "w" expected an'],
  ['a negative step', () => rateAt({ learningRate: 1, decay: 1, momentum: 0 }, -5), RangeError, 'rateAt: "iterations"'],
  ['no width', () => initialWeights(random(1, 'w'), 'uniform', -3, 4), RangeError, 'initialWeights: "inputs" expected'],
  ['a term of text', () => new ExactSum().add('1' as never), TypeError, 'ExactSum: "a" expected a number, got string'],
])('refuses %s', (_, act, kind, message) => {
  expect(act).toThrow(kind);
  expect(act).toThrow(message);
});
