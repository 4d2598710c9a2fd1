import type { Dtype } from '../../reference/case.ts';
import { type Random, random } from '../../reference/random.ts';
import { indexIn } from '../positions.ts';
import { range } from '../transform.ts';
import { Asked, firstDifference } from './calls.ts';
import { type Comparison, compareConfirmed, type Numeric } from './compare.ts';
import type { Context } from './context.ts';
import type { Declared, Differentiable, Shapes, Tensors } from './differentiable.ts';
import { drawCotangent } from './draw.ts';
import { checkForwardMode } from './forward-mode.ts';
import { checkBatch, checkContainment } from './independence.ts';
import { confirmJacobian, measureJacobian, withoutKinks } from './jacobian.ts';
import { kinkFailures, valueFailures } from './kink-checks.ts';
import { candidateLayouts, type Layout, layoutOf } from './layout.ts';
import { Moved } from './measure.ts';
import { estimateNoise, outputNoise, roundingsOf } from './noise.ts';
import {
  checkArguments,
  checkBatchNames,
  type GradcheckOptions,
  inputShapes,
  kinksOfInput,
  withOutput,
} from './options.ts';
import { alongDirections, type Projection } from './projection.ts';
import type { GradcheckFailure, GradcheckReport, InputReport, KinkFound } from './report.ts';
import { checkSecondOrder } from './second-order.ts';

/** Inputs without structure are measured element by element up to this many. */
const fewElements = 64;
/** Kinks that a report lists; it counts them all. */
const kinksShown = 8;

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
  checkArguments(f, inputs, { ...f, ...options });
  const declared: GradcheckOptions = { ...declaredBy(f), ...options };
  const { seed = 1, constants = [], tolerance } = declared;
  const dtype = f.dtype ?? 'f64';
  const given = inputShapes(inputs, declared.shapes);
  const asked = new Asked(f, declared, given);
  const names = Object.keys(inputs).filter((name) => !constants.includes(name));
  const y = await asked.forward(inputs);
  const shapes = withOutput(given, y.length, declared.shapes?.y ?? f.outputShape?.(given));
  checkBatchNames(shapes, declared.batch ?? []);
  const failures: GradcheckFailure[] = [];
  const checks: string[] = [];

  const side = await numericSide(f, asked, inputs, y, declared);
  const draw = random(seed, 'gradcheck');
  const parts: Part[] = [];
  for (const name of names) parts.push(await openPart(name, side, shapes, declared, draw, failures));
  const measured = parts.flatMap(({ moved }) => (moved ? [moved] : []));
  if (declared.rounding === undefined) side.noise.set(estimateNoise(measured, side.y, side.dtype));
  leaveOpenNonFinite(
    inputs,
    (name) => {
      const structure = declared.structure?.[name];
      const found = parts.find((part) => part.name === name && part.projection === undefined)?.moved?.layout;
      return found ?? (structure && layoutOf(name, structure, shapes[name]!, shapes.y!));
    },
    side.noise,
  );
  const numerics: Numeric[] = [];
  for (const { name, moved, projection } of parts) {
    if (moved === undefined) continue;
    const measure = await measureJacobian(moved, side.y, side.noise, side.dtype);
    const numeric: Numeric = {
      name,
      layout: moved.layout,
      jacobian: declared.onKinks === 'open' ? withoutKinks(measure) : measure,
      confirm: (elements) => confirmJacobian(numeric.jacobian, elements, moved, side.y, side.noise),
      shape: shapes[name]!,
      values: moved.given,
      kinksOf: moved.kinksOf,
      projection,
    };
    numerics.push(numeric);
  }
  failures.push(...numerics.flatMap((numeric) => kinkFailures(numeric, side.y, side.noise, shapes)));
  const noise = declared.rounding?.output?.(inputs) ?? outputNoise(side.noise, side.dtype, dtype);
  if (f.twin !== undefined) failures.push(...valueFailures(y, side.y, noise, shapes.y!));

  const dy = declared.dy ?? drawCotangent(draw, y.length, 0);
  if (!(dy instanceof Float64Array) || dy.length !== y.length) {
    throw new RangeError(`gradcheck: "dy" expected a Float64Array of ${y.length} elements, got ${dy.length}`);
  }
  const gradients = await asked.vjp(inputs, dy);
  const roundings = roundingsOf(measured);
  const rounding = declared.rounding?.vjp(inputs, dy);
  const compared: Comparison[] = [];
  for (const numeric of numerics) {
    const { name } = numeric;
    const question = { numeric, analytic: gradients[name]!, dy, dtype, roundings, tolerance, what: 'vjp' };
    compared.push(await compareConfirmed({ ...question, bound: rounding?.[name] }));
  }
  failures.push(...compared.flatMap(({ failure }) => (failure ? [failure] : [])));
  checks.push('gradient of every element');

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
  failures.push(...(await checkContainment(context)));
  checks.push(declared.containment === false ? 'another dy' : 'another dy, NaN contained');
  if ((declared.batch ?? []).length > 0) {
    failures.push(...(await checkBatch(context)));
    checks.push('a batch of one');
  }
  failures.push(...(await repeated(asked, inputs, dy, gradients)));
  checks.push('repeats, inputs and answers left alone');
  if (f.doubleVjp !== undefined) {
    const twice = allFinite(y);
    if (twice) failures.push(...(await checkSecondOrder(f, context, gradcheck)));
    checks.push(twice ? 'gradient of the gradient' : 'not the gradient of the gradient, since y is not finite');
  }
  asked.checkKept();
  failures.push(...asked.failures);
  return {
    name: f.name ?? 'f',
    passed: failures.length === 0,
    dtype,
    seed,
    outputShape: shapes.y!,
    inputs: compared.map((comparison, k) => inputReport(comparison, numerics[k]!, declared, shapes)),
    failures,
    calls: asked.calls,
    checks,
    override: tolerance === undefined ? undefined : { tolerance },
  };
}

