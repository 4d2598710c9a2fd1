import { kindOf } from '../../reference/arguments.ts';
import { type Random, random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import { beyondStructure } from './beyond.ts';
import { AskedFunction, firstDifference } from './calls.ts';
import { checkArguments, checkedRounding } from './check-options.ts';
import { type Comparison, compareConfirmed, cotangentRounding, type Numeric } from './compare.ts';
import { confirmJacobian } from './confirm.ts';
import type { Context, Measured } from './context.ts';
import type { Declared, Differentiable, Shapes, Tensors } from './differentiable.ts';
import { drawCotangent } from './draw.ts';
import { checkForwardMode } from './forward-mode.ts';
import { checkBatch, checkContainment } from './independence.ts';
import { gradientCheck, inputReport } from './input-report.ts';
import { measureJacobian, withoutKinks } from './jacobian.ts';
import { confirmKinks, kinkFailures, valueFailures } from './kink-checks.ts';
import { layoutOf } from './layout.ts';
import type { Moved } from './measure.ts';
import { conditionNoise, estimateNoise, outputNoise, roundingsOf } from './noise.ts';
import { allFinite, leaveOpenNonFinite, type NumericSide, numericSide } from './numeric-side.ts';
import { checkBatchNames, type GradcheckOptions, inputShapes, outputShapeBy, withOutput } from './options.ts';
import { openPart, type Part } from './part.ts';
import type { GradcheckFailure, GradcheckReport } from './report.ts';
import { checkSecondOrder } from './second-order.ts';
import { singularFailures } from './singular.ts';
import { knownTies, measureTogether, partTies } from './ties.ts';
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
  const { seed = 1, tolerance } = stated;
  const dtype = f.dtype ?? 'f64';
  const given = inputShapes(inputs, stated.shapes);
  const asked = new AskedFunction(f, stated, given);
  const y = await asked.forward(inputs);
  const { rounding: bounds } = stated;
  const declared = { ...stated, ...(bounds && { rounding: checkedRounding(bounds, inputs, y.length) }) };
  const shapes = withOutput(given, y.length, declared.shapes?.y ?? outputShapeBy(f, given, y.length));
  checkBatchNames(shapes, declared.batch ?? []);

  const side = await numericSide(f, asked, inputs, y, declared);
  const draw = random(seed, 'gradcheck');
  const { numerics, roundings, unit, failures } = await measureInputs(inputs, y, side, shapes, declared, draw);
  for (const numeric of numerics) {
    await confirmKinks(numeric, side.y, shapes);
    failures.push(...kinkFailures(numeric, side.y, shapes));
  }
  const noise = declared.rounding?.output?.(inputs) ?? outputNoise(side.noise, side.dtype, dtype);
  const known = { asked, inputs, y, numerics, shapes, dtype, draw, declared, noise, roundings, tolerance };
  if (f.twin !== undefined) failures.push(...(await checkValues(known, side)));

  const dy = cotangentFor(y, declared, draw);
  const context: Context = { ...known, dy, gradients: await asked.vjp(inputs, dy) };
  // By derivatives as they were measured first: beside a tie more may be open.
  const ties = numerics.map((numeric) => knownTies(numeric, side.dtype));
  const compared = await compareGradients(context);
  const together = await compareTies(context, ties, side, unit);
  for (const { failure } of [...compared, ...together]) if (failure) failures.push(failure);
  const others = await checkOthers(f, context);
  failures.push(...others.failures);
  asked.checkKept();
  failures.push(...asked.failures);

  const reports = numerics.map((numeric, k) => inputReport(compared[k], numeric, declared, shapes));
  const total = [...compared, ...together].reduce((sum, { summary }) => sum + summary.compared, others.compared);
  const outcome = failures.length > 0 ? 'failed' : total > 0 ? 'passed' : 'nothing-compared';
  return {
    name: f.name ?? 'f',
    outcome,
    passed: outcome === 'passed',
    dtype,
    seed,
    outputShape: shapes.y,
    inputs: reports,
    failures,
    calls: asked.calls,
    checks: [gradientCheck(reports), ...others.checks],
    override: overrideBy(options),
  };
}

