import { formats } from '../dtypes.ts';
import { indexIn } from '../positions.ts';
import { range } from '../transform.ts';
import type { Beyond } from './beyond.ts';
import { expectedCotangent } from './cotangent.ts';
import type { FloatDtype } from './differentiable.ts';
import type { Jacobian } from './jacobian.ts';
import type { Layout } from './layout.ts';
import type { Projection } from './projection.ts';
import type { ComparedElement, GradcheckFailure, InputReport } from './report.ts';
import type { KinksOf } from './stencil.ts';

/** One input with its measured derivatives. */
export interface Numeric {
  readonly name: string;
  readonly layout: Layout;
  /** Replaced by what a confirmation measures. */
  jacobian: Jacobian;
  /** Measures the derivatives by these elements once more, before they are called wrong. */
  readonly confirm: (elements: ReadonlySet<number>) => Promise<Jacobian>;
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** The bound of the rounding error of each output, where this input is moved too. */
  readonly noise: Float64Array;
  readonly kinksOf: KinksOf | undefined;
  /** The directions that stand in place of elements, if the input was projected. */
  readonly projection: Projection | undefined;
  /** Of a structure that was only found. */
  readonly beyond?: Beyond | undefined;
}

export interface Comparison {
  readonly summary: Pick<InputReport, 'compared' | 'open' | 'vacuous' | 'worst'>;
  readonly sees: () => InputReport['sees'];
  readonly failure: GradcheckFailure | undefined;
  /** The elements that are wrong. */
  readonly wrong: ReadonlySet<number>;
}

interface Question {
  readonly numeric: Numeric;
  readonly analytic: Float64Array;
  readonly dy: Float64Array;
  readonly dtype: FloatDtype;
  /** Roundings that the derivative of one output may have passed. */
  readonly roundings: number;
  /** Declared bounds of the rounding error, in place of the derived ones. */
  readonly bound?: Float64Array | undefined;
  readonly tolerance: number | undefined;
  readonly what: string;
  /** 1 at outputs whose derivatives are not to be counted on. */
  readonly skip?: Uint8Array | undefined;
  /** The analytic cotangent of another dy. */
  readonly ask?: (dy: Float64Array) => Promise<Float64Array>;
  /** What is allowed besides, for each element. */
  readonly more?: Float64Array | undefined;
}

/**
 * Compares; where something is wrong, measures it once more and compares again; and where it still is, with what may be
 * beyond a structure that was only found.
 */
export async function confirmed<T extends { readonly wrong: ReadonlySet<number> }>(
  compare: (more?: Float64Array) => T,
  confirm: (wrong: ReadonlySet<number>) => Promise<void>,
  beyond: (wrong: ReadonlySet<number>) => Promise<Float64Array | undefined>,
): Promise<T> {
  const first = compare();
  if (first.wrong.size === 0) return first;
  await confirm(first.wrong);
  const again = compare();
  const more = again.wrong.size === 0 ? undefined : await beyond(again.wrong);
  return more === undefined ? again : compare(more);
}

/** Compares a cotangent with the measured one, which is measured once more where they differ. */
export async function compareConfirmed(question: Question): Promise<Comparison> {
  const { numeric, ask } = question;
  return confirmed(
    (more) => compareCotangent({ ...question, more }),
    async (wrong) => {
      numeric.jacobian = await numeric.confirm(wrong);
    },
    async (wrong) => numeric.beyond && ask && beyondCotangent(question, wrong, numeric.beyond, ask),
  );
}

/** Elements that are asked for by themselves, before outputs beyond a found structure are held to be what differs. */
const mostAlone = 8;

/**
 * What outputs beyond a found structure may add to elements that differ, where it is they: with a dy of 0 there, an element
 * is what was measured.
 */
async function beyondCotangent(
  question: Question,
  wrong: ReadonlySet<number>,
  beyond: Beyond,
  ask: NonNullable<Question['ask']>,
): Promise<Float64Array> {
  const { numeric, dy, analytic } = question;
  const { layout } = numeric;
  const allowed = beyond.cotangent(dy);
  const more = new Float64Array(analytic.length);
  for (const [k, j] of [...wrong].entries()) {
    if (k < mostAlone) {
      const own = new Float64Array(dy.length);
      for (let colour = 0; colour < layout.colours; colour++) {
        for (const [i, element] of layout.elements(colour).entries()) if (element === j) own[i] = dy[i];
      }
      // What is beyond moved too when this was measured.
      const alone = compareCotangent({ ...question, dy: own, analytic: await ask(own), more: beyond.cotangent(own) });
      if (alone.wrong.has(j)) continue;
    }
    more[j] = allowed[j];
  }
  return more;
}

