import * as fc from 'fast-check';
import { shown } from '../reference/arguments.ts';
import { checkBranch } from '../reference/branches.ts';
import type { BranchRef, Case, Dtype } from '../reference/case.ts';
import { checkShape } from '../reference/parameters.ts';
import { sizeOf } from '../reference/shape.ts';
import type { Facet } from '../reference/subject.ts';
import { Draw } from './cases/draw.ts';
import { drawStructure } from './cases/structure.ts';
import { Values } from './cases/values.ts';
import { checkOptions } from './check-arguments.ts';
import { checkDtype, heldFormat } from './dtypes.ts';
import { checkFacets } from './error-bound.ts';
import { exactBranchOf } from './exact-branches.ts';
import { positionsOf } from './positions.ts';
import { shrinkCase } from './shrink.ts';
import { checkWithin, type Within } from './within.ts';

/**
 * What is drawn: `dyadic` Cases hold quarters up to ±8 (halves up to ±4 in f16, to ±2 in bf16) and piecewise-polynomial
 * branches, so that every legal evaluation is exact and answers are compared bit for bit (spec §5, point rule);
 * `general` ones anything.
 */
export type CaseKind = 'dyadic' | 'general';

/** Options of `cases`. */
export interface CaseOptions {
  readonly dtype: Dtype;
  readonly kind: CaseKind;
  /** Of the Subject: where it stores less than its dtype, the Cases hold only what it can store. */
  readonly facets?: readonly Facet[];
  /** No NaN, no ±∞ and nothing near overflow. */
  readonly finite?: boolean;
  /** One Case in `rare` has hundreds to thousands of elements, at most `many`; fewer and smaller ones of them general. */
  readonly longSums?: boolean;
  /** Branches of your own: each Case holds one of them, where its kind allows that, among built-in ones. */
  readonly branches?: readonly BranchRef[];
  /** Only this shape. */
  readonly shape?: readonly number[];
  /** Only built-in branches, sharings and constraints of these names, as an implementation announces them. */
  readonly within?: Within;
}

const known: readonly (keyof CaseOptions)[] = [
  'dtype',
  'kind',
  'facets',
  'finite',
  'longSums',
  'branches',
  'shape',
  'within',
];

/**
 * An arbitrary of Cases that shrinks batch, unit shape, branches, then cells, and keeps the shape consistent.
 *
 * @throws TypeError, RangeError naming the option
 */
export function cases(constraints: CaseOptions): fc.Arbitrary<Case> {
  checkOptions('cases', constraints, known);
  checkDtype('cases', constraints.dtype);
  if (constraints.facets !== undefined) checkFacets('cases: "facets"', constraints.facets);
  if (constraints.kind !== 'dyadic' && constraints.kind !== 'general') {
    throw new RangeError(`cases: "kind" expected dyadic or general, got ${shown(constraints.kind)}`);
  }
  checkBranches('cases', constraints.branches);
  if (constraints.shape !== undefined) checkShape('cases', constraints.shape);
  for (const name of ['finite', 'longSums'] as const) {
    const flag = constraints[name];
    if (flag === undefined || typeof flag === 'boolean') continue;
    throw new TypeError(`cases: "${name}" expected true or false, got ${shown(flag)}`);
  }
  if (constraints.within !== undefined) checkWithin(constraints.within, constraints.shape);
  return new CaseArbitrary(constraints);
}

class CaseArbitrary extends fc.Arbitrary<Case> {
  readonly #constraints: CaseOptions;

  constructor(constraints: CaseOptions) {
    super();
    this.#constraints = constraints;
  }

  override generate(random: fc.Random): fc.Value<Case> {
    return new fc.Value(drawCase(new Draw(random), this.#constraints), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Case {
    return typeof value === 'object' && value !== null && 'pool' in value;
  }

  override shrink(value: Case): fc.Stream<fc.Value<Case>> {
    return new fc.Stream(shrinkCase(value)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

/** In one general Case in so many one of the tensors is of any size, all elements by the same power of two. */
const scaled = 3;

function drawCase(draw: Draw, constraints: CaseOptions): Case {
  const { branches = [], kind, dtype } = constraints;
  const own = kind === 'dyadic' ? branches.filter((ref) => exactBranchOf(ref).polynomial) : branches;
  const values = new Values(draw, constraints, own);
  const { pool, shape, isLarge } = drawStructure(draw, constraints, own, values);
  const { rows, count } = positionsOf(pool, shape);
  const size = sizeOf(shape);
  return scale(draw, constraints, {
    pool,
    dtype,
    shape,
    x: values.x(size, isLarge, pool.branches),
    alpha: values.coefficients(rows * count, pool.constraint),
    dy: values.dy(size, isLarge),
  });
}

/**
 * x, alpha or dy times a power of two, as far up and down as no product of the three overflows, squares of x included:
 * what an implementation does beyond the sizes of a network.
 */
function scale(draw: Draw, { kind, finite, dtype, facets = [] }: CaseOptions, c: Case): Case {
  if (kind === 'dyadic' || finite === true || !draw.chance(1 / scaled)) return c;
  const isPlain = ['free', 'fixed'].includes(c.pool.constraint.kind);
  const name = draw.pick(isPlain ? (['x', 'alpha', 'dy'] as const) : (['x', 'dy'] as const));
  const format = heldFormat({ dtype, facets });
  // The others are at most 2¹⁹.
  const room = Math.floor(Math.log2(format.largest)) - 60;
  const most = name === 'x' ? Math.floor(room / 2) : room;
  if (most <= 0) return c;
  // Half of them not far beyond what is drawn otherwise.
  const reach = draw.chance(0.5) ? Math.min(64, most) : most;
  const factor = 2 ** draw.int(-reach, reach);
  return { ...c, [name]: c[name].map((v) => format.round(v * factor)) };
}

function checkBranches(where: string, branches: unknown): void {
  if (branches === undefined) return;
  if (!Array.isArray(branches)) throw new TypeError(`${where}: "branches" expected an array, got ${typeof branches}`);
  for (const ref of branches) checkBranch(`${where}: "branches"`, ref);
}
