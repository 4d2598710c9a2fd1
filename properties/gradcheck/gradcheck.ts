import { kindOf } from '../../reference/arguments.ts';
import { type Random, random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import { beyondStructure } from './beyond.ts';
import { Asked, firstDifference } from './calls.ts';
import { checkArguments, checkedRounding } from './check-options.ts';
import { type Comparison, compareConfirmed, cotangentRounding, type Numeric } from './compare.ts';
import { confirmJacobian } from './confirm.ts';
import type { Context } from './context.ts';
import type { Declared, Differentiable, Tensors } from './differentiable.ts';
import { drawCotangent } from './draw.ts';
import { checkForwardMode } from './forward-mode.ts';
import { checkBatch, checkContainment } from './independence.ts';
import { gradientCheck, inputReport } from './input-report.ts';
import { measureJacobian, withoutKinks } from './jacobian.ts';
import { confirmKinks, kinkFailures, valueFailures } from './kink-checks.ts';
import { layoutOf } from './layout.ts';
import { conditionNoise, estimateNoise, outputNoise, roundingsOf } from './noise.ts';
import { allFinite, leaveOpenNonFinite, type NumericSide, numericSide } from './numeric-side.ts';
import { checkBatchNames, type GradcheckOptions, inputShapes, withOutput } from './options.ts';
import { openPart, type Part } from './part.ts';
import type { GradcheckFailure, GradcheckReport } from './report.ts';
import { checkSecondOrder } from './second-order.ts';
import { measureTogether, partTies, tiesOf } from './ties.ts';
import { valueNoise } from './value-noise.ts';

/**
 * Checks `vjp(inputs, dy) = Jᵀ dy` for every element of every cotangent, J measured by finite differences of `forward`
 * whose error is derived from dtype, step and curvature; and with it `jvp`, double backward, the conventions at kinks,
 * the structure, determinism, containment of NaN, and that inputs and answers are left alone.
 *
 * `f`: functions of flat float64 arrays by name; `inputs`: their values, exactly representable in `f.dtype`;
 * `options`: what is known of f (it is found where it is not), see `Declared`, and the seed.
 *
 * @throws TypeError, RangeError naming the argument; GradcheckError if f throws or answers with something else than
 * tensors. Never for a wrong gradient: that is in the report.
 */
export async function gradcheck(
  f: Differentiable,
  inputs: Tensors,
  options: GradcheckOptions = {},
): Promise<GradcheckReport> {
  checkArguments(f, inputs, options);
  const stated: GradcheckOptions = { ...declaredBy(f), ...options };
  const { seed = 1, constants = [], tolerance } = stated;
  const dtype = f.dtype ?? 'f64';
  const given = inputShapes(inputs, stated.shapes);
  const asked = new Asked(f, stated, given);
  const names = Object.keys(inputs).filter((name) => !constants.includes(name));
  const y = await asked.forward(inputs);
  const { rounding: bounds } = stated;
  const declared = { ...stated, ...(bounds && { rounding: checkedRounding(bounds, inputs, y.length) }) };
  const shapes = withOutput(given, y.length, declared.shapes?.y ?? f.outputShape?.(given));
  checkBatchNames(shapes, declared.batch ?? []);
  const failures: GradcheckFailure[] = [];
  const checks: string[] = [];

  const side = await numericSide(f, asked, inputs, y, declared);
  const draw = random(seed, 'gradcheck');
  const parts: Part[] = [];
  for (const name of names) parts.push(await openPart(name, side, shapes, declared, draw, failures));
  const moves = parts.flatMap(({ moved }) => (moved ? [moved] : []));
  if (declared.rounding === undefined) side.noise.set(estimateNoise(moves, side.y, side.dtype));
  leaveOpenNonFinite(
    inputs,
    (name) => {
      const structure = declared.structure?.[name];
      const found = parts.find((part) => part.name === name && part.projection === undefined)?.moved?.layout;
      return found ?? (structure && layoutOf(name, structure, shapes[name]!, shapes.y!));
    },
    side.noise,
  );
  const roundings = roundingsOf(moves);
  const unit = declared.rounding === undefined ? roundings * 2 ** -formats[side.dtype].p : 0;
  const numerics: Numeric[] = [];
  for (const part of parts) numerics.push(...(await measured(part, side, unit, inputs, shapes, declared, draw)));
  for (const numeric of numerics) {
    await confirmKinks(numeric, side.y, side.noise, shapes);
    failures.push(...kinkFailures(numeric, side.y, side.noise, shapes));
  }
  const noise = declared.rounding?.output?.(inputs) ?? outputNoise(side.noise, side.dtype, dtype);
  if (f.twin !== undefined && valueFailures(y, side.y, noise, shapes.y!).length > 0) {
    let bound = noise;
    if (declared.rounding === undefined) {
      bound = conditionNoise(noise, numerics, side.y, roundings, dtype);
      bound = await valueNoise(asked, inputs, y, side.y, bound, roundings, dtype);
    }
    failures.push(...valueFailures(y, side.y, bound, shapes.y!));
  }

  const dy = declared.dy ?? drawCotangent(draw, y.length, 0);
  if (!(dy instanceof Float64Array) || dy.length !== y.length) {
    const came = dy instanceof Float64Array ? dy.length : kindOf(dy);
    throw new RangeError(`gradcheck: "dy" expected a Float64Array of ${y.length} elements, got ${came}`);
  }
  const gradients = await asked.vjp(inputs, dy);
  const rounding = declared.rounding?.vjp(inputs, dy);
  const compared: Comparison[] = [];
  for (const numeric of numerics) {
    const { name } = numeric;
    const ask = async (other: Float64Array) => (await asked.vjp(inputs, other))[name]!;
    const question = { numeric, analytic: gradients[name]!, dy, dtype, roundings, tolerance, what: 'vjp', ask };
    compared.push(await compareConfirmed({ ...question, bound: rounding?.[name] }));
  }
  for (const numeric of numerics) {
    const ties = tiesOf(numeric, side.dtype);
    if (ties.length === 0) continue;
    const together = await measureTogether(numeric, ties, side, unit, shapes.y!, draw);
    if (declared.onKinks === 'open') together.jacobian = withoutKinks(together.jacobian);
    const analytic = gradients[numeric.name]!;
    const bound = rounding?.[numeric.name] ?? cotangentRounding(numeric, dy, analytic.length, dtype, roundings);
    const what = 'vjp, equal elements moved together';
    compared.push(
      await compareConfirmed({ numeric: together, analytic, dy, dtype, roundings, tolerance, bound, what }),
    );
  }
  failures.push(...compared.flatMap(({ failure }) => (failure ? [failure] : [])));

  const context: Context = {
    asked,
    inputs,
    y,
    dy,
    gradients,
    numerics,
    shapes,
    dtype,
    draw,
    declared,
    noise,
    roundings,
    tolerance,
  };
  if (f.jvp !== undefined) {
    failures.push(...(await checkForwardMode(context)));
    checks.push('forward mode and its adjoint');
  }
  const other = await checkContainment(context);
  failures.push(...other.failures);
  checks.push(other.contained === undefined ? 'another dy' : `another dy, NaN contained in ${other.contained}`);
  if ((declared.batch ?? []).length > 0 && (shapes.y![0] ?? 0) > 1) {
    failures.push(...(await checkBatch(context)));
    checks.push('a batch of one');
  }
  failures.push(...(await repeated(context, other.contained !== undefined)));
  for (let k = 0; k < (declared.held ?? 0); k++)
    await asked.vjp(
      inputs,
      dy.map((d) => -d),
    );
  checks.push('repeats, inputs and answers left alone');
  if (f.doubleVjp !== undefined) {
    const twice = allFinite(y);
    if (twice) failures.push(...(await checkSecondOrder(f, context, gradcheck)));
    checks.push(twice ? 'gradient of the gradient' : 'not the gradient of the gradient, since y is not finite');
  }
  asked.checkKept();
  failures.push(...asked.failures);
  const reports = numerics.map((numeric, k) => inputReport(compared[k]!, numeric, declared, shapes));
  const total = compared.reduce((sum, { summary }) => sum + summary.compared, other.compared);
  const outcome = failures.length > 0 ? 'failed' : total > 0 ? 'passed' : 'nothing-compared';
  return {
    name: f.name ?? 'f',
    outcome,
    passed: outcome === 'passed',
    dtype,
    seed,
    outputShape: shapes.y!,
    inputs: reports,
    failures,
    calls: asked.calls,
    checks: [gradientCheck(reports), ...checks],
    override: overrideBy(options),
  };
}

/** The derivatives of an input, which `compareConfirmed` may have measured once more. */
async function measured(
  { name, moved, projection }: Part,
  side: NumericSide,
  unit: number,
  inputs: Tensors,
  shapes: Context['shapes'],
  { onKinks, structure }: GradcheckOptions,
  draw: Random,
): Promise<Numeric[]> {
  if (moved === undefined) return [];
  const { y, noise, dtype } = side;
  const jacobian = await measureJacobian(moved, y, noise, dtype);
  const numeric: Numeric = {
    name,
    layout: moved.layout,
    jacobian: onKinks === 'open' ? withoutKinks(jacobian) : jacobian,
    async confirm(elements) {
      const again = await confirmJacobian(numeric.jacobian, elements, moved, y, noise, dtype, unit);
      const ties = tiesOf(numeric, dtype).filter((tie) => tie.some((j) => elements.has(j)));
      return ties.length > 0 ? partTies(again, ties, numeric, side, draw) : again;
    },
    shape: shapes[name]!,
    values: inputs[name]!,
    kinksOf: moved.kinksOf,
    projection,
    beyond: structure?.[name] === undefined && projection === undefined ? beyondStructure(moved, noise) : undefined,
  };
  return [numeric];
}

function overrideBy({ tolerance, rounding }: GradcheckOptions): GradcheckReport['override'] {
  if (tolerance === undefined && rounding === undefined) return undefined;
  return { ...(tolerance !== undefined && { tolerance }), ...(rounding !== undefined && { rounding: true }) };
}

/** What a function declares of itself, without its parts. */
function declaredBy({ shapes, structure, kinks, constants, batch, rounding }: Differentiable): Declared {
  const declared = { shapes, structure, kinks, constants, batch, rounding };
  return Object.fromEntries(Object.entries(declared).filter(([, value]) => value !== undefined));
}

/**
 * The same vjp again, after others, bit for bit; and forward, in which what vjp leaves behind is seen. Where NaN was put
 * into one element after a vjp, all others were compared with `y` already.
 */
async function repeated(
  { asked, inputs, dy, gradients, y }: Context,
  wasForward: boolean,
): Promise<GradcheckFailure[]> {
  const again = Object.entries(await asked.vjp(inputs, dy)).map(
    ([name, tensor]) => [`vjp to ${name}`, gradients[name]!, tensor] as const,
  );
  const all = wasForward ? again : [...again, ['forward', y, await asked.forward(inputs)] as const];
  for (const [what, was, tensor] of all) {
    const element = firstDifference(tensor, was);
    if (element < 0) continue;
    return [{ code: 'non-deterministic', what, element, first: was[element]!, again: tensor[element]! }];
  }
  return [];
}
