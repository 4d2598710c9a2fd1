import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BranchName, Constraint, Pool, Sharing } from './case.ts';
import { mreluForward, mreluSettings, mreluVjp } from './mrelu.ts';
import { initialAlpha, parameterLayout } from './parameters.ts';
import { doubleVjp, forward, jvp, vjp } from './pool.ts';

const pool = (branches: BranchName[], sharing: Sharing = 'layer', constraint: Constraint = { kind: 'free' }): Pool => ({
  branches,
  sharing,
  constraint,
});
const f64 = (...values: number[]) => Float64Array.from(values);

describe('special values (spec §3)', () => {
  const value = (name: BranchName, x: number) =>
    forward({ pool: pool([name]), shape: [1], x: f64(x), alpha: f64(1) })[0];
  const slope = (name: BranchName, x: number) =>
    vjp({ pool: pool([name]), shape: [1], x: f64(x), alpha: f64(1), dy: f64(1) }).dx[0];

  // name: f(0), f(∞), f(-∞), f′(0), f(η)
  const table: [BranchName, number, number, number, number, number][] = [
    ['relu', 0, Infinity, 0, 0, 5e-324],
    ['step', 0, 1, 0, 0, 1],
    ['halfSquare', 0, Infinity, 0, 0, 0],
    ['negative', 0, 0, -Infinity, 0, 0],
    ['identity', 0, Infinity, -Infinity, 1, 5e-324],
    ['tanh', 0, 1, -1, 1, 5e-324],
    ['sigmoid', 0.5, 1, 0, 0.25, 0.5],
    ['softplus', Math.log(2), Infinity, 0, 0.5, Math.log(2)],
  ];
  it.each(table)('%s', (name, atZero, atInfinity, atMinusInfinity, slopeAtZero, atSmallest) => {
    expect(value(name, NaN)).toBeNaN();
    for (const zero of [0, -0]) {
      expect(value(name, zero) + 0).toBe(atZero);
      expect(slope(name, zero) + 0).toBe(slopeAtZero);
    }
    expect(value(name, Infinity) + 0).toBe(atInfinity);
    expect(value(name, -Infinity) + 0).toBe(atMinusInfinity);
    expect(value(name, 5e-324) + 0).toBe(atSmallest);
  });

  it('an empty batch has a dalpha of zeros', () => {
    const empty = {
      pool: pool(['relu', 'step'], 'unit'),
      shape: [0, 3],
      x: f64(),
      alpha: new Float64Array(6),
      dy: f64(),
    };
    expect(forward(empty)).toEqual(f64());
    expect(vjp(empty)).toEqual({ dx: f64(), dalpha: new Float64Array(6) });
  });
});

describe('sharing (spec §1)', () => {
  it.each<[Sharing, number[], number[]]>([
    ['layer', [2, 3, 4], [2]],
    ['channel', [2, 3, 4], [2, 4]],
    ['unit', [2, 3, 4], [2, 3, 4]],
    [{ sharedAxes: [1] }, [2, 3, 4], [2, 1, 4]],
    [{ sharedAxes: [1, 2] }, [2, 3, 4], [2, 1, 1]],
    ['unit', [5], [2]],
    ['channel', [5, 3], [2, 3]],
  ])('%j over %j has alpha of shape %j', (sharing, shape, alphaShape) => {
    expect(parameterLayout(pool(['relu', 'step'], sharing), shape).alphaShape).toEqual(alphaShape);
  });

  it('of an empty batch lists no units, of which there may be too many', () => {
    const { units, positionOf } = parameterLayout(pool(['relu'], 'unit'), [0, 3]);
    expect([units, positionOf.length]).toEqual([3, 0]);
  });

  it('sharedAxes picks the coefficient of the axes that are left', () => {
    const shape = [1, 2, 2];
    const x = f64(1, 1, 1, 1);
    expect(forward({ pool: pool(['relu'], { sharedAxes: [1] }), shape, x, alpha: f64(3, 5) })).toEqual(f64(3, 5, 3, 5));
    expect(forward({ pool: pool(['relu'], { sharedAxes: [2] }), shape, x, alpha: f64(3, 5) })).toEqual(f64(3, 3, 5, 5));
  });

  it('starts alpha at 1/n', () => {
    expect(initialAlpha(pool(['relu', 'step'], 'unit'), [7, 2])).toEqual(f64(0.5, 0.5, 0.5, 0.5));
  });
});