/** The derivatives of every input that is no constant, and what was wrong when they were measured. */
async function measureInputs(
  inputs: Tensors,
  y: Float64Array,
  side: NumericSide,
  shapes: Shapes,
  declared: GradcheckOptions,
  draw: Random,
): Promise<{ numerics: Numeric[]; roundings: number; unit: number; failures: GradcheckFailure[] }> {
  const { constants = [], rounding, structure } = declared;
  const failures: GradcheckFailure[] = [];
  const parts: Part[] = [];
  for (const name of Object.keys(inputs)) {
    if (!constants.includes(name)) parts.push(await openPart(name, side, shapes, declared, draw, failures));
  }
  const moves = parts.flatMap(({ moved }) => (moved ? [moved] : []));
  const estimated = rounding === undefined ? estimateNoise(moves, side.y, side.dtype) : undefined;
  if (estimated !== undefined) side.noise.set(estimated.output);
  const layoutFor = (name: string) => {
    const found = parts.find((part) => part.name === name && part.projection === undefined)?.moved?.layout;
    const stated = structure?.[name];
    return found ?? (stated && layoutOf(name, stated, shapes[name], shapes.y));
  };
  leaveOpenNonFinite(inputs, layoutFor, [side.noise, ...(estimated?.along.values() ?? [])]);
  const roundings = roundingsOf(moves);
  const unitRoundoff = roundings * 2 ** -formats[side.dtype].p;
  const unit = rounding === undefined ? unitRoundoff : 0;
  if (!allFinite(side.y) && declared.onKinks !== 'open') {
    const reached = new Float64Array(y.length);
    leaveOpenNonFinite(inputs, layoutFor, [reached]);
    // A bound that is NaN leaves the value open, as that of 0·∞ in a pool.
    const bounds = rounding?.forward(inputs) ?? reached;
    const isSingular = (i: number) =>
      reached[i] === 0 && !Number.isNaN(bounds[i]) && !Number.isFinite(y[i]) && !Number.isFinite(side.y[i]);
    const singular = new Set([...y.keys()].filter(isSingular));
    failures.push(...(await singularFailures(moves, singular, y, shapes, unitRoundoff)));
  }
  const numerics: Numeric[] = [];
  for (const part of parts) {
    const { moved } = part;
    if (moved === undefined) continue;
    const noise = estimated?.along.get(moved) ?? side.noise;
    numerics.push(await measureInput({ ...part, moved }, { ...side, noise }, unit, inputs, shapes, declared, draw));
  }
  return { numerics, roundings, unit, failures };
}

/** `y` against its twin, within a bound that is derived anew where the first one is not kept. */
async function checkValues(
  { asked, inputs, y, numerics, shapes, dtype, declared, noise, roundings }: Measured,
  side: NumericSide,
): Promise<GradcheckFailure[]> {
  const first = valueFailures(y, side.y, noise, shapes.y);
  if (first.length === 0 || declared.rounding !== undefined) return first;
  const wider = conditionNoise(noise, numerics, side.y, roundings, dtype);
  return valueFailures(y, side.y, await valueNoise(asked, inputs, y, side.y, wider, roundings, dtype), shapes.y);
}

function cotangentFor(y: Float64Array, { dy }: GradcheckOptions, draw: Random): Float64Array {
  if (dy === undefined) return drawCotangent(draw, y.length, 0);
  if (dy === 1) return new Float64Array(y.length).fill(1);
  if (dy instanceof Float64Array && dy.length === y.length) return dy;
  const [Kind, came] = dy instanceof Float64Array ? [RangeError, dy.length] : [TypeError, kindOf(dy)];
  throw new Kind(`gradcheck: "dy" expected a Float64Array of ${y.length} elements, got ${came}`);
}

/** Every cotangent with the measured one. */
async function compareGradients(context: Context): Promise<Comparison[]> {
  const { asked, inputs, dy, gradients, numerics, dtype, declared, roundings, tolerance } = context;
  const rounding = declared.rounding?.vjp(inputs, dy);
  const compared: Comparison[] = [];
  for (const numeric of numerics) {
    const { name } = numeric;
    const ask = async (other: Float64Array) => (await asked.vjp(inputs, other))[name];
    const question = { numeric, analytic: gradients[name], dy, dtype, roundings, tolerance, what: 'vjp', ask };
    compared.push(await compareConfirmed({ ...question, bound: rounding?.[name] }));
  }
  return compared;
}

