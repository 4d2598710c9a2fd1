import { shown } from '../../reference/arguments.ts';
import { type Branch, branchOf } from '../../reference/branches.ts';
import type { BranchRef, Case } from '../../reference/case.ts';
import { kappa } from '../../reference/constraints.ts';
import { checkCase } from '../../reference/parameters.ts';
import { forward } from '../../reference/pool.ts';
import type { Subject } from '../../reference/subject.ts';
import { ExactSum } from '../../reference/sum.ts';
import type { Allowed } from '../allowed.ts';
import { checkSubject } from '../check-arguments.ts';
import { exactBranchOf } from '../exact-branches.ts';
import { expectation, tangentExpectation } from '../interval.ts';
import { type Positions, positionsOf } from '../positions.ts';
import { range } from '../transform.ts';
import type { DeclaredKink, Differentiable, OneSided, Rounding, Tensors } from './differentiable.ts';
import { stepScales } from './stencil.ts';

/**
 * A Subject's pool as a function of `x` and `alpha`, at the pool and shape of a Case: with its structure, its kinks and
 * their conventions (spec §2), its rounding (spec §5), and for a Subject of f32 the float64 reference as twin.
 *
 * @throws TypeError, RangeError for what is no Subject or no Case, or a Subject of another dtype than f64 and f32
 */
export function subjectFunction(subject: Subject, input: Case): Differentiable {
  checkSubject('subjectFunction', subject);
  checkCase('subjectFunction', input);
  const { pool, shape } = input;
  const positions = positionsOf(pool, shape);
  const { rows } = positions;
  const { dtype } = subject;
  if (dtype !== 'f64' && dtype !== 'f32') {
    throw new RangeError(`subjectFunction: "subject.dtype" expected f64 or f32, got ${shown(dtype)}`);
  }
  // A batch may be asked for in part.
  const caseOf = ({ x, alpha }: Tensors, dy: Float64Array = input.dy.subarray(0, x.length)): Case => ({
    ...input,
    shape: positions.units > 0 ? [x.length / positions.units, ...shape.slice(1)] : shape,
    x: x,
    alpha: alpha,
    dy,
  });
  const isFixed = pool.constraint.kind === 'fixed';
  const gradients = (dx: Float64Array, dalpha: Float64Array): Tensors =>
    isFixed ? { x: dx } : { x: dx, alpha: dalpha };
  return {
    name: subject.name,
    dtype,
    async forward(inputs) {
      return (await subject.answer(caseOf(inputs))).y;
    },
    async vjp(inputs, dy) {
      const { dx, dalpha } = await subject.answer(caseOf(inputs, dy));
      return gradients(dx, dalpha);
    },
    ...(subject.jvp && {
      jvp: (inputs: Tensors, { x, alpha }: Tensors) => subject.jvp!(caseOf(inputs), { tx: x, talpha: alpha }),
    }),
    ...(subject.doubleVjp && {
      async doubleVjp(inputs: Tensors, dy: Float64Array, { x, alpha }: Tensors) {
        const cotangents = { ddx: x, ddalpha: alpha ?? new Float64Array(rows * positions.count) };
        const { toX, toAlpha, toDy } = await subject.doubleVjp!(caseOf(inputs, dy), cotangents);
        return { inputs: gradients(toX, toAlpha), dy: toDy };
      },
    }),
    ...(dtype === 'f64' ? {} : { twin: (inputs: Tensors) => forward(caseOf(inputs)) }),
    shapes: { x: shape, alpha: [rows, ...positions.shape], y: shape },
    structure: { x: 'elementwise', alpha: { trailing: positions.shape.length } },
    constants: isFixed ? ['alpha'] : [],
    batch: positions.units > 0 ? ['x'] : [],
    kinks: { x: kinksOfX(input, positions), alpha: (element) => kinksOfAlpha(input, positions, element) },
    ...(pool.constraint.kind === 'softmax' ? {} : { rounding: roundingOf(subject, input, caseOf) }),
  };
}

