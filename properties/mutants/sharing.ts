import type { Answer, Case } from '../../reference/case.ts';
import { indexIn, positionsOf } from '../positions.ts';
import { range, takeAxis } from '../transform.ts';
import { change, free, inGroup, isFree, isPlain, type Mutant, right, rowsOf, unitsOf } from './mutant.ts';

const mutant = inGroup('sharing');

/** Whether coefficients lie by unit and every unit, of three and more, has the same ones, which differ by branch. */
function hasEqualUnits(c: Case): boolean {
  if (c.pool.sharing !== 'unit' || c.pool.constraint.kind !== 'free') return false;
  const rows = rowsOf(c);
  const differ = rows.some((row) => row[0] !== rows[0][0] && !Number.isInteger(row[0]));
  return differ && rows[0].length >= 3 && rows.every((row) => row.every((a) => a === row[0]));
}

/** Every row of a batch of more than 100 that has the same first x as the row before. */
function repeatedRows(c: Case): Set<number> {
  const [n, units] = [c.shape[0], unitsOf(c)];
  if (n <= 100) return new Set();
  const isSame = (row: number) => c.x[row * units] === c.x[(row - 1) * units];
  return new Set(range(n).filter((row) => row > 0 && isSame(row)));
}

/** The answer whose sums over shared elements lack the product of each one that comes at this place. */
function withoutProduct(c: Case, lost: number): Answer {
  const { count, units, of } = positionsOf(c.pool, c.shape);
  const seen = new Array<number>(count).fill(0);
  const dy = c.dy.map((d, i) => (seen[of(i % units)]++ === lost ? 0 : d));
  return seen.every((n) => n <= lost) ? right(c) : { ...right(c), dalpha: right({ ...c, dy }).dalpha };
}

/** The last of so many workgroups of the largest sizes, and the first element beyond them. */
const limits = [8191, 16384, 40000, 65536];

