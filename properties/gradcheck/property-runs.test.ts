import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Differentiable } from './differentiable.ts';
import type { DrawOptions } from './drawn-inputs.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';
import type { GradcheckOptions } from './options.ts';
import { patternOf, turnCount } from './patterns.ts';
import { gradcheckProperty, gradcheckRun } from './property.ts';
import type { GradcheckReport } from './report.ts';

const cube = elementwiseLayer('cube', elementwise.cube);
const shapes = { x: ['n'] };

describe('the path of a run', () => {
  const refused = (options: object) =>
    gradcheckRun(cube, { shapes: { x: [1] } }, options).then(
      () => undefined,
      (error: unknown) => error,
    );

  it.each(['', 'a', '1:', ':1', '1:a', 'x1', '-1', 3, ['1']])('%j is none', async (path) => {
    const error = await refused({ path });
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toMatch(/^gradcheckRun: "path" expected integers separated by colons, got /);
  });

  it('leads to inputs, or is said to lead nowhere', async () => {
    const { runs, counts, path } = await gradcheckRun(cube, { shapes: { x: [3] } }, { path: '12' });
    expect([runs, counts, path]).toEqual([
      1,
      { compared: 3, open: 0, vacuous: expect.any(Number), elements: 3 },
      undefined,
    ]);
    for (const nowhere of ['3:9999', '0:9']) {
      const error = await refused({ path: nowhere });
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toBe(
        `gradcheckRun: "path" expected the way to inputs of this seed, got "${nowhere}"`,
      );
    }
  });

  it('is told again where they fail', async () => {
    const wrong: Differentiable = { ...cube, vjp: ({ x }) => ({ x: x.map(() => 5) }) };
    const { path } = await gradcheckRun(wrong, { shapes });
    expect((await gradcheckRun(wrong, { shapes }, { path: path! })).path).toBe(path);
  });

  it('has a seed that is one', async () => {
    expect(await refused({ seed: -1 })).toMatchObject({
      message: 'gradcheckRun: "seed" expected an integer from 0 to 4294967295, got -1',
    });
  });
});

it('the report is of the last inputs of which something was compared', async () => {
  // Of the first length that is drawn, and of nothing once there was another.
  let [first, isOver] = [0, false];
  const once: Differentiable = {
    forward({ x }) {
      if (first === 0) first = x.length;
      isOver ||= x.length !== first;
      return isOver ? x.map(() => Number.NaN) : x.slice();
    },
    vjp: (_inputs, dy) => ({ x: dy.slice() }),
  };
  const { report, inputs, counts } = await gradcheckRun(once, { shapes });
  expect([report.outcome, inputs.inputs.x.length]).toEqual(['passed', first]);
  expect(counts.compared % first).toBe(0);
});

describe('inputs are drawn', () => {
  /** Elements of runs in no pattern. */
  const drawn = (f: Differentiable, draw: Partial<DrawOptions> = {}, options: GradcheckOptions = {}) => {
    const property = gradcheckProperty(f, { shapes: { x: [50] }, ...draw }, options);
    return [1, 2, 3, 4, 5].flatMap((seed) =>
      fc
        .sample(property, { seed, numRuns: turnCount })
        .filter((_, run) => patternOf(run) === 'free')
        .flatMap(([{ inputs }]) => [...inputs.x]),
    );
  };
  const shareOf = (values: number[], ...places: number[]) =>
    values.filter((v) => places.includes(v)).length / values.length;
  const { jvp: _, ...bare } = cube;
  const kinky: Differentiable = { ...bare, kinks: { x: [{ at: 2.71 }] } };

  it('on 0 where no kink is declared, less often than on those that are', () => {
    const none = shareOf(drawn(bare), 0);
    expect([none > 0.02, none < 0.07]).toEqual([true, true]);
    const declared = shareOf(drawn(kinky), 0, 2.71);
    expect([declared > 0.09, declared < 0.15]).toEqual([true, true]);
    expect(shareOf(drawn(kinky), 2.71)).toBeGreaterThan(0.03);
    expect(shareOf(drawn(bare), 2.71)).toBe(0);
  });

  it('on kinks that the call declares in place of those of the function', () => {
    const values = drawn(kinky, {}, { kinks: { x: [{ at: 1.41 }] } });
    expect([shareOf(values, 1.41) > 0.03, shareOf(values, 2.71)]).toEqual([true, 0]);
  });

  it('on values that are named, for all or by element, in place of 0', () => {
    expect(shareOf(drawn(bare, { kinks: [0.77] }), 0.77)).toBeGreaterThan(0.02);
    expect(shareOf(drawn(bare, { kinks: [0.77] }), 0)).toBe(0);
    const byElement = drawn(bare, { kinks: (_input, j) => [j + 0.77] });
    expect(byElement.some((v) => v > 10 && v % 1 > 0.769 && v % 1 < 0.771)).toBe(true);
    expect(shareOf(drawn(kinky, { kinks: [0.77] }), 2.71)).toBeGreaterThan(0.03);
  });
});

