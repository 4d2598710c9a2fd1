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

  it('draws each length from 1 to the longest, and each way to be special on both sides', () => {
    const lengths = (longest?: number) => {
      const options = { shapes: { x: ['n', 3] }, ...(longest !== undefined && { longest }) };
      const all = fc.sample(drawnInputs(options), { seed: 3, numRuns: 300 });
      expect(all.every(({ shapes: of }) => of.x![1] === 3)).toBe(true);
      return [...new Set(all.map(({ shapes: of }) => of.x![0]!))].sort((a, b) => a - b);
    };
    expect(lengths()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(lengths(2)).toEqual([1, 2]);
    const [{ inputs }] = fc.sample(drawnInputs({ shapes: { x: [20_000] }, kinks: [100] }), { seed: 4, numRuns: 1 }) as [
      DrawnInputs,
    ];
    const share = (is: (v: number) => boolean) => inputs.x!.filter(is).length / 20_000;
    expect(share((v) => v === 100)).toBeCloseTo(0.12, 1.5);
    for (const sign of [1, -1]) {
      const beside = (v: number) => sign * (v - 100) > 0 && Math.abs(v - 100) <= 2 ** -4;
      expect(share(beside)).toBeCloseTo(0.04, 1.5);
      expect(share((v) => beside(v) && Math.abs(v - 100) < 2 ** -25)).toBeGreaterThan(0.002);
      expect(share((v) => sign * v > 0 && Math.log2(sign * v) % 1 === 0)).toBeCloseTo(0.065, 1.5);
      expect(share((v) => v === sign * 16)).toBeGreaterThan(0.004);
      expect(share((v) => v === sign / 16)).toBeGreaterThan(0.004);
      // The others lie in ±[0, 4).
      expect(share((v) => sign * v > 2 && sign * v < 4)).toBeCloseTo(0.034, 1.7);
      expect(share((v) => sign * v > 0 && sign * v < 0.25)).toBeGreaterThan(0.1);
      expect(share((v) => sign * v >= 4 && v < 99 && Math.log2(sign * v) % 1 !== 0)).toBe(0);
    }
  });

  it('draws about 0 where no kinks are given, or none', () => {
    for (const options of [{}, { kinks: [] }]) {
      const [{ inputs }] = fc.sample(drawnInputs({ shapes: { x: [2000] }, ...options }), { seed: 5, numRuns: 1 }) as [
        DrawnInputs,
      ];
      expect(inputs.x!.filter((v) => v === 0).length).toBeGreaterThan(150);
    }
  });

  it('takes lengths of 0 and no axes at all, and refuses what is no shape', () => {
    expect(fc.sample(drawnInputs({ shapes: { x: [0, 'n'], s: [] } }), { seed: 1, numRuns: 1 })[0]).toMatchObject({
      inputs: { x: new Float64Array(0), s: { length: 1 } },
    });
    for (const shape of [['n', -1], [1.5], [''], [null], 'n', 3] as never[]) {
      expect(() => drawnInputs({ shapes: { s: [], x: shape } })).toThrow(
        `drawnInputs: "shapes.x" expected lengths or names of axes, got ${JSON.stringify(shape)}`,
      );
    }
  });
});