describe('softmax', () => {
  const constraint: Constraint = { kind: 'softmax' };
  const alphas = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 3, maxLength: 3 });
  const given = (alpha: number[]) => ({
    pool: pool(['relu', 'tanh', 'identity'], 'layer', constraint),
    shape: [3],
    x: f64(0.5, -1.25, 2),
    dy: f64(1, 0.5, -2),
    alpha: f64(...alpha),
  });
  const h = 1e-5;
  const moved = (alpha: number[], k: number, by: number) => alpha.map((a, i) => (i === k ? a + by : a));

  it('has coefficients that sum to 1, also for huge alpha', () => {
    const ones = { pool: pool(['step', 'step', 'step'], 'layer', constraint), shape: [1], x: f64(1) };
    expect(forward({ ...ones, alpha: f64(1000, 0, -1000) })[0]).toBe(1);
    fc.assert(
      fc.property(alphas, (alpha) => {
        expect(forward({ ...ones, alpha: f64(...alpha) })[0]).toBeCloseTo(1, 15);
      }),
    );
  });

  it('has the gradient of its values, first and second, by differences', () => {
    fc.assert(
      fc.property(alphas, (alpha) => {
        const { dalpha } = vjp(given(alpha));
        const talpha = f64(1, -0.5, 2);
        const second = doubleVjp(given(alpha), { ddx: f64(1, 2, -1), ddalpha: talpha });
        const loss = (a: number[]) => forward(given(a)).reduce((sum, y, i) => sum + y * given(a).dy[i], 0);
        const gradient = (a: number[]) => {
          const { dx, dalpha: da } = vjp(given(a));
          return dx[0] + 2 * dx[1] - dx[2] + da.reduce((sum, d, k) => sum + d * talpha[k], 0);
        };
        for (const k of [0, 1, 2]) {
          const difference = (f: (a: number[]) => number) => (f(moved(alpha, k, h)) - f(moved(alpha, k, -h))) / (2 * h);
          // h²·|f‴| / 6 with derivatives of softmax below 8, and rounding below 1e-15 / h.
          expect(Math.abs(difference(loss) - dalpha[k])).toBeLessThan(1e-8);
          expect(Math.abs(difference(gradient) - second.toAlpha[k])).toBeLessThan(1e-8);
        }
        const ty = jvp(given(alpha), { tx: f64(0, 0, 0), talpha });
        const left = ty.reduce((sum, t, i) => sum + t * given(alpha).dy[i], 0);
        expect(left).toBeCloseTo(
          dalpha.reduce((sum, d, k) => sum + d * talpha[k], 0),
          12,
        );
      }),
    );
  });
});

describe('mreluForward and mreluVjp', () => {
  it('has its two settings by name, with P + D = 1', () => {
    for (const { P, D } of Object.values(mreluSettings)) expect(P + D).toBe(1);
    expect(mreluForward(f64(-1, 0, 1, 2), 0.5)).toEqual(f64(0, 0, 1, 1.5));
    expect(mreluVjp(f64(-1, 0, 1, 2), 0.5, f64(4, 4, 4, 4))).toEqual(f64(0, 0, 2, 2));
  });

  it('names P when it is wrong', () => {
    expect(() => mreluForward(f64(1), NaN)).toThrow(
      new RangeError('mreluForward: "P" expected a finite number, got NaN'),
    );
    expect(() => mreluForward(f64(1), '0.5' as never)).toThrow(
      new TypeError('mreluForward: "P" expected a number, got string'),
    );
    expect(() => mreluForward([1] as never, 0.5)).toThrow(TypeError);
  });
});

