import { expect, it } from 'vitest';
import { checkArray, checkFinite, checkInput, checkInteger, checkTensor, kindOf, shown } from './arguments.ts';

it.each<[unknown, string, string]>([
  [null, 'null', 'null'],
  [undefined, 'undefined', 'undefined'],
  [1.5, 'number', '1.5'],
  ['relu', 'string', '"relu"'],
  [Symbol('a'), 'symbol', 'Symbol(a)'],
  [[1, undefined, 'b'], 'an array', '[1, undefined, "b"]'],
  [{}, 'an object', 'an object'],
  [Object.create(null), 'an object', 'an object'],
  [{ constructor: { name: 3 } }, 'an object', 'an object'],
  [Float32Array.of(1), 'a Float32Array', 'a Float32Array'],
  [new Map(), 'a Map', 'a Map'],
  [[[[[1]]]], 'an array', '[[[an array]]]'],
  [Array.from({ length: 21 }, () => 0), 'an array', `[${Array.from({ length: 20 }, () => 0).join(', ')}]`],
])('%#: kind and text', (value, kind, text) => {
  expect(kindOf(value)).toBe(kind);
  expect(shown(value)).toBe(text);
});

it('shows at most 80 characters', () => {
  expect(shown('a'.repeat(78))).toBe(`"${'a'.repeat(78)}"`);
  expect(shown('a'.repeat(79))).toBe(`"${'a'.repeat(78)}…`);
});

it.each<[() => unknown, ErrorConstructor, string]>([
  [() => checkInput('f', 'a', null), TypeError, 'f: "a" expected an object, got null'],
  [() => checkInput('f', 'a', 3), TypeError, 'f: "a" expected an object, got 3'],
  [() => checkInteger('f: "n"', '3', 1), TypeError, 'f: "n" expected an integer from 1, got "3"'],
  [() => checkInteger('f: "n"', 0, 1), RangeError, 'f: "n" expected an integer from 1, got 0'],
  [() => checkInteger('f: "n"', 1.5, 1), RangeError, 'f: "n" expected an integer from 1, got 1.5'],
  [() => checkInteger('f: "n"', 5, 1, 4), RangeError, 'f: "n" expected an integer from 1 to 4, got 5'],
  [() => checkFinite('f: "v"', '3'), TypeError, 'f: "v" expected a number, got string'],
  [() => checkFinite('f: "v"', Number.NaN), RangeError, 'f: "v" expected a finite number, got NaN'],
  [() => checkFinite('f: "v"', Infinity, 0), RangeError, 'f: "v" expected a finite number ≥ 0, got Infinity'],
  [() => checkFinite('f: "v"', -1, 0), RangeError, 'f: "v" expected a finite number ≥ 0, got -1'],
  [() => checkArray('f', 'a', { length: 2 }), TypeError, 'f: "a" expected an array, got an object'],
  [() => checkTensor('f', 'x', [1], [1]), TypeError, 'f: "x" expected a Float64Array, got an array'],
  [
    () => checkTensor('f', 'x', Float64Array.of(1), [2, 3]),
    RangeError,
    'f: "x" expected shape [2, 3], 6 elements, got 1',
  ],
])('%#: what is wrong is named', (act, kind, message) => {
  expect(act).toThrow(kind);
  expect(act).toThrow(message);
});

it('lets pass what is right, at the ends of its range too', () => {
  checkInput('f', 'a', {});
  for (const value of [1, 4]) checkInteger('f', value, 1, 4);
  checkFinite('f', 0, 0);
  checkFinite('f', -1e308);
  for (const values of [[], Float32Array.of(1)]) checkArray('f', 'a', values);
  checkTensor('f', 'x', new Float64Array(6), [2, 3]);
});
