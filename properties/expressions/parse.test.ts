import { describe, expect, it } from 'vitest';
import { expressionBranch } from '../expression-branch.ts';

const parsed = (text: unknown) => expressionBranch(text as string);

describe('what an expression may not be', () => {
  it.each<[string, string]>([
    ['y + 1', 'the name "y"'],
    ['x + foo', 'the name "foo"'],
    ['process', 'the name "process"'],
    ['globalThis', 'the name "globalThis"'],
    ['constructor', 'the name "constructor"'],
    ['__proto__', 'the name "__proto__"'],
    ['i', 'the name "i"'],
    ['tau x', 'the name "tau"'],
    ['f(x)', 'the function "f"'],
    ['gamma(x)', 'the function "gamma"'],
    ['erf(x)', 'the function "erf"'],
    ['random()', 'the function "random"'],
    ['eval("1")', 'the function "eval"'],
    ['evaluate("1")', 'the function "evaluate"'],
    ['import(x)', 'the function "import"'],
    ['parse("x")', 'the function "parse"'],
    ['createUnit("x")', 'the function "createUnit"'],
    ['toString(x)', 'the function "toString"'],
    ['hasOwnProperty(x)', 'the function "hasOwnProperty"'],
    ['x.constructor', 'the accessor "x.constructor"'],
    ['x["constructor"]', 'the accessor "x["constructor"]"'],
    ['x[1]', 'the accessor "x[1]"'],
    ['a = 1', 'the assignment "a = 1"'],
    ['x = 1', 'the assignment "x = 1"'],
    ['f(x) = x', 'the function assignment "f(x) = x"'],
    ['[x, 1]', 'the array "[x, 1]"'],
    ['{a: x}', 'the object "{"a": x}"'],
    ['1:x', 'the range "1:x"'],
    ['x; 1', 'the block "x;\n1"'],
    ['"x"', '""x""'],
    ['true', '"true"'],
    ['Infinity', '"Infinity"'],
    ['NaN', '"NaN"'],
    ['null', '"null"'],
    ['x!', 'the operator "!"'],
    ["x'", 'the operator "\'"'],
    ['x % 2', 'the operator "%"'],
    ['x .* 2', 'the operator ".*"'],
    ['x | 1', 'the operator "|"'],
    ['x to pi', 'the operator "to"'],
    ['3 cm', 'the name "cm"'],
    ['1e400000', 'the number 1e+400000'],
    ['x xor 1', 'the operator "xor"'],
    ['exp(x, 2)', '"exp" with 2 arguments'],
    ['max()', '"max" with 0 arguments'],
  ])('%s', (text, what) => {
    expect(() => parsed(text)).toThrow(RangeError);
    expect(() => parsed(text)).toThrow(
      `expressionBranch: "expression" holds ${what}, expected only x, numbers, pi, e, `,
    );
  });

  it.each<[string, string]>([
    ['', 'expected a formula in x'],
    ['  ', 'expected a formula in x'],
    ['x +', 'cannot be parsed: Unexpected end of expression (char 4)'],
    ['(x', 'cannot be parsed: Parenthesis ) expected (char 3)'],
    ['x ? 1', 'cannot be parsed'],
    ['() => process.exit()', 'cannot be parsed'],
    ['require("fs").x', 'expected only x'],
    ['cos.constructor("return process")', 'the function "cos.constructor('],
    ['cos.constructor("return process")()', 'cannot be parsed'],
    ['x > 0', 'expected a number, as in "x > 0 ? 1 : 0", not a condition'],
    ['x ? 1 : 2', 'expected a condition in "?:", not x'],
    ['1 + (x > 0)', 'expected a number in "+", not (x > 0)'],
    ['not x > 0 ? 1 : 2', 'expected a number in ">", not (not x)'],
    ['() => x', 'cannot be parsed'],
    [`x${' + x'.repeat(300)}`, 'expected at most 1000 characters, not 1201'],
    [`${'('.repeat(200)}x${')'.repeat(200)}`, 'expected parentheses at most 100 deep'],
    ['-'.repeat(900).concat('x'), 'holds such depth, expected only x'],
  ])('%s', (text, message) => {
    expect(() => parsed(text)).toThrow(RangeError);
    expect(() => parsed(text)).toThrow(message);
  });

  it.each([undefined, null, 1, {}, [], () => 'x', new String('x')])('%s, which is no string', (text) => {
    expect(() => parsed(text)).toThrow(TypeError);
    expect(() => parsed(text)).toThrow('expressionBranch: "expression" expected a string, got');
  });

  it('is never run: no text changes anything that another sees', () => {
    const before = Object.getOwnPropertyNames(globalThis).length;
    for (const text of ['x = 5', 'import({pi: 3})', 'config({})', 'f(x) = 1', 'pi = 3']) {
      expect(() => parsed(text)).toThrow(RangeError);
    }
    expect(Object.getOwnPropertyNames(globalThis).length).toBe(before);
    expect(expressionBranch('pi * x').f(1)).toBe(Math.PI);
  });
});

describe('what an expression may be', () => {
  it.each<[string, number, number]>([
    ['x', 3, 3],
    ['2 x', 3, 6],
    ['-x^2', 3, -9],
    ['+x', 3, 3],
    ['2^x', 3, 8],
    ['x^-1', 4, 0.25],
    ['0 <= x <= 1 ? x : 0', 0.5, 0.5],
    ['x > 0 and not (x > 4) or x == 9 ? 1 : 0', 3, 1],
    ['x > 0 and not (x > 4) or x == 9 ? 1 : 0', 9, 1],
    ['x != 3 ? 1 : 2', 3, 2],
    ['max(x, 2, 5)', 3, 5],
    ['min(x, 2, 5)', 3, 2],
    ['sign(x) abs(x)', -3, -3],
    ['.5 x + 1e1 + 0x10', 2, 27],
  ])('%s at %d', (text, x, value) => {
    const kinks = [-1, 0, 1, 2, 3, 4, 5, 9];
    expect(expressionBranch(text, { kinks }).f(x)).toBe(value);
  });
});