/** What a function declares of itself, without its parts. */
function declaredBy({ shapes, structure, kinks, constants, batch, rounding }: Differentiable): Declared {
  const declared = { shapes, structure, kinks, constants, batch, rounding };
  return Object.fromEntries(Object.entries(declared).filter(([, value]) => value !== undefined));
}

/** The function as its derivatives are measured: in float64 by the twin if there is one, else as it is. */
interface NumericSide {
  readonly numeric: (inputs: Tensors) => Promise<Float64Array>;
  readonly inputs: Tensors;
  readonly y: Float64Array;
  readonly dtype: Dtype;
  /** The bound of the rounding error of each output, over all evaluations where it is declared. */
  readonly noise: Float64Array;
}

async function numericSide(
  f: Differentiable,
  asked: Asked,
  inputs: Tensors,
  y: Float64Array,
  { rounding }: Declared,
): Promise<NumericSide> {
  const noise = new Float64Array(y.length);
  const note = (at: Tensors): void => {
    const bounds = rounding?.forward(at);
    if (bounds)
      for (const [i, bound] of bounds.entries())
        noise[i] = Number.isNaN(bound) ? Number.POSITIVE_INFINITY : Math.max(noise[i]!, bound);
  };
  const numeric = (at: Tensors) => {
    note(at);
    return asked.numeric(at);
  };
  note(inputs);
  const isTwin = f.twin !== undefined;
  return {
    numeric,
    inputs,
    y: isTwin ? await asked.numeric(inputs) : y,
    dtype: isTwin ? 'f64' : (f.dtype ?? 'f64'),
    noise,
  };
}

/** One input and how it is measured. */
interface Part {
  readonly name: string;
  readonly moved: Moved | undefined;
  readonly projection: Projection | undefined;
}

