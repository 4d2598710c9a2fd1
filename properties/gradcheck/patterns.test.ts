import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Differentiable } from './differentiable.ts';
import type { DrawnInputs, DrawOptions } from './drawn-inputs.ts';
import { elementwise, elementwiseLayer, papLayer } from './layers-for-tests.ts';
import { type Pattern, patternOf, turnCount } from './patterns.ts';
import { gradcheckProperty, gradcheckRun } from './property.ts';

const seeds = Array.from({ length: 10 }, (_, k) => k + 1);
const sumOf = (x: Float64Array) => x.reduce((sum, v) => sum + v, 0);
const lines = (x: Float64Array, length: number) =>
  Array.from({ length: x.length / length }, (_, k) => x.subarray(k * length, (k + 1) * length));

/** `sqrt(Σx²)`, at 0 with any gradient. */
const norm = (at0: number): Differentiable => ({
  name: 'norm',
  forward: ({ x }) => Float64Array.of(Math.sqrt(sumOf(x.map((v) => v * v)))),
  vjp({ x }, dy) {
    const size = Math.sqrt(sumOf(x.map((v) => v * v)));
    return { x: x.map((v) => (size === 0 ? at0 : v / size) * dy[0]) };
  },
});

/** LayerNorm of rows with an epsilon, by its derivative at a variance of 0 or without. */
const layerNorm = (atConstant: 'right' | 'zero', epsilon = 1e-5): Differentiable => ({
  name: 'LayerNorm',
  forward: ({ x }, { x: shape }) => joined(lines(x, shape[1]).map((row) => normalized(row, epsilon).y)),
  vjp: ({ x }, dy, { x: shape }) => ({
    x: joined(
      lines(x, shape[1]).map((row, k) => {
        const { y, deviation, variance } = normalized(row, epsilon);
        const d = dy.subarray(k * row.length, (k + 1) * row.length);
        const [mean, along] = [sumOf(d) / row.length, sumOf(d.map((v, j) => v * y[j])) / row.length];
        return d.map((v, j) => (variance === 0 && atConstant === 'zero' ? 0 : (v - mean - y[j] * along) / deviation));
      }),
    ),
  }),
});

function normalized(row: Float64Array, epsilon: number) {
  const mean = sumOf(row) / row.length;
  const variance = sumOf(row.map((v) => (v - mean) ** 2)) / row.length;
  const deviation = Math.sqrt(variance + epsilon);
  return { y: row.map((v) => (v - mean) / deviation), deviation, variance };
}

/** `sqrt(Σ(x - mean)²)` of rows. */
const deviation: Differentiable = {
  name: 'deviation',
  forward: ({ x }, { x: shape }) =>
    Float64Array.from(lines(x, shape[1]), (row) => Math.sqrt(normalized(row, 0).variance * row.length)),
  vjp: ({ x }, dy, { x: shape }) => ({
    x: joined(
      lines(x, shape[1]).map((row, k) => {
        const { y, variance } = normalized(row, 0);
        return y.map((v) => (variance === 0 ? 0 : (v / Math.sqrt(row.length)) * dy[k]));
      }),
    ),
  }),
};

const joined = (rows: Float64Array[]) => Float64Array.from(rows.flatMap((row) => [...row]));

/** The maximum of each two, or of all. */
const pooled = (size: number | 'all', share: (n: number) => number): Differentiable => {
  const windows = (x: Float64Array) => lines(x, size === 'all' ? x.length : size);
  return {
    name: 'max-pooling',
    forward: ({ x }) => Float64Array.from(windows(x), (of) => Math.max(...of)),
    vjp: ({ x }, dy) => ({
      x: joined(
        windows(x).map((of, k) => {
          const most = Math.max(...of);
          const count = of.filter((v) => v === most).length;
          return of.map((v) => (v === most ? share(count) * dy[k] : 0));
        }),
      ),
    }),
  };
};

/** tanh, wrong where all elements of x or of dy are so. */
const wrongWhere = (isWrong: (x: Float64Array, dy: Float64Array) => boolean): Differentiable => ({
  name: 'tanh',
  forward: ({ x }) => x.map(Math.tanh),
  vjp: ({ x }, dy) => ({ x: x.map((v, i) => (isWrong(x, dy) ? 2 : 1) * (1 - Math.tanh(v) ** 2) * dy[i]) }),
});