describe('a run', () => {
  /** What was reported of these runs, and the first dy of each. */
  async function reportsOn(f: Differentiable, draw: DrawOptions, options: GradcheckOptions = {}, numRuns = 5) {
    const reports: GradcheckReport[] = [];
    const dys: Float64Array[][] = [[]];
    const seen: Differentiable = {
      ...f,
      vjp(inputs, dy, of) {
        dys.at(-1)!.push(dy.slice());
        return f.vjp(inputs, dy, of);
      },
    };
    const property = gradcheckProperty(seen, draw, options, (report) => {
      reports.push(report);
      dys.push([]);
    });
    await fc.check(property, { seed: 1, numRuns, endOnFailure: true });
    return { reports, dys: dys.slice(0, -1) };
  }

  it('is of a plain sum each fifth time', async () => {
    const { dys } = await reportsOn(cube, { shapes: { x: [4] } });
    expect(dys.map(([dy]) => dy.every((d) => d === 1))).toEqual([false, false, false, true, false]);
    const given = await reportsOn(cube, { shapes: { x: [2] } }, { dy: Float64Array.of(3, -1) });
    expect(given.dys.map(([dy]) => [...dy])).toEqual(new Array(5).fill([3, -1]));
  });

  /** `w·x` of rows of x, its gradient wrong for so many elements of x. */
  const rows = (wrongFor: number[], batch: readonly string[] = ['x']): Differentiable => ({
    batch,
    forward: ({ x, w }) => x.map((v, i) => v * w[i % 2]),
    vjp({ x, w }, dy) {
      const dw = new Float64Array(2);
      for (const [i, d] of dy.entries()) dw[i % 2] += x[i] * d;
      return { x: dy.map((d, i) => (wrongFor.includes(x.length) ? 5 : 1) * w[i % 2] * d), w: dw };
    },
  });
  const of = (n: number) => ({ shapes: { x: [n, 2], w: [2] } });

  it.each([2, 3])('also asks for the first row of a batch of %d, and reports on that if it is wrong', async (n) => {
    const right = (await reportsOn(rows([]), of(n))).reports;
    expect(right.map(({ outcome, outputShape }) => [outcome, outputShape])).toEqual(
      new Array(5).fill(['passed', [n, 2]]),
    );
    const [alone, ...more] = (await reportsOn(rows([2]), of(n))).reports;
    expect(more).toEqual([]);
    expect(alone).toMatchObject({
      outcome: 'failed',
      outputShape: [1, 2],
      inputs: [{ shape: [1, 2] }, { shape: [2] }],
    });
    const [whole] = (await reportsOn(rows([2, 2 * n]), of(n))).reports;
    expect(whole).toMatchObject({ outcome: 'failed', outputShape: [n, 2] });
  });

  it('does not where there is one row, no batch, or a dy for all rows', async () => {
    const outcomes = async (...how: Parameters<typeof reportsOn>) =>
      new Set((await reportsOn(...how)).reports.map(({ outcome }) => outcome));
    expect(await outcomes(rows([2], []), of(3))).toEqual(new Set(['passed']));
    expect(await outcomes(rows([2]), of(3), { batch: [] })).toEqual(new Set(['passed']));
    expect(await outcomes(rows([2]), of(3), { dy: new Float64Array(6).fill(2) })).toEqual(new Set(['passed']));
    const once = await reportsOn(rows([]), of(1), {}, 1);
    const none = await reportsOn(rows([], []), of(1), {}, 1);
    expect(once.dys[0]).toHaveLength(none.dys[0].length);
  });
});
