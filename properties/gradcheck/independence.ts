import { compareCotangent } from './compare.ts';
import type { Context } from './context.ts';
import { drawCotangent } from './draw.ts';
import { indexOf, rowOf } from './options.ts';
import type { GradcheckFailure } from './report.ts';

/**
 * Another dy, some of it 0, and unless that is switched off NaN in one element and in one element of dy: outputs and
 * gradients that do not depend on these are what they are without, bit for bit in `y`, within the intervals in `vjp`.
 */
export async function checkContainment(context: Context): Promise<GradcheckFailure[]> {
  const { asked, inputs, y, numerics, shapes, draw, declared } = context;
  const dy = drawCotangent(draw, y.length, 0.25);
  const apart = numerics.filter(({ layout, projection }) => layout.sites > 1 && !projection);
  const where =
    declared.containment === false || y.length === 0
      ? undefined
      : apart.toSorted((a, b) => b.layout.sites - a.layout.sites)[0];
  const poisoned: Record<string, Float64Array> = { ...inputs };
  const failures: GradcheckFailure[] = [];
  const touched = new Uint8Array(y.length);
  if (where !== undefined) {
    const { name, layout } = where;
    const site = draw.below(layout.sites);
    const element = layout.element(site, draw.below(layout.colours));
    poisoned[name] = inputs[name]!.slice();
    poisoned[name]![element] = Number.NaN;
    for (let i = 0; i < y.length; i++) if (layout.siteOf[i] === site) touched[i] = 1;
    const from = `NaN in ${name}[${indexOf(shapes[name]!, element).join(', ')}]`;
    const answer = await asked.forward(poisoned);
    const at = answer.findIndex((v, i) => touched[i] === 0 && v !== y[i] && !(Number.isNaN(v) && Number.isNaN(y[i])));
    if (at >= 0)
      failures.push({
        code: 'spreads',
        from,
        to: 'y',
        index: indexOf(shapes.y!, at),
        was: y[at]!,
        became: answer[at]!,
      });
    const output = draw.below(y.length);
    dy[output] = Number.NaN;
    touched[output] = 1;
  }
  const gradients = await asked.vjp(poisoned, dy);
  const rounding = declared.rounding?.vjp(poisoned, dy);
  for (const numeric of numerics) {
    const what = where === undefined ? 'vjp of another dy' : 'vjp of another dy, NaN elsewhere';
    const { failure } = compareCotangent({
      ...context,
      numeric,
      analytic: gradients[numeric.name]!,
      dy,
      bound: rounding?.[numeric.name],
      what,
      skip: (output) => touched[output] === 1,
    });
    if (failure) failures.push(failure);
  }
  return failures;
}

/** The last row of a batch asked for alone answers as it does among the others, within rounding. */
export async function checkBatch({ asked, inputs, y, shapes, declared, noise }: Context): Promise<GradcheckFailure[]> {
  const rows = shapes.y![0] ?? 0;
  const names = declared.batch!;
  if (rows < 2) return [];
  const alone: Record<string, Float64Array> = { ...inputs };
  for (const name of names) {
    if (shapes[name]![0] !== rows) {
      throw new RangeError(
        `gradcheck: "batch" expected inputs whose first axis is that of y, ${rows}, got ${name} of [${shapes[name]}]`,
      );
    }
    alone[name] = rowOf(inputs[name]!, rows, rows - 1);
  }
  const answer = await asked.row(alone, y.length / rows);
  const offset = y.length - y.length / rows;
  const isSame = (a: number, b: number, bound: number) => a === b || Number.isNaN(b) || Math.abs(a - b) <= 2 * bound;
  const at = answer.findIndex((v, i) => !isSame(v, y[offset + i]!, noise[offset + i]!));
  if (at < 0) return [];
  return [
    { code: 'batch', what: 'y', index: indexOf(shapes.y!, offset + at), alone: answer[at]!, together: y[offset + at]! },
  ];
}