const both = () => 1;
const none = (n: number) => (n > 1 ? 0 : 1);
const half = (n: number) => 1 / n;

describe('twenty runs find what is wrong', () => {
  it.each<[string, Differentiable, readonly (number | string)[]]>([
    ['at the norm of 0, NaN', norm(Number.NaN), [8]],
    ['at a variance of 0', layerNorm('zero'), [8, 16]],
    ['at two that are the largest, both', pooled('all', both), ['n']],
    ['at two that are the largest, none', pooled('all', none), ['n']],
    ['at ties of pooling, both', pooled(2, both), [8, 16]],
    ['at ties of pooling, none', pooled(2, none), [8, 16]],
    ['where all are 0', wrongWhere((x) => x.every((v) => v === 0)), [4, 4]],
    ['where all are equal', wrongWhere((x) => x.every((v) => v === x[0])), [4, 4]],
    ['where all are negative', wrongWhere((x) => x.every((v) => v < 0)), [4, 4]],
    ['where all are positive', wrongWhere((x) => x.every((v) => v > 0)), [4, 4]],
    ['where all dy are equal', wrongWhere((_x, dy) => dy.every((d) => d === dy[0])), [4, 4]],
    ['at the kinks of hardswish', hardSwish(9), [32, 64]],
    ['at 6', relu6(1.5), [32, 64]],
  ])(
    '%s, of every seed',
    async (_name, f, shape) => {
      for (const seed of seeds) {
        const { report, path, inputs } = await gradcheckRun(f, { shapes: { x: shape } }, { seed });
        expect(report.outcome, `seed ${seed}`).toBe('failed');
        const again = await gradcheckRun(f, { shapes: { x: shape } }, { seed, path: path! });
        expect([again.inputs, again.report]).toEqual([inputs, report]);
      }
    },
    60_000,
  );
});

function hardSwish(atKinks: number): Differentiable {
  const { f, df } = elementwise.hardSwish;
  const { jvp: _, ...layer } = elementwiseLayer('hardswish', { f, df: (v) => (Math.abs(v) === 3 ? atKinks : df(v)) });
  return layer;
}

function relu6(atSix: number): Differentiable {
  const { f, df } = elementwise.relu6;
  const { jvp: _, ...layer } = elementwiseLayer('relu6', { f, df: (v) => (v === 6 ? atSix : df(v)) });
  return layer;
}

describe('right functions pass', () => {
  it.each<[string, Differentiable, Record<string, readonly (number | string)[]>]>([
    ['a norm, 0 at 0', norm(0), { x: [8] }],
    ['LayerNorm', layerNorm('right'), { x: [8, 16] }],
    ['LayerNorm of any shape', layerNorm('right'), { x: ['n', 'c'] }],
    ['LayerNorm of a small epsilon', layerNorm('right', 1e-12), { x: [8, 16] }],
    ['LayerNorm without epsilon, which has no derivative at a variance of 0', layerNorm('right', 0), { x: [8, 16] }],
    ['the deviation of rows, 0 at 0', deviation, { x: [8, 12] }],
    ['the deviation of rows of any length', deviation, { x: ['n', 'c'] }],
    ['a maximum', pooled('all', half), { x: ['n'] }],
    ['max-pooling', pooled(2, half), { x: [8, 16] }],
    ['max-pooling of four', pooled(4, half), { x: [8, 16] }],
    ['a layer with parameters', papLayer(4), { x: ['n', 4], alpha: [2, 4] }],
    ...Object.entries(elementwise).map(([name, of]): [string, Differentiable, { x: string[] }] => [
      name,
      elementwiseLayer(name, of),
      { x: ['n', 'c'] },
    ]),
  ])(
    '%s',
    async (_name, f, shapes) => {
      for (const seed of seeds) {
        const { report } = await gradcheckRun(f, { shapes }, { seed });
        expect(report.failures, `seed ${seed}`).toEqual([]);
      }
    },
    60_000,
  );
});

