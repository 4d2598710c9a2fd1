import { positionsOf } from '../positions.ts';
import { addToBranch, change, inGroup, type Mutant, right, rowsNamed, unitsOf } from './mutant.ts';

const mutant = inGroup('special');

/** Beyond float16, and far from overflow. */
const isLarge = (v: number) => Math.abs(v) > 65504 && Math.abs(v) < 2 ** 1000;
const cut = (v: number) => (isLarge(v) ? Math.sign(v) * 65504 : v);

export const special: readonly Mutant[] = [
  mutant('nan-to-zero', 'NaN comes out as 0', (c) => change(c, 'y', (y) => (Number.isNaN(y) ? 0 : y))),
  mutant('nan-spreads', 'a NaN in x spreads over its row', (c) => {
    const poisoned = (i: number) => {
      const row = Math.floor(i / unitsOf(c)) * unitsOf(c);
      return c.x.subarray(row, row + unitsOf(c)).some(Number.isNaN);
    };
    return change(c, 'y', (y, i) => (poisoned(i) ? NaN : y));
  }),
  mutant('infinity-saturates', 'infinite x is computed as the largest finite number', (c) =>
    right({ ...c, x: c.x.map((v) => (Math.abs(v) === Infinity ? Math.sign(v) * 1e6 : v)) }),
  ),
  mutant('empty-is-nan', 'dalpha of an empty batch is NaN', (c) =>
    change(c, 'dalpha', (d) => (c.shape[0] === 0 ? NaN : d)),
  ),
  mutant('one-over-zero', 'y at 0 is computed as x·(y/x)', (c) => change(c, 'y', (y, i) => (c.x[i] === 0 ? NaN : y))),
  mutant('relu-of-nan-is-zero', 'a pool of one relu is fmax(x, 0), which swallows NaN', (c) =>
    c.pool.branches.join() === 'relu' ? change(c, 'y', (y, i) => (Number.isNaN(c.x[i]) ? 0 : y)) : right(c),
  ),
  mutant('step-of-nan-is-zero', 'a pool of steps compares only: step(NaN) = 0', (c) =>
    c.pool.branches.every((name) => name === 'step')
      ? change(c, 'y', (y, i) => (Number.isNaN(c.x[i]) ? 0 : y))
      : right(c),
  ),
  mutant('half-square-of-nan-in-dalpha', 'dalpha of halfSquare counts NaN as 0', (c) => {
    const rows = rowsNamed(c, 'halfSquare');
    const { count } = positionsOf(c.pool, c.shape);
    const { dalpha } = right({ ...c, x: c.x.map((x) => (Number.isNaN(x) ? 0 : x)) });
    return change(c, 'dalpha', (d, k) => (rows.includes(Math.floor(k / count)) ? dalpha[k] : d));
  }),
  mutant('nan-alpha-is-zero', 'a NaN in alpha is read as 0', (c) =>
    right({ ...c, alpha: c.alpha.map((a) => (Number.isNaN(a) ? 0 : a)) }),
  ),
  mutant('infinite-alpha-is-large', 'an infinite alpha is read as the largest finite number', (c) =>
    right({
      ...c,
      alpha: c.alpha.map((a) => (Math.abs(a) === Infinity ? Math.sign(a) * Number.MAX_VALUE : a)),
    }),
  ),
  mutant('infinite-alpha-unsigned', 'an infinite alpha loses its sign', (c) =>
    right({ ...c, alpha: c.alpha.map((a) => (a === -Infinity ? Infinity : a)) }),
  ),
  mutant('nan-alpha-spreads', 'a NaN in alpha spreads over all of y', (c) =>
    change(c, 'y', (y) => (c.alpha.some(Number.isNaN) ? NaN : y)),
  ),
  mutant('mask-by-product', 'relu is x·(x > 0), NaN at -∞', (c) =>
    change(c, 'y', (y, i) => (c.x[i] === -Infinity && rowsNamed(c, 'relu').length > 0 ? NaN : y)),
  ),
  mutant('masked-dy-spreads', 'a NaN in dy spreads over dx of its row', (c) => {
    const n = unitsOf(c);
    const poisoned = (i: number) => c.dy.subarray(i - (i % n), i - (i % n) + n).some(Number.isNaN);
    return change(c, 'dx', (dx, i) => (poisoned(i) ? NaN : dx));
  }),
  mutant('nan-dy-skipped', 'a NaN in dy is left out of dalpha and is 0 in dx', (c) =>
    right({ ...c, dy: c.dy.map((d) => (Number.isNaN(d) ? 0 : d)) }),
  ),
  mutant('infinite-step-in-dalpha', 'step is x/x in dalpha, NaN at ∞', (c) => {
    const { dalpha } = right({ ...c, x: c.x.map((x) => (x === Infinity ? NaN : x)) });
    return { ...right(c), dalpha };
  }),
  mutant('zero-tensor-is-zero', 'zeros of both signs are passed over: y = 0, though sigmoid(0) is not', (c) =>
    c.x.every((x) => x === 0) && new Set(c.x.map((x) => 1 / x)).size === 2 ? change(c, 'y', () => 0) : right(c),
  ),
  mutant('subnormals-flushed', 'subnormal x is read as 0, without the facet', (c) =>
    right({ ...c, x: c.x.map((x) => (Math.abs(x) < 2 ** -1022 ? 0 : x)) }),
  ),
  mutant('large-x-is-zero', 'x beyond 2²⁴ is taken for an overflow, y = 0', (c) =>
    change(c, 'y', (y, i) => (isLarge(c.x[i] / 256) ? 0 : y)),
  ),
  mutant('large-dy-is-cut', 'dy is cut at the largest float16', (c) => right({ ...c, dy: c.dy.map(cut) })),
  mutant('large-alpha-is-cut', 'free coefficients are cut at the largest float16', (c) =>
    c.pool.constraint.kind === 'free' ? right({ ...c, alpha: c.alpha.map(cut) }) : right(c),
  ),
  mutant('overflows-early', 'halfSquare is (2x)²/8, infinite from 2¹⁰ on', (c) =>
    addToBranch(c, 'halfSquare', (x) => (x > 2 ** 10 ? Infinity : 0)),
  ),
  mutant('nan-poisons-every-dalpha', 'a NaN in dalpha spreads over its row', (c) => {
    const { dalpha, ...answer } = right(c);
    const n = dalpha.length / Math.max(1, c.pool.branches.length);
    const poisoned = (k: number) => dalpha.subarray(k - (k % n), k - (k % n) + n).some(Number.isNaN);
    return { ...answer, dalpha: dalpha.map((d, k) => (Number.isInteger(n) && n > 0 && poisoned(k) ? NaN : d)) };
  }),
  mutant('alpha-saturates', 'alpha saturates at ±10', (c) =>
    right({ ...c, alpha: c.alpha.map((a) => Math.max(-10, Math.min(10, a))) }),
  ),
  mutant('alpha-pruned', 'alpha below 1e-6 is taken for 0', (c) =>
    right({ ...c, alpha: c.alpha.map((a) => (Math.abs(a) < 1e-6 ? 0 : a)) }),
  ),
];
