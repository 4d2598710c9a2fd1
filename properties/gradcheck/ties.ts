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

/** A tie of more elements is parted in no more orders than these. */
const mostOrders = 8;

/** Equal elements that an output depends on, the most of each site; none lies on a declared kink, or within a step of one. */
export function tiesOf({ values, layout, kinksOf, projection }: Numeric, dtype: FloatDtype): number[][] {
  if (layout.colours < 2 || projection !== undefined) return [];
  const ties: number[][] = [];
  for (let site = 0; site < layout.sites; site++) {
    const tie = largestTie(values, layout, site);
    if (tie.length < 2) continue;
    const v = values[tie[0]!]!;
    const reach = 2 * stepScales[dtype][0]! * scaleOf(v);
    if (!tie.some((j) => kinksOf?.(j).some(({ at }) => Math.abs(at - v) <= reach))) ties.push(tie);
  }
  return ties;
}

function largestTie(values: Float64Array, layout: Layout, site: number): number[] {
  const equal = new Map<number, number[]>();
  for (let colour = 0; colour < layout.colours; colour++) {
    const j = layout.element(site, colour);
    if (Number.isFinite(values[j])) equal.set(values[j]!, [...(equal.get(values[j]!) ?? []), j]);
  }
  return [...equal.values()].reduce((most, tie) => (tie.length > most.length ? tie : most), []);
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
  for (const tie of ties) for (const j of tie) t[j] = scaleOf(values[j]!);
  const moved = movedAlong(name, side, [t], yShape, undefined);
  await moved.first(draw);
  const { y, noise, dtype } = side;
  const together: Numeric = {
    ...numeric,
    layout: moved.layout,
    kinksOf: undefined,
    jacobian: await measureJacobian(moved, y, noise, dtype),
    confirm: (elements) => confirmJacobian(together.jacobian, elements, moved, y, noise, dtype, unit),
    projection: { directions: [t], random: 1, together: ties.flat().length, alone: [], left: 0 },
  };
  return together;
}

/**
 * Derivatives by equal elements as they are beside the tie: these are parted, in each order that turns round, so that
 * each takes each place once, and anything between what was measured there is a derivative of the tie.
 */
export async function partTies(
  { lo, hi, kinks }: Jacobian,
  ties: readonly (readonly number[])[],
  numeric: Numeric,
  side: NumericSide,
  draw: Random,
): Promise<Jacobian> {
  const { name, layout } = numeric;
  const { y, noise, dtype } = side;
  const parted = { lo: lo.slice(), hi: hi.slice(), kinks };
  const few = ties.filter((tie) => tie.length <= mostOrders);
  const tied = new Set(few.flat());
  const open = new Set(ties.filter((tie) => tie.length > mostOrders).flat());
  leaveOpen(parted, layout, y.length, open);
  const orders = Math.max(0, ...few.map((tie) => tie.length));
  for (let turn = 0; turn < orders; turn++) {
    const inputs = { ...side.inputs, [name]: partedValues(numeric.values, few, turn, dtype) };
    const at = { ...side, inputs, y: await side.numeric(inputs) };
    const moved = new Moved(name, layout, numeric.kinksOf, at);
    await moved.first(draw);
    const beside = await measureJacobian(moved, at.y, noise, dtype);
    for (let colour = 0; colour < layout.colours; colour++) {
      for (const [i, j] of layout.elements(colour).entries()) {
        const k = colour * y.length + i;
        if (!tied.has(j)) continue;
        parted.lo[k] = Math.min(parted.lo[k]!, beside.lo[k]!);
        parted.hi[k] = Math.max(parted.hi[k]!, beside.hi[k]!);
      }
    }
  }
  return parted;
}

/** Too many places for each to be taken once. */
function leaveOpen({ lo, hi }: Jacobian, layout: Layout, outputs: number, elements: ReadonlySet<number>): void {
  for (let colour = 0; colour < layout.colours; colour++) {
    for (const [i, j] of layout.elements(colour).entries()) {
      if (!elements.has(j)) continue;
      lo[colour * outputs + i] = Number.NaN;
      hi[colour * outputs + i] = Number.NaN;
    }
  }
}

/**
 * Eight of the smallest steps apart and more, so that these are between them, and a curve changes by less than they tell.
 * No two of the distances are as 1 to 2: those places would lie on a line with a stencil of 1 and -2 steps, however wide.
 */
function partedValues(
  values: Float64Array,
  ties: readonly (readonly number[])[],
  turn: number,
  dtype: FloatDtype,
): Float64Array {
  const parted = values.slice();
  for (const tie of ties) {
    for (const [k, j] of tie.entries()) {
      const place = (k + turn) % tie.length;
      parted[j] = formats[dtype].round(
        values[j]! + 8 * place * (1 + 0.137 * place) * stepScales[dtype].at(-1)! * scaleOf(values[j]!),
      );
    }
  }
  return parted;
}