/**
 * Roundings of the measured side itself, in float64, besides one for each term of a sum: a declared derivative has passed
 * one, a term of `expectedCotangent` three, the comparison four.
 */
const ownRoundings = 8;

/**
 * Compares a cotangent with the interval of the measured one, wider on both sides by what rounding can do to the analytic
 * value: `γ_{K+M}·Σ|dy·∂y/∂v|` for sums of M terms unless bounds are declared, of which NaN leaves an element open;
 * and by what it has done to the measured one, since a bound as narrow as an ulp is for the exact value.
 */
function compareCotangent({
  numeric,
  analytic: given,
  dy,
  dtype,
  roundings,
  bound,
  tolerance,
  what,
  skip,
  more,
}: Question): Comparison {
  const { name, layout, jacobian, projection } = numeric;
  const analytic = projection ? projected(given, projection) : given;
  const bounds = bound && projection ? projectedBound(bound, projection) : bound;
  // From here on with what rounding adds.
  const { middle: middles, half: halves, size } = expectedCotangent(layout, jacobian, dy, analytic.length, skip);
  const ofSum = sumRounding(dtype, roundings, dy);
  const least = roundingOfSum(ofSum, 1, 0);
  const moreTerms = projection ? given.length : 0;
  const wrong = new Set<number>();
  let compared = 0;
  let vacuous = 0;
  let worst = -1;
  let worstRatio = -1;
  const reaches = layout.reaches();
  for (let j = 0; j < analytic.length; j++) {
    const middle = middles[j];
    const terms = reaches[j] + moreTerms;
    const own = 2 ** -53 * (ownRoundings + terms) * size[j];
    const rounding =
      own + (bounds ? bounds[j] : roundingOfSum(ofSum, terms, size[j])) + (more === undefined ? 0 : more[j]);
    const width = halves[j] + rounding;
    if (!(Math.abs(middle) + width < Number.POSITIVE_INFINITY)) {
      halves[j] = Number.NaN;
      continue;
    }
    compared++;
    const half = tolerance === undefined ? width : tolerance * Math.max(Math.abs(middle), least);
    halves[j] = half;
    if (middle !== 0 && half >= Math.abs(middle)) vacuous++;
    const distance = Math.abs(analytic[j] - middle);
    const isWithin = distance <= half;
    if (!isWithin) wrong.add(j);
    // A division for those alone that may be the worst.
    if (isWithin && worst >= 0 && distance <= worstRatio * half) continue;
    const ratio = ratioOf(distance, half);
    if (ratio > worstRatio) {
      worst = j;
      worstRatio = ratio;
    }
  }
  const element =
    worst < 0 ? undefined : elementOf(numeric, dy, worst, analytic[worst], middles[worst], halves[worst], worstRatio);
  return {
    summary: {
      compared,
      open: projection ? unmoved(projection, halves) : analytic.length - compared,
      vacuous,
      worst: element,
    },
    sees: () => (projection ? seenAlong(projection, halves) : seen(middles, halves)),
    failure:
      wrong.size > 0 ? { code: 'gradient', what, input: name, wrong: wrong.size, compared, ...element! } : undefined,
    wrong,
  };
}

function elementOf(
  numeric: Numeric,
  dy: Float64Array,
  j: number,
  analytic: number,
  middle: number,
  half: number,
  ratio: number,
): ComparedElement {
  const { projection, values } = numeric;
  return {
    ...placeOf(numeric, j),
    ...valueAt(numeric, dy, j),
    analytic,
    numeric: middle,
    lo: middle - half,
    hi: middle + half,
    kinkDistance: projection ? Number.POSITIVE_INFINITY : distanceToKink(numeric, j, values[j]),
    ratio,
  };
}

/** `max(1, |dy|)` over all finite elements. */
function largest(dy: Float64Array): number {
  let size = 1;
  for (let i = 0; i < dy.length; i++) {
    const d = Math.abs(dy[i]);
    if (d > size && d < Number.POSITIVE_INFINITY) size = d;
  }
  return size;
}

/** The index of what was worst: an element, or a random direction. */
function placeOf({ shape, projection }: Numeric, worst: number): Pick<ComparedElement, 'index' | 'isDirection'> {
  if (projection === undefined) return { index: indexIn(shape, worst) };
  if (worst < projection.random) return { index: [worst], isDirection: true };
  return { index: indexIn(shape, projection.alone[worst - projection.random]) };
}

