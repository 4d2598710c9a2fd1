import * as fc from 'fast-check';
import { checkInput, checkInteger } from '../../reference/arguments.ts';
import { sizeOf } from '../../reference/shape.ts';
import { checkCallback, checkOptions, checkPath, largestSeed, leadsNowhere } from '../check-arguments.ts';
import { checkFunction, gradcheckOptions } from './check-options.ts';
import type { Differentiable, Shapes } from './differentiable.ts';
import { checkDraw, type DrawnInputs, type DrawOptions, InputsArbitrary } from './drawn-inputs.ts';
import { gradcheck } from './gradcheck.ts';
import { type GradcheckOptions, kinksOfInput, rowOf } from './options.ts';
import type { GradcheckReport } from './report.ts';
import { gradcheckText } from './report-text.ts';
import { smallest } from './smallest.ts';

/** What a run over drawn inputs found. */
export interface GradcheckRun {
  readonly runs: number;
  /** The report of the smallest inputs that fail, or of the last that were drawn of which something was compared. */
  readonly report: GradcheckReport;
  /**
   * Elements of gradients that were compared, left open, and compared without telling them from 0, of all `elements` that
   * were drawn; of a projected input directions are compared.
   */
  readonly counts: Readonly<Counts>;
  readonly inputs: DrawnInputs;
  /** What finds the failing inputs again: `fc.check(property, { seed, path })`. */
  readonly seed: number;
  readonly path: string | undefined;
}

interface Counts {
  compared: number;
  open: number;
  vacuous: number;
  elements: number;
}

/** How often inputs are drawn, and from what. */
export interface GradcheckRunOptions {
  /** How many inputs are drawn; 20 unless given. */
  readonly runs?: number;
  readonly seed?: number;
  /** Only the inputs at this path of the seed, as a run that failed gave it. */
  readonly path?: string;
}

/** Of a report, in the message of an error: what failed is written first. */
const messageLines = 12;

/** f fails the gradient check, with the report that says how. */
class GradcheckFailed extends Error {
  readonly report: GradcheckReport;
  readonly drawn: DrawnInputs;

  constructor(report: GradcheckReport, drawn: DrawnInputs) {
    super(gradcheckText(report).split('\n').slice(0, messageLines).join('\n'));
    this.report = report;
    this.drawn = drawn;
  }
}

/** The share of elements that are drawn on a kink where none is declared: there any slope between two is right. */
const onUndeclared = 0.04;

/** Calls of vjp and jvp while answers are held, so that four buffers and three that take turns are seen. */
const held = 2;

/** Draws for each run that may be lost on inputs of which nothing can be compared, such as log below 0. */
const maxSkipsPerRun = 20;

/**
 * The property that `f` passes the gradient check on inputs of these shapes, to be run by `fc.assert`. Inputs are drawn
 * near `draw.kinks`, 0 unless given, and near the kinks that are declared. Inputs of which nothing can be compared are
 * drawn again.
 *
 * f: functions of flat float64 arrays by name, of `f.dtype`; `draw.shapes`: the shape of each input, an axis a length or
 * the name of one that is drawn; `onReport` is called with the report on each inputs, also while they shrink.
 *
 * @throws TypeError, RangeError naming the argument. The property itself fails with the report, and with a GradcheckError
 *   if f throws or answers with something else than tensors.
 */
export function gradcheckProperty(
  f: Differentiable,
  draw: DrawOptions,
  options: GradcheckOptions = {},
  onReport: (report: GradcheckReport, drawn: DrawnInputs) => void = () => {},
): fc.IAsyncProperty<[DrawnInputs]> {
  checkRun('gradcheckProperty', f, draw, options);
  checkCallback('gradcheckProperty: "onReport"', onReport);
  return propertyByRun(drawnFor(f, draw, options), async (drawn) => {
    const report = await reportOn(f, draw, options, drawn);
    fc.pre(report !== undefined);
    onReport(report, drawn);
    fc.pre(report.outcome !== 'nothing-compared');
    if (!report.passed) throw new GradcheckFailed(report, drawn);
  });
}

