import { indexIn } from '../positions.ts';
import { firstDifference } from './calls.ts';
import { compareConfirmed, type Numeric } from './compare.ts';
import type { Context } from './context.ts';
import type { Shapes, Tensors } from './differentiable.ts';
import { drawWideCotangent } from './draw.ts';
import { layoutOf } from './layout.ts';
import { rowOf } from './options.ts';
import type { GradcheckFailure } from './report.ts';

/** What another dy found, how many elements were compared under it, and what NaN was put in. */
export interface OtherCotangent {
  readonly failures: GradcheckFailure[];
  readonly compared: number;
  readonly contained: 'y' | 'y and gradients' | undefined;
}

/** An element in which NaN is put, and the outputs that may depend on it. */
export interface Place {
  readonly name: string;
  readonly element: number;
  readonly touched: Uint8Array;
}

/**
 * Another dy, of all magnitudes, some of it 0; and NaN in one element of each input whose structure is declared, where
 * all are also in one element of dy: outputs and gradients that do not depend on these are what they are without, bit for
 * bit in `y`, within the intervals in `vjp`. A structure that was only found holds for small moves: NaN may go further,
 * as 0·NaN does in a matrix product.
 */
export async function checkContainment(context: Context): Promise<OtherCotangent> {
  const { inputs, y, numerics, draw, dtype, declared } = context;
  const dy = drawWideCotangent(draw, y.length, 0.25, dtype);
  const groups = drawPlaces(context);
  const failures: GradcheckFailure[] = [];
  for (const group of groups) failures.push(...(await spreadFrom(context, group)));
  const isContained = groups.length > 0 && numerics.every(({ name }) => declared.structure?.[name] !== undefined);
  if (!isContained) {
    const other = await compareWith(context, inputs, dy, new Uint8Array(y.length), 'vjp of another dy');
    return { ...other, failures: [...failures, ...other.failures], contained: groups.length > 0 ? 'y' : undefined };
  }
  let compared = 0;
  for (const group of groups) {
    const output = draw.below(y.length);
    const touched = touchedBy(group).with(output, 1);
    const poisoned = withNaN(inputs, group);
    const other = await compareWith(
      context,
      poisoned,
      dy.with(output, Number.NaN),
      touched,
      'vjp of another dy, NaN elsewhere',
    );
    compared += other.compared;
    failures.push(...other.failures);
    if (other.failures.length > 0) break;
  }
  return { failures, compared, contained: 'y and gradients' };
}

/** The gradients of `dy` at these inputs, but for what depends on the outputs that are touched. */
async function compareWith(
  context: Context,
  inputs: Tensors,
  dy: Float64Array,
  touched: Uint8Array,
  what: string,
): Promise<Pick<OtherCotangent, 'failures' | 'compared'>> {
  const gradients = await context.asked.vjp(inputs, dy);
  const rounding = context.declared.rounding?.vjp(inputs, dy);
  const failures: GradcheckFailure[] = [];
  let compared = 0;
  for (const numeric of context.numerics) {
    const { name } = numeric;
    const { failure, summary } = await compareConfirmed({
      ...context,
      numeric,
      analytic: gradients[name],
      dy,
      bound: rounding?.[name],
      what,
      skip: touched,
      ask: async (other) => (await context.asked.vjp(inputs, other))[name],
    });
    if (failure) failures.push(failure);
    compared += summary.compared;
  }
  return { failures, compared };
}

/** Outputs that changed although they depend on no NaN; of several places at once, each is asked for by itself. */
async function spreadFrom(context: Context, group: readonly Place[]): Promise<GradcheckFailure[]> {
  const { asked, inputs, y, shapes } = context;
  const answer = await asked.forward(withNaN(inputs, group));
  const at = firstDifference(answer, y, touchedBy(group));
  if (at < 0) return [];
  for (const place of group.length > 1 ? group : []) {
    const alone = await spreadFrom(context, [place]);
    if (alone.length > 0) return alone;
  }
  return [
    {
      code: 'spreads',
      from: `NaN in ${placesText(group, shapes)}`,
      to: 'y',
      index: indexIn(shapes.y, at),
      was: y[at],
      became: answer[at],
    },
  ];
}

