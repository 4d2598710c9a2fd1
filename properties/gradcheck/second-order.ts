import type { Context } from './context.ts';
import type { Differentiable, Kink, Tensors } from './differentiable.ts';
import type { gradcheck } from './gradcheck.ts';
import type { GradcheckFailure } from './report.ts';

/**
 * The gradient of the gradient: each cotangent that `vjp` answers is a function of the inputs and of dy, and `doubleVjp`
 * is its vjp. It is checked as any other function.
 */
export async function checkSecondOrder(
  f: Differentiable,
  { asked, inputs, dy, gradients, shapes, declared }: Context,
  check: typeof gradcheck,
): Promise<GradcheckFailure[]> {
  const dyName = freeName(inputs);
  const failures: GradcheckFailure[] = [];
  const constants = declared.constants ?? [];
  const split = ({ [dyName]: cotangent, ...rest }: Tensors) => ({ rest, cotangent: cotangent! });
  for (const name of Object.keys(gradients)) {
    const gradient: Differentiable = {
      name: `vjp to ${name}`,
      dtype: f.dtype ?? 'f64',
      async forward(all) {
        const { rest, cotangent } = split(all);
        return (await f.vjp(rest, cotangent, shapes))[name]!;
      },
      async vjp(all, given) {
        const { rest, cotangent } = split(all);
        const cotangents: Record<string, Float64Array> = { [name]: given };
        for (const [other, { length }] of Object.entries(gradients)) cotangents[other] ??= new Float64Array(length);
        const answer = await f.doubleVjp!(rest, cotangent, cotangents, shapes);
        return { ...answer.inputs, [dyName]: answer.dy };
      },
    };
    const report = await check(
      gradient,
      { ...inputs, [dyName]: dy },
      {
        seed: declared.seed ?? 1,
        shapes: { ...shapes, [dyName]: shapes.y!, y: shapes[name]! },
        constants,
        kinks: placesOf(declared.kinks),
        onKinks: 'open',
        containment: false,
      },
    );
    asked.calls.vjp += report.calls.forward;
    asked.calls.doubleVjp += report.calls.vjp;
    failures.push(...report.failures.map((failure) => ({ code: 'second-order' as const, of: name, failure })));
  }
  return failures;
}

/** Only where the kinks are: what holds there of the gradient is a convention of which the function says nothing. */
function placesOf(kinks: Context['declared']['kinks']): NonNullable<Context['declared']['kinks']> {
  const bare = (list: readonly Kink[]) => list.map(({ at }): Kink => ({ at, value: 'any', derivative: 'any' }));
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