/**
 * The property of inputs that are drawn by the number of the run: in which pattern tensors are drawn goes by turns, and
 * fast-check tells an arbitrary no more of that number than how long it is.
 */
function propertyByRun(
  draw: DrawOptions,
  predicate: (drawn: DrawnInputs) => Promise<void>,
): fc.IAsyncProperty<[DrawnInputs]> {
  const arbitrary = new InputsArbitrary(draw);
  const property = fc.asyncProperty(arbitrary, predicate);
  const isAsync = () => true;
  const generate = (random: fc.Random, run?: number): fc.Value<[DrawnInputs]> =>
    run === undefined ? property.generate(random) : new fc.Value([arbitrary.ofRun(random, run)], undefined);
  return Object.assign(Object.create(property), { isAsync, generate });
}

/**
 * Checks `f` on drawn inputs, shrinks those that fail to the smallest tensors, and says how to find them again.
 *
 * f, draw: as `gradcheckProperty` takes them; `given.runs` is an integer from 1, 20 unless given, `given.seed` one in
 * [0, 2³²), 1 unless given.
 *
 * @throws TypeError, RangeError naming the argument, also a `path` that leads nowhere; GradcheckError if f throws or
 *   answers with something else than tensors. Never for a wrong gradient: that is in the report.
 */
export async function gradcheckRun(
  f: Differentiable,
  draw: DrawOptions,
  given: GradcheckOptions & GradcheckRunOptions = {},
): Promise<GradcheckRun> {
  checkInput('gradcheckRun', 'options', given);
  const { runs = 20, seed = 1, path, ...options } = given;
  checkRun('gradcheckRun', f, draw, options);
  checkInteger('gradcheckRun: "runs"', runs, 1);
  checkInteger('gradcheckRun: "seed"', seed, 0, largestSeed);
  checkPath('gradcheckRun', path);
  const how = { ...options, seed };
  if (path !== undefined) return replay(f, draw, how, seed, path);
  let last: { report: GradcheckReport; drawn: DrawnInputs } | undefined;
  const counts = noCounts();
  const property = gradcheckProperty(f, draw, how, (report, drawn) => {
    if (last === undefined || report.outcome !== 'nothing-compared') last = { report, drawn };
    add(counts, report);
  });
  const details = await fc.check(property, { seed, numRuns: runs, maxSkipsPerRun, endOnFailure: true });
  const error = details.errorInstance;
  if (!(error instanceof GradcheckFailed)) {
    if (error) throw error;
    const { report, drawn } = last!;
    return { runs: details.numRuns, report, counts, inputs: drawn, seed, path: undefined };
  }
  const failing = { drawn: error.drawn, report: error.report, path: details.counterexamplePath! };
  const found = await smallest(failing, drawnFor(f, draw, how), (drawn) => reportUnlessThrown(f, draw, how, drawn));
  return { runs: details.numRuns, report: found.report, counts, inputs: found.drawn, seed, path: found.path };
}

/** Throws unless a function, how its inputs are drawn and the options of its check are of their kinds. */
function checkRun(where: string, f: Differentiable, draw: DrawOptions, options: GradcheckOptions): void {
  checkFunction(where, f);
  checkDraw(where, draw);
  checkOptions(where, options, gradcheckOptions);
}

/** The report on the inputs at a path alone: `fc.check` goes on with those beside them where they are skipped. */
async function replay(
  f: Differentiable,
  draw: DrawOptions,
  how: GradcheckOptions,
  seed: number,
  path: string,
): Promise<GradcheckRun> {
  const drawn = inputsAt(drawnFor(f, draw, how), seed, path);
  const report = await reportOn(f, draw, how, drawn);
  if (report === undefined) throw nowhere(path);
  const counts = noCounts();
  add(counts, report);
  return { runs: 1, report, counts, inputs: drawn, seed, path: report.outcome === 'failed' ? path : undefined };
}