describe('what is drawn, by the number of the run', () => {
  const tanh = elementwiseLayer('tanh', elementwise.tanh);
  const drawn = (draw: DrawOptions): DrawnInputs[] =>
    seeds.flatMap((seed) =>
      fc.sample(gradcheckProperty(tanh, draw), { seed, numRuns: 2 * turnCount }).map(([of]) => of),
    );
  const inTurn = (draw: DrawOptions, pattern: Pattern) =>
    drawn(draw)
      .filter((_, k) => patternOf(k) === pattern)
      .map(({ inputs }) => inputs.x);
  const distinct = (x: Float64Array) => new Set(x).size;
  const shapes = { x: [4, 6] };

  it('has seven inputs of twenty in a pattern, and four dy of ones', () => {
    const patterns = Array.from({ length: turnCount }, (_, k) => patternOf(k));
    expect(patterns.slice(0, 2)).toEqual(['free', 'free']);
    expect(patterns.filter((pattern) => pattern !== 'free').sort()).toEqual([
      'constant',
      'lines',
      'negative',
      'positive',
      'ties',
      'ties',
      'zero',
    ]);
    const dys = drawn({ shapes }).map(({ dy }) => dy);
    expect(dys.slice(0, 9)).toEqual(
      [3, 8].reduce<(1 | undefined)[]>((of, k) => of.with(k, 1), new Array(9).fill(undefined)),
    );
    expect(dys.filter((dy) => dy === 1)).toHaveLength(dys.length / 5);
  });

  it('is as each pattern says', () => {
    for (const x of inTurn({ shapes }, 'zero')) expect([...x]).toEqual(new Array(24).fill(0));
    for (const x of inTurn({ shapes }, 'constant')) expect(distinct(x)).toBe(1);
    for (const x of inTurn({ shapes }, 'negative')) expect(x.every((v) => v < 0)).toBe(true);
    for (const x of inTurn({ shapes }, 'positive')) expect(x.every((v) => v > 0)).toBe(true);
    for (const x of inTurn({ shapes }, 'ties')) expect(distinct(x)).toBeLessThan(20);
    const rows = (x: Float64Array) => lines(x, 6).filter((row) => distinct(row) === 1).length;
    const columnsOf = (x: Float64Array) =>
      [0, 1, 2, 3, 4, 5].filter((c) => distinct(x.filter((_, j) => j % 6 === c)) === 1).length;
    const withLines = inTurn({ shapes }, 'lines');
    for (const x of withLines) expect(rows(x) + columnsOf(x)).toBeGreaterThan(0);
    expect(withLines.some((x) => rows(x) > 0 && rows(x) < 4)).toBe(true);
    expect(withLines.some((x) => rows(x) === 0)).toBe(true);
    for (const x of inTurn({ shapes }, 'free')) expect(distinct(x)).toBeGreaterThan(10);
  });

  it('keeps to ranges', () => {
    const draw = { shapes, ranges: { x: [0.5, 3] as const } };
    for (const { inputs } of drawn(draw)) expect(inputs.x.every((v) => v >= 0.5 && v <= 3)).toBe(true);
    for (const x of inTurn(draw, 'zero')) expect(distinct(x)).toBe(1);
    expect(inTurn(draw, 'negative').every((x) => distinct(x) > 5)).toBe(true);
  });

  it('is one input alone, and the largest more often than not', () => {
    const all = drawn({ shapes: { a: [2], x: [4, 6], none: [0], scalar: [] } });
    const zeros = all.filter((_, k) => patternOf(k) === 'zero');
    const isZero = (x: Float64Array | undefined) => x!.every((v) => v === 0);
    expect(zeros.filter(({ inputs }) => isZero(inputs.x)).length).toBeGreaterThan(zeros.length / 2);
    for (const { inputs } of zeros) expect(isZero(inputs.a) && isZero(inputs.x) && isZero(inputs.scalar)).toBe(false);
  });

  it('shrinks what is equal together', async () => {
    const f = wrongWhere((x) => x.length > 1 && x.every((v) => v === x[0]));
    const { report, inputs } = await gradcheckRun(f, { shapes: { x: [4, 4] } });
    expect(report.outcome).toBe('failed');
    expect(distinct(inputs.inputs.x)).toBe(1);
    expect(inputs.inputs.x.length).toBe(2);
  });
});
