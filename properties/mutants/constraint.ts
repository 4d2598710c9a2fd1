import type { Answer, Case } from '../../reference/case.ts';
import { positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import { change, free, inGroup, type Mutant, right, rowsOf } from './mutant.ts';

const mutant = inGroup('constraint');

function boundsOf({ pool }: Case): readonly number[] | undefined {
  return pool.constraint.kind === 'clip' ? pool.constraint.bounds : undefined;
}

/** Three bounds and more that are evenly spaced, the pools of a kernel that has a start and a step for them. */
function isSpaced(bounds: readonly number[] | undefined): bounds is readonly number[] {
  if (bounds === undefined || bounds.length < 3) return false;
  const [first, second] = bounds as [number, number];
  return second > first && bounds.every((b, k) => b === first + k * (second - first));
}

/** The Case of a clip pool with each coefficient as `cut` makes it, and no constraint. */
function cutBy(c: Case, bounds: readonly number[], cut: (a: number, b: number) => number): Case {
  const { count } = positionsOf(c.pool, c.shape);
  return free({ ...c, alpha: c.alpha.map((a, i) => cut(a, bounds[Math.floor(i / count)])) });
}

function maskOnBound(c: Case, bounds: readonly number[]) {
  const { count } = positionsOf(c.pool, c.shape);
  return change(c, 'dalpha', (d, i) => (Math.abs(c.alpha[i]) === bounds[Math.floor(i / count)] ? 0 : d));
}

/** The coefficients of a sumToOne pool, the last as `last` makes it from the sum of the others, written out. */
function writtenOut(c: Case, last: (sum: number) => number): Case {
  const { rows, count } = positionsOf(c.pool, c.shape);
  const row = range(count).map((s) => last(range(rows).reduce((sum, k) => sum + c.alpha[k * count + s], 0)));
  return free({ ...c, alpha: Float64Array.of(...c.alpha, ...row) });
}

const isSumToOne = ({ pool }: Case) => pool.constraint.kind === 'sumToOne';
const isSoftmax = ({ pool }: Case) => pool.constraint.kind === 'softmax';

export const constraint: readonly Mutant[] = [
  mutant('clip-mask-with-margin', 'clip lets alpha learn up to a ten-thousandth beyond its bound', (c) => {
    const bounds = boundsOf(c);
    if (bounds === undefined) return right(c);
    const wider = { kind: 'clip', bounds: bounds.map((b) => b * (1 + 1e-4)) } as const;
    return { ...right(c), dalpha: right({ ...c, pool: { ...c.pool, constraint: wider } }).dalpha };
  }),
  mutant('clip-not-masked', 'dalpha of clip is not masked', (c) =>
    boundsOf(c) ? { ...right(c), dalpha: right(free(c)).dalpha } : right(c),
  ),
  mutant('clip-open', 'dalpha of clip is masked on the bound too', (c) => {
    const bounds = boundsOf(c);
    return bounds ? maskOnBound(c, bounds) : right(c);
  }),
  mutant('clip-above-only', 'clip cuts at the upper bound only', (c) => {
    const bounds = boundsOf(c);
    return bounds ? { ...right(c), y: right(cutBy(c, bounds, Math.min)).y } : right(c);
  }),
  mutant('clip-one-bound', 'every coefficient is clipped by the first bound', (c) => {
    const bounds = boundsOf(c);
    if (!bounds) return right(c);
    const { y, dx } = right(cutBy(c, bounds, (a) => Math.min(Math.max(a, -bounds[0]), bounds[0])));
    return { ...right(c), y, dx };
  }),
  mutant('clip-not-in-dx', 'dx of clip has the coefficients before the clip', (c) =>
    boundsOf(c) ? { ...right(c), dx: right(free(c)).dx } : right(c),
  ),
  mutant('clip-spaced-open', 'bounds given as a start and a step are compared openly', (c) => {
    const bounds = boundsOf(c);
    return isSpaced(bounds) ? maskOnBound(c, bounds) : right(c);
  }),
  mutant('clip-spaced-above-only', 'bounds given as a start and a step cut above only', (c) => {
    const bounds = boundsOf(c);
    if (!isSpaced(bounds)) return right(c);
    const { y, dx } = right(cutBy(c, bounds, Math.min));
    return { ...right(c), y, dx };
  }),
  mutant('sum-to-one-forgets-last', 'dalpha of sumToOne leaves -dcₙ out', (c) => {
    if (!isSumToOne(c)) return right(c);
    return { ...right(c), dalpha: right(writtenOut(c, () => 0)).dalpha.slice(0, c.alpha.length) };
  }),
  mutant('sum-to-one-adds-last', 'dalpha of sumToOne is dcᵢ + dcₙ', (c) => {
    if (!isSumToOne(c)) return right(c);
    const { rows, count } = positionsOf(c.pool, c.shape);
    const dc = right(writtenOut(c, () => 0)).dalpha;
    return change(c, 'dalpha', (_, k) => dc[k] + dc[rows * count + (k % count)]);
  }),
  mutant('sum-to-half', 'the last coefficient of sumToOne is 1/2 - Σ', (c) => {
    if (!isSumToOne(c)) return right(c);
    const { y, dx } = right(writtenOut(c, (sum) => 0.5 - sum));
    return { ...right(c), y, dx };
  }),
  mutant('sum-to-one-not-in-dx', 'dx of sumToOne leaves the last branch out', (c) =>
    isSumToOne(c) ? { ...right(c), dx: right(writtenOut(c, () => 0)).dx } : right(c),
  ),
  mutant('sum-to-one-four-ulps', 'from three branches on dalpha of sumToOne is off by 4 ulp at large alphas', (c) => {
    const isLarge = (a: number) => Math.abs(a) > 0.5 && Number.isFinite(a) && !Number.isInteger(4 * a);
    return isSumToOne(c) && c.pool.branches.length >= 3 && c.x.some((x) => x !== 0)
      ? change(c, 'dalpha', (d, k) => (isLarge(c.alpha[k]) ? d * (1 + 2 ** -50) : d))
      : right(c);
  }),
  mutant('merges-equal-branches', 'four equal branches and more are merged, the implied coefficient is lost', (c) =>
    isSumToOne(c) && c.pool.branches.length >= 4 && new Set(c.pool.branches).size === 1
      ? { ...right(c), y: right(writtenOut(c, () => 0)).y }
      : right(c),
  ),
  mutant('softmax-diagonal', 'dalpha of softmax uses the diagonal of its Jacobian only', (c) => {
    if (!isSoftmax(c)) return right(c);
    const share = sharesOf(c);
    const { dalpha } = right(free(c));
    return { ...right(c), dalpha: dalpha.map((d, i) => share(i) * (1 - share(i)) * d) };
  }),
  mutant('softmax-temperature', 'the exponentials of softmax are those of alpha / 2', (c) =>
    isSoftmax(c) ? right({ ...c, alpha: c.alpha.map((a) => a / 2) }) : right(c),
  ),
  mutant('softmax-of-two', 'softmax divides by the sum of the first two exponentials', (c) => {
    if (!isSoftmax(c) || rowsOf(c).length < 3) return right(c);
    const { y, dx } = right(free({ ...c, alpha: c.alpha.map((_, i) => sharesOf(c, 2)(i)) }));
    return { ...right(c), y, dx };
  }),
  mutant('softmax-not-centred', 'dalpha of softmax is c∘dc, without the mean', (c) =>
    isSoftmax(c) ? { ...right(c), dalpha: right(free(c)).dalpha.map((d, i) => sharesOf(c)(i) * d) } : right(c),
  ),
  mutant('softmax-of-three', 'softmax of three branches sums the first two only', (c) =>
    c.pool.branches.length === 3 ? softmaxAs(c, (e) => e.map((v) => v / (e[0] + e[1]))) : right(c),
  ),
  mutant('softmax-overflows', 'softmax does not take the maximum off first', (c) =>
    softmaxAs(c, (_, alpha) => {
      const e = alpha.map(Math.exp);
      return e.map((v) => v / e.reduce((a, b) => a + b));
    }),
  ),
  mutant('softmax-dx-even', 'dx of softmax takes 1/n for every coefficient', (c) => ({
    ...right(c),
    dx: softmaxAs(c, (e) => e.map(() => 1 / e.length)).dx,
  })),
];

/** The softmax coefficient at each place of alpha; the sum over the first `terms` rows. */
function sharesOf(c: Case, terms: number = c.pool.branches.length): (i: number) => number {
  const { count } = positionsOf(c.pool, c.shape);
  const e = c.alpha.map(Math.exp);
  return (i) => e[i] / range(terms).reduce((sum, k) => sum + e[k * count + (i % count)], 0);
}

/** The answer under softmax with y and dx of other coefficients, made of the exponentials or of alpha at each position. */
function softmaxAs(
  c: Case,
  coefficients: (e: readonly number[], alpha: readonly number[]) => readonly number[],
): Answer {
  if (c.pool.constraint.kind !== 'softmax') return right(c);
  const { count, n } = positionsOf(c.pool, c.shape);
  const alpha = new Float64Array(n * count);
  for (const s of range(count)) {
    const column = range(n).map((k) => c.alpha[k * count + s]);
    const top = Math.max(...column);
    const e = column.map((a) => Math.exp(a - top));
    for (const [k, value] of coefficients(e, column).entries()) alpha[k * count + s] = value;
  }
  const { y, dx } = right(free({ ...c, alpha }));
  return { ...right(c), y, dx };
}