describe('shrinking', () => {
  const shrunk = (value: DrawnInputs) =>
    [...drawnInputs({ shapes }).shrink(value, undefined)].map((smaller) => smaller.value);

  it('takes one index of an axis, then leaves out each; all inputs with the axis at once', () => {
    const value = {
      shapes: { x: [1, 3], alpha: [2, 3] },
      inputs: { x: new Float64Array(3), alpha: Float64Array.of(0, 1, 0, 0, 0, 1) },
    };
    const axes = shrunk(value).filter(({ shapes: of }) => of.x![1] !== 3);
    expect(axes.map(({ shapes: of, inputs }) => [of.x, of.alpha, [...inputs.x!], [...inputs.alpha!]])).toEqual([
      [[1, 1], [2, 1], [0], [0, 0]],
      [
        [1, 2],
        [2, 2],
        [0, 0],
        [1, 0, 0, 1],
      ],
      [
        [1, 2],
        [2, 2],
        [0, 0],
        [0, 0, 0, 1],
      ],
      [
        [1, 2],
        [2, 2],
        [0, 0],
        [0, 1, 0, 0],
      ],
    ]);
    // An axis of length 1 stays, and so does one that is not drawn.
    expect(shrunk(value).every(({ shapes: of }) => of.x![0] === 1 && of.alpha![0] === 2)).toBe(true);
  });

  it('then makes single elements simpler, in place', () => {
    const value = {
      shapes: { x: [1, 1], alpha: [2, 1] },
      inputs: { x: Float64Array.of(1), alpha: Float64Array.of(0, -1) },
    };
    expect(shrunk(value).map(({ inputs }) => [...inputs.x!, ...inputs.alpha!])).toEqual([
      [0, 0, -1],
      [1, 0, 0],
      [1, 0, 1],
    ]);
    expect(shrunk(value).every(({ shapes: of }) => of === value.shapes)).toBe(true);
    expect(shrunk({ shapes: { x: [1, 1] }, inputs: { x: Float64Array.of(0) } })).toEqual([]);
  });

  it('is for inputs, wherever they come from', () => {
    const arbitrary = drawnInputs({ shapes });
    expect(arbitrary.canShrinkWithoutContext({ shapes: {}, inputs: {} })).toBe(true);
    for (const other of [null, undefined, 3, {}, 'inputs']) {
      expect(arbitrary.canShrinkWithoutContext(other)).toBe(false);
    }
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
    expect(again.runs).toBe(1);
    // The start of the path is what was drawn.
    const drawn = await gradcheckRun(wrong, { shapes }, { seed: 3, path: found.path!.split(':')[0]! });
    expect(drawn.report.passed).toBe(false);
    expect(drawn.inputs.inputs.x!.length).toBeGreaterThan(1);
  });

  it('asks again for the inputs of a path alone, though they pass', async () => {
    const { report, runs, inputs } = await gradcheckRun(pap, { shapes }, { seed: 3, path: '4' });
    expect([report.passed, runs]).toEqual([true, 1]);
    const five = await gradcheckRun(pap, { shapes }, { seed: 3, runs: 5 });
    expect(inputs).toEqual(five.inputs);
  });

  it('is a property for fc.assert', async () => {
    await fc.assert(gradcheckProperty(pap, { shapes }), { numRuns: 20, seed: 1 });
    await expect(fc.assert(gradcheckProperty(wrong, { shapes }), { numRuns: 50, seed: 1 })).rejects.toThrow(
      'Property failed after 1 tests',
    );
  });

  it('refuses a count that is none', async () => {
    for (const runs of [0, 1.5, -1, Number.NaN]) {
      await expect(gradcheckRun(pap, { shapes }, { runs })).rejects.toThrow(
        `gradcheckRun: "runs" expected an integer from 1, got ${runs}`,
      );
    }
  });

  it('draws twenty inputs of seed 1 unless told otherwise, in the dtype of the function', async () => {
    const drawn: DrawnInputs[] = [];
    const f: Differentiable = { ...elementwiseLayer('relu', elementwise.relu!), dtype: 'f32' };
    const run = await gradcheckRun(f, { shapes: { x: [5] } });
    expect(run).toMatchObject({ runs: 20, seed: 1, path: undefined });
    expect(run.report).toMatchObject({ seed: 1, dtype: 'f32', outputShape: [5] });
    await fc.assert(
      gradcheckProperty(f, { shapes: { x: [5] } }, {}, (report, of) => {
        expect(report.passed).toBe(true);
        drawn.push(of);
      }),
      { seed: 1, numRuns: 20 },
    );
    // The report is of the last.
    expect(run.inputs).toEqual(drawn[19]);
    for (const { inputs } of drawn) expect(inputs.x!.map(Math.fround)).toEqual(inputs.x);
    const other = await gradcheckRun(f, { shapes: { x: [5] } }, { runs: 1, seed: 2 });
    expect([other.runs, other.seed, other.report.seed]).toEqual([1, 2, 2]);
    expect(other.inputs).not.toEqual(drawn[0]);
  });

  it('joins the drawn shapes with those that are declared', async () => {
    const sum: Differentiable = {
      shapes: { y: [1, 1] },
      forward: ({ x }) => Float64Array.of(x!.reduce((a, b) => a + b, 0)),
      vjp: ({ x }, dy) => ({ x: x!.map(() => dy[0]!) }),
    };
    const { report } = await gradcheckRun(sum, { shapes: { x: [2, 3] } }, { runs: 1 });
    expect([report.passed, report.outputShape, report.inputs[0]!.shape]).toEqual([true, [1, 1], [2, 3]]);
    const asked = await gradcheckRun(sum, { shapes: { x: [2, 3] } }, { runs: 1, shapes: { y: [1] } });
    expect(asked.report.outputShape).toEqual([1]);
  });

  it('fails with the report and the inputs', async () => {
    const reports: boolean[] = [];
    const property = gradcheckProperty(wrong, { shapes }, {}, ({ passed }) => reports.push(passed));
    const { errorInstance } = await fc.check(property, { seed: 1, numRuns: 50, endOnFailure: true });
    expect(errorInstance).toMatchObject({
      message: 'gradcheck doubled where x > 1 failed',
      report: { passed: false },
      drawn: { shapes: { alpha: [2, expect.any(Number)] } },
    });
    expect(reports.at(-1)).toBe(false);
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
