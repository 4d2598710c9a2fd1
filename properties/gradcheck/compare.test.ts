import { describe, expect, it } from 'vitest';
import { random } from '../../reference/random.ts';
import { compareConfirmed, cotangentRounding, type Numeric, projected, ratioOf } from './compare.ts';
import { expectedCotangent } from './cotangent.ts';
import type { Jacobian, MeasuredKink } from './jacobian.ts';
import { layoutOf } from './layout.ts';

const u = 2 ** -53;
const eta = 2 ** -1074;
const jacobian = (lo: readonly number[], hi: readonly number[] = lo, kinks: MeasuredKink[] = []): Jacobian => ({
  lo: Float64Array.from(lo),
  hi: Float64Array.from(hi),
  kinks,
});
const refuse = () => Promise.reject(new Error('confirmed without need'));

/** An elementwise input of one row with these derivatives. */
function elementwise(measured: Jacobian, more: Partial<Numeric> = {}): Numeric {
  const n = measured.lo.length;
  return {
    name: 'x',
    layout: layoutOf('x', 'elementwise', [1, n], [1, n]),
    jacobian: measured,
    confirm: refuse,
    shape: [1, n],
    values: new Float64Array(n).fill(2),
    noise: new Float64Array(n),
    kinksOf: undefined,
    projection: undefined,
    ...more,
  };
}

const compare = (numeric: Numeric, analytic: readonly number[], more: object = {}) =>
  compareConfirmed({
    numeric,
    analytic: Float64Array.from(analytic),
    dy: new Float64Array(analytic.length).fill(1),
    dtype: 'f64',
    roundings: 3,
    tolerance: undefined,
    what: 'vjp',
    ...more,
  });

describe('the expected cotangent', () => {
  const rows = layoutOf('x', 'rows', [1, 2], [1, 3]);

  it('sums dy times each derivative in intervals, with the size and number of its terms', () => {
    const J = jacobian([1, -3, 5, 0, 10, -2], [2, -1, 5, 0, 10, -1]);
    const { middle, half, size } = expectedCotangent(rows, J, Float64Array.of(2, -1, 1), 2);
    expect([...middle.map((m, j) => m - half[j])]).toEqual([2 + 1 + 5, 0 - 10 - 2]);
    expect([...middle.map((m, j) => m + half[j])]).toEqual([4 + 3 + 5, 0 - 10 - 1]);
    expect([...size]).toEqual([4 + 3 + 5, 10 + 2]);
    expect([...rows.reaches()]).toEqual([3, 3]);
  });

  it('is not known where a derivative is not, is infinite, or is left out', () => {
    const dy = Float64Array.of(1, 1, 1);
    for (const value of [Number.NaN, Infinity]) {
      const { middle } = expectedCotangent(rows, jacobian([1, value, 1, 1, 1, 1]), dy, 2);
      expect([...middle]).toEqual([Number.NaN, 3]);
    }
    const { middle: unbounded } = expectedCotangent(
      rows,
      jacobian([1, -Infinity, 1, 1, 1, 1], [1, Infinity, 1, 1, 1, 1]),
      dy,
      2,
    );
    expect([...unbounded]).toEqual([Number.NaN, 3]);
    const own = layoutOf('x', 'elementwise', [3], [3]);
    const { middle } = expectedCotangent(own, jacobian([1, 2, 3]), dy, 3, Uint8Array.of(0, 1, 0));
    expect([...middle]).toEqual([1, Number.NaN, 3]);
  });
});

