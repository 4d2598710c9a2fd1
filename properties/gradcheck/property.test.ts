import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Differentiable, Tensors } from './differentiable.ts';
import type { DrawnInputs } from './drawn-inputs.ts';
import { elementwise, elementwiseLayer, papLayer } from './layers-for-tests.ts';
import { gradcheckProperty, gradcheckRun } from './property.ts';

const shapes = { x: ['n', 'c'], alpha: [2, 'c'] };

/** A PAP of any number of units: alpha tells how many. */
const pap: Differentiable = {
  name: 'pap',
  forward: (inputs, of) => papLayer(inputs.alpha.length / 2).forward(inputs, of),
  vjp: (inputs, dy, of) => papLayer(inputs.alpha.length / 2).vjp(inputs, dy, of),
};

describe('gradcheckRun', () => {
  const wrong: Differentiable = {
    ...pap,
    name: 'doubled where x > 1',
    async vjp(inputs, dy, of) {
      const right = (await pap.vjp(inputs, dy, of)) as Tensors;
      return { ...right, x: right.x.map((d, i) => (inputs.x[i] > 1 ? 2 * d : d)) };
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
    expect(found.inputs.inputs.x[0]).toBeGreaterThan(1);
    const again = await gradcheckRun(wrong, { shapes }, { seed: 3, path: found.path! });
    expect(again.inputs).toEqual(found.inputs);
    expect(again.report).toEqual(found.report);
    expect(again.runs).toBe(1);
    // The start of the path is what was drawn.
    const drawn = await gradcheckRun(wrong, { shapes }, { seed: 3, path: found.path!.split(':')[0] });
    expect(drawn.report.passed).toBe(false);
    expect(drawn.inputs.inputs.x.length).toBeGreaterThan(1);
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
      /^Property failed after \d tests/,
    );
  });

  it('says what is wrong in the cause of what fc.assert throws, and in its message where that is asked for', async () => {
    const property = () => gradcheckProperty(wrong, { shapes });
    const error: Error = await fc.assert(property(), { seed: 1, numRuns: 50 }).catch((thrown) => thrown);
    const { message } = error.cause as Error;
    expect(message).toMatch(/^gradcheck doubled where x > 1: FAILED/);
    expect(message.replaceAll(/\n +/g, ' ')).toMatch(/FAIL dx\[0, 0\] of vjp .* x\[0, 0\] = \S+, dy \S+: derivative /);
    expect(message.split('\n').length).toBeLessThanOrEqual(12);
    const reported = fc.assert(property(), { seed: 1, numRuns: 50, includeErrorInReport: true });
    await expect(reported).rejects.toThrow(/FAIL dx\[0, 0\] of vjp/);
  });

  it.each<[string, unknown[], string]>([
    ['no function', [undefined, { shapes }], '"f" expected an object with forward and vjp, got undefined'],
    [
      'half of one',
      [{ forward: pap.forward, vpj: pap.vjp }, { shapes }],
      '"f" expected an object with forward and vjp, got an object without vjp',
    ],
    ['no draw', [pap], '"draw" expected an object, got undefined'],
    ['no shapes', [pap, {}], '"shapes" expected an object of shapes by the names of inputs, got undefined'],
    [
      'an unknown part of draw',
      [pap, { shape: [3] }],
      '"draw" expected shapes, dtype, kinks, onKinks, ranges, longest, got "sha',
    ],
    [
      'a misspelt part of draw',
      [pap, { shapes, longst: 3 }],
      '"draw" expected shapes, dtype, kinks, onKinks, ranges, longest, got "l',
    ],
    [
      'shapes without names',
      [pap, { shapes: [[3]] }],
      '"shapes" expected an object of shapes by the names of inputs, got [[3]]',
    ],
    ['a shape', [pap, { shapes: { x: 3 } }], '"shapes.x" expected lengths or names of axes, got 3'],
    ['a share', [pap, { shapes, onKinks: 5 }], '"onKinks" expected a share from 0 to 1, got 5'],
    [
      'kinks',
      [pap, { shapes, kinks: ['a'] }],
      '"kinks" expected an array of finite numbers, or a function of one, got ["a"]',
    ],
    ['a length', [pap, { shapes, longest: 0 }], '"longest" expected an integer from 1, got 0'],
    ['a dtype', [pap, { shapes, dtype: 'f16' }], '"dtype" expected f64 or f32, got "f16"'],
    ['an option', [pap, { shapes }, { onKink: 'open' }], '"options" expected shapes, structure,'],
    ['options', [pap, { shapes }, null], '"options" expected an object, got null'],
  ])('refuses %s', async (_name, given, message) => {
    const property = () => gradcheckProperty(...(given as Parameters<typeof gradcheckProperty>));
    expect(property).toThrow(`gradcheckProperty: ${message}`);
    const run = gradcheckRun(...(given as Parameters<typeof gradcheckRun>));
    await expect(run).rejects.toThrow(`gradcheckRun: ${message}`);
  });

  it('refuses a listener that is none', () => {
    expect(() => gradcheckProperty(pap, { shapes }, {}, 3 as never)).toThrow(
      'gradcheckProperty: "onReport" expected a function, got number',
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
    const f: Differentiable = { ...elementwiseLayer('relu', elementwise.relu), dtype: 'f32' };
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
    for (const { inputs } of drawn) expect(inputs.x.map(Math.fround)).toEqual(inputs.x);
    const other = await gradcheckRun(f, { shapes: { x: [5] } }, { runs: 1, seed: 2 });
    expect([other.runs, other.seed, other.report.seed]).toEqual([1, 2, 2]);
    expect(other.inputs).not.toEqual(drawn[0]);
  });

  it('joins the drawn shapes with those that are declared', async () => {
    const sum: Differentiable = {
      shapes: { y: [1, 1] },
      forward: ({ x }) => Float64Array.of(x.reduce((a, b) => a + b, 0)),
      vjp: ({ x }, dy) => ({ x: x.map(() => dy[0]) }),
    };
    const { report } = await gradcheckRun(sum, { shapes: { x: [2, 3] } }, { runs: 1 });
    expect([report.passed, report.outputShape, report.inputs[0].shape]).toEqual([true, [1, 1], [2, 3]]);
    const asked = await gradcheckRun(sum, { shapes: { x: [2, 3] } }, { runs: 1, shapes: { y: [1] } });
    expect(asked.report.outputShape).toEqual([1]);
  });

  it('fails with the report and the inputs', async () => {
    const reports: boolean[] = [];
    const property = gradcheckProperty(wrong, { shapes }, {}, ({ passed }) => reports.push(passed));
    const { errorInstance } = await fc.check(property, { seed: 1, numRuns: 50, endOnFailure: true });
    expect(errorInstance).toMatchObject({
      message: expect.stringMatching(/^gradcheck doubled where x > 1: FAILED, .*\n(.*\n)+FAIL dx\[/),
      report: { passed: false },
      drawn: { shapes: { alpha: [2, expect.any(Number)] } },
    });
    expect(reports.at(-1)).toBe(false);
  });

  it('throws what the function throws', async () => {
    const throws: Differentiable = {
      ...elementwiseLayer('relu', elementwise.relu),
      vjp: () => {
        throw new Error('out of memory');
      },
    };
    await expect(gradcheckRun(throws, { shapes: { x: ['n'] } })).rejects.toThrow('vjp threw: out of memory');
  });

  it('shrinks along every axis of a name, also two of one input', async () => {
    const square: Differentiable = {
      forward: ({ x }) => x.map(Math.sin),
      vjp: ({ x }, dy) => ({ x: x.map((v, i) => Math.cos(v) * dy[i] * (i === x.length - 1 ? 2 : 1)) }),
    };
    const found: DrawnInputs = (await gradcheckRun(square, { shapes: { x: ['n', 'n'] } }, { seed: 1 })).inputs;
    expect(found.shapes.x).toEqual([1, 1]);
  });

  it('draws on every kink that is declared, and finds what is wrong there alone', async () => {
    const relu6 = (atSix: number): Differentiable => ({
      name: 'relu6',
      forward: ({ x }) => x.map((v) => Math.min(Math.max(v, 0), 6)),
      vjp: ({ x }, dy) => ({ x: dy.map((d, i) => (x[i] === 6 ? atSix * d : x[i] > 0 && x[i] < 6 ? d : 0)) }),
      kinks: { x: [0, 6].map((at) => ({ at, derivative: at === 0 ? 'left' : 'right' })) },
    });
    expect((await gradcheckRun(relu6(0), { shapes: { x: [8, 4] } })).report.passed).toBe(true);
    const { report, inputs } = await gradcheckRun(relu6(1), { shapes: { x: [8, 4] } });
    expect(report.outcome).toBe('failed');
    expect([...inputs.inputs.x]).toEqual([6]);
    const byElement: Differentiable = { ...relu6(1), kinks: { x: (j) => (j === 0 ? (relu6(1).kinks!.x as []) : []) } };
    expect((await gradcheckRun(byElement, { shapes: { x: [4] } }, { runs: 60 })).report.outcome).toBe('failed');
  });

  it('draws again what nothing can be compared on, and says so when that is all', async () => {
    const log: Differentiable = elementwiseLayer('log', { f: Math.log, df: (v) => 1 / v });
    const positive = await gradcheckRun(log, { shapes: { x: [1] } });
    expect(positive.report.outcome).toBe('passed');
    expect(positive.counts.compared).toBe(20);
    expect(positive.counts.open).toBeGreaterThan(0);
    const nan = elementwiseLayer('nan', { f: () => Number.NaN, df: () => 3 });
    const { jvp: _jvp, ...constant } = { ...log, constants: ['x'] };
    for (const f of [nan, constant]) {
      const run = await gradcheckRun(f, { shapes: { x: [2] } }, { runs: 2 });
      expect(run).toMatchObject({ path: undefined, counts: { compared: 0 } });
      expect(run.report).toMatchObject({ outcome: 'nothing-compared', passed: false, failures: [] });
    }
  });

  it('counts the elements of all runs', async () => {
    const run = await gradcheckRun(elementwiseLayer('abs', elementwise.abs), { shapes: { x: [100] } });
    expect(run.counts).toMatchObject({ compared: 2000, elements: 2000 });
    // On undeclared kinks, where any slope from -1 to 1 is right.
    expect(run.counts.vacuous).toBeLessThan(0.05 * 2000);
  });

  it('asks a batch of one for its gradient too', async () => {
    const f: Differentiable = {
      batch: ['x'],
      forward: ({ x }) => x.map((v) => 3 * v),
      vjp: ({ x }, dy) => ({ x: dy.map((d) => (x.length === 6 ? 4 : 3) * d) }),
    };
    const { report, inputs } = await gradcheckRun(f, { shapes: { x: [8, 6] } }, { runs: 1 });
    expect(report).toMatchObject({ outcome: 'failed', outputShape: [1, 6] });
    expect(inputs.shapes.x).toEqual([1, 6]);
    expect((await gradcheckRun(f, { shapes: { x: [8, 5] } }, { runs: 1 })).report.passed).toBe(true);
    expect((await gradcheckRun(f, { shapes: { x: [8, 6] } }, { runs: 1, batch: [] })).report.passed).toBe(true);
  });

  it('refuses a path that leads nowhere', async () => {
    for (const path of ['3:9999', '0:9']) {
      const right = gradcheckRun(elementwiseLayer('constant', elementwise.constant), { shapes: { x: [1] } }, { path });
      await expect(right).rejects.toThrow(
        `gradcheckRun: "path" expected the way to inputs of this seed, got "${path}"`,
      );
    }
  });

  it('runs the inputs of a path alone, whatever comes of them', async () => {
    const cube = elementwiseLayer('cube', elementwise.cube);
    const asked: number[] = [];
    const nan: Differentiable = {
      ...cube,
      forward({ x }) {
        asked.push(x.length);
        return x.map(() => Number.NaN);
      },
    };
    const wrong = { ...cube, vjp: ({ x }: Tensors) => ({ x: x.slice() }) };
    const found = await gradcheckRun(wrong, { shapes: { x: ['n'] } }, { seed: 3 });
    for (const path of [found.path!, '2', '1:0', '4:1']) {
      asked.length = 0;
      const { report, inputs, runs } = await gradcheckRun(nan, { shapes: { x: ['n'] } }, { seed: 3, path });
      expect([runs, report.outcome]).toEqual([1, 'nothing-compared']);
      expect(new Set(asked)).toEqual(new Set([inputs.inputs.x.length]));
      const right = await gradcheckRun(cube, { shapes: { x: ['n'] } }, { seed: 3, path });
      expect([right.runs, right.path, right.inputs]).toEqual([1, undefined, inputs]);
    }
    expect((await gradcheckRun(wrong, { shapes: { x: ['n'] } }, { seed: 3, path: found.path! })).inputs).toEqual(
      found.inputs,
    );
  });

  it('keeps what is wrong where fewer outputs, by their values, end the shrinking there', async () => {
    // The elements above 1.5, tripled.
    const above: Differentiable = {
      forward: ({ x }) => x.filter((v) => v > 1.5).map((v) => 3 * v),
      vjp({ x }, dy) {
        let k = 0;
        return { x: x.map((v) => (v > 1.5 ? 2 * dy[k++] : 0)) };
      },
    };
    // Some elements are rounded to 1.5 on the way, where a step to the right brings one more output.
    for (let seed = 0; seed < 10; seed++) {
      const { report, inputs } = await gradcheckRun(above, { shapes: { x: ['n'] }, kinks: [1.55] }, { seed });
      expect(report.failures[0]).toMatchObject({ code: 'gradient', input: 'x' });
      expect(inputs.inputs.x.length).toBe(1);
    }
  });

  it('lets timers run', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    await gradcheckRun(elementwiseLayer('third', elementwise.third), { shapes: { x: [2] } });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  });
});
