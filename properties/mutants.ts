import type { Answer, Case } from '../reference/case.ts';
import { doubleVjp, jvp } from '../reference/pool.ts';
import type { Subject } from '../reference/subject.ts';
import { indexIn, positionsOf } from './positions.ts';
import { referenceSubject } from './reference-subject.ts';
import { range, take, takeAxis } from './transform.ts';

/** A deliberately wrong Subject: the laws are tested by what they find here. */
export interface Mutant {
  /** Permanent, in the words of the bug. */
  readonly id: string;
  /** The mistake that it stands for. */
  readonly bug: string;
  /** A fresh one, since some have state. */
  make(): Subject;
}

const right = (c: Case): Answer => referenceSubject.answer(c) as Answer;

/** Answers as the reference, but for what `answer` changes. */
function mutant(id: string, bug: string, answer: (c: Case) => Answer, more: Partial<Subject> = {}): Mutant {
  return { id, bug, make: () => ({ name: id, dtype: 'f64', facets: [], answer, ...more }) };
}

/** The coefficient of branch k at each element, of the pools whose coefficients are plain rows. */
function coefficient(c: Case, k: number): (i: number) => number {
  const { rows, count, units, of } = positionsOf(c.pool, c.shape);
  return (i) => (k < rows ? c.alpha[k * count + of(i % units)]! : 1);
}

function changeY(c: Case, change: (y: number, i: number) => number): Answer {
  const answer = right(c);
  return { ...answer, y: answer.y.map(change) };
}

function changeDx(c: Case, change: (dx: number, i: number) => number): Answer {
  const answer = right(c);
  return { ...answer, dx: answer.dx.map(change) };
}

function changeDalpha(c: Case, change: (dalpha: number, i: number) => number): Answer {
  const answer = right(c);
  return { ...answer, dalpha: answer.dalpha.map(change) };
}

/** Every branch of this name adds `extra(x)` times its coefficient to y. */
function addToBranch(c: Case, name: string, extra: (x: number) => number): Answer {
  const rows = range(c.pool.branches.length).filter((k) => c.pool.branches[k] === name);
  return changeY(c, (y, i) => rows.reduce((sum, k) => sum + coefficient(c, k)(i) * extra(c.x[i]!), y));
}

/** Every branch of this name adds `extra(x)` times its coefficient and dy to dx. */
function addToSlope(c: Case, name: string, extra: (x: number) => number): Answer {
  const rows = range(c.pool.branches.length).filter((k) => c.pool.branches[k] === name);
  return changeDx(c, (dx, i) => rows.reduce((sum, k) => sum + coefficient(c, k)(i) * extra(c.x[i]!) * c.dy[i]!, dx));
}

const free = (c: Case): Case => ({ ...c, pool: { ...c.pool, constraint: { kind: 'free' } } });
const units = (c: Case) => c.shape.slice(1).reduce((a, b) => a * b, 1);

