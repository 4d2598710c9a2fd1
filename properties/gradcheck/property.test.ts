import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Differentiable, Tensors } from './differentiable.ts';
import { elementwise, elementwiseLayer, papLayer } from './layers-for-tests.ts';
import { type DrawnInputs, drawnInputs, gradcheckProperty, gradcheckRun } from './property.ts';

const shapes = { x: ['n', 'c'], alpha: [2, 'c'] };

/** A PAP of any number of units: alpha tells how many. */
const pap: Differentiable = {
  name: 'pap',
  forward: (inputs, of) => papLayer(inputs.alpha!.length / 2).forward(inputs, of),
  vjp: (inputs, dy, of) => papLayer(inputs.alpha!.length / 2).vjp(inputs, dy, of),
};

describe('drawnInputs', () => {
  const drawn = (seed: number, dtype: 'f64' | 'f32' = 'f64') =>
    fc.sample(drawnInputs({ shapes, dtype, kinks: [0, 6] }), { seed, numRuns: 300 });

  it('gives axes of one name one length, and values of the dtype', () => {
    for (const { shapes: of, inputs } of drawn(1, 'f32')) {
      expect(of.alpha).toEqual([2, of.x![1]]);
      expect(inputs.x).toHaveLength(of.x![0]! * of.x![1]!);
      expect(inputs.alpha).toHaveLength(2 * of.x![1]!);
      for (const v of [...inputs.x!, ...inputs.alpha!]) expect(Math.fround(v)).toBe(v);
    }
  });

  it('gives the same for the same seed', () => {
    expect(drawn(5)).toEqual(drawn(5));
    expect(drawn(5)).not.toEqual(drawn(6));
  });

  it('draws a third of the elements on a kink, beside one, or as powers of two', () => {
    const values = drawn(2).flatMap(({ inputs }) => [...inputs.x!, ...inputs.alpha!]);
    const isSpecial = (v: number) =>
      [0, 6].some((kink) => Math.abs(v - kink) <= 2 ** -4) || Number.isInteger(Math.log2(Math.abs(v)));
    expect(values.filter(isSpecial).length / values.length).toBeGreaterThan(0.3);
    for (const kink of [0, 6]) expect(values).toContain(kink);
  });

  it('refuses what is no shape', () => {
    expect(() => drawnInputs({ shapes: { x: ['n', -1] } })).toThrow(
      'drawnInputs: "shapes.x" expected lengths or names of axes, got ["n",-1]',
    );
  });
});

describe('gradcheckRun', () => {
  const wrong: Differentiable = {
    ...pap,
    name: 'doubled where x > 1',
    async vjp(inputs, dy, of) {
      const right = (await pap.vjp(inputs, dy, of)) as Tensors;
      return { ...right, x: right.x!.map((d, i) => (inputs.x![i]! > 1 ? 2 * d : d)) };
    },
  };

  it('passes a right layer', async () => {
    const { report, runs, path } = await gradcheckRun(pap, { shapes }, { runs: 30 });
    expect([report.passed, runs, path]).toEqual([true, 30, undefined]);
  });

  it('shrinks to one element, and finds it again by its path', async () => {
    const found = await gradcheckRun(wrong, { shapes }, { runs: 50, seed: 3 });
    expect(found.report.passed).toBe(false);
    expect(found.inputs.shapes).toEqual({ x: [1, 1], alpha: [2, 1] });
    expect(found.inputs.inputs.x![0]).toBeGreaterThan(1);
    const again = await gradcheckRun(wrong, { shapes }, { seed: 3, path: found.path! });
    expect(again.inputs).toEqual(found.inputs);
    expect(again.report).toEqual(found.report);
  });

  it('is a property for fc.assert', async () => {
    await fc.assert(gradcheckProperty(pap, { shapes }), { numRuns: 20, seed: 1 });
    await expect(fc.assert(gradcheckProperty(wrong, { shapes }), { numRuns: 50, seed: 1 })).rejects.toThrow(
      'Property failed after 1 tests',
    );
  });

  it('refuses a count that is none', async () => {
    await expect(gradcheckRun(pap, { shapes }, { runs: 0 })).rejects.toThrow(
      'gradcheckRun: "runs" expected an integer from 1, got 0',
    );
  });

  it('throws what the function throws', async () => {
    const throws: Differentiable = {
      ...elementwiseLayer('relu', elementwise.relu!),
      vjp: () => {
        throw new Error('out of memory');
      },
    };
    await expect(gradcheckRun(throws, { shapes: { x: ['n'] } })).rejects.toThrow('vjp threw: out of memory');
  });

  it('shrinks along every axis of a name, also two of one input', async () => {
    const square: Differentiable = {
      forward: ({ x }) => x!.map(Math.sin),
      vjp: ({ x }, dy) => ({ x: x!.map((v, i) => Math.cos(v) * dy[i]! * (i === x!.length - 1 ? 2 : 1)) }),
    };
    const found: DrawnInputs = (await gradcheckRun(square, { shapes: { x: ['n', 'n'] } }, { seed: 1 })).inputs;
    expect(found.shapes.x).toEqual([1, 1]);
  });
});
