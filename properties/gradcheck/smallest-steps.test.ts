import { afterEach, describe, expect, it, vi } from 'vitest';
import { range } from '../transform.ts';
import type { DrawnInputs, DrawOptions } from './drawn-inputs.ts';
import type { GradcheckFailure, GradcheckReport } from './report.ts';
import { smallerInputs } from './smaller-inputs.ts';
import { smallest } from './smallest.ts';

const overwritten: GradcheckFailure = { code: 'overwritten', what: 'y of forward', element: 0 };
const value = (index: number[]): GradcheckFailure => ({ code: 'value', index, actual: 1, lo: 0, hi: 0, why: '' });
const gradient = (index: number[], more: Partial<GradcheckFailure> = {}): GradcheckFailure => {
  const element = { index, analytic: 1, numeric: 0, lo: 0, hi: 0, kinkDistance: 1, ratio: 2 };
  return { code: 'gradient', what: 'vjp', input: 'x', wrong: 1, compared: 1, ...element, ...more } as GradcheckFailure;
};
const reportOf = (failure: GradcheckFailure | undefined, outputShape: readonly number[] = [], vjp = 1) =>
  ({ failures: failure ? [failure] : [], outputShape, calls: { forward: 0, vjp } }) as unknown as GradcheckReport;

/** Elements of which no two are equal and none gets simpler: 1 on a kink, 1 + 1/8 … */
const drawnOf = (shape: readonly number[]): DrawnInputs => ({
  shapes: { x: shape },
  inputs: { x: Float64Array.from(range(shape.reduce((a, b) => a * b, 1)), (k) => 1 + k / 8) },
});
const optionsOf = (shape: readonly number[]): DrawOptions => ({
  shapes: { x: shape },
  kinks: [...drawnOf(shape).inputs.x],
});

/** Shrinks inputs of this shape by a test of those that are tried, and says which these were. */
async function shrunk(
  shape: readonly number[],
  failure: GradcheckFailure,
  fails: (drawn: DrawnInputs) => GradcheckReport | undefined,
  outputShape: readonly number[] = shape,
) {
  const tried: DrawnInputs[] = [];
  const failing = { drawn: drawnOf(shape), report: reportOf(failure, outputShape), path: '7' };
  const found = await smallest(failing, optionsOf(shape), async (drawn) => {
    tried.push(drawn);
    return fails(drawn);
  });
  // The path leads there: a number for each step.
  let at = failing.drawn;
  for (const step of found.path.split(':').slice(1)) at = [...smallerInputs(optionsOf(shape), at)][Number(step)].make();
  expect(at).toEqual(found.drawn);
  expect(found.path).toMatch(/^7/);
  return { ...found, tried };
}
const has = (v: number) => (drawn: DrawnInputs) => drawn.inputs.x.includes(v);

afterEach(() => {
  vi.restoreAllMocks();
});