/** The sums of the gradients of equal elements with what moving these together measures. */
async function compareTies(
  context: Context,
  tiesOf: readonly (readonly (readonly number[])[])[],
  side: NumericSide,
  unit: number,
): Promise<Comparison[]> {
  const { inputs, dy, gradients, numerics, shapes, dtype, draw, declared, roundings, tolerance } = context;
  const what = 'vjp, equal elements moved together';
  const compared: Comparison[] = [];
  let rounding: Tensors | undefined;
  for (const [k, numeric] of numerics.entries()) {
    const ties = tiesOf[k];
    if (ties.length === 0) continue;
    rounding ??= declared.rounding?.vjp(inputs, dy);
    const together = await measureTogether(numeric, ties, { ...side, noise: numeric.noise }, unit, shapes.y, draw);
    if (declared.onKinks === 'open') together.jacobian = withoutKinks(together.jacobian);
    const analytic = gradients[numeric.name];
    const bound = rounding?.[numeric.name] ?? cotangentRounding(numeric, dy, analytic.length, dtype, roundings);
    compared.push(
      await compareConfirmed({ numeric: together, analytic, dy, dtype, roundings, tolerance, bound, what }),
    );
  }
  return compared;
}

/** All besides the gradient for one dy, and what a report says was done. */
async function checkOthers(
  f: Differentiable,
  context: Context,
): Promise<{ failures: GradcheckFailure[]; checks: string[]; compared: number }> {
  const { asked, inputs, y, dy, shapes, declared } = context;
  const failures: GradcheckFailure[] = [];
  const checks: string[] = [];
  if (f.jvp !== undefined) {
    const mode = await checkForwardMode(context);
    failures.push(...mode.failures);
    checks.push(mode.check);
  }
  const other = await checkContainment(context);
  failures.push(...other.failures);
  checks.push(other.contained === undefined ? 'another dy' : `another dy, NaN contained in ${other.contained}`);
  if ((declared.batch ?? []).length > 0 && (shapes.y[0] ?? 0) > 1) {
    failures.push(...(await checkBatch(context)));
    checks.push('a batch of one');
  }
  failures.push(...(await repeated(context, other.contained !== undefined)));
  const { held = 0 } = declared;
  if (held > 0) {
    const negated = dy.map((d) => -d);
    for (let k = 0; k < held; k++) await asked.vjp(inputs, negated);
  }
  checks.push('repeats, inputs and answers left alone');
  if (f.doubleVjp !== undefined) {
    const twice = allFinite(y) ? await checkSecondOrder(context, gradcheck) : undefined;
    failures.push(...(twice?.failures ?? []));
    checks.push(twice?.checked ?? 'not the gradient of the gradient, since y is not finite');
  }
  return { failures, checks, compared: other.compared };
}

/** The derivatives of an input, which `compareConfirmed` may have measured once more. */
async function measureInput(
  { name, moved, projection }: Part & { readonly moved: Moved },
  side: NumericSide,
  unit: number,
  inputs: Tensors,
  shapes: Shapes,
  { onKinks, structure }: GradcheckOptions,
  draw: Random,
): Promise<Numeric> {
  const { y, noise, dtype } = side;
  const jacobian = await measureJacobian(moved, y, noise, dtype, unit);
  const numeric: Numeric = {
    name,
    layout: moved.layout,
    jacobian: onKinks === 'open' ? withoutKinks(jacobian) : jacobian,
    async confirm(elements) {
      const again = await confirmJacobian(numeric.jacobian, elements, moved, y, noise, dtype, unit);
      return partTies(again, elements, numeric, side, draw);
    },
    shape: shapes[name],
    values: inputs[name],
    noise,
    kinksOf: moved.kinksOf,
    projection,
    beyond: structure?.[name] === undefined && projection === undefined ? beyondStructure(moved, noise) : undefined,
  };
  return numeric;
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
    ([name, tensor]) => [`vjp to ${name}`, gradients[name], tensor] as const,
  );
  const all = wasForward ? again : [...again, ['forward', y, await asked.forward(inputs)] as const];
  for (const [what, was, tensor] of all) {
    const element = firstDifference(tensor, was);
    if (element < 0) continue;
    return [{ code: 'non-deterministic', what, element, first: was[element], again: tensor[element] }];
  }
  return [];
}