/** Deliberately wrong Subjects, in groups by what they get wrong. */
export const mutants: readonly Mutant[] = [
  // Formula
  mutant('coefficients-swapped', 'the coefficients of relu and step are swapped', (c) => {
    const [p, d] = [c.pool.branches.indexOf('relu'), c.pool.branches.indexOf('step')];
    const { rows, count } = positionsOf(c.pool, c.shape);
    if (p < 0 || d < 0 || p >= rows || d >= rows) return right(c);
    const order = range(rows).map((k) => (k === p ? d : k === d ? p : k));
    const swap = (t: Float64Array) => take(t, [rows, count], 0, order);
    const { y, dx, dalpha } = right({ ...c, alpha: swap(c.alpha) });
    return { y, dx, dalpha: swap(dalpha) };
  }),
  mutant('missing-p-in-dx', 'dx leaves the coefficients out', (c) => {
    const ones = free({
      ...c,
      alpha: new Float64Array(c.pool.branches.length * positionsOf(c.pool, c.shape).count).fill(1),
    });
    return { ...right(c), dx: right(ones).dx };
  }),
  mutant('dx-by-d', 'dx takes the coefficient of step for that of relu', (c) => {
    const D = coefficient(c, c.pool.branches.indexOf('step'));
    if (c.pool.branches.join() !== 'relu,step') return right(c);
    return changeDx(c, (_, i) => (c.x[i]! > 0 ? D(i) * c.dy[i]! : 0));
  }),
  mutant('d-in-dx', 'dx of step is that of relu', (c) => addToSlope(c, 'step', (x) => (x > 0 ? 1 : 0))),
  mutant('dy-twice', 'dx has dy as a factor twice', (c) => changeDx(c, (dx, i) => dx * c.dy[i]!)),
  mutant('normalised-coefficients', 'coefficients are divided by their sum', (c) => {
    const { rows, count } = positionsOf(c.pool, c.shape);
    const sum = (s: number) => range(rows).reduce((total, k) => total + c.alpha[k * count + s]!, 0);
    return right({ ...c, alpha: c.alpha.map((a, i) => a / (sum(i % count) || 1)) });
  }),
  mutant('alpha-squared', 'the coefficients are alpha squared', (c) => ({
    ...right(c),
    y: right({ ...c, alpha: c.alpha.map((a) => a * Math.abs(a)) }).y,
  })),
  mutant('bias-everywhere', 'the step is a bias on both sides', (c) => addToBranch(c, 'step', (x) => (x <= 0 ? 1 : 0))),
  mutant('leaky-relu', 'relu has a slope of 1/1000 on the left', (c) =>
    addToBranch(c, 'relu', (x) => (x < 0 ? x / 1000 : 0)),
  ),
  mutant('softplus-overflows', 'softplus is log(1 + exp(x)) as written', (c) =>
    addToBranch(c, 'softplus', (x) => (x > 709 ? Number.POSITIVE_INFINITY : 0)),
  ),
  mutant('small-is-zero', 'relu is 0 below 1e-20', (c) => addToBranch(c, 'relu', (x) => (x > 0 && x < 1e-20 ? -x : 0))),
  mutant('relu6', 'relu stops at 6', (c) => addToBranch(c, 'relu', (x) => (x > 6 ? 6 - x : 0))),
  mutant('sorted-branches', 'the branches are sorted by name, their coefficients are not', (c) =>
    right({ ...c, pool: { ...c.pool, branches: c.pool.branches.toSorted() } }),
  ),
  // Kinks
  mutant('step-at-zero-is-one', 'step(0) = 1', (c) => addToBranch(c, 'step', (x) => (x === 0 ? 1 : 0))),
  mutant('step-with-margin', 'step starts at 0.01', (c) =>
    addToBranch(c, 'step', (x) => (x > 0 && x <= 0.01 ? -1 : 0)),
  ),
  mutant('step-surrogate-gradient', "step's derivative is a box of width 1", (c) =>
    addToSlope(c, 'step', (x) => (Math.abs(x) < 0.5 ? 1 : 0)),
  ),
  mutant('relu-slope-at-zero-is-one', "relu'(0) = 1", (c) => addToSlope(c, 'relu', (x) => (x === 0 ? 1 : 0))),
  mutant('step-half-at-zero', 'step(0) = 1/2, as NumPy has heaviside', (c) =>
    addToBranch(c, 'step', (x) => (x === 0 ? 0.5 : 0)),
  ),
  // Local and small
  mutant('one-element-of-dx', 'the last element of dx is wrong by 1e-5 of itself', (c) =>
    changeDx(c, (dx, i) => (i === c.x.length - 1 ? dx * (1 + 1e-5) : dx)),
  ),
  mutant('float32-inside', 'y is rounded to float32', (c) => changeY(c, Math.fround)),
  mutant('tail-of-four', 'the last elements are left 0 when the size is no multiple of 4', (c) =>
    changeY(c, (y, i) => (i >= c.x.length - (c.x.length % 4) ? 0 : y)),
  ),
  // Sharing and reduction
  mutant('mean-in-dalpha', 'dalpha is the mean over the batch, not the sum', (c) =>
    changeDalpha(c, (d) => d / Math.max(1, c.shape[0]!)),
  ),
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
    const { y, dx, dalpha } = right({ ...c, shape: [n!, a, b], x: turn(c.x), dy: turn(c.dy) });
    return { y: turn(y), dx: turn(dx), dalpha };
  }),
  mutant('first-unit-only', 'a shared dalpha sums the first unit only', (c) => {
    const { count } = positionsOf(c.pool, c.shape);
    const others = (i: number) => i % units(c) >= count;
    return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => (others(i) ? 0 : d)) }).dalpha };
  }),
  mutant('long-sum-drops-last', 'the last row is left out of sums of more than 400', (c) => {
    if (c.shape[0]! <= 400) return right(c);
    return { ...right(c), dalpha: right(takeAxis(c, 0, range(c.shape[0]! - 1))).dalpha };
  }),
  mutant('rows-see-each-other', 'y is shifted by the mean of its batch', (c) =>
    changeY(c, (y) => (c.shape[0]! > 1 ? y + c.x.reduce((a, b) => a + b, 0) / 1024 : y)),
  ),
  mutant('row-order', 'dalpha weighs later rows less', (c) => {
    const weight = (i: number) => (i >= units(c) ? 0.5 : 1);
    return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => d * weight(i)) }).dalpha };
  }),
  mutant('rank-matters', 'rank 3 and more is computed with alpha halved', (c) =>
    c.shape.length >= 3 ? { ...right(c), y: right({ ...c, alpha: c.alpha.map((a) => a / 2) }).y } : right(c),
  ),
  // Constraints
  mutant('clip-not-masked', 'dalpha of clip is not masked', (c) =>
    c.pool.constraint.kind === 'clip' ? { ...right(c), dalpha: right(free(c)).dalpha } : right(c),
  ),
  mutant('clip-open', 'dalpha of clip is masked on the bound too', (c) => {
    const { constraint } = c.pool;
    if (constraint.kind !== 'clip') return right(c);
    const { count } = positionsOf(c.pool, c.shape);
    return changeDalpha(c, (d, i) => (Math.abs(c.alpha[i]!) === constraint.bounds[Math.floor(i / count)] ? 0 : d));
  }),
  mutant('clip-above-only', 'clip cuts at the upper bound only', (c) =>
    c.pool.constraint.kind === 'clip'
      ? { ...right(c), y: right(free({ ...c, alpha: c.alpha.map((a, i) => upper(c, a, i)) })).y }
      : right(c),
  ),
  mutant('sum-to-one-forgets-last', 'dalpha of sumToOne leaves -dcₙ out', (c) => {
    if (c.pool.constraint.kind !== 'sumToOne') return right(c);
    const { rows, count, n } = positionsOf(c.pool, c.shape);
    const alpha = new Float64Array(n * count);
    alpha.set(c.alpha);
    return { ...right(c), dalpha: right(free({ ...c, alpha })).dalpha.slice(0, rows * count) };
  }),
  mutant('sum-to-half', 'the last coefficient of sumToOne is 1/2 - Σ', (c) => {
    if (c.pool.constraint.kind !== 'sumToOne') return right(c);
    const { rows, count, n } = positionsOf(c.pool, c.shape);
    const last = range(count).map((s) => 0.5 - range(rows).reduce((sum, k) => sum + c.alpha[k * count + s]!, 0));
    const alpha = Float64Array.of(...c.alpha, ...last);
    const { y, dx } = right(free({ ...c, alpha: alpha.slice(0, n * count) }));
    return { ...right(c), y, dx };
  }),
  mutant('softmax-diagonal', 'dalpha of softmax uses the diagonal of its Jacobian only', (c) => {
    if (c.pool.constraint.kind !== 'softmax') return right(c);
    const { count, n } = positionsOf(c.pool, c.shape);
    const e = c.alpha.map(Math.exp);
    const share = (i: number) => e[i]! / range(n).reduce((sum, k) => sum + e[k * count + (i % count)]!, 0);
    const { dalpha } = right(free(c));
    return { ...right(c), dalpha: dalpha.map((d, i) => share(i) * (1 - share(i)) * d) };
  }),
  mutant('softmax-temperature', 'the exponentials of softmax are those of alpha / 2', (c) =>
    c.pool.constraint.kind === 'softmax' ? right({ ...c, alpha: c.alpha.map((a) => a / 2) }) : right(c),
  ),
  // Special values
  mutant('nan-to-zero', 'NaN comes out as 0', (c) => changeY(c, (y) => (Number.isNaN(y) ? 0 : y))),
  mutant('nan-spreads', 'a NaN in x spreads over its row', (c) => {
    const poisoned = (i: number) => {
      const row = Math.floor(i / units(c)) * units(c);
      return c.x.subarray(row, row + units(c)).some(Number.isNaN);
    };
    return changeY(c, (y, i) => (poisoned(i) ? NaN : y));
  }),
  mutant('infinity-saturates', 'infinite x is computed as the largest finite number', (c) =>
    right({ ...c, x: c.x.map((v) => (Math.abs(v) === Infinity ? Math.sign(v) * 1e6 : v)) }),
  ),
  mutant('empty-is-nan', 'dalpha of an empty batch is NaN', (c) =>
    changeDalpha(c, (d) => (c.shape[0] === 0 ? NaN : d)),
  ),
  mutant('one-over-zero', 'y at 0 is computed as x·(y/x)', (c) => changeY(c, (y, i) => (c.x[i] === 0 ? NaN : y))),
  // Forward mode and second order
  mutant('jvp-forgets-alpha', 'forward mode leaves talpha out', right, {
    jvp: (c, { tx, talpha }) => jvp(c, { tx, talpha: talpha.map(() => 0) }),
  }),
  mutant('second-order-is-zero', 'double backward answers 0 to alpha', right, {
    doubleVjp: (c, cotangents) => {
      const answer = doubleVjp(c, cotangents);
      return { ...answer, toAlpha: answer.toAlpha.map(() => 0) };
    },
  }),
  // State and memory
  {
    id: 'accumulates',
    bug: 'dalpha adds up over calls',
    make() {
      let before = new Float64Array(0);
      return {
        ...referenceSubject,
        name: 'accumulates',
        answer(c) {
          const answer = changeDalpha(c, (d, i) => d + (before[i] ?? 0));
          before = answer.dalpha.slice();
          return answer;
        },
      };
    },
  },
  {
    id: 'stale-alpha',
    bug: 'alpha is kept from the first call with this many branches',
    make() {
      let kept: Case | undefined;
      return {
        ...referenceSubject,
        name: 'stale-alpha',
        answer(c) {
          if (kept?.alpha.length !== c.alpha.length) kept = { ...c, alpha: c.alpha.slice() };
          return right({ ...c, alpha: kept.alpha });
        },
      };
    },
  },
  {
    id: 'shared-buffer',
    bug: 'y lies in a buffer that the next call writes over',
    make() {
      const buffer = new Float64Array(1 << 16);
      return {
        ...referenceSubject,
        name: 'shared-buffer',
        answer(c) {
          const answer = right(c);
          buffer.set(answer.y);
          return { ...answer, y: buffer.subarray(0, answer.y.length) };
        },
      };
    },
  },
  {
    id: 'remembers-branches',
    bug: 'after a pool of three branches, y is wrong once',
    make() {
      let spoiled = false;
      return {
        ...referenceSubject,
        name: 'remembers-branches',
        answer(c) {
          const answer = changeY(c, (y) => (spoiled ? y + 1 : y));
          spoiled = c.pool.branches.length === 3;
          return answer;
        },
      };
    },
  },
  {
    id: 'non-deterministic',
    bug: 'the last bit of y is noise',
    make() {
      let calls = 0;
      return {
        ...referenceSubject,
        name: 'non-deterministic',
        answer: (c) => changeY(c, (y) => (calls++ % 3 === 0 ? y * (1 + 2 ** -52) : y)),
      };
    },
  },
  mutant('mutates-input', 'relu is computed in place', (c) => {
    const answer = right(c);
    for (const [i, v] of c.x.entries()) if (v < 0) c.x[i] = 0;
    return answer;
  }),
  {
    id: 'leaks',
    bug: 'a tensor is left alive by each call',
    make() {
      let alive = 0;
      return {
        ...referenceSubject,
        name: 'leaks',
        answer(c) {
          alive++;
          return right(c);
        },
        liveTensors: () => alive,
      };
    },
  },
  // Size
  mutant('alpha-beyond-64', 'positions beyond 64 use the alpha of 64 before', (c) => alphaFrom(c, 64)),
  mutant('alpha-beyond-16', 'positions beyond 16 use the alpha of 16 before', (c) => alphaFrom(c, 16)),
  mutant('element-4096', 'the first element after 4,096 is wrong', (c) =>
    changeY(c, (y, i) => (i === 4096 ? y + 1 : y)),
  ),
  // Size of alpha
  mutant('alpha-saturates', 'alpha saturates at ±10', (c) =>
    right({ ...c, alpha: c.alpha.map((a) => Math.max(-10, Math.min(10, a))) }),
  ),
  mutant('alpha-pruned', 'alpha below 1e-6 is taken for 0', (c) =>
    right({ ...c, alpha: c.alpha.map((a) => (Math.abs(a) < 1e-6 ? 0 : a)) }),
  ),
  mutant('infinite-alpha-is-large', 'infinite alpha is computed as 1e300', (c) =>
    right({ ...c, alpha: c.alpha.map((a) => (Math.abs(a) === Infinity ? Math.sign(a) * 1e300 : a)) }),
  ),
  // Softmax
  mutant('softmax-of-three', 'softmax of three branches sums the first two only', (c) =>
    c.pool.branches.length === 3 ? softmaxAs(c, (e) => e.map((v) => v / (e[0]! + e[1]!))) : right(c),
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
  // Shared axes
  mutant('shared-axes-rank-2', 'dalpha sums no shared axis of a rank 2 input', (c) =>
    c.shape.length === 2 ? firstAlong(c, 0) : right(c),
  ),
  mutant('shared-axes-unsorted', 'of shared axes that do not ascend dalpha sums the first only', (c) => {
    const { sharing } = c.pool;
    const ascends = typeof sharing === 'string' || sharing.sharedAxes.every((a, k, all) => k === 0 || a > all[k - 1]!);
    return ascends ? right(c) : firstAlong(c, 1);
  }),
];

