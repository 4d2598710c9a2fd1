import type { Case, Tangents } from '../reference/case.ts';
import { checkCase } from '../reference/parameters.ts';
import type { Facet } from '../reference/subject.ts';
import { type Allowed, hull, leftOpen, nan, notFinite, type OpenRule } from './allowed.ts';
import type { Format } from './dtypes.ts';
import { Arithmetic, at, isNonZero, type Monomial, Result } from './error-bound.ts';
import { isZero, zero } from './exact.ts';
import { type ExactBranch, type ExactValue, exactBranchOf } from './exact-branches.ts';
import { once } from './once.ts';
import { type Positions, positionsOf } from './positions.ts';

/** What is allowed for each element of an answer to a Case. */
export interface Expectation {
  readonly y: readonly Allowed[];
  readonly dx: readonly Allowed[];
  readonly dalpha: readonly Allowed[];
}

/** Coefficients at one position, as the monomials see them. */
interface Coefficients {
  /** `[branch, factors, negative]` of each monomial of `Σ cᵢ·gᵢ`. */
  readonly terms: readonly { branch: number; factors: readonly number[]; negative: boolean }[];
  /** `c̄ᵢ`, an upper bound of |cᵢ| that also bounds its parts. */
  readonly size: readonly number[];
  /** `sumToOne` with n ≥ 2, whose bounds count all terms. */
  readonly summed: boolean;
  readonly finite: boolean;
}

/**
 * What spec §3 and §5 allow as the answer of a Subject with these facets.
 *
 * @throws TypeError, RangeError naming what does not fit; RangeError for `softmax`, whose bounds the spec does not state.
 */
export function expectation(input: Case, facets: readonly Facet[] = []): Expectation {
  checkCase('expectation', input);
  const arithmetic = new Arithmetic(input.dtype, facets);
  for (const name of ['x', 'alpha', 'dy'] as const)
    checkRepresentable(name, input[name], arithmetic.storage ?? arithmetic.format);
  const { constraint } = input.pool;
  if (constraint.kind === 'clip') checkRepresentable('bounds', Float64Array.from(constraint.bounds), arithmetic.format);
  const positions = positionsOf(input.pool, input.shape);
  const { x, dy } = input;
  const branches = input.pool.branches.map(exactBranchOf);
  const columns = Array.from({ length: positions.count }, (_, s) => coefficientsAt(input, positions, s));
  const column = (i: number) => columns[positions.of(i % positions.units)];
  // Most laws look at one of the three, and each costs exact arithmetic.
  const y = once(() => Array.from(x, (v, i) => allowedY(arithmetic, branches, column(i), v)));
  const dx = once(() => Array.from(x, (v, i) => allowedDx(arithmetic, branches, column(i), v, dy[i])));
  const dalpha = once(() => allowedDalpha(arithmetic, branches, input, positions));
  return {
    get y() {
      return y();
    },
    get dx() {
      return dx();
    },
    get dalpha() {
      return dalpha();
    },
  };
}

/**
 * What the principles of spec §5 allow for `ty = Σ cᵢ·fᵢ′(x)·tx + Σ tcᵢ·fᵢ(x)`: its monomials are those of `dx` for the
 * cotangent `tx` and those of `y` for the coefficients `tc`, added in any order.
 *
 * @throws TypeError, RangeError as `expectation`
 */
export function tangentExpectation(input: Case, { tx, talpha }: Tangents, facets: readonly Facet[] = []): Allowed[] {
  checkCase('tangentExpectation', input);
  const arithmetic = new Arithmetic(input.dtype, facets);
  const positions = positionsOf(input.pool, input.shape);
  const branches = input.pool.branches.map(exactBranchOf);
  const columns = Array.from({ length: positions.count }, (_, s) => coefficientsAt(input, positions, s));
  const tangents = columns.map((_, s) => tangentsAt(arithmetic, input, talpha, positions, s));
  return Array.from(input.x, (x, i) => {
    const s = positions.of(i % positions.units);
    const [c, t] = [columns[s], tangents[s]];
    if (t === undefined) return leftOpen('0·∞');
    if (!c.finite || !t.finite) return leftOpen('non-finite alpha');
    if (!Number.isFinite(x) || !Number.isFinite(tx[i])) return leftOpen('NaN in x');
    const readings = arithmetic.readings(x).flatMap((reading) =>
      arithmetic.readings(tx[i]).map((cotangent) =>
        allowedElement(arithmetic, branches, reading, [
          { c, value: 'df', rho: 'rhoDerivative', cotangent },
          { c: t, value: 'f', rho: 'rho' },
        ]),
      ),
    );
    return hull(readings, arithmetic.u);
  });
}

