import { indexIn } from '../positions.ts';
import { firstDifference } from './calls.ts';
import { compareConfirmed, type Numeric } from './compare.ts';
import type { Context } from './context.ts';
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

/**
 * Another dy, of all magnitudes, some of it 0; and where all structure is declared, NaN in one element and in one element of dy: outputs and
 * gradients that do not depend on these are what they are without, bit for bit in `y`, within the intervals in `vjp`.
 * A structure that was only found holds for small moves: NaN may go further, as 0·NaN does in a matrix product.
 */
export async function checkContainment(context: Context): Promise<OtherCotangent> {
  const { asked, inputs, y, numerics, shapes, draw, dtype, declared } = context;
  const dy = drawWideCotangent(draw, y.length, 0.25, dtype);
  const failures: GradcheckFailure[] = [];
  const touched = new Uint8Array(y.length);
  let poisoned = inputs;
  const place = poisonable(context);
  if (place !== undefined) {
    const { name, layout } = place;
    const site = draw.below(layout.sites);
    const element = layout.element(site, draw.below(layout.colours));
    poisoned = { ...inputs, [name]: inputs[name]!.with(element, Number.NaN) };
    for (let i = 0; i < y.length; i++) if (layout.siteOf[i] === site) touched[i] = 1;
    const from = `NaN in ${name}[${indexIn(shapes[name]!, element).join(', ')}]`;
    const answer = await asked.forward(poisoned);
    const at = firstDifference(answer, y, touched);
    if (at >= 0) {
      failures.push({
        code: 'spreads',
        from,
        to: 'y',
        index: indexIn(shapes.y!, at),
        was: y[at]!,
        became: answer[at]!,
      });
    }
  }
  const isContained = place !== undefined && numerics.every(({ name }) => declared.structure?.[name] !== undefined);
  if (isContained) {
    const output = draw.below(y.length);
    dy[output] = Number.NaN;
    touched[output] = 1;
  } else {
    poisoned = inputs;
    touched.fill(0);
  }
  const gradients = await asked.vjp(poisoned, dy);
  const rounding = declared.rounding?.vjp(poisoned, dy);
  const what = isContained ? 'vjp of another dy, NaN elsewhere' : 'vjp of another dy';
  let compared = 0;
  for (const numeric of numerics) {
    const { name } = numeric;
    const { failure, summary } = await compareConfirmed({
      ...context,
      numeric,
      analytic: gradients[name]!,
      dy,
      bound: rounding?.[name],
      what,
      skip: touched,
    });
    if (failure) failures.push(failure);
    compared += summary.compared;
  }
  const contained = isContained ? 'y and gradients' : place && 'y';
  return { failures, compared, contained };
}

/** The input of the most sites whose structure is declared, else a batch, whose rows do not see each other. */
function poisonable({ numerics, declared, shapes, y }: Context): Pick<Numeric, 'name' | 'layout'> | undefined {
  if (declared.containment === false || y.length === 0) return undefined;
  const apart = numerics
    .filter(
      ({ name, layout, projection }) => declared.structure?.[name] !== undefined && layout.sites > 1 && !projection,
    )
    .toSorted((a, b) => b.layout.sites - a.layout.sites);
  const [batch] = (declared.batch ?? []).filter((name) => shapes[name]![0]! > 1);
  if (apart.length > 0 || batch === undefined) return apart[0];
  return { name: batch, layout: layoutOf(batch, 'rows', shapes[batch]!, shapes.y!) };
}

/** The last row of a batch asked for alone answers as it does among the others, within rounding. */
export async function checkBatch({ asked, inputs, y, shapes, declared, noise }: Context): Promise<GradcheckFailure[]> {
  const rows = shapes.y![0] ?? 0;
  const names = declared.batch!;
  if (rows < 2) return [];
  const alone: Record<string, Float64Array> = { ...inputs };
  const shapesAlone: Record<string, readonly number[]> = { ...shapes };
  for (const name of names) {
    alone[name] = rowOf(inputs[name]!, rows, rows - 1);
    shapesAlone[name] = [1, ...shapes[name]!.slice(1)];
  }
  const answer = await asked.row(alone, shapesAlone, y.length / rows);
  const offset = y.length - y.length / rows;
  const isSame = (a: number, b: number, bound: number) => a === b || Number.isNaN(b) || Math.abs(a - b) <= 2 * bound;
  const at = answer.findIndex((v, i) => !isSame(v, y[offset + i]!, noise[offset + i]!));
  if (at < 0) return [];
  return [
    { code: 'batch', what: 'y', index: indexIn(shapes.y!, offset + at), alone: answer[at]!, together: y[offset + at]! },
  ];
}