describe('a comparison', () => {
  it('allows the interval and what rounding adds to it, no more', async () => {
    const measured = elementwise(jacobian([1, 1], [1.5, 1.5]));
    // u·(roundings + terms)·size + η·terms, and the same for the measured side.
    const rounding = u * (3 + 1) * 1.5 + eta + u * (8 + 1) * 1.5;
    const inside = await compare(measured, [1, 1.5 + rounding - 2 * u]);
    expect(inside.failure).toBeUndefined();
    expect([...inside.wrong]).toEqual([]);
    const confirm = async () => measured.jacobian;
    for (const analytic of [1.5 + 2 * rounding + 2 ** -51, 1 - 2 * rounding, Number.NaN, Infinity]) {
      const outside = await compare({ ...measured, confirm }, [1.25, analytic]);
      expect([...outside.wrong]).toEqual([1]);
      expect(outside.failure).toMatchObject({ code: 'gradient', what: 'vjp', input: 'x', wrong: 1, compared: 2 });
    }
  });

  it('takes declared bounds in place of the derived ones', async () => {
    const measured = elementwise(jacobian([1, 1]));
    expect((await compare(measured, [1.25, 1], { bound: Float64Array.of(0.25, 0) })).failure).toBeUndefined();
    const confirm = async () => measured.jacobian;
    const narrow = await compare({ ...measured, confirm }, [1.25, 1], { bound: Float64Array.of(0.125, 0) });
    expect([...narrow.wrong]).toEqual([0]);
  });

  it('leaves open what a declared bound does not hold', async () => {
    const { summary, failure } = await compare(elementwise(jacobian([1, 1, 1])), [9, 9, 1], {
      bound: Float64Array.of(Number.NaN, Infinity, 0),
    });
    expect(failure).toBeUndefined();
    expect(summary).toMatchObject({ compared: 1, open: 2 });
  });

  it('allows the smallest number for each term, however small they are', async () => {
    // Three outputs show the element, all with a derivative of 0.
    const numeric = elementwise(jacobian([0, 0, 0]), { layout: layoutOf('x', 'dense', [1], [3]), shape: [1] });
    const dy = new Float64Array(3).fill(1);
    expect((await compare(numeric, [3 * eta], { dy })).failure).toBeUndefined();
    const confirm = async () => numeric.jacobian;
    expect((await compare({ ...numeric, confirm }, [4 * eta], { dy })).failure).toMatchObject({
      lo: -3 * eta,
      hi: 3 * eta,
    });
  });

  it('allows for the rounding of the measured sum beside declared bounds', async () => {
    const terms = [0.1, 0.2, 0.3, 1e16, 0.7, -1e16];
    const shared = elementwise(jacobian(terms), { layout: layoutOf('x', 'dense', [1], [6]), shape: [1] });
    const how = { dy: new Float64Array(6).fill(1), bound: Float64Array.of(0) };
    // Summed from the other end.
    const reversed = terms.reduceRight((sum, term) => sum + term, 0);
    expect(reversed).not.toBe(terms.reduce((sum, term) => sum + term, 0));
    expect((await compare(shared, [reversed], how)).failure).toBeUndefined();
    const wrong = { ...shared, confirm: async () => shared.jacobian };
    expect((await compare(wrong, [100], how)).failure).toBeDefined();
  });

  it('allows for the rounding of a measured product beside a bound as narrow as an ulp', async () => {
    const draw = random(1, 'compare');
    const full = () => 1 + draw.uniform() + 2 ** -32 * draw.uniform();
    for (let k = 0; k < 5000; k++) {
      const [slope, dy] = [full(), full()];
      // The slope may be the end of the interval as well as its middle.
      const ulps = k % 3;
      const ends = [slope - ulps * 2 ** -52, slope + (2 - ulps) * 2 ** -52].map((end) => [end]);
      const how = { dy: Float64Array.of(dy), bound: Float64Array.of(u * slope * dy) };
      const measured = elementwise(jacobian(ends[0], ends[1]), { confirm: async () => measured.jacobian });
      expect((await compare(measured, [slope * dy], how)).failure, `${slope} · ${dy}`).toBeUndefined();
      const wrong = await compare(measured, [slope * dy * (1 + 2 ** -47)], how);
      expect([...wrong.wrong]).toEqual([0]);
    }
  });

  it('takes a relative tolerance in place of both', async () => {
    const measured = elementwise(jacobian([2, -4]), { confirm: async () => measured.jacobian });
    expect((await compare(measured, [2.19, -4.39], { tolerance: 0.1 })).failure).toBeUndefined();
    expect([...(await compare(measured, [2.21, -4.39], { tolerance: 0.1 })).wrong]).toEqual([0]);
    expect([...(await compare(measured, [2, -4.41], { tolerance: 0.1 })).wrong]).toEqual([1]);
  });

  it('counts what it compared, left open, and could not tell from 0; names the worst', async () => {
    const measured = elementwise(jacobian([1, Number.NaN, -1, 0, 3, -3], [1, Number.NaN, 3, 0, 3.5, 1]), {
      kinksOf: (element) => (element === 4 ? [{ at: 5 }, { at: 1.5 }] : []),
    });
    const { summary } = await compare(measured, [1, 7, 1, 0, 3.5, -1]);
    expect(summary).toMatchObject({ compared: 5, open: 1, vacuous: 2 });
    expect(summary.worst).toMatchObject({ index: [0, 4], analytic: 3.5, numeric: 3.25, kinkDistance: 0.5 });
    const { lo, hi, ratio } = summary.worst!;
    expect(lo).toBeLessThanOrEqual(3);
    expect(hi).toBeGreaterThanOrEqual(3.5);
    expect(hi - lo).toBeLessThan(0.5 + 2 ** -40);
    expect(ratio).toBeCloseTo(1, 10);
    expect((await compare(elementwise(jacobian([1, 2, 0])), [1, 2, 0])).summary).toMatchObject({
      compared: 3,
      vacuous: 0,
    });
    expect((await compare(elementwise(jacobian([1])), [1])).summary.worst!.kinkDistance).toBe(Infinity);
    expect((await compare(elementwise(jacobian([Number.NaN])), [1])).summary).toEqual({
      compared: 0,
      open: 1,
      vacuous: 0,
      worst: undefined,
    });
  });

  it('a kink that was found on an element is at distance 0', async () => {
    const side = { value: 0, slope: 0, valueError: 0, slopeError: 0, joined: true, good: true } as never;
    const kink = { derivative: 0, output: 0, element: 0, declared: undefined, left: side, right: side };
    const { summary } = await compare(elementwise(jacobian([1, 2], [1, 2], [kink])), [1, 2 + 2 ** -51]);
    expect(summary.worst).toMatchObject({ index: [0, 1], kinkDistance: Infinity });
    const other = await compare(elementwise(jacobian([1, 2], [1, 2], [kink])), [1 + 2 ** -52, 2]);
    expect(other.summary.worst).toMatchObject({ index: [0, 0], kinkDistance: 0 });
  });

  it('says what relative error it would have seen, in all and in half of the elements that are not 0', async () => {
    const measured = elementwise(jacobian([1, 2, 0, Number.NaN, -4], [1.5, 2.125, 0, Number.NaN, -3]));
    const seen = (await compare(measured, [1.25, 2, 0, 0, -3.5])).sees()!;
    expect(seen.everywhere).toBeCloseTo(0.5 / 1.25, 10);
    expect(seen.median).toBeCloseTo(1 / 3.5, 10);
    expect((await compare(elementwise(jacobian([0])), [0])).sees()).toBeUndefined();
  });

  it('measures once more what seems wrong, those elements alone, and takes what comes of it', async () => {
    const asked: number[][] = [];
    const again = (to: number) => async (elements: ReadonlySet<number>) => {
      asked.push([...elements]);
      return jacobian([1, to]);
    };
    const mended = elementwise(jacobian([1, 2]), { confirm: again(3) });
    expect((await compare(mended, [1, 3])).failure).toBeUndefined();
    expect(mended.jacobian.lo[1]).toBe(3);
    expect((await compare(elementwise(jacobian([1, 2]), { confirm: again(2) }), [1, 3])).failure).toMatchObject({
      analytic: 3,
      numeric: 2,
    });
    expect(asked).toEqual([[1], [1]]);
  });

  it('compares a projected input by its directions', async () => {
    const directions = [Float64Array.of(1, 1, 0), Float64Array.of(0, 2, -1)];
    expect([...projected(Float64Array.of(3, 4, 5), { directions } as never)]).toEqual([7, 3]);
    const numeric = elementwise(jacobian([7, 3]), {
      projection: { directions, random: 2, together: 3, alone: [], left: 0 },
      shape: [3],
    });
    const { failure, summary } = await compare(numeric, [3, 4, 5], {
      dy: Float64Array.of(1, 1),
      bound: Float64Array.of(0, 0, 0),
    });
    expect(failure).toBeUndefined();
    expect(summary).toMatchObject({ compared: 2, open: 0 });
    expect(summary.worst).toMatchObject({ isDirection: true, kinkDistance: Infinity });
    expect(summary.worst!.index).toHaveLength(1);
    // Roundings of the derivative, of one term, and of the three terms of the product: 7·8·u at most; measured, 12·8·u.
    const near = (by: number) =>
      compare(
        { ...numeric, jacobian: jacobian([8, 0]), confirm: async () => jacobian([8, 0]) },
        [3, 5 + by, 10 + 2 * by],
        {
          dy: Float64Array.of(1, 1),
        },
      );
    expect((await near(144 * u)).failure).toBeUndefined();
    expect([...(await near(160 * u)).wrong]).toEqual([0]);
  });

  it('says of a projected input what error of one element it sees, absolute, and names an element that was moved alone', async () => {
    const directions = [Float64Array.of(1, -2, 0, 0), Float64Array.of(1, 2, 0, 0), Float64Array.of(0, 0, 4, 0)];
    const projection = { directions, random: 2, together: 2, alone: [2], left: 1 };
    const measured = () => elementwise(jacobian([-1, 5, 12], [-1, 6, 20]), { projection, shape: [2, 2] });
    const numeric: Numeric = { ...measured(), confirm: async () => numeric.jacobian };
    // The last element is in no direction.
    const right = await compare(numeric, [2, 1.5, 4, 99], { dy: Float64Array.of(1, 1, 1) });
    expect(right.failure).toBeUndefined();
    expect(right.summary).toMatchObject({ compared: 3, open: 1 });
    const { everywhere, median, absolute } = right.sees()!;
    // Of the third, 8 in a product of four times itself; the first two are seen to rounding by the first direction.
    expect([everywhere, absolute]).toEqual([expect.closeTo(2, 10), true]);
    expect(median).toBeLessThan(1e-13);
    const wrong = await compare(numeric, [2, 1.5, 5.5, 99], { dy: Float64Array.of(1, 1, 1) });
    expect(wrong.failure).toMatchObject({ index: [1, 0], wrong: 1 });
    expect(wrong.failure).not.toHaveProperty('isDirection');
  });

  it('leaves open all elements that are moved together where none of the directions could be measured', async () => {
    const directions = [Float64Array.of(1, -2, 0), Float64Array.of(1, 2, 0), Float64Array.of(0, 0, 1)];
    const projection = { directions, random: 2, together: 2, alone: [2], left: 0 };
    const open = async (...slopes: number[]) =>
      (await compare(elementwise(jacobian(slopes), { projection, shape: [3] }), [0, 0, 0])).summary.open;
    expect(await open(Number.NaN, 0, 0)).toBe(0);
    expect(await open(Number.NaN, Number.NaN, 0)).toBe(2);
    expect(await open(0, 0, Number.NaN)).toBe(1);
  });

  it('takes declared bounds of a projected input by its directions, whatever those are that none moves', async () => {
    const directions = [Float64Array.of(1, -2, 0)];
    const projection = { directions, random: 1, together: 2, alone: [], left: 1 };
    const numeric = elementwise(jacobian([3]), { projection, shape: [3], confirm: async () => numeric.jacobian });
    const how = { dy: Float64Array.of(1), bound: Float64Array.of(0.5, 0.25, Infinity) };
    // 1·0.5 + 2·0.25
    expect((await compare(numeric, [9, 2.5, 7], how)).failure).toBeUndefined();
    expect((await compare(numeric, [9.25, 2.5, 7], how)).failure).toMatchObject({
      analytic: 4.25,
      lo: expect.closeTo(2, 12),
      hi: expect.closeTo(4, 12),
    });
  });

  it('allows for what underflow takes from a derivative before it is multiplied by dy', async () => {
    const measured = elementwise(jacobian([0]));
    expect((await compare(measured, [8 * eta], { dy: Float64Array.of(8) })).failure).toBeUndefined();
    expect(
      (await compare({ ...measured, confirm: async () => measured.jacobian }, [16 * eta], { dy: Float64Array.of(8) }))
        .wrong.size,
    ).toBe(1);
  });
});