/** `tc = κ′ talpha`; `undefined` where flushed inputs may be masked by `clip` and others not. */
function tangentsAt(
  arithmetic: Arithmetic,
  { pool, alpha }: Case,
  talpha: Float64Array,
  { n, rows, count }: Positions,
  s: number,
): Coefficients | undefined {
  const { constraint } = pool;
  const t = Array.from({ length: rows }, (_, row) => talpha[row * count + s]);
  const finite = t.every(Number.isFinite);
  if (constraint.kind === 'sumToOne') {
    const ofLast = t.map((v) => ({ branch: n - 1, factors: [v], negative: true }));
    const sum = t.reduce((total, v) => total + Math.abs(v), 0);
    return { terms: [...free(t).terms, ...ofLast], size: [...t.map(Math.abs), sum], summed: n >= 2, finite };
  }
  if (constraint.kind !== 'clip') return { ...free(t), finite };
  const masked: number[] = [];
  for (const [row, v] of t.entries()) {
    const masks = clipMasks(arithmetic, alpha[row * count + s], constraint.bounds[row]);
    if (masks.size > 1) return undefined;
    masked.push(masks.has(true) ? v : 0);
  }
  return { ...free(masked), finite };
}

/** Inputs and bounds are exactly representable in the dtype (spec §1, §5), and where that differs in the storage. */
function checkRepresentable(name: string, tensor: Float64Array, { round }: Format): void {
  const at = tensor.findIndex((v) => !Object.is(round(v), v));
  if (at >= 0) throw new RangeError(`expectation: "${name}" expected numbers of the dtype, got ${tensor[at]} at ${at}`);
}

function coefficientsAt(input: Case, { n, rows, count }: Positions, s: number): Coefficients {
  const { constraint } = input.pool;
  const alpha = Array.from({ length: rows }, (_, row) => input.alpha[row * count + s]);
  const finite = alpha.every(Number.isFinite);
  switch (constraint.kind) {
    case 'softmax':
      throw new RangeError('expectation: "constraint" expected one whose bounds spec §5 states, got softmax');
    case 'sumToOne': {
      const last = n - 1;
      const own = alpha.map((a, branch) => ({ branch, factors: [a], negative: false }));
      const ofLast = alpha.map((a) => ({ branch: last, factors: [a], negative: true }));
      const sum = alpha.reduce((total, a) => total + Math.abs(a), 1);
      return {
        terms: [...own, { branch: last, factors: [], negative: false }, ...ofLast],
        size: [...alpha.map(Math.abs), sum],
        summed: n >= 2,
        finite,
      };
    }
    case 'clip': {
      const c = alpha.map((a, i) => Math.min(Math.max(a, -constraint.bounds[i]), constraint.bounds[i]));
      return { ...free(c), finite };
    }
    default:
      return { ...free(alpha), finite };
  }
}

function free(c: readonly number[]): Omit<Coefficients, 'finite'> {
  return {
    terms: c.map((value, branch) => ({ branch, factors: [value], negative: false })),
    size: c.map(Math.abs),
    summed: false,
  };
}

/** A sum over the branches: `y` of their values, or `dx` of their derivatives and `dy`. */
interface Side {
  readonly c: Coefficients;
  readonly value: 'f' | 'df';
  readonly rho: 'rho' | 'rhoDerivative';
  /** `dy` among the factors of each monomial. */
  readonly cotangent?: number;
}