/** The value of what was worst, and dy of the only output that it reaches. */
function valueAt(
  { values, layout, projection }: Numeric,
  dy: Float64Array,
  worst: number,
): { at?: number; dy?: number } {
  if (projection !== undefined) {
    const element = projection.alone[worst - projection.random];
    return element === undefined ? {} : { at: values[element] };
  }
  const at = values[worst];
  if (layout.reaches()[worst] !== 1) return { at };
  const outputs = range(layout.colours).map((colour) => layout.elements(colour).indexOf(worst));
  return { at, dy: dy[Math.max(...outputs)] };
}

/** The elements that no direction moved whose product was measured. */
function unmoved({ random, together, alone, left }: Projection, halves: Float64Array): number {
  const isOpen = (k: number) => Number.isNaN(halves[k]);
  const open = alone.filter((_, k) => isOpen(random + k)).length + left;
  return range(random).every(isOpen) ? open + together : open;
}

/** The relative errors that a comparison sees in every element that is not 0, and in half of them. */
function seen(middles: Float64Array, halves: Float64Array): InputReport['sees'] {
  const relative = middles.map((middle, j) => (2 * halves[j]) / Math.abs(middle));
  return everywhereAndMedian(
    relative.filter((_, j) => middles[j] !== 0 && !Number.isNaN(halves[j])),
    false,
  );
}

/** The errors that are seen in one element alone, in one of the products that it is in. */
function seenAlong({ directions }: Projection, halves: Float64Array): InputReport['sees'] {
  const least = new Float64Array(directions[0]?.length ?? 0).fill(Number.POSITIVE_INFINITY);
  for (const [k, t] of directions.entries()) {
    for (const [j, size] of t.entries()) {
      if (size !== 0 && 2 * halves[k] < least[j] * Math.abs(size)) least[j] = (2 * halves[k]) / Math.abs(size);
    }
  }
  return everywhereAndMedian(least.filter(Number.isFinite), true);
}

function everywhereAndMedian(errors: Float64Array, absolute: boolean): InputReport['sees'] {
  if (errors.length === 0) return undefined;
  errors.sort();
  return { everywhere: errors.at(-1)!, median: errors[errors.length >> 1], absolute };
}

/** A distance in half widths of an interval, one of width 0 included; infinite for NaN. */
export function ratioOf(distance: number, half: number): number {
  return distance === 0 ? 0 : Number.isFinite(distance) ? distance / half : Number.POSITIVE_INFINITY;
}

/** `<dv, tₖ>` for each direction. */
export function projected(cotangent: Float64Array, { directions }: Projection): Float64Array {
  // 0·∞: what a direction does not move is not in its product.
  return Float64Array.from(directions, (t) =>
    t.reduce((sum, size, j) => (size === 0 ? sum : sum + size * cotangent[j]), 0),
  );
}

/** `Σ|tₖ|·bound` for each direction. */
function projectedBound(bound: Float64Array, { directions }: Projection): Float64Array {
  return Float64Array.from(directions, (t) =>
    t.reduce((sum, size, j) => (size === 0 ? sum : sum + Math.abs(size) * bound[j]), 0),
  );
}

/** What bounds the rounding of sums. */
interface SumRounding {
  readonly u: number;
  /** Of a term before it is added. */
  readonly roundings: number;
  /** What one product loses to underflow, also where a derivative did before it was multiplied by dy. */
  readonly underflow: number;
}

function sumRounding(dtype: FloatDtype, roundings: number, dy: Float64Array): SumRounding {
  const { p, etaExponent } = formats[dtype];
  return { u: 2 ** -p, roundings, underflow: 2 ** etaExponent * largest(dy) };
}

/** `u·(K+M)·S + M·η·max(1, |dy|)`: what rounding can do to a sum of M terms of sizes that add up to S. */
function roundingOfSum({ u, roundings, underflow }: SumRounding, terms: number, size: number): number {
  return u * (roundings + terms) * size + underflow * terms;
}

/** What rounding can do to each element of a cotangent. */
export function cotangentRounding(
  { layout, jacobian }: Numeric,
  dy: Float64Array,
  elements: number,
  dtype: FloatDtype,
  roundings: number,
): Float64Array {
  const { size } = expectedCotangent(layout, jacobian, dy, elements);
  const reaches = layout.reaches();
  const ofSum = sumRounding(dtype, roundings, dy);
  return size.map((s, j) => roundingOfSum(ofSum, reaches[j], s));
}

/** From an element to the nearest kink that is declared for it or was found on it. */
function distanceToKink({ kinksOf, jacobian }: Numeric, element: number, v: number): number {
  const declared = (kinksOf?.(element) ?? []).map(({ at }) => Math.abs(v - at));
  const found = jacobian.kinks.some((kink) => kink.element === element) ? [0] : [];
  return Math.min(Number.POSITIVE_INFINITY, ...declared, ...found);
}