export function placesText(group: readonly Place[], shapes: Shapes): string {
  return group.map(({ name, element }) => `${name}[${indexIn(shapes[name], element).join(', ')}]`).join(' and ');
}

export function withNaN(tensors: Tensors, group: readonly Place[]): Tensors {
  const poisoned: Record<string, Float64Array> = { ...tensors };
  for (const { name, element } of group) poisoned[name] = poisoned[name].with(element, Number.NaN);
  return poisoned;
}

/** The outputs that any of these places may reach. */
export function touchedBy(group: readonly Place[]): Uint8Array {
  const [first, ...others] = group;
  const all = first.touched.slice();
  for (const { touched } of others) for (let i = 0; i < all.length; i++) all[i] |= touched[i];
  return all;
}

function countOf(touched: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < touched.length; i++) count += touched[i];
  return count;
}

/**
 * One element of each input whose structure is declared, or that is a batch, whose rows do not see each other: those that
 * leave at least half of the outputs alone together, to be asked for at once.
 */
export function drawPlaces(context: Context): Place[][] {
  const { y, draw } = context;
  const groups: Place[][] = [];
  for (const { name, layout } of poisonable(context)) {
    const site = draw.below(layout.sites);
    const element = layout.element(site, draw.below(layout.colours));
    // Loops, since callbacks take longer than all that is asked.
    const touched = new Uint8Array(y.length);
    for (let i = 0; i < y.length; i++) touched[i] = layout.siteOf[i] === site ? 1 : 0;
    const place = { name, element, touched };
    const isFew = (group: readonly Place[]) => 2 * countOf(touchedBy(group)) <= y.length;
    const group = groups.find((others) => isFew([...others, place]));
    if (group === undefined) groups.push([place]);
    else group.push(place);
  }
  return groups;
}

/** Those of the most sites first. */
function poisonable({ numerics, declared, shapes, y }: Context): Pick<Numeric, 'name' | 'layout'>[] {
  if (declared.containment === false || y.length === 0) return [];
  const apart = numerics.flatMap(({ name, layout, projection }) => {
    if (declared.structure?.[name] !== undefined) return projection ? [] : [{ name, layout }];
    return declared.batch?.includes(name) ? [{ name, layout: layoutOf(name, 'rows', shapes[name], shapes.y) }] : [];
  });
  return apart
    .filter(({ layout }) => layout.sites > 1 && layout.colours > 0)
    .toSorted((a, b) => b.layout.sites - a.layout.sites);
}

/** The last row of a batch asked for alone answers as it does among the others, within rounding. */
export async function checkBatch({ asked, inputs, y, shapes, declared, noise }: Context): Promise<GradcheckFailure[]> {
  const rows = shapes.y[0] ?? 0;
  const names = declared.batch!;
  if (rows < 2) return [];
  const alone: Record<string, Float64Array> = { ...inputs };
  const shapesAlone: Record<string, readonly number[]> = { ...shapes };
  for (const name of names) {
    alone[name] = rowOf(inputs[name], rows, rows - 1);
    shapesAlone[name] = [1, ...shapes[name].slice(1)];
  }
  const answer = await asked.row(alone, shapesAlone, y.length / rows);
  const offset = y.length - y.length / rows;
  const isSame = (a: number, b: number, bound: number) => a === b || Number.isNaN(b) || Math.abs(a - b) <= 2 * bound;
  const at = answer.findIndex((v, i) => !isSame(v, y[offset + i], noise[offset + i]));
  if (at < 0) return [];
  return [
    { code: 'batch', what: 'y', index: indexIn(shapes.y, offset + at), alone: answer[at], together: y[offset + at] },
  ];
}