/** `Σ cᵢ·fᵢ(x)` or `dy·Σ cᵢ·fᵢ′(x)`, or several of them added, with finite coefficients and cotangents, for one reading. */
function allowedElement(
  arithmetic: Arithmetic,
  branches: readonly ExactBranch[],
  x: number,
  sides: readonly Side[],
): Allowed {
  const result = new Result(arithmetic);
  let roundings = 0;
  let underflow = 0;
  let sums = 0;
  for (const { c, value, rho, cotangent } of sides) {
    const values = branches.map((branch) => branch[value](x, arithmetic));
    const nans = c.terms.filter(({ factors }) => factors.some(Number.isNaN));
    // A NaN shows where its branch can't be 0, whose product may be skipped.
    if (nans.length > 0)
      return nans.some(({ branch }) => isNonZero(values[branch])) ? nan : leftOpen('non-finite alpha');
    for (const { branch, factors, negative } of c.terms) {
      const all = cotangent === undefined ? factors : [...factors, cotangent];
      result.add({ value: values[branch], factors: all, negative });
    }
    const size = cotangent === undefined ? x * x : Math.abs(x);
    const flushed = arithmetic.flushes && cotangent === undefined ? Math.max(1, Math.abs(x)) : 0;
    let lost = 0;
    for (const [i, branch] of branches.entries()) {
      const active = isActive(values[i], c.size[i]);
      if (active) roundings = Math.max(roundings, branch[rho]);
      if (active || c.summed) {
        lost += (branch.squares ? 2 * Math.max(1, c.size[i]) * Math.max(1, size) : 1) + flushed;
      }
    }
    underflow += cotangent === undefined ? lost : (1 + lost) * Math.max(1, Math.abs(cotangent));
    if (c.summed) sums++;
  }
  roundings += sums > 0 ? 2 * sums * branches.length - 2 : result.active - 1;
  return result.allowed(roundings, underflow);
}

function allowedY(arithmetic: Arithmetic, branches: readonly ExactBranch[], c: Coefficients, x: number): Allowed {
  if (!c.finite && c.summed) return leftOpen('non-finite alpha');
  if (Number.isNaN(x)) return c.finite ? nan : leftOpen('non-finite alpha');
  const side: Side = { c, value: 'f', rho: 'rho' };
  const readings = arithmetic.readings(x).map((reading) => allowedElement(arithmetic, branches, reading, [side]));
  return hull(readings, arithmetic.u);
}

function allowedDx(
  arithmetic: Arithmetic,
  branches: readonly ExactBranch[],
  c: Coefficients,
  x: number,
  dy: number,
): Allowed {
  if (!c.finite && (c.summed || !Number.isFinite(dy) || dy === 0)) return leftOpen('non-finite alpha');
  if (Number.isNaN(x)) return leftOpen('NaN in x');
  if (!Number.isFinite(dy)) {
    // In every reading: a flushed x or coefficient may leave none.
    const isAnyActive = (v: number) =>
      branches.some((branch, i) => isActive(branch.df(v, arithmetic), arithmetic.readings(c.size[i]).at(-1)!));
    return !arithmetic.readings(x).every(isAnyActive) ? leftOpen('non-finite dy') : Number.isNaN(dy) ? nan : notFinite;
  }
  const readings = arithmetic
    .readings(x)
    .flatMap((reading) =>
      arithmetic
        .readings(dy)
        .map((cotangent) =>
          allowedElement(arithmetic, branches, reading, [{ c, value: 'df', rho: 'rhoDerivative', cotangent }]),
        ),
    );
  return hull(readings, arithmetic.u);
}

function isActive(value: ExactValue, coefficient: number): boolean {
  return value.kind !== 'masked' && coefficient !== 0;
}

function allowedDalpha(
  arithmetic: Arithmetic,
  branches: readonly ExactBranch[],
  input: Case,
  positions: Positions,
): Allowed[] {
  const { n, rows, count, units } = positions;
  const { constraint } = input.pool;
  const elements: number[][] = Array.from({ length: count }, () => []);
  for (let i = 0; i < input.x.length; i++) elements[positions.of(i % units)].push(i);
  const allowed: Allowed[] = [];
  for (let row = 0; row < rows; row++) {
    for (let s = 0; s < count; s++) {
      const used = constraint.kind === 'sumToOne' ? [row, n - 1] : [row];
      const dc = allowedSum(arithmetic, branches, used, input, elements[s]);
      allowed.push(
        constraint.kind === 'clip'
          ? maskedByClip(arithmetic, dc, input.alpha[row * count + s], constraint.bounds[row])
          : dc,
      );
    }
  }
  return allowed;
}

