import { describe, expect, it } from 'vitest';
import type { Differentiable } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { codes } from './gradcheck-for-tests.ts';
import { gradcheckRun } from './property.ts';
import { gradcheckText } from './report-text.ts';

/** The indices of a row from the smallest element to the largest, equal ones in their order. */
function orderOf(x: Float64Array, row: number, m: number): number[] {
  const at = (j: number) => x[row * m + j];
  return Array.from({ length: m }, (_, j) => j).sort((a, b) => at(a) - at(b) || a - b);
}
const rowsOf = (x: Float64Array, m: number) => Array.from({ length: x.length / m }, (_, row) => row);
type Scale = (v: number) => number;

/**
 * `g` of the element of one rank in each row; the gradient goes to the first of those that are equal, or by `share` of
 * their number to each of them.
 */
function ranked(m: number, rank: number, share?: (n: number) => number, g: Scale = (v) => v, dg: Scale = () => 1) {
  const f: Differentiable = {
    name: `rank ${rank} of ${m}`,
    forward: ({ x }) => Float64Array.from(rowsOf(x, m), (r) => g(x[r * m + orderOf(x, r, m)[rank]])),
    vjp({ x }, dy) {
      const dx = new Float64Array(x.length);
      for (const r of rowsOf(x, m)) {
        const first = orderOf(x, r, m)[rank];
        const v = x[r * m + first];
        const equal = [...x.subarray(r * m, r * m + m).keys()].filter((j) => x[r * m + j] === v);
        for (const j of share ? equal : [first]) dx[r * m + j] = dg(v) * (share?.(equal.length) ?? 1) * dy[r];
      }
      return { x: dx };
    },
  };
  return f;
}

const sort = (m: number): Differentiable => ({
  name: 'sort',
  forward: ({ x }) => Float64Array.from(rowsOf(x, m).flatMap((r) => orderOf(x, r, m).map((j) => x[r * m + j]))),
  vjp({ x }, dy) {
    const dx = new Float64Array(x.length);
    for (const r of rowsOf(x, m)) {
      for (const [k, j] of orderOf(x, r, m).entries()) dx[r * m + j] = dy[r * m + k];
    }
    return { x: dx };
  },
});
const half = (n: number) => 1 / n;
const all = () => 1;
const none = (n: number) => (n > 1 ? 0 : 1);

describe.each([
  ['three ones', [1, 1, 1]],
  ['three zeros', [0, 0, 0]],
  ['two rows of twos', [2, 2, 2, 2, 2, 2]],
  ['ties of two and three', [1, 1, 1, 0.5, 2, 2, 3, 1, 3]],
])('%s', (_name, values) => {
  const x = Float64Array.from(values);
  const rows = x.length / 3;

  it.each([
    ['maximum', ranked(3, 2)],
    ['maximum in parts', ranked(3, 2, half)],
    ['median', ranked(3, 1)],
    ['median in parts', ranked(3, 1, half)],
    ['of a curve', ranked(3, 1, half, Math.tanh, (v) => 1 - Math.tanh(v) ** 2)],
    ['sort', sort(3)],
  ])('%s passes, whichever element a convention chooses', async (name, f) => {
    const y = name === 'sort' ? [rows, 3] : [rows];
    for (const options of [{}, { shapes: { x: [rows, 3], y } }]) {
      const report = await gradcheck(f, { x }, options);
      expect(report.failures, gradcheckText(report)).toEqual([]);
    }
  });

  it.each([
    ['maximum to all', ranked(3, 2, all)],
    ['maximum to none', ranked(3, 2, none)],
    ['median to all', ranked(3, 1, all)],
    ['median to none', ranked(3, 1, none)],
    ['half of a maximum', ranked(3, 2, (n) => half(n) / 2)],
    ['1e-6 too much', ranked(3, 1, (n) => half(n) * (1 + 1e-6))],
  ])('%s is wrong', async (_wrong, f) => {
    for (const options of [{}, { shapes: { x: [rows, 3], y: [rows] } }]) {
      expect(await codes(f, { x }, options)).toContain('gradient');
    }
  });
});

it('ties are drawn, found and shrunk to', async () => {
  const { report, inputs } = await gradcheckRun(ranked(3, 2, all), { shapes: { x: ['n', 3] } }, { runs: 100 });
  expect(report.failures[0]).toMatchObject({ code: 'gradient', what: 'vjp, equal elements moved together' });
  expect(inputs.shapes.x).toEqual([1, 3]);
  expect((await gradcheckRun(ranked(3, 2, half), { shapes: { x: ['n', 3] } })).report.outcome).toBe('passed');
});

it('more equal elements than are parted in each order are checked together still', async () => {
  const x = new Float64Array(11).fill(1);
  expect(await codes(ranked(11, 5, half), { x })).toEqual([]);
  expect(await codes(ranked(11, 5, all), { x })).toEqual(['gradient']);
});

