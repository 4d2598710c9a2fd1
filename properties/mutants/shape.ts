import type { Answer, Case } from '../../reference/case.ts';
import { positionsOf } from '../positions.ts';
import { change, inGroup, isPlain, type Mutant, right, unitsOf } from './mutant.ts';

const mutant = inGroup('shape');

export const shape: readonly Mutant[] = [
  mutant('tail-of-four', 'the last elements are left 0 when the size is no multiple of 4', (c) =>
    change(c, 'y', (y, i) => (i >= c.x.length - (c.x.length % 4) ? 0 : y)),
  ),
  mutant('tail-of-eight-in-dx', 'dx of the elements after the last full 8 is that of the first elements', (c) => {
    const { dx, ...answer } = right(c);
    const full = c.x.length - (c.x.length % 8);
    return { ...answer, dx: dx.map((v, i) => (full > 0 && i >= full ? dx[i - full] : v)) };
  }),
  mutant('tail-left-out-of-dalpha', 'dalpha leaves out the elements after the last full 4', (c) => {
    const full = c.x.length - (c.x.length % 4);
    return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => (i < full ? d : 0)) }).dalpha };
  }),
  mutant(
    'tail-of-row',
    'y of the units after the last full 4 of each row is computed with alpha of the first ones',
    (c) => {
      const n = c.shape.at(-1)!;
      if (c.pool.sharing === 'layer' || c.shape.length !== 2 || n < 5) return right(c);
      const { count } = positionsOf(c.pool, c.shape);
      const full = n - (n % 4);
      if (count !== n) return right(c);
      const alpha = c.alpha.map((a, k) => (k % n >= full ? c.alpha[k - full] : a));
      return { ...right(c), y: right({ ...c, alpha }).y };
    },
  ),
  mutant('flat-tail', 'y of a flat tensor of 20 to 60 elements stops at a multiple of 4', (c) =>
    c.shape.length === 1 && c.x.length >= 20 && c.x.length <= 60
      ? change(c, 'y', (y, i) => (i >= c.x.length - (c.x.length % 4 || 4) ? 0 : y))
      : right(c),
  ),
  mutant('rank-matters', 'rank 3 and more is computed with alpha halved', (c) =>
    c.shape.length >= 3 ? { ...right(c), y: right({ ...c, alpha: c.alpha.map((a) => a / 2) }).y } : right(c),
  ),
  mutant('rank-of-five', 'strides hold four axes: rank 5 is computed with alpha halved', (c) =>
    c.shape.length >= 5 ? { ...right(c), y: right({ ...c, alpha: c.alpha.map((a) => a / 2) }).y } : right(c),
  ),
  mutant('rank-of-six', 'rank 6 takes the coefficients in reverse', (c) => {
    if (c.shape.length < 6) return right(c);
    const { count } = positionsOf(c.pool, c.shape);
    const reversed = c.alpha.map((_, k) => c.alpha[k - (k % count) + count - 1 - (k % count)]);
    return { ...right(c), y: right({ ...c, alpha: reversed }).y };
  }),
  mutant('batch-of-one', 'a batch of one row takes a path that forgets the last branch', (c) => {
    const { count, rows } = positionsOf(c.pool, c.shape);
    if (c.shape[0] !== 1 || rows < 2) return right(c);
    return { ...right(c), y: right({ ...c, alpha: c.alpha.map((a, k) => (k >= (rows - 1) * count ? 0 : a)) }).y };
  }),
  mutant('batch-of-five', 'a batch of five rows takes an unrolled path that does the fourth row twice', (c) => {
    if (c.shape[0] !== 5) return right(c);
    const { dx, ...answer } = right(c);
    const n = unitsOf(c);
    return { ...answer, dx: dx.map((v, i) => (i >= 4 * n ? dx[i - n] : v)) };
  }),
  mutant('index-of-one-byte', 'elements are counted in a byte: those from 256 on are not summed', (c) => ({
    ...right(c),
    dalpha: right({ ...c, dy: c.dy.map((d, i) => (i < 256 ? d : 0)) }).dalpha,
  })),
  mutant('index-of-two-bytes', 'elements are counted in two bytes: those from 65,536 on are left 0', (c) =>
    change(c, 'y', (y, i) => (i < 2 ** 16 ? y : 0)),
  ),
  mutant('rows-after-the-last-32', 'from 33 rows on dalpha leaves out those after the last full 32', (c) => {
    const rows = c.shape[0];
    if (rows < 33 || unitsOf(c) < 2) return right(c);
    const full = (rows - (rows % 32)) * unitsOf(c);
    return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => (i < full ? d : 0)) }).dalpha };
  }),
  mutant('square-is-transposed', 'dx of a square matrix is laid out column by column', (c) => {
    const [n, m] = c.shape as [number, number];
    if (c.shape.length !== 2 || n !== m) return right(c);
    const { dx, ...answer } = right(c);
    return { ...answer, dx: dx.map((_, i) => dx[(i % n) * n + Math.floor(i / n)]) };
  }),
  mutant('odd-last-axis', 'rows of odd length are read one element early', (c) => {
    const n = c.shape.at(-1)!;
    if (n % 2 === 0 || n < 3 || c.shape.length < 2) return right(c);
    const x = c.x.map((v, i) => (i % n === n - 1 ? c.x[i - 1] : v));
    return { ...right(c), y: right({ ...c, x }).y };
  }),
  mutant('empty-channels-are-nan', 'dalpha of an empty batch is not initialised beyond 4 channels', (c) =>
    change(c, 'dalpha', (d, k) => (c.shape[0] === 0 && c.shape.at(-1)! > 4 && k % c.shape.at(-1)! > 3 ? NaN : d)),
  ),
  mutant('alpha-beyond-1024', 'positions beyond 1,024 use the alpha of 1,024 before', (c) => alphaFrom(c, 1024)),
  mutant('alpha-beyond-512', 'positions beyond 512 use the alpha of 512 before', (c) => alphaFrom(c, 512)),
  mutant('alpha-beyond-256', 'positions beyond 256 use the alpha of 256 before', (c) => alphaFrom(c, 256)),
  mutant('alpha-beyond-64', 'positions beyond 64 use the alpha of 64 before', (c) => alphaFrom(c, 64)),
  mutant('alpha-beyond-16', 'positions beyond 16 use the alpha of 16 before', (c) => alphaFrom(c, 16)),
  mutant('seventh-branch-lost', 'branches beyond the sixth are left out of y', (c) => withBranches(c, 6)),
  mutant('ninth-branch-lost', 'branches beyond the eighth are left out of y', (c) => withBranches(c, 8)),
  mutant('element-4096', 'the first element after 4,096 is wrong', (c) =>
    change(c, 'y', (y, i) => (i === 4096 ? y + 1 : y)),
  ),
  large('knows-relu-and-step', 'knows relu and step only', (c) =>
    c.pool.branches.every((name) => name === 'relu' || name === 'step') ? right(c) : nothing(c),
  ),
  large('knows-two-axes', 'knows two axes only', (c) => (c.shape.length > 2 ? nothing(c) : right(c))),
  large('nan-is-zero', 'reads NaN as 0', (c) => change(c, 'y', (y, i) => (Number.isNaN(c.x[i]) ? 0 : y))),
  large('flushes', 'reads subnormals as 0', (c) =>
    right({ ...c, x: c.x.map((x) => (Math.abs(x) < 2 ** -1022 ? 0 : x)) }),
  ),
  large('dalpha-in-float32', 'sums in float32', (c) => change(c, 'dalpha', Math.fround)),
  large('dx-in-float32', 'gives dx in float32', (c) => change(c, 'dx', Math.fround)),
];

/** A Subject that has a path of its own for tensors of more than 512 elements, which is wrong. */
function large(id: string, bug: string, answer: (c: Case) => Answer): Mutant {
  return mutant(`large-${id}`, `a path for more than 512 elements ${bug}`, (c) =>
    c.x.length > 512 ? answer(c) : right(c),
  );
}

/** An answer that was never written. */
function nothing(c: Case): Answer {
  const { y, dx, dalpha } = right(c);
  return { y: y.fill(0), dx: dx.fill(0), dalpha: dalpha.fill(0) };
}

/** Positions of S from `width` on take the alpha of `width` before. */
function alphaFrom(c: Case, width: number): Answer {
  const { count } = positionsOf(c.pool, c.shape);
  return right({ ...c, alpha: c.alpha.map((a, i) => (i % count >= width ? c.alpha[i - width] : a)) });
}

/** y of the first so many branches alone. */
function withBranches(c: Case, most: number): Answer {
  const { n, count } = positionsOf(c.pool, c.shape);
  if (n <= most || !isPlain(c)) return right(c);
  return { ...right(c), y: right({ ...c, alpha: c.alpha.map((a, k) => (k < most * count ? a : 0)) }).y };
}
