import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
// Inside the project, so that the module's own imports are resolved.
const dist = fileURLToPath(new URL('../dist', import.meta.url));

let folder = '';
let module = '';
beforeAll(() => {
  folder = mkdtempSync(join(dist, 'gradcheck-'));
  module = join(folder, 'layers.js');
  writeFileSync(
    module,
    `import * as tf from '@tensorflow/tfjs';
const slope = (x, kink) => (x > 0 || (x === 0 && kink) ? 1 : 0);
const layer = (kink) => ({
  forward: ({ x }) => x.map((v) => Math.max(v, 0)),
  vjp: ({ x }, dy) => ({ x: x.map((v, i) => slope(v, kink) * dy[i]) }),
  kinks: { x: [{ at: 0, value: 'left', derivative: 'left' }] },
});
export const right = layer(false);
export const wrong = layer(true);
export const thrower = { ...right, vjp: () => { throw new Error('out of order'); } };
const fails = () => { throw new TypeError('out of order'); };
export const kinksThrow = { ...right, kinks: { x: fails } };
export const derivativeThrows = { ...right, kinks: { x: [{ at: 0, derivative: fails }] } };
export const shapeThrows = { ...right, outputShape: fails };
export const roundingThrows = { ...right, rounding: { forward: fails, vjp: fails } };
let first;
export const remembers = {
  forward: ({ x }) => x.map((v) => v * v),
  vjp: ({ x }, dy) => ({ x: dy.map((d, i) => 2 * d * (first ??= x.slice())[i]) }),
};
export const number = 3;
export const nothing = undefined;
export const exits = { ...right, forward: () => process.exit(0) };
export const never = { ...right, vjp: () => new Promise(() => {}) };
export const throwsLater = { ...right, vjp: () => new Promise(() => setTimeout(() => { throw new Error('late'); })) };
export const exitsAfter = { ...wrong, forward: ({ x }) => (setTimeout(() => process.exit(0), 500), right.forward({ x })) };
export const root = { forward: ({ x }) => x.map(Math.sqrt), vjp: ({ x }, dy) => ({ x: x.map((v, i) => dy[i] / Math.sqrt(v) / 2) }) };
export const nan = { ...right, forward: ({ x }) => x.map(() => NaN) };
const sum = ({ x }) => x.reduce((total, v) => total + Math.tanh(v), 0);
export const dense12 = {
  forward: (inputs) => Float64Array.of(sum(inputs)),
  vjp: ({ x }, dy) => ({ x: x.map((v, i) => dy[0] * (1 - Math.tanh(v) ** 2) * (i === 99 ? 1 + 1e-6 : 1)) }),
};
export const log = {
  forward: ({ x }) => x.map((v) => Math.log(v)),
  vjp: ({ x }, dy) => ({ x: x.map((v, i) => dy[i] / v) }),
};
export const wrongLog = { ...log, vjp: ({ x }, dy) => ({ x: x.map((v, i) => dy[i] / (v + 0.01)) }) };
export const tanh = (x) => tf.tanh(x);
export const dense = tf.layers.dense({ units: 3, activation: 'tanh' });
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function gradcheck(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'gradcheck', ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('poolproof gradcheck', () => {
  it.each([
    ['right', '32,64'],
    ['right', 'x=n,8'],
    ['tanh', '4,3'],
    ['dense', '4,2'],
  ])('%s of shape %s passes, in at most 40 lines', (name, shape) => {
    const { code, out, err } = gradcheck(`${module}#${name}`, '--shape', shape, '--runs', '5');
    expect(err.replace(/=+\nHi, looks[\s\S]*?=+\n/, '').trim()).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/passed on 5 drawn inputs[\s\S]*\d+ elements compared, 0 left open, \d+ vacuous/);
    expect(out.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  });

  it('one that remembers what it was asked before is found again by all runs, since alone the inputs pass', () => {
    const { code, out } = gradcheck(`${module}#remembers`, '--shape', '3', '--seed', '2');
    expect(code).toBe(1);
    expect(out).toContain('Alone these inputs pass');
    const [, again] = /again: npx poolproof gradcheck (.*)/.exec(out)!;
    expect(again).toBe(`${module}#remembers --shape x=3 --seed 2`);
    expect(gradcheck(...again.split(' '))).toEqual({ code, out, err: '' });
  });

  it('a wrong one fails with exit code 1 and a line that finds it again', () => {
    const found = gradcheck(`${module}#wrong`, '--shape', 'x=n,4', '--seed', '7');
    expect(found.code).toBe(1);
    expect(found.out).toContain('FAIL dx[0, 0] of vjp is');
    expect(found.out).toContain('on a kink: [0, 0] = 0, declared');
    const line = /^again: npx poolproof gradcheck (.*)$/m.exec(found.out)![1];
    const again = gradcheck(...line.split(' '));
    expect(again.code).toBe(1);
    expect(again.out).toBe(found.out);
  });

  it('finds a large one again by a short line that fits a terminal', () => {
    const { code, out } = gradcheck(`${module}#wrong`, '--shape', '32,64');
    expect(code).toBe(1);
    expect(out).toContain('y [1, 1]');
    expect(/--path (\S+)/.exec(out)![1].length).toBeLessThan(20);
    const report = out.slice(0, out.indexOf('again:'));
    for (const line of report.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('the line that finds it again measures in the same way', () => {
    const { code, out } = gradcheck(`${module}#dense12`, '--shape', '100', '--full', '--runs', '1');
    expect(code).toBe(1);
    expect(out).toMatch(/^again: .* --shape x=100 --full --seed 1 --path 0/m);
  });

  it('warns where more than 5 % of all elements of a run were left open, whatever the last report says', () => {
    const { code, out } = gradcheck(`${module}#root`, '--shape', '4,6', '--runs', '5');
    expect(code).toBe(0);
    expect(out).toMatch(
      /\n {2}\d+ elements compared, (\d+) left open, .*\nWARNING: \1 of \d+ elements were left open, /,
    );
    const none = gradcheck(`${module}#root`, '--shape', '4,6', '--runs', '5', '--range', '1,2');
    expect(none.out).not.toContain('WARNING');
  });

  it('draws within a range, and says it in the line that finds a failure again', () => {
    const { code, out } = gradcheck(`${module}#log`, '--shape', '4,6', '--range', '0.1,10', '--runs', '5');
    expect(code).toBe(0);
    expect(out).toContain('120 elements compared, 0 left open');
    const wrong = gradcheck(`${module}#wrongLog`, '--shape', '3', '--range', '0.1,10');
    expect(wrong.code).toBe(1);
    const line = /^again: npx poolproof gradcheck (.*)$/m.exec(wrong.out)![1];
    expect(line).toContain(' --range x=0.1,10 ');
    expect(gradcheck(...line.split(' ')).out).toBe(wrong.out);
  });

  it('says with exit code 5 that nothing was compared', () => {
    const { code, out } = gradcheck(`${module}#nan`, '--shape', '3', '--runs', '2');
    expect(code).toBe(5);
    expect(out).toContain('NOTHING COMPARED');
    expect(out).not.toContain('passed');
  });

  it('writes the report, with what JSON has no number for', () => {
    const file = join(folder, 'report.json');
    expect(gradcheck(`${module}#right`, '--shape', '2,2', '--json', file).code).toBe(0);
    const report = JSON.parse(readFileSync(file, 'utf8'));
    expect(report).toMatchObject({ passed: true, dtype: 'f64', inputs: [{ name: 'x', compared: 4 }] });
  });

  it('writes runs, counts, and of a failure its inputs and the path to them', () => {
    const file = join(folder, 'failed.json');
    const { code, out } = gradcheck(`${module}#wrong`, '--shape', '4,6', '--json', file);
    expect(code).toBe(1);
    const { path, drawn, failures, counts, runs } = JSON.parse(readFileSync(file, 'utf8'));
    expect(out).toContain(`--path ${path}\n`);
    expect(drawn).toMatchObject({ shapes: { x: [1, 1] }, inputs: { x: [0] } });
    expect(failures[0]).toMatchObject({ code: 'gradient', input: 'x', index: [0, 0], at: 0, dy: expect.any(Number) });
    expect(counts.compared).toBeGreaterThan(0);
    expect(runs).toBeGreaterThan(0);
  });

  it('draws an axis that is named for x', () => {
    expect(gradcheck(`${module}#right`, '--shape', 'x=n', '--runs', '3').code).toBe(0);
  });

  it('makes no folder for a report: exit code 4', () => {
    const file = join(folder, 'absent', 'deep', 'report.json');
    const { code, out, err } = gradcheck(`${module}#right`, '--shape', '2', '--json', file);
    expect([code, out]).toEqual([4, '']);
    expect(err).toBe(`error: --json expected a file in a folder that is there, got ${file}\n`);
    expect(existsSync(join(folder, 'absent'))).toBe(false);
  });

  it.each([
    [['#right'], /^error: expected --shape, since the target declares none, got none$/m],
    [['#right', '--shape', 'abc'], 'Expected lengths, or the name of an axis as in x=n or n,64, got abc.'],
    [['#right', '--shape', 'Infinity'], 'Expected lengths, or the name of an axis as in x=n or n,64, got Infinity.'],
    [['#right', '--shape', 'x=4,NaN'], 'Expected lengths, or the name of an axis as in x=n or n,64, got NaN.'],
    [
      ['#nope', '--shape', '2'],
      /^error: "nope" is no export of \S+, expected dense, dense12, derivativeThrows, exits, exitsAfter, kinksThrow, log, nan,/,
    ],
    [['', '--shape', '2'], '"default" is no export of '],
    [['#right#wrong', '--shape', '2'], 'expected a file and its export, ./layer.js#name, got "'],
    [['#', '--shape', '2'], 'expected a file and its export, ./layer.js#name, got "'],
    [['#nothing', '--shape', '2'], 'a tf.layers layer, got undefined'],
    [['#number', '--shape', '2'], '"target" expected an object with forward and vjp'],
    [['#right', '--shape', '2,,3'], 'Expected lengths separated by commas, such as 32,64 or alpha=2,64.'],
    [['#right', '--shape', 'x=2', '--shape', 'z=3,1', '--path', 'q'], 'Expected integers separated by colons'],
    [['#right', '--shape', '4', '--runs', '0'], 'Expected an integer from 1 to 1000000'],
    [
      ['#dense', '--shape', 'x=n,2'],
      /^error: --shape expected lengths alone for the input x of a layer, got \["n", 2\]$/m,
    ],
    [['#right', '--shape', '100000,100000'], '--shape x expected at most 16777216 elements, got 10000000000'],
    [
      ['#right', '--shape', '99999999999999999999'],
      '--shape x expected lengths or names of axes, got [100000000000000000000]',
    ],
    [['#right', '--shape', 'constructor=3'], /--shape .* Expected the name of an input, got constructor/],
    [['#right', '--shape', '__proto__=3'], /--shape .* Expected the name of an input, got __proto__/],
    [['#right', '--shape', '2x3'], 'Expected lengths separated by commas'],
    [['#right', '--shape', '2', '--shape', '3'], 'Expected one shape of x, got two'],
    [['#right', '--shape', '2', '--range', '2,1'], 'Expected the least and the largest value, such as 0.1,10'],
    [['#right', '--shape', '2', '--range', ' ,1'], 'Expected the least and the largest value, such as 0.1,10'],
    [['#right', '--shape', '2', '--range', 'x=1'], 'Expected the least and the largest value, such as 0.1,10'],
    [['#right', '--shape', '2', '--range', '0,1', '--range', 'x=0,2'], 'Expected one range of x, got two'],
    [['#right', '--shape', '2', '--range', 'z=0,1'], /^error: --range expected names among x, got z$/m],
    [
      ['#right', '--shape', '2', '--path', '3:9999'],
      /^error: --path expected the way to inputs of this seed, got "3:9999"$/m,
    ],
  ] as [string[], string | RegExp][])('%j is a usage error of one sentence', ([name, ...args], message) => {
    const { code, out, err } = gradcheck(`${module}${name}`, ...args);
    expect(err).toMatch(message);
    expect(out).toBe('');
    expect(code).toBe(2);
  });

  it('a module that is not there is a usage error, a function that throws exit code 3', () => {
    const absent = gradcheck(join(folder, 'absent.js'), '--shape', '2');
    expect([absent.code, absent.err]).toEqual([2, expect.stringContaining('absent.js')]);
    const threw = gradcheck(`${module}#thrower`, '--shape', '2');
    expect([threw.code, threw.err]).toEqual([3, 'error: vjp threw: out of order\n']);
  });

  it.each([
    ['kinksThrow', 'kinks.x'],
    ['derivativeThrows', 'kinks.x.derivative'],
    ['shapeThrows', 'outputShape'],
    ['roundingThrows', 'rounding.forward'],
  ])('so is %s', (name, what) => {
    const threw = gradcheck(`${module}#${name}`, '--shape', '32');
    expect([threw.code, threw.err]).toEqual([3, `error: ${what} threw: out of order\n`]);
  });

  it('a function that throws since it has no such input, says which were given', () => {
    const unknown = gradcheck(`${module}#dense12`, '--shape', 'z=3');
    expect([unknown.code, unknown.err]).toEqual([3, expect.stringContaining('(given the inputs z)')]);
  });

  it('without a file there is nothing to load', () => {
    const { code, err } = gradcheck('', '--shape', '2');
    expect([code, err]).toEqual([2, 'error: expected a file and its export, ./layer.js#name, got ""\n']);
  });

  it.each([
    ['exits', 'error: the process was ended before the check was done'],
    ['never', 'error: a promise never settled before the check was done'],
    ['throwsLater', 'error: the process was ended before the check was done'],
  ])('%s is not taken for a verdict: exit code 3', (name, message) => {
    const { code, out, err } = gradcheck(`${module}#${name}`, '--shape', '2');
    expect(err).toContain(message);
    expect(out).toBe('');
    expect(code).toBe(3);
  });

  it('a verdict stays, though the module ends the process after it', () => {
    expect(gradcheck(`${module}#exitsAfter`, '--shape', '64').code).toBeGreaterThan(0);
  });
});