it('beside a gradient that is infinite', async () => {
  // The first is not differentiable at 0, and open; the other two are equal.
  const f: Differentiable = {
    forward: ({ x }) => Float64Array.of(Math.sqrt(x[0]) + Math.max(x[1], x[2])),
    vjp: ({ x }, dy) => ({ x: Float64Array.of((0.5 / Math.sqrt(x[0])) * dy[0], dy[0], 0) }),
  };
  expect(await codes(f, { x: Float64Array.of(0, 1, 1) })).toEqual([]);
});

it('in float32', async () => {
  const x = Float64Array.of(0.5, 0.5, 0.5);
  expect(await codes({ ...ranked(3, 1), dtype: 'f32' }, { x })).toEqual([]);
  expect(await codes({ ...ranked(3, 1, all), dtype: 'f32' }, { x })).toContain('gradient');
});

describe.each([
  ['0.3 and its neighbours', [0.3, 0.1 + 0.2, 0.3 - 5e-17]],
  ...[1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10].map((e): [string, number[]] => [`1 and 1 ± ${e}`, [1, 1 + e, 1 - e]]),
  ['2, where scales change', [2, 2 - 1e-12, 2 + 1e-12]],
  ['-2, where scales change', [-2, -2 - 1e-12, -2 + 1e-12]],
  ['a chain', [1, 1 + 1.5e-10, 1 + 3e-10]],
  ['two of three in each of two rows', [1, 1 + 1e-13, 1, 2 - 1e-14, 2, 2 + 1e-14]],
])('near ties: %s', (_name, values) => {
  const x = Float64Array.from(values);
  const rows = x.length / 3;
  const shapes = { x: [rows, 3] };

  it.each([
    ['maximum', ranked(3, 2)],
    ['median', ranked(3, 1)],
    ['of a curve', ranked(3, 1, undefined, Math.tanh, (v) => 1 - Math.tanh(v) ** 2)],
    ['sort', sort(3)],
  ])('%s passes', async (name, f) => {
    const report = await gradcheck(f, { x }, { shapes: { ...shapes, y: name === 'sort' ? [rows, 3] : [rows] } });
    expect(report.failures, gradcheckText(report)).toEqual([]);
    expect(report.inputs[0].open).toBe(0);
  });

  /** The gradient to all elements that are as near as 1e-6, or to none. */
  const wrongly = (rank: number, share: (n: number) => number): Differentiable => ({
    ...ranked(3, rank),
    vjp: ({ x: of }, dy) => ({
      x: of.map((v, j) => {
        const row = Math.floor(j / 3);
        const y = of[row * 3 + orderOf(of, row, 3)[rank]];
        const near = of.subarray(row * 3, row * 3 + 3).filter((w) => Math.abs(w - y) < 1e-6).length;
        return Math.abs(v - y) < 1e-6 ? share(near) * dy[row] : 0;
      }),
    }),
  });
  it.each([
    ['maximum to all', wrongly(2, all)],
    ['maximum to none', wrongly(2, none)],
    ['median to all', wrongly(1, all)],
    ['median to none', wrongly(1, none)],
  ])('%s is wrong', async (_wrong, f) => {
    expect(await codes(f, { x }, { shapes: { ...shapes, y: [rows] } })).toContain('gradient');
  });
});

it('neighbours at steps of a scale, and beyond all', async () => {
  for (const [below, above] of [
    [2 ** -24, 2 ** -25],
    [2 ** -25, 2 ** -25],
    [0, 1e-9],
    [1e-8, 3e-8],
    [2e-7, 1e-6],
  ] as const) {
    const x = Float64Array.of(1, 1 + above, 1 - below);
    for (const rank of [0, 1, 2]) {
      expect(await codes(ranked(3, rank), { x })).toEqual([]);
      const toNone: Differentiable = { ...ranked(3, rank), vjp: ({ x: of }) => ({ x: of.map(() => 0) }) };
      expect(await codes(toNone, { x })).toContain('gradient');
    }
  }
});

it('near ties in float32', async () => {
  const u = 2 ** -24;
  for (const values of [
    [0.5, 0.5 + u, 0.5 - u],
    [1, 1 + 2 ** -16, 1 - 2 ** -15],
    [3, 3 + 2 ** -13, 3 - 2 ** -13],
  ]) {
    const x = Float64Array.from(values, Math.fround);
    for (const f of [ranked(3, 1), ranked(3, 2)]) expect(await codes({ ...f, dtype: 'f32' }, { x })).toEqual([]);
    const toNone: Differentiable = { ...ranked(3, 1), dtype: 'f32', vjp: ({ x: of }) => ({ x: of.map(() => 0) }) };
    expect(await codes(toNone, { x })).toContain('gradient');
  }
});