describe('what differs for what lies beyond a found structure', () => {
  /** Four elements and outputs; outputs beyond may add half of the other dy to an element. */
  const beyond = {
    cotangent: (dy: Float64Array) =>
      new Float64Array(dy.length).fill(0.5 * dy.reduce((sum, d) => sum + Math.abs(d), 0)),
    tangent: (t: Float64Array) => t,
  };
  const found = (n: number) => {
    const numeric: Numeric = elementwise(jacobian(Array(n).fill(1)), { beyond, confirm: async () => numeric.jacobian });
    return numeric;
  };
  /** vjps of 1·dy, in which `own` adds to an element what its own dy does, and `others` what the other dy do. */
  const vjp = (own: number, others: number) => (dy: Float64Array) =>
    dy.map((d, j) => (j === 1 ? d * (1 + own) + others * dy.reduce((sum, e, i) => (i === j ? sum : sum + e), 0) : d));
  const asking = async (n: number, gradient: (dy: Float64Array) => Float64Array) => {
    const asked: number[][] = [];
    const dy = new Float64Array(n).fill(2);
    const ask = async (other: Float64Array) => {
      asked.push([...other]);
      return gradient(other);
    };
    const { wrong } = await compare(found(n), [...gradient(dy)], { dy, ask });
    return { wrong: [...wrong], asked };
  };

  it('is no error, where the element alone is what was measured', async () => {
    expect(await asking(4, vjp(0, 0.5))).toEqual({ wrong: [], asked: [[0, 2, 0, 0]] });
  });

  it('is one where there is more of it, or the element alone differs', async () => {
    expect((await asking(4, vjp(0, 0.75))).wrong).toEqual([1]);
    expect((await asking(4, vjp(0.75, 0))).wrong).toEqual([1]);
  });

  it('allows so much of what its own dy does to it, which was moved with it', async () => {
    expect((await asking(4, vjp(0.375, 0))).wrong).toEqual([]);
  });

  it('asks for eight elements alone, and for none where all is right or nothing lies beyond', async () => {
    const all = await asking(10, (dy) => dy.map((d) => d * 1.75));
    expect(all.asked).toEqual(
      Array.from({ length: 8 }, (_, k) => Array.from({ length: 10 }, (_, j) => (j === k ? 2 : 0))),
    );
    expect(all.wrong).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await asking(4, vjp(0, 0))).asked).toEqual([]);
    const asked: number[] = [];
    const ask = async (dy: Float64Array) => {
      asked.push(1);
      return dy;
    };
    const declared = elementwise(jacobian([1]), { confirm: async () => declared.jacobian });
    expect([...(await compare(declared, [1.5], { ask })).wrong]).toEqual([0]);
    const mended = elementwise(jacobian([1]), { beyond, confirm: async () => jacobian([1.5]) });
    expect([...(await compare(mended, [1.5], { ask })).wrong]).toEqual([]);
    expect(asked).toEqual([]);
  });
});

it('the rounding of a cotangent is that of its terms', () => {
  const shared = elementwise(jacobian([1, -3]), { layout: layoutOf('x', 'dense', [1], [2]), shape: [1] });
  const dy = Float64Array.of(2, -1);
  expect([...cotangentRounding(shared, dy, 1, 'f64', 3)]).toEqual([u * (3 + 2) * (2 + 3) + 2 * 2 * eta]);
});

it('a ratio is 0 for no distance, infinite for NaN or without width', () => {
  expect([ratioOf(0, 0), ratioOf(1, 2), ratioOf(1, 0), ratioOf(Number.NaN, 1)]).toEqual([0, 0.5, Infinity, Infinity]);
});
