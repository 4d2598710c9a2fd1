import type { Random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import type { Numeric } from './compare.ts';
import { confirmJacobian } from './confirm.ts';
import type { FloatDtype } from './differentiable.ts';
import { type Jacobian, measureJacobian } from './jacobian.ts';
import type { Layout } from './layout.ts';
import { Moved } from './measure.ts';
import type { NumericSide } from './numeric-side.ts';
import { movedAlong } from './projection.ts';
import { scaleOf, stepScales } from './stencil.ts';

/** A tie of more elements is not parted in each order. */
const mostOrders = 8;

/**
 * How far above the least of n elements each is put where they are parted, in the smallest steps. They are eight and more
 * apart, so that these are between them, and a curve changes by less than they tell. Of few no two of the distances are as
 * 1 to 2: those places would lie on a line with a stencil of 1 and -2 steps, however wide.
 */
function placeAbove(place: number, n: number): number {
  return 8 * place * (1 + 0.137 * place * Math.min(1, mostOrders / n));
}

/** Two steps of both of two elements: nearer ones are in each other's stencil. */
const stepsBetween = 4;

/**
 * The scale of those steps. In f64 the second: where a median has one neighbour at a step of it and one at two, the smallest
 * alone tells them apart, and a confirmation does not believe one scale. In f32 it would be 1/32, over which f is no line.
 */
const tiedScale: Readonly<Record<FloatDtype, number>> = { f64: stepScales.f64[1], f32: stepScales.f32.at(-1)! };

/**
 * Elements that an output depends on and that are equal, or nearer to each other than the smallest steps tell: the most of
 * each site; none lies on a declared kink, or within a step of one.
 */
export function tiesOf(numeric: Numeric, dtype: FloatDtype): number[][] {
  return tiesBySite(numeric, dtype).flatMap((ties) => {
    const largest = ties.reduce((most, tie) => (tie.length > most.length ? tie : most));
    return isBesideKink(largest, numeric, dtype) ? [] : [largest];
  });
}

/** Those of them of which a derivative was seen: where no slope has a limit, neither has their sum, though it may look flat. */
export function knownTies(numeric: Numeric, dtype: FloatDtype): number[][] {
  const ties = tiesOf(numeric, dtype);
  if (ties.length === 0) return ties;
  const open = new Set<number>();
  for (const { at, element } of derivativesBy(new Set(ties.flat()), numeric)) {
    if (Number.isNaN(numeric.jacobian.lo[at])) open.add(element);
  }
  return ties.filter((tie) => !tie.every((j) => open.has(j)));
}

/** All ties, of each site that has some. */
function tiesBySite({ values, layout, projection }: Numeric, dtype: FloatDtype): number[][][] {
  if (layout.colours < 2 || projection !== undefined) return [];
  const bySite: number[][][] = [];
  const sorted = new Float64Array(layout.colours);
  for (let site = 0; site < layout.sites; site++) {
    for (let colour = 0; colour < layout.colours; colour++) sorted[colour] = values[layout.element(site, colour)];
    sorted.sort();
    // Most sites have none: numbers alone are sorted at once.
    if (!sorted.subarray(1).some((v, k) => isTied([sorted[k]], v, dtype))) continue;
    bySite.push(tiesAt(values, layout, site, dtype));
  }
  return bySite;
}

function tiesAt(values: Float64Array, layout: Layout, site: number, dtype: FloatDtype): number[][] {
  const elements = Array.from({ length: layout.colours }, (_, colour) => layout.element(site, colour))
    .filter((j) => Number.isFinite(values[j]))
    .sort((j, k) => values[j] - values[k]);
  const ties: number[][] = [];
  for (const j of elements) {
    const last = ties.at(-1);
    if (
      last !== undefined &&
      isTied(
        last.map((k) => values[k]),
        values[j],
        dtype,
      )
    )
      last.push(j);
    else ties.push([j]);
  }
  return ties.filter((tie) => tie.length > 1).map((tie) => tie.sort((j, k) => j - k));
}

/** Whether an element belongs to lesser ones: it is near the last, or would be once they are parted from the first on. */
function isTied(others: readonly number[], v: number, dtype: FloatDtype): boolean {
  const [first, last, n] = [others[0], others.at(-1)!, others.length];
  const scale = Math.max(scaleOf(first), scaleOf(v));
  const smallest = stepScales[dtype].at(-1)!;
  return (
    v - last <= stepsBetween * tiedScale[dtype] * scale ||
    v - first <= (placeAbove(n - 1, n) + stepsBetween) * smallest * scale
  );
}

function isBesideKink(tie: readonly number[], { values, kinksOf }: Numeric, dtype: FloatDtype): boolean {
  return tie.some((j) => {
    const reach = 2 * stepScales[dtype][0] * scaleOf(values[j]);
    return kinksOf?.(j).some(({ at }) => tie.some((k) => Math.abs(at - values[k]) <= reach));
  });
}

/**
 * Equal elements moved together, of all sites at once. Each alone may stay where it was among them, as in a median of
 * three, or lie on a kink, as in a maximum; all together they do not part, and their gradients add up to what is measured,
 * whichever of them a convention gives it to.
 */
export async function measureTogether(
  numeric: Numeric,
  ties: readonly (readonly number[])[],
  side: NumericSide,
  unit: number,
  yShape: readonly number[],
  draw: Random,
): Promise<Numeric> {
  const { name, values } = numeric;
  const t = new Float64Array(values.length);
  // By one distance, which keeps those in order that are only nearly equal.
  for (const tie of ties) for (const j of tie) t[j] = largestScale(tie, values);
  const moved = movedAlong(name, side, [t], yShape, undefined);
  await moved.first(draw);
  const { y, noise, dtype } = side;
  const together: Numeric = {
    ...numeric,
    layout: moved.layout,
    kinksOf: undefined,
    jacobian: await measureJacobian(moved, y, noise, dtype, unit),
    confirm: (elements) => confirmJacobian(together.jacobian, elements, moved, y, noise, dtype, unit),
    projection: { directions: [t], random: 1, together: ties.flat().length, alone: [], left: 0 },
  };
  return together;
}

function largestScale(tie: readonly number[], values: Float64Array): number {
  return tie.reduce((most, j) => Math.max(most, scaleOf(values[j])), 0);
}

/**
 * Derivatives by elements that tie as they are beside the tie: these are parted, in each order that turns round, so that
 * each takes each place once, and anything between what was measured there is a derivative of the tie. Of many elements two
 * orders show by how much derivatives change there, and so much is allowed of each.
 */
export async function partTies(
  { lo, hi, kinks }: Jacobian,
  elements: ReadonlySet<number>,
  numeric: Numeric,
  side: NumericSide,
  draw: Random,
): Promise<Jacobian> {
  const parted = { lo: lo.slice(), hi: hi.slice(), kinks };
  const ties = tiesBySite(numeric, side.dtype)
    .filter((of) => of.some((tie) => tie.some((j) => elements.has(j))))
    .flat()
    .filter((tie) => !isBesideKink(tie, numeric, side.dtype));
  const few = ties.filter((tie) => tie.length <= mostOrders);
  const many = ties.filter((tie) => tie.length > mostOrders);
  const orders = Math.max(0, ...few.map((tie) => tie.length));
  for (let turn = 0; turn < orders; turn++) {
    const beside = await measureParted(ties, (k, n) => (k + turn) % n, numeric, side, draw);
    include(parted, beside, numeric, new Set(few.flat()));
  }
  if (many.length === 0) return parted;
  const tied = new Set(many.flat());
  const outside = new Float64Array(side.y.length);
  for (const placeOf of [(k: number) => k, (k: number, n: number) => n - 1 - k]) {
    const beside = await measureParted(ties, placeOf, numeric, side, draw);
    for (const { at, output } of derivativesBy(tied, numeric)) {
      outside[output] = Math.max(outside[output], beside.hi[at] - hi[at], lo[at] - beside.lo[at]);
    }
  }
  for (const { at, output } of derivativesBy(tied, numeric)) {
    parted.lo[at] -= outside[output];
    parted.hi[at] += outside[output];
  }
  return parted;
}

/** The derivatives where ties are parted, each element at its place among so many. */
async function measureParted(
  ties: readonly (readonly number[])[],
  placeOf: (k: number, n: number) => number,
  { name, values, layout, kinksOf }: Numeric,
  side: NumericSide,
  draw: Random,
): Promise<Jacobian> {
  const { noise, dtype } = side;
  const inputs = { ...side.inputs, [name]: partedValues(values, ties, placeOf, dtype) };
  const at = { ...side, inputs, y: await side.numeric(inputs) };
  const moved = new Moved(name, layout, kinksOf, at);
  await moved.first(draw);
  return measureJacobian(moved, at.y, noise, dtype);
}

/** Where the derivatives by some elements stand in the Jacobian. */
function* derivativesBy(
  elements: ReadonlySet<number>,
  { layout }: Numeric,
): IterableIterator<{ at: number; output: number; element: number }> {
  for (let colour = 0; colour < layout.colours; colour++) {
    const reached = layout.elements(colour);
    for (const [output, element] of reached.entries()) {
      if (elements.has(element)) yield { at: colour * reached.length + output, output, element };
    }
  }
}

function include(parted: Jacobian, { lo, hi }: Jacobian, numeric: Numeric, elements: ReadonlySet<number>): void {
  for (const { at } of derivativesBy(elements, numeric)) {
    parted.lo[at] = Math.min(parted.lo[at], lo[at]);
    parted.hi[at] = Math.max(parted.hi[at], hi[at]);
  }
}

function partedValues(
  values: Float64Array,
  ties: readonly (readonly number[])[],
  placeOf: (k: number, n: number) => number,
  dtype: FloatDtype,
): Float64Array {
  const parted = values.slice();
  for (const tie of ties) {
    const base = tie.reduce((least, j) => Math.min(least, values[j]), Number.POSITIVE_INFINITY);
    const step = stepScales[dtype].at(-1)! * largestScale(tie, values);
    for (const [k, j] of tie.entries()) {
      parted[j] = formats[dtype].round(base + placeAbove(placeOf(k, tie.length), tie.length) * step);
    }
  }
  return parted;
}