it('where no slope has a limit, the sum of the gradients is left open too', async () => {
  // LayerNorm without epsilon: of rows of 0.1, whose variance is what rounding makes it.
  const parts = (x: Float64Array) => {
    const mean = x.reduce((a, b) => a + b) / x.length;
    const deviation = Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length);
    return { y: x.map((v) => (v - mean) / deviation), deviation };
  };
  const f: Differentiable = {
    forward: ({ x }) => parts(x).y,
    vjp({ x }, dy) {
      const { y, deviation } = parts(x);
      const mean = dy.reduce((a, b) => a + b) / dy.length;
      const along = dy.reduce((sum, d, j) => sum + d * y[j], 0) / dy.length;
      return { x: dy.map((d, j) => (d - mean - y[j] * along) / deviation) };
    },
  };
  for (const n of [3, 6, 7, 16]) expect(await codes(f, { x: new Float64Array(n).fill(0.1) })).toEqual([]);
});

it('two ties of one site are parted both', async () => {
  const x = Float64Array.of(1, 1, 1, 3, 3, 3);
  expect(await codes(sort(6), { x }, { shapes: { x: [1, 6], y: [1, 6] } })).toEqual([]);
  const near = Float64Array.of(1, 1 + 1e-13, 1 - 1e-13, 3, 3 + 1e-14, 3 - 1e-14);
  expect(await codes(sort(6), { x: near }, { shapes: { x: [1, 6], y: [1, 6] } })).toEqual([]);
});

it('a smooth function of many equal elements is checked as closely as of others', async () => {
  // Its gradients add up to nothing, whatever is wrong in one of them.
  const n = 12;
  const softmax = (x: Float64Array) => {
    const e = x.map(Math.exp);
    return e.map((v) => v / e.reduce((a, b) => a + b));
  };
  const f = (factor: number): Differentiable => ({
    forward: ({ x }) => softmax(x),
    vjp({ x }, dy) {
      const y = softmax(x);
      const along = y.reduce((sum, v, j) => sum + v * dy[j], 0);
      return { x: y.map((v, j) => factor * v * (dy[j] - along)) };
    },
  });
  const x = new Float64Array(n).fill(0.7);
  expect(await codes(f(1), { x })).toEqual([]);
  expect(await codes(f(1 + 1e-5), { x })).toContain('gradient');
  expect(await codes(f(0), { x })).toContain('gradient');
});

it('of many equal elements each may have what a convention gives it', async () => {
  for (const n of [9, 16, 40]) {
    const x = new Float64Array(n).fill(1);
    for (const f of [ranked(n, n >> 1), ranked(n, n >> 1, half), ranked(n, n - 1), ranked(n, 1), sort(n)]) {
      const shapes = { x: [1, n], y: [1, f.name === 'sort' ? n : 1] };
      expect(await codes(f, { x }, { shapes })).toEqual([]);
    }
    expect(await codes(ranked(n, n >> 1, none), { x }, { shapes: { x: [1, n], y: [1, 1] } })).toContain('gradient');
  }
});

describe('equal elements beside others', () => {
  // The maximum of the first eight of a row, and a sum of the others.
  const f = (share: (n: number) => number, last = 3): Differentiable => ({
    forward: ({ x }) => Float64Array.of(Math.max(...x.subarray(0, 8)), x[8] * last, x[9] * 2),
    vjp({ x }, dy) {
      const most = Math.max(...x.subarray(0, 8));
      const count = x.subarray(0, 8).filter((v) => v === most).length;
      const dx = x.map((v, j) => (j < 8 && v === most ? share(count) * dy[0] : 0));
      dx[8] = 3 * dy[1];
      dx[9] = 2 * dy[2];
      return { x: dx };
    },
  });
  const dense = { shapes: { x: [10], y: [3] } };

  it('eight are parted still, so that the share of each is checked by itself', async () => {
    const x = Float64Array.of(...new Array<number>(8).fill(-4), 7, 9);
    expect(await codes(f(half), { x }, dense)).toEqual([]);
    // In all as much as there is, but one takes more than all of it.
    const greedy = f(half);
    const vjp: Differentiable['vjp'] = async (inputs, dy, shapes) => {
      const { x: dx } = await greedy.vjp(inputs, dy, shapes);
      return { x: dx.map((d, j) => (j === 0 ? 3 * dy[0] : j === 1 ? d - 3 * dy[0] + dy[0] / 8 : d)) };
    };
    const report = await gradcheck({ ...greedy, vjp }, { x }, dense);
    expect(report.failures.map((failure) => 'what' in failure && failure.what)).toContain('vjp');
    expect(report.inputs[0].open).toBe(0);
  });

  it('what is not equal is checked as closely as ever', async () => {
    const x = Float64Array.of(2, 2, 2, 1, 1, 0, 0, 0, 7, 9);
    expect(await codes(f(half), { x }, dense)).toEqual([]);
    expect(await codes(f(half, 3 * (1 + 1e-7)), { x }, dense)).toContain('gradient');
  });
});