/** Makes the first evaluations of an input, under its declared structure or the first one found that holds. */
async function openPart(
  name: string,
  side: NumericSide,
  shapes: Shapes,
  declared: Declared & GradcheckOptions,
  draw: Random,
  failures: GradcheckFailure[],
): Promise<Part> {
  const given = declared.structure?.[name];
  const yShape = shapes.y!;
  const candidates: readonly Layout[] =
    given === undefined
      ? candidateLayouts(name, shapes[name]!, yShape)
      : [layoutOf(name, given, shapes[name]!, yShape)];
  const kinksOf = kinksOfInput(name, declared.kinks);
  for (const layout of candidates) {
    const isMany = layout.structure === 'dense' && layout.colours > fewElements;
    if (
      isMany && declared.jacobian !== 'full' ? true : declared.jacobian === 'projected' && layout.structure === 'dense'
    ) {
      const { moved, projection } = alongDirections(name, side, draw, yShape);
      await moved.first(draw);
      return { name, moved, projection };
    }
    const moved = new Moved(name, layout, kinksOf, side);
    await moved.first(draw);
    if (moved.crossTalk === undefined) return { name, moved, projection: undefined };
    const changed = await moved.again();
    if (changed !== undefined) {
      failures.push({ code: 'non-deterministic', what: 'forward', ...changed });
      return { name, moved: undefined, projection: undefined };
    }
    if (given !== undefined) {
      const { output, was, became } = moved.crossTalk;
      failures.push({ code: 'cross-talk', input: name, structure: given, index: indexIn(yShape, output), was, became });
      return { name, moved: undefined, projection: undefined };
    }
  }
  throw new Error(`gradcheck: no structure of ${name} holds, not even dense`);
}

/** Outputs that depend on ∞ or NaN can't be measured: nothing bounds their error. */
function leaveOpenNonFinite(
  inputs: Tensors,
  layoutFor: (name: string) => Layout | undefined,
  noise: Float64Array,
): void {
  for (const [name, given] of Object.entries(inputs)) {
    if (allFinite(given)) continue;
    const layout = layoutFor(name);
    for (let i = 0; i < noise.length; i++) {
      const elements = layout && range(layout.colours).map((colour) => layout.element(layout.siteOf[i]!, colour));
      // Without a layout any output may depend on it.
      if (!elements?.every((j) => Number.isFinite(given[j]))) noise[i] = Number.POSITIVE_INFINITY;
    }
  }
}

/** Whether no element is ∞ or NaN. */
function allFinite(tensor: Float64Array): boolean {
  for (let i = 0; i < tensor.length; i++) if (!Number.isFinite(tensor[i])) return false;
  return true;
}

/** The same vjp again, after others: bit for bit. */
async function repeated(asked: Asked, inputs: Tensors, dy: Float64Array, first: Tensors): Promise<GradcheckFailure[]> {
  const again = await asked.vjp(inputs, dy);
  for (const [name, tensor] of Object.entries(again)) {
    const element = firstDifference(tensor, first[name]!);
    if (element < 0) continue;
    return [
      {
        code: 'non-deterministic',
        what: `vjp to ${name}`,
        element,
        first: first[name]![element]!,
        again: tensor[element]!,
      },
    ];
  }
  return [];
}

function inputReport(comparison: Comparison, numeric: Numeric, declared: Declared, shapes: Shapes): InputReport {
  const { name, jacobian, layout, projection } = numeric;
  const kinks: KinkFound[] = jacobian.kinks
    .slice(0, kinksShown)
    .map(({ output, element, declared: known, left, right }) => ({
      element: indexIn(numeric.shape, element),
      output: indexIn(shapes.y!, output),
      at: numeric.values[element]!,
      declared: known !== undefined,
      left: left.slope,
      right: right.slope,
      jump: right.value - left.value,
    }));
  return {
    name,
    shape: numeric.shape,
    structure: projection ? 'projected' : layout.structure,
    declared: declared.structure?.[name] !== undefined,
    kinks,
    kinkCount: jacobian.kinks.length,
    ...comparison.summary,
    // A sort, only for who reads it.
    get sees() {
      return comparison.sees();
    },
  };
}