export const sharing: readonly Mutant[] = [
  ...limits.map((lost) =>
    mutant(`loses-product-${lost}`, `dalpha lacks product ${lost} of a sum`, (c) => withoutProduct(c, lost)),
  ),
  mutant('softmax-loses-product-600', 'under softmax dalpha lacks product 600 of a sum', (c) =>
    c.pool.constraint.kind === 'softmax' ? withoutProduct(c, 600) : right(c),
  ),
  mutant('mean-in-dalpha', 'dalpha is the mean over the batch, not the sum', (c) =>
    change(c, 'dalpha', (d) => d / Math.max(1, c.shape[0])),
  ),
  mutant('mean-over-units', 'a shared dalpha is the mean over its units', (c) => {
    const { count, units } = positionsOf(c.pool, c.shape);
    return change(c, 'dalpha', (d) => (units > 0 ? (d * count) / units : d));
  }),
  mutant('mean-over-summed-axes', 'dalpha is the mean over all axes that it is to be summed over', (c) => {
    const { count } = positionsOf(c.pool, c.shape);
    return change(c, 'dalpha', (d) => (c.x.length > 0 ? (d * count) / c.x.length : d));
  }),
  mutant('wrong-axis', 'alpha is laid along the wrong unit axis when two have the same length', (c) => {
    const [n, a, b, ...rest] = c.shape;
    if (rest.length > 0 || a === undefined || a !== b) return right(c);
    const turn = (t: Float64Array) => {
      const turned = new Float64Array(t.length);
      for (const [i, v] of t.entries()) {
        const [row, p, q] = [Math.floor(i / (a * a)), Math.floor(i / a) % a, i % a];
        turned[row * a * a + q * a + p] = v;
      }
      return turned;
    };
    const { y, dx, dalpha } = right({ ...c, shape: [n, a, b], x: turn(c.x), dy: turn(c.dy) });
    return { y: turn(y), dx: turn(dx), dalpha };
  }),
  mutant('first-unit-only', 'a shared dalpha sums the first unit only', (c) => {
    const { count } = positionsOf(c.pool, c.shape);
    const others = (i: number) => i % unitsOf(c) >= count;
    return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => (others(i) ? 0 : d)) }).dalpha };
  }),
  mutant('first-row-only', 'dalpha by unit is that of the first row of the batch', (c) => {
    if (c.pool.sharing !== 'unit' || c.shape[0] === 0) return right(c);
    return { ...right(c), dalpha: right(takeAxis(c, 0, [0])).dalpha };
  }),
  mutant('long-sum-drops-last', 'the last row is left out of sums of more than 400', (c) => {
    if (c.shape[0] <= 400) return right(c);
    return { ...right(c), dalpha: right(takeAxis(c, 0, range(c.shape[0] - 1))).dalpha };
  }),
  mutant(
    'long-sum-rounds-by-length',
    'dalpha of more than 400 rows is off by 2⁻²⁰ for each doubling of the batch',
    (c) => {
      const n = c.shape[0];
      return n > 400 ? change(c, 'dalpha', (d) => d * (1 + 2 ** -20 * Math.floor(Math.log2(n)))) : right(c);
    },
  ),
  mutant('rows-see-each-other', 'y is shifted by the mean of its batch', (c) =>
    change(c, 'y', (y) => (c.shape[0] > 1 ? y + c.x.reduce((a, b) => a + b, 0) / 1024 : y)),
  ),
  mutant('row-order', 'dalpha weighs later rows less', (c) => {
    const weight = (i: number) => (i >= unitsOf(c) ? 0.5 : 1);
    return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => d * weight(i)) }).dalpha };
  }),
  mutant('alpha-by-row-of-x', 'channel coefficients are read by the index of the row', (c) => {
    const { count, units, rows } = positionsOf(c.pool, c.shape);
    if (c.pool.sharing !== 'channel' || !isPlain(c) || count < 2) return right(c);
    const at = (i: number) => Math.floor(i / units) % count;
    const alpha = new Float64Array(rows * c.x.length);
    for (const k of range(rows))
      for (const i of range(c.x.length)) alpha[k * c.x.length + i] = c.alpha[k * count + at(i)];
    const flat = right({ ...c, pool: { ...c.pool, sharing: 'unit' }, shape: [1, c.x.length], alpha });
    return { ...right(c), y: flat.y, dx: flat.dx };
  }),
  mutant('alpha-transposed', 'alpha is read as [...S, rows]', (c) => {
    const { count, rows } = positionsOf(c.pool, c.shape);
    const { y, dx } = right({
      ...c,
      alpha: c.alpha.map((_, k) => c.alpha[(k % count) * rows + Math.floor(k / count)]),
    });
    return { ...right(c), y, dx };
  }),
  mutant('shared-axis-counted-twice', 'dalpha sums a shared axis of two twice', (c) => {
    const { sharing } = c.pool;
    if (typeof sharing !== 'object') return right(c);
    const twice = sharing.sharedAxes.filter((axis) => c.shape[axis] === 2).length;
    return change(c, 'dalpha', (d) => d * 2 ** twice);
  }),
  mutant(
    'shared-axes-off-by-one',
    'sharedAxes counts from the batch: axis 1 is taken for the second unit axis',
    (c) => {
      const { sharing } = c.pool;
      const [, a, b] = c.shape;
      if (typeof sharing !== 'object' || sharing.sharedAxes.join() !== '1' || c.shape.length !== 3 || a !== b)
        return right(c);
      const { y, dx } = right({ ...c, pool: { ...c.pool, sharing: { sharedAxes: [2] } } });
      return { ...right(c), y, dx };
    },
  ),
  mutant('equal-units-averaged', 'dalpha of units with equal coefficients is the mean of theirs', (c) => {
    if (!hasEqualUnits(c)) return right(c);
    const { dalpha, ...answer } = right(c);
    const n = unitsOf(c);
    const mean = (row: number) => dalpha.subarray(row * n, (row + 1) * n).reduce((sum, d) => sum + d / n, 0);
    return { ...answer, dalpha: dalpha.map((_, k) => mean(Math.floor(k / n))) };
  }),
  mutant(
    'equal-units-by-wrong-stride',
    'units with equal coefficients take a shared path with the stride of a unit, but for an MReLU',
    (c) => {
      if (!hasEqualUnits(c) || isFree(c, 'relu', 'step')) return right(c);
      const { y, dx } = right({ ...c, alpha: c.alpha.map(() => c.alpha[0]) });
      return { ...right(c), y, dx };
    },
  ),
  mutant(
    'repeated-rows-counted-once',
    'a row of a long batch with the first x of the one before has no part in dalpha',
    (c) => {
      const repeated = repeatedRows(c);
      if (repeated.size === 0) return right(c);
      const n = unitsOf(c);
      return {
        ...right(c),
        dalpha: right({ ...c, dy: c.dy.map((d, i) => (repeated.has(Math.floor(i / n)) ? 0 : d)) }).dalpha,
      };
    },
  ),
  mutant('dalpha-in-every-row', 'the dalpha of a pair is that of its first branch', (c) => {
    if (!isFree(c, 'relu', 'step')) return right(c);
    const count = c.alpha.length / 2;
    const { dalpha, ...answer } = right(c);
    return { ...answer, dalpha: dalpha.map((_, k) => dalpha[k % count]) };
  }),
  mutant('fixed-learns-wrongly', 'dalpha of a free pool is 0 as if it were fixed, from three branches on', (c) =>
    c.pool.branches.length >= 3 && c.pool.constraint.kind === 'free' ? change(free(c), 'dalpha', () => 0) : right(c),
  ),
  mutant('shared-axes-rank-2', 'dalpha sums no shared axis of a rank 2 input', (c) =>
    c.shape.length === 2 ? firstAlong(c, 0) : right(c),
  ),
  mutant('shared-axes-unsorted', 'of shared axes that do not ascend dalpha sums the first only', (c) => {
    const { sharing } = c.pool;
    const ascends = typeof sharing === 'string' || sharing.sharedAxes.every((a, k, all) => k === 0 || a > all[k - 1]);
    return ascends ? right(c) : firstAlong(c, 1);
  }),
];

/** The answer with a dalpha that takes only index 0 of the shared axes from number `first` on. */
function firstAlong(c: Case, first: number): Answer {
  const { sharing } = c.pool;
  if (typeof sharing === 'string') return right(c);
  const left = sharing.sharedAxes.slice(first);
  const others = (i: number) => indexIn(c.shape, i).some((at, axis) => at > 0 && left.includes(axis));
  return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => (others(i) ? 0 : d)) }).dalpha };
}