/** `Σ f·dy` over the elements for the first branch of `used`, minus that of the second if there is one. */
function allowedSum(
  arithmetic: Arithmetic,
  branches: readonly ExactBranch[],
  used: readonly number[],
  { x, dy }: Case,
  elements: readonly number[],
): Allowed {
  const result = new Result(arithmetic);
  let underflow = 0;
  let rho = 0;
  let undecided: OpenRule | undefined;
  let poisoned: Allowed | undefined;
  for (const i of elements) {
    const v = x[i];
    const cotangent = dy[i];
    for (const [order, k] of used.entries()) {
      const branch = branches[k];
      if (Number.isNaN(v)) {
        if (cotangent === 0) undecided = '0·∞';
        else poisoned = nan;
        continue;
      }
      const value = branch.f(v, arithmetic);
      if (value.kind === 'open') {
        undecided = value.why;
        continue;
      }
      const infiniteValue = value.kind !== 'approximate' && value.factors.some((factor) => !Number.isFinite(factor));
      if (infiniteValue && value.kind !== 'masked') {
        undecided = '0·∞';
        continue;
      }
      if (!Number.isFinite(cotangent)) {
        if (value.kind === 'masked' || (value.kind === 'approximate' && isZero(value.value))) undecided = '0·∞';
        else poisoned = Number.isNaN(cotangent) ? nan : (poisoned ?? notFinite);
        continue;
      }
      const negative = order === 1;
      result.add({ value, factors: [cotangent], negative }, otherReadings(arithmetic, branch, v, cotangent, negative));
      if (value.kind !== 'masked' && cotangent !== 0) {
        underflow += branch.squares ? 2 * Math.max(1, Math.abs(cotangent)) * Math.max(1, v * v) : 1;
        rho = Math.max(rho, branch.rho);
      }
    }
  }
  if (undecided !== undefined) return leftOpen(undecided);
  if (poisoned !== undefined) return poisoned;
  const m = result.active;
  const tree = arithmetic.pairwise ? Math.ceil(Math.log2(Math.max(m, 1))) + 3 : m;
  const additions = used.length === 1 ? tree - 1 : tree;
  return result.allowed(rho + additions, underflow);
}

/** The term `f(x)·dy` for every other reading of its inputs (facet `ftz`). */
function otherReadings(
  arithmetic: Arithmetic,
  branch: ExactBranch,
  x: number,
  dy: number,
  negative: boolean,
): readonly Monomial[] {
  if (!arithmetic.flushes) return [];
  const readings = arithmetic.readings(x).flatMap((v) => arithmetic.readings(dy).map((d) => [v, d] as const));
  return readings.slice(1).map(([v, d]) => ({ value: branch.f(v, arithmetic), factors: [d], negative }));
}

/** The closed mask of `clip`: 1 for `|alpha| ≤ b`. Under `ftz` flushed inputs may be compared. */
function maskedByClip(arithmetic: Arithmetic, dc: Allowed, alpha: number, bound: number): Allowed {
  if (!Number.isFinite(alpha)) return leftOpen('non-finite alpha');
  const masks = clipMasks(arithmetic, alpha, bound);
  const outside = at(zero, arithmetic.format);
  if (!masks.has(false)) return dc;
  if (!Number.isFinite(dc.exact) || dc.open !== undefined || dc.nan) return leftOpen('0·∞');
  if (!masks.has(true)) return outside;
  const [asGiven] = masks;
  return hull(asGiven ? [dc, outside] : [outside, dc], arithmetic.u);
}

function clipMasks(arithmetic: Arithmetic, alpha: number, bound: number): Set<boolean> {
  return new Set(arithmetic.readings(alpha).flatMap((a) => arithmetic.readings(bound).map((b) => Math.abs(a) <= b)));
}
