import * as fc from 'fast-check';
import type { Dtype } from '../../reference/case.ts';
import { formats } from '../dtypes.ts';
import { simplerValues } from '../shrink.ts';
import { range, take } from '../transform.ts';
import type { Differentiable, Shapes, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { sizeOf } from './layout.ts';
import type { GradcheckOptions } from './options.ts';
import type { GradcheckReport } from './report.ts';

/**
 * Shapes in which an axis is a length, or the name of one that is drawn: `{ x: ['n', 'c'], alpha: [2, 'c'] }`.
 * Axes of one name have one length.
 */
export type DrawnShapes = Readonly<Record<string, readonly (number | string)[]>>;

/** Inputs as they are drawn and shrunk. */
export interface DrawnInputs {
  readonly shapes: Shapes;
  readonly inputs: Tensors;
}

export interface DrawOptions {
  readonly shapes: DrawnShapes;
  readonly dtype?: Dtype;
  /** Values near which, and at which, elements are drawn more often; 0 unless given. */
  readonly kinks?: readonly number[];
  /** The largest length of an axis that is drawn; 6 unless given. */
  readonly longest?: number;
}

/** An arbitrary of inputs, a third of their elements special: on a kink, beside it, powers of two. Shrinks axes, then elements. */
export function drawnInputs(options: DrawOptions): fc.Arbitrary<DrawnInputs> {
  for (const [name, shape] of Object.entries(options.shapes)) {
    const isAxis = (n: unknown) =>
      (typeof n === 'string' && n !== '') || (Number.isSafeInteger(n) && (n as number) >= 0);
    if (Array.isArray(shape) && shape.every(isAxis)) continue;
    throw new RangeError(
      `drawnInputs: "shapes.${name}" expected lengths or names of axes, got ${JSON.stringify(shape)}`,
    );
  }
  return new InputsArbitrary(options);
}

class InputsArbitrary extends fc.Arbitrary<DrawnInputs> {
  readonly #options: DrawOptions;

  constructor(options: DrawOptions) {
    super();
    this.#options = options;
  }

  override generate(random: fc.Random): fc.Value<DrawnInputs> {
    const { shapes, longest = 6 } = this.#options;
    const lengths = new Map<string, number>();
    const lengthOf = (axis: number | string) => {
      if (typeof axis === 'number') return axis;
      if (!lengths.has(axis)) lengths.set(axis, random.nextInt(1, longest));
      return lengths.get(axis)!;
    };
    const concrete = Object.fromEntries(Object.entries(shapes).map(([name, axes]) => [name, axes.map(lengthOf)]));
    const inputs = Object.fromEntries(
      Object.entries(concrete).map(([name, shape]) => [
        name,
        Float64Array.from({ length: sizeOf(shape) }, () => this.#element(random)),
      ]),
    );
    return new fc.Value({ shapes: concrete, inputs }, undefined);
  }

  #element(random: fc.Random): number {
    const { dtype = 'f64', kinks = [] } = this.#options;
    const { round } = formats[dtype];
    const sign = random.nextInt(0, 1) === 0 ? -1 : 1;
    const kind = random.nextDouble();
    const kink = kinks[random.nextInt(0, Math.max(0, kinks.length - 1))] ?? 0;
    if (kind < 0.12) return round(kink);
    if (kind < 0.2) return round(kink + sign * 2 ** -random.nextInt(4, 30));
    if (kind < 0.33) return sign * 2 ** random.nextInt(-4, 4);
    return round(sign * random.nextDouble() * 2 ** random.nextInt(-2, 2));
  }

  override canShrinkWithoutContext(value: unknown): value is DrawnInputs {
    return typeof value === 'object' && value !== null && 'inputs' in value;
  }

  override shrink(value: DrawnInputs): fc.Stream<fc.Value<DrawnInputs>> {
    return new fc.Stream(this.#smaller(value)).map((smaller) => new fc.Value(smaller, undefined));
  }

  *#smaller({ shapes, inputs }: DrawnInputs): IterableIterator<DrawnInputs> {
    const named = this.#options.shapes;
    const axes = new Set(Object.values(named).flatMap((shape) => shape.filter((axis) => typeof axis === 'string')));
    for (const axis of axes) {
      const [name, shape] = Object.entries(named).find(([, of]) => of.includes(axis))!;
      const n = shapes[name]![shape.indexOf(axis)]!;
      if (n <= 1) continue;
      yield takeAxis(named, { shapes, inputs }, axis, [0]);
      for (const i of range(n))
        yield takeAxis(
          named,
          { shapes, inputs },
          axis,
          range(n).filter((k) => k !== i),
        );
    }
    for (const [name, tensor] of Object.entries(inputs)) {
      for (const [i, v] of tensor.entries()) {
        for (const simpler of simplerValues(v))
          yield { shapes, inputs: { ...inputs, [name]: tensor.with(i, simpler) } };
      }
    }
  }
}

/** The inputs with only these indices of the axes of one name. */
function takeAxis(
  named: DrawnShapes,
  { shapes, inputs }: DrawnInputs,
  axis: string,
  indices: readonly number[],
): DrawnInputs {
  const taken: Record<string, Float64Array> = {};
  const smaller: Record<string, readonly number[]> = {};
  for (const name of Object.keys(inputs)) {
    let [tensor, shape] = [inputs[name]!, shapes[name]!];
    for (const [k, of] of named[name]!.entries()) {
      if (of !== axis) continue;
      tensor = take(tensor, shape, k, indices);
      shape = shape.with(k, indices.length);
    }
    taken[name] = tensor;
    smaller[name] = shape;
  }
  return { shapes: smaller, inputs: taken };
}

/** What a run over drawn inputs found. */
export interface GradcheckRun {
  readonly runs: number;
  /** The report of the smallest inputs that fail, or of the last that were drawn. */
  readonly report: GradcheckReport;
  readonly inputs: DrawnInputs;
  /** What finds the failing inputs again: `fc.check(property, { seed, path })`. */
  readonly seed: number;
  readonly path: string | undefined;
}

export interface RunOptions {
  /** How many inputs are drawn; 20 unless given. */
  readonly runs?: number;
  readonly seed?: number;
  /** Only the inputs at this path of the seed, as a run that failed gave it. */
  readonly path?: string;
}

/** f fails the gradient check, with the report that says how. */
class GradcheckFailed extends Error {
  readonly report: GradcheckReport;
  readonly drawn: DrawnInputs;

  constructor(report: GradcheckReport, drawn: DrawnInputs) {
    super(`gradcheck ${report.name} failed`);
    this.report = report;
    this.drawn = drawn;
  }
}

/** The property that `f` passes the gradient check on inputs of these shapes, to be run by `fc.assert`. */
export function gradcheckProperty(
  f: Differentiable,
  draw: DrawOptions,
  options: GradcheckOptions = {},
  onReport: (report: GradcheckReport, drawn: DrawnInputs) => void = () => {},
): fc.IAsyncProperty<[DrawnInputs]> {
  return fc.asyncProperty(drawnInputs({ ...draw, dtype: f.dtype ?? 'f64' }), async (drawn) => {
    const shapes = { ...f.shapes, ...options.shapes, ...drawn.shapes };
    const report = await gradcheck(f, drawn.inputs, { ...options, shapes });
    onReport(report, drawn);
    if (!report.passed) throw new GradcheckFailed(report, drawn);
  });
}

/** Checks `f` on drawn inputs, shrinks those that fail to the smallest tensors, and says how to find them again. */
export async function gradcheckRun(
  f: Differentiable,
  draw: DrawOptions,
  { runs = 20, seed = 1, path, ...options }: GradcheckOptions & RunOptions = {},
): Promise<GradcheckRun> {
  if (!Number.isSafeInteger(runs) || runs < 1) {
    throw new RangeError(`gradcheckRun: "runs" expected an integer from 1, got ${String(runs)}`);
  }
  let last: { report: GradcheckReport; drawn: DrawnInputs } | undefined;
  const property = gradcheckProperty(f, draw, { ...options, seed }, (report, drawn) => {
    last = { report, drawn };
  });
  const details = await fc.check(property, {
    seed,
    numRuns: path === undefined ? runs : 1,
    endOnFailure: path !== undefined,
    ...(path !== undefined && { path }),
  });
  const error = details.errorInstance;
  if (details.failed && !(error instanceof GradcheckFailed)) throw error;
  const { report, drawn } = error instanceof GradcheckFailed ? error : last!;
  return { runs: details.numRuns, report, inputs: drawn, seed, path: details.counterexamplePath ?? undefined };
}