/** Positions of S from `width` on take the alpha of `width` before. */
function alphaFrom(c: Case, width: number): Answer {
  const { count } = positionsOf(c.pool, c.shape);
  return right({ ...c, alpha: c.alpha.map((a, i) => (i % count >= width ? c.alpha[i - width]! : a)) });
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
    const column = range(n).map((k) => c.alpha[k * count + s]!);
    const top = Math.max(...column);
    const e = column.map((a) => Math.exp(a - top));
    for (const [k, value] of coefficients(e, column).entries()) alpha[k * count + s] = value;
  }
  const { y, dx } = right(free({ ...c, alpha }));
  return { ...right(c), y, dx };
}

/** The answer with a dalpha that takes only index 0 of the shared axes from number `first` on. */
function firstAlong(c: Case, first: number): Answer {
  const { sharing } = c.pool;
  if (typeof sharing === 'string') return right(c);
  const left = sharing.sharedAxes.slice(first);
  const others = (i: number) => indexIn(c.shape, i).some((at, axis) => at > 0 && left.includes(axis));
  return { ...right(c), dalpha: right({ ...c, dy: c.dy.map((d, i) => (others(i) ? 0 : d)) }).dalpha };
}

function upper(c: Case, alpha: number, i: number): number {
  const { constraint } = c.pool;
  const { count } = positionsOf(c.pool, c.shape);
  return constraint.kind === 'clip' ? Math.min(alpha, constraint.bounds[Math.floor(i / count)]!) : alpha;
}