function inputsAt(draw: DrawOptions, seed: number, path: string): DrawnInputs {
  try {
    const property = propertyByRun(draw, async () => {});
    const [drawn] = fc.sample(property, { seed, path, numRuns: 1 });
    if (drawn !== undefined) return drawn[0];
  } catch (cause) {
    throw nowhere(path, cause);
  }
  throw nowhere(path);
}

function noCounts(): Counts {
  return { compared: 0, open: 0, vacuous: 0, elements: 0 };
}

function add(counts: Counts, { inputs }: GradcheckReport): void {
  for (const { compared, open, vacuous, shape } of inputs) {
    counts.compared += compared;
    counts.open += open;
    counts.vacuous += vacuous;
    counts.elements += sizeOf(shape);
  }
}

const nowhere = (path: string, cause?: unknown) => leadsNowhere('gradcheckRun', 'inputs of this seed', path, cause);

/** How inputs of `f` are drawn: near the kinks that it declares too. */
function drawnFor(f: Differentiable, draw: DrawOptions, options: GradcheckOptions): DrawOptions {
  const declared = { ...f.kinks, ...options.kinks };
  const hasDeclared = Object.keys(declared).length > 0;
  const near = draw.kinks ?? [0];
  return {
    onKinks: hasDeclared ? 0.12 : onUndeclared,
    ...draw,
    dtype: f.dtype ?? 'f64',
    kinks: (input, element) => {
      const kinks = kinksOfInput(input, declared)?.(element).map(({ at }) => at) ?? [];
      return [...new Set([...(typeof near === 'function' ? near(input, element) : near), ...kinks])];
    },
  };
}

// As they are when this is loaded, before a test puts a clock of its own in their place.
const { setTimeout } = globalThis;

/** What f throws at smaller inputs, such as that it answers fewer outputs there, is not what was found. */
async function reportUnlessThrown(...question: Parameters<typeof reportOn>): Promise<GradcheckReport | undefined> {
  try {
    return await reportOn(...question);
  } catch {
    return undefined;
  }
}

/** The report on drawn inputs; `undefined` where axes of a fixed length were shrunk and f does not take that. */
async function reportOn(
  f: Differentiable,
  draw: DrawOptions,
  options: GradcheckOptions,
  drawn: DrawnInputs,
): Promise<GradcheckReport | undefined> {
  const isSmaller = Object.entries(draw.shapes).some(([name, shape]) =>
    shape.some((n, axis) => typeof n === 'number' && n !== drawn.shapes[name][axis]),
  );
  const declared: Record<string, readonly number[]> = { ...f.shapes, ...options.shapes };
  if (isSmaller) delete declared.y;
  const shapes: Shapes = { ...declared, ...drawn.shapes };
  // Promises alone would let no timer and no signal through.
  await new Promise((resolve) => setTimeout(resolve, 0));
  try {
    const report = await gradcheck(f, drawn.inputs, { held, ...dyOf(drawn), ...options, shapes });
    return report.outcome === 'failed' ? report : ((await wrongRow(f, options, shapes, drawn)) ?? report);
  } catch (error) {
    if (isSmaller) return undefined;
    throw error;
  }
}

/** The report on the first row of a batch alone, if it fails: its gradient too must be right. */
async function wrongRow(
  f: Differentiable,
  options: GradcheckOptions,
  { y: _y, ...whole }: Shapes,
  drawn: DrawnInputs,
): Promise<GradcheckReport | undefined> {
  const batch = options.batch ?? f.batch ?? [];
  const rows = whole[batch[0] ?? '']?.[0] ?? 0;
  if (rows < 2 || options.dy !== undefined) return undefined;
  const { inputs } = drawn;
  const alone = { ...inputs };
  const shapes: Record<string, readonly number[]> = { ...whole };
  for (const name of batch) {
    alone[name] = rowOf(inputs[name], rows, 0);
    shapes[name] = whole[name].with(0, 1);
  }
  const report = await gradcheck(f, alone, { ...dyOf(drawn), ...options, shapes });
  return report.outcome === 'failed' ? report : undefined;
}

function dyOf({ dy }: DrawnInputs): Pick<GradcheckOptions, 'dy'> {
  return dy === undefined ? {} : { dy };
}
