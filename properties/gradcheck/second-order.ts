import { sizeOf } from '../../reference/shape.ts';
import type { Context } from './context.ts';
import type { DeclaredKink, Differentiable, Tensors } from './differentiable.ts';
import type { gradcheck } from './gradcheck.ts';
import type { GradcheckFailure, InputReport } from './report.ts';

/** What was wrong with the gradient of the gradient, and how much of it was compared, in words. */
export interface SecondOrderChecked {
  readonly failures: GradcheckFailure[];
  readonly checked: string;
}

/**
 * The gradient of the gradient: each cotangent that `vjp` answers is a function of the inputs and of dy, and `doubleVjp`
 * is its vjp. It is checked as any other function; on a kink it may be anything between the slopes from both sides.
 */
export async function checkSecondOrder(
  { asked, inputs, dy, gradients, shapes, dtype, declared }: Context,
  check: typeof gradcheck,
): Promise<SecondOrderChecked> {
  const dyName = freeName(inputs);
  const failures: GradcheckFailure[] = [];
  const reports: InputReport[] = [];
  const split = ({ [dyName]: cotangent, ...rest }: Tensors) => ({ rest, cotangent: cotangent });
  for (const name of Object.keys(gradients)) {
    const gradient: Differentiable = {
      name: `vjp to ${name}`,
      dtype,
      async forward(all) {
        const { rest, cotangent } = split(all);
        return (await asked.vjp(rest, cotangent))[name];
      },
      async vjp(all, given) {
        const { rest, cotangent } = split(all);
        const cotangents: Record<string, Float64Array> = { [name]: given };
        for (const [other, { length }] of Object.entries(gradients)) cotangents[other] ??= new Float64Array(length);
        const answer = await asked.doubleVjp(rest, cotangent, cotangents);
        return { ...answer.inputs, [dyName]: answer.dy };
      },
    };
    const report = await check(
      gradient,
      { ...inputs, [dyName]: dy },
      {
        seed: declared.seed ?? 1,
        shapes: { ...shapes, [dyName]: shapes.y, y: shapes[name] },
        constants: declared.constants ?? [],
        kinks: placesOf(declared.kinks),
        onKinks: declared.onKinks ?? 'compared',
        containment: false,
      },
    );
    reports.push(...report.inputs);
    for (const failure of report.failures) {
      // Of equal elements a gradient goes to which a convention says: it need not lie between those beside it.
      if (failure.code !== 'value') failures.push({ code: 'second-order', of: name, failure });
    }
  }
  return { failures, checked: comparedText(reports) };
}

/** How many second derivatives were compared, and by which inputs none. */
function comparedText(reports: readonly InputReport[]): string {
  const elements = (of: readonly InputReport[]) => of.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const all = elements(reports);
  const open = reports.reduce((sum, report) => sum + report.open, 0);
  if (all === 0) return 'not the gradient of the gradient: no element';
  if (open === 0) return 'gradient of the gradient';
  if (open === all) return 'not the gradient of the gradient: every element was left open';
  const isOpen = (name: string) => {
    const own = reports.filter((report) => report.name === name);
    return elements(own) > 0 && own.every(({ shape, open }) => open === sizeOf(shape));
  };
  const none = [...new Set(reports.map(({ name }) => name))].filter(isOpen);
  return `gradient of the gradient, ${all - open} of ${all} elements${none.length > 0 ? `, none by ${none.join(', ')}` : ''}`;
}

/**
 * Only where the kinks are: the value of the gradient there is a convention. Its slope is one between both sides, or a
 * convention too where the derivative is declared by a function, which the gradient of a parameter may have for its slope.
 */
function placesOf(kinks: Context['declared']['kinks']): NonNullable<Context['declared']['kinks']> {
  const bare = (list: readonly DeclaredKink[]) =>
    list.map(({ at, derivative }): DeclaredKink => {
      const isOpen = derivative === 'any' || typeof derivative === 'function';
      return { at, value: 'any', ...(isOpen && { derivative: 'any' }) };
    });
  return Object.fromEntries(
    Object.entries(kinks ?? {}).map(([name, of]) => [
      name,
      typeof of === 'function' ? (j: number) => bare(of(j)) : bare(of),
    ]),
  );
}

/** A name for dy that no input has. */
function freeName(inputs: Tensors): string {
  let name = 'dy';
  while (Object.hasOwn(inputs, name)) name = `${name}_`;
  return name;
}