describe('first the part around the worst element', () => {
  it.each<[string, GradcheckFailure]>([
    ['of an input', gradient([2, 4])],
    ['of y, where it has the shape of the input', value([2, 4])],
  ])('%s, wherever it lies', async (_name, failure) => {
    const marked = 1 + (2 * 5 + 4) / 8;
    const { drawn, tried } = await shrunk([4, 5], failure, (at) => (has(marked)(at) ? reportOf(failure) : undefined));
    expect(drawn).toEqual({ shapes: { x: [1, 1] }, inputs: { x: Float64Array.of(marked) } });
    expect(tried[0]).toEqual(drawn);
  });

  it.each<[string, GradcheckFailure, number[]]>([
    ['that has no place', overwritten, [4, 5]],
    ['of y of another shape', value([2]), [4]],
    ['of y of another length', value([2, 4]), [4, 6]],
    ['of another input', gradient([2, 4], { input: 'w' }), [4, 5]],
    ['of a direction', gradient([3], { isDirection: true }), [4, 5]],
  ])('from the first on for one %s', async (_name, failure, outputShape) => {
    const { drawn, tried } = await shrunk([4, 5], failure, () => reportOf(failure), outputShape);
    expect(drawn.inputs.x).toEqual(Float64Array.of(1));
    expect(tried[0]).toEqual(drawn);
  });

  it('of short lengths, those of the fewest elements first; at the end of an axis what lies before it too', async () => {
    const failure = gradient([1, 2]);
    const { tried, drawn } = await shrunk([2, 3], failure, () => undefined);
    expect(drawn.shapes.x).toEqual([2, 3]);
    expect(tried.slice(0, 5).map(({ shapes }) => shapes.x)).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [1, 3],
      [2, 2],
    ]);
    const [last, row, column] = tried.map(({ inputs }) => [...inputs.x].map((v) => (v - 1) * 8));
    expect([last, row, column]).toEqual([[5], [4, 5], [2, 5]]);
    // Then steps of all kinds.
    expect(tried.slice(5).map(({ shapes }) => shapes.x)).toContainEqual([1, 3]);
  });

  it('of three of a longer axis, before all of it', async () => {
    const { tried } = await shrunk([9], gradient([4]), () => undefined);
    expect(tried.slice(0, 3).map(({ inputs }) => [...inputs.x].map((v) => (v - 1) * 8))).toEqual([
      [4],
      [4, 5],
      [4, 5, 6],
    ]);
  });
});

it('then step by step, as long as it fails in the same way', async () => {
  // The first and the last of six, which no part around one element has both.
  const isWrong = (at: DrawnInputs) => has(1)(at) && has(1 + 5 / 8)(at);
  const failure = gradient([0]);
  const { drawn } = await shrunk([6], failure, (at) => reportOf(isWrong(at) ? failure : undefined));
  expect([...drawn.inputs.x]).toEqual([1, 1 + 5 / 8]);
});

it.each<[string, Partial<Record<string, unknown>>]>([
  ['code', { code: 'tangent' }],
  ['call', { what: 'vjp of another dy' }],
  ['input', { input: 'w' }],
  ['gradient', { of: 'x' }],
  ['place, on a kink', { kinkDistance: 0 }],
])('another %s is another way', async (_name, more) => {
  const failure = gradient([0]);
  const other = { ...failure, ...more } as GradcheckFailure;
  const { drawn, report } = await shrunk([4], failure, ({ shapes }) => reportOf(shapes.x[0] < 3 ? other : failure));
  expect(drawn.shapes.x).toEqual([3]);
  expect(report.failures).toEqual([failure]);
  // How far from a kink is not.
  const nearer = { ...failure, kinkDistance: 0.5 } as GradcheckFailure;
  expect((await shrunk([4], failure, () => reportOf(nearer))).drawn.shapes.x).toEqual([1]);
});

describe('it ends', () => {
  it('after 500 calls, of all parts of the function; what it does not take is one', async () => {
    const failure = gradient([0, 0]);
    expect((await shrunk([40, 40], failure, () => reportOf(undefined, [], 100))).tried).toHaveLength(5);
    expect((await shrunk([40, 40], failure, () => reportOf(undefined, [], 99))).tried).toHaveLength(6);
    expect((await shrunk([400, 400], failure, () => undefined)).tried).toHaveLength(500);
  });

  it('after two seconds', async () => {
    const failure = gradient([0, 0]);
    let now = 5000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const until = (end: number) =>
      shrunk([40, 40], failure, () => {
        now = end;
        return undefined;
      });
    expect((await until(now + 2001)).tried).toHaveLength(1);
    now = 5000;
    expect((await until(now + 2000)).tried.length).toBeGreaterThan(1);
  });

  it('with what was found before, and there where nothing is smaller', async () => {
    const failure = gradient([0]);
    const one = await shrunk([1], failure, () => reportOf(failure));
    expect([one.path, one.tried]).toEqual(['7', []]);
    // Of 30 a half is the 91st that is tried, and the calls end soon after.
    const { drawn } = await shrunk([30], failure, ({ shapes }) =>
      reportOf(shapes.x[0] > 3 ? failure : undefined, [], 5),
    );
    expect(drawn.shapes.x).toEqual([15]);
  });
});