describe('bad input names the argument, what was expected and what came', () => {
  const good = {
    pool: pool(['relu', 'step'], 'unit'),
    shape: [2, 3],
    x: new Float64Array(6),
    alpha: new Float64Array(6),
  };
  it.each<[string, object, string]>([
    ['x too short', { x: new Float64Array(5) }, 'RangeError: forward: "x" expected shape [2, 3], 6 elements, got 5'],
    [
      'alpha too long',
      { alpha: new Float64Array(8) },
      'RangeError: forward: "alpha" expected shape [2, 3], 6 elements, got 8',
    ],
    [
      'x of another kind',
      { x: new Float32Array(6) },
      'TypeError: forward: "x" expected a Float64Array, got a Float32Array',
    ],
    ['rank 0', { shape: [] }, 'RangeError: pool: "shape" expected rank 1 or more, got []'],
    ['negative size', { shape: [-1, 3] }, 'RangeError: pool: "shape" expected non-negative integers, got [-1, 3]'],
    ['shape of another kind', { shape: '2,3' }, 'TypeError: pool: "shape" expected an array, got string'],
    ['no branches', { pool: pool([]) }, 'RangeError: pool: "branches" expected at least one branch, got []'],
    [
      'unknown branch',
      { pool: pool(['gelu' as 'relu']) },
      'RangeError: pool: "branches" expected names among relu, step, halfSquare, negative, identity, tanh, sigmoid, softplus, got "gelu"',
    ],
    [
      'prototype branch',
      { pool: pool(['constructor' as 'relu']) },
      'RangeError: pool: "branches" expected names among relu, step, halfSquare, negative, identity, tanh, sigmoid, softplus, got "constructor"',
    ],
    [
      'unknown sharing',
      { pool: pool(['relu'], 'row' as 'unit') },
      'RangeError: pool: "sharing" expected layer, channel, unit or { sharedAxes }, got "row"',
    ],
    [
      'channel of rank 1',
      { pool: pool(['relu'], 'channel'), shape: [6] },
      'RangeError: pool: "sharing" "channel" expected a shape of rank 2 or more, got [6]',
    ],
    [
      'batch axis shared',
      { pool: pool(['relu'], { sharedAxes: [0] }) },
      'RangeError: pool: "sharedAxes" expected axes from 1 to 1, got 0',
    ],
    [
      'axis out of range',
      { pool: pool(['relu'], { sharedAxes: [2] }) },
      'RangeError: pool: "sharedAxes" expected axes from 1 to 1, got 2',
    ],
    [
      'axis twice',
      { pool: pool(['relu'], { sharedAxes: [1, 1] }) },
      'RangeError: pool: "sharedAxes" expected different integers, got [1, 1]',
    ],
    [
      'axes of another kind',
      { pool: pool(['relu'], { sharedAxes: 1 as never }) },
      'TypeError: pool: "sharedAxes" expected an array, got number',
    ],
    [
      'unknown constraint',
      { pool: pool(['relu'], 'unit', { kind: 'simplex' as 'free' }) },
      'RangeError: pool: "constraint" expected free, fixed, sumToOne, softmax or clip, got "simplex"',
    ],
    [
      'constraint of another kind',
      { pool: pool(['relu'], 'unit', 'clip' as never) },
      'TypeError: pool: "constraint" expected an object with a kind, got string',
    ],
    [
      'too few bounds',
      { pool: pool(['relu', 'step'], 'unit', { kind: 'clip', bounds: [1] }) },
      'RangeError: pool: "bounds" expected 2 numbers b ≥ 0, got [1]',
    ],
    [
      'negative bound',
      { pool: pool(['relu'], 'unit', { kind: 'clip', bounds: [-1] }) },
      'RangeError: pool: "bounds" expected 1 numbers b ≥ 0, got [-1]',
    ],
    [
      'NaN bound',
      { pool: pool(['relu'], 'unit', { kind: 'clip', bounds: [NaN] }) },
      'RangeError: pool: "bounds" expected 1 numbers b ≥ 0, got [NaN]',
    ],
    [
      'no bounds',
      { pool: pool(['relu'], 'unit', { kind: 'clip' } as never) },
      'TypeError: pool: "bounds" expected an array of 1 numbers, got undefined',
    ],
    ['no pool', { pool: null }, 'TypeError: pool: expected an object, got null'],
  ])('%s', (_, wrong, message) => {
    let thrown: unknown;
    try {
      forward({ ...good, ...wrong } as never);
    } catch (error) {
      thrown = error;
    }
    expect(String(thrown)).toBe(message);
  });

  it('checks dy, tangents and cotangents too', () => {
    expect(() => vjp({ ...good, dy: new Float64Array(5) })).toThrow(
      'vjp: "dy" expected shape [2, 3], 6 elements, got 5',
    );
    const tangents = { tx: new Float64Array(6), talpha: new Float64Array(2) };
    expect(() => jvp(good, tangents)).toThrow('jvp: "talpha" expected shape [2, 3], 6 elements, got 2');
    const cotangents = { ddx: new Float64Array(6), ddalpha: new Float64Array(2) };
    expect(() => doubleVjp({ ...good, dy: good.x }, cotangents)).toThrow('doubleVjp: "ddalpha" expected shape [2, 3]');
  });
});