/** Places where a branch is not smooth, each once; with the sums of what the branches do there, at any output. */
function kinksOfX({ pool, alpha }: Case, { count, units, of, rows, n }: Positions): DeclaredKink[] {
  const all = pool.branches.map(branchOf);
  const places = new Set(all.flatMap(({ kinks }) => kinks.map(({ at }) => at)));
  const coefficients = range(count).map((s) => {
    const column = range(rows).map((row) => alpha[row * count + s]);
    return kappa(pool.constraint, column, n).c;
  });
  const sum = (output: number, part: (branch: Branch) => number): number => {
    const c = coefficients[of(output % units)];
    const total = new ExactSum();
    for (const [k, branch] of all.entries()) total.addProduct(c[k], part(branch));
    const value = total.value();
    // 0·∞: declared as without a limit.
    return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
  };
  const side =
    (at: number, which: 'left' | 'right') =>
    (output: number): OneSided => {
      const kinkOf = ({ kinks }: Branch) => kinks.find((kink) => kink.at === at);
      return {
        value: sum(output, (branch) => kinkOf(branch)?.value[which] ?? branch.f(at)),
        slope: sum(output, (branch) => kinkOf(branch)?.slope[which] ?? branch.df(at)),
      };
    };
  return [...places].map((at) => ({
    at,
    value: (output) => sum(output, ({ f }) => f(at)),
    derivative: (output) => sum(output, ({ df }) => df(at)),
    left: side(at, 'left'),
    right: side(at, 'right'),
  }));
}

/** The bounds of `clip`: the derivative there is the one inside, f(x) of the branch (spec §1). */
function kinksOfAlpha({ pool, x }: Case, { count }: Positions, element: number): DeclaredKink[] {
  const { constraint } = pool;
  if (constraint.kind !== 'clip') return [];
  const row = Math.floor(element / count);
  const bound = constraint.bounds[row];
  if (bound === Number.POSITIVE_INFINITY) return [];
  const { f } = branchOf(pool.branches[row]);
  const places = bound === 0 ? [0] : [-bound, bound];
  return places.map((at) => ({ at, derivative: (output) => f(x[output]) }));
}

/** The bounds of spec §5 for the answers of this Subject. */
function roundingOf(
  subject: Subject,
  { pool, x }: Case,
  caseOf: (inputs: Tensors, dy?: Float64Array) => Case,
): Rounding {
  const bounds = (allowed: readonly Allowed[]) => Float64Array.from(allowed, boundOf);
  const own = pool.branches.filter((ref) => typeof ref !== 'string');
  // Of x as given: its stencil is all that is measured.
  const resolved = [...x].map((v) => own.every((ref) => isResolved(ref, v)));
  return {
    forward(inputs) {
      const input = { ...caseOf(inputs), dtype: 'f64' as const };
      // The twin of a Subject of f32 is the reference, which has no facets.
      const facets = subject.dtype === 'f64' ? subject.facets : [];
      // The declared values at a kink are rounded once more.
      return Float64Array.from(expectation(input, facets).y, (allowed, i) =>
        resolved[i] ? boundOf(allowed) + 2 ** -53 * Math.abs(allowed.exact) : NaN,
      );
    },
    vjp(inputs, dy) {
      const { dx, dalpha } = expectation(caseOf(inputs, dy), subject.facets);
      return { x: bounds(dx), alpha: bounds(dalpha) };
    },
    jvp: (inputs, { x: tx, alpha: talpha }) =>
      bounds(tangentExpectation(caseOf(inputs), { tx, talpha }, subject.facets)),
    output: (inputs) => bounds(expectation(caseOf(inputs), subject.facets).y),
  };
}

/**
 * Whether the differences of a branch of one's own show its slope at x: not beside a pole or where it oscillates within a
 * step, for which an enclosure of its derivatives on the stencil is looked at. Listed kinks are measured as kinks, unless a slope is infinite.
 */
function isResolved(ref: BranchRef, x: number): boolean {
  const reach = 2 * stepScales.f64[0] * Math.max(1, Math.abs(x));
  const beside = branchOf(ref).kinks.filter(({ at }) => Math.abs(at - x) <= 2 * reach);
  const isKink = ({ slope }: (typeof beside)[number]) => Number.isFinite(slope.left) && Number.isFinite(slope.right);
  if (!Number.isFinite(x) || (beside.length > 0 && beside.every(isKink))) return true;
  const bounds = exactBranchOf(ref).bounds(x, reach);
  return bounds !== undefined && bounds.third * reach <= 2 * bounds.second;
}

/** How far an answer may be from the exact one, NaN where the spec leaves it open or asks for no number. */
function boundOf({ open, nan, infinite, exact, bound }: Allowed): number {
  return open !== undefined || nan || infinite || !Number.isFinite(exact) ? Number.NaN : bound;
}
