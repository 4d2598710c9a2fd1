import * as fc from 'fast-check';
import { checkInput, checkInteger, shown } from '../../reference/arguments.ts';
import { sizeOf } from '../../reference/shape.ts';
import { checkKeys } from '../check-arguments.ts';
import { formats } from '../dtypes.ts';
import type { FloatDtype, Shapes, Tensors } from './differentiable.ts';
import { inPattern, isOfPlainSum, patternOf, turnCount } from './patterns.ts';
import { isWithin, kinksNear, smallerInputs } from './smaller-inputs.ts';

/**
 * Shapes in which an axis is a length, or the name of one that is drawn: `{ x: ['n', 'c'], alpha: [2, 'c'] }`.
 * Axes of one name have one length.
 */
export type DrawnShapes = Readonly<Record<string, readonly (number | string)[]>>;

/** The least and the largest value of the elements of inputs, by name: `{ x: [0.1, 10] }`. */
export type Ranges = Readonly<Record<string, readonly [number, number]>>;

/** Inputs as they are drawn and shrunk. */
export interface DrawnInputs {
  readonly shapes: Shapes;
  readonly inputs: Tensors;
  /** All of dy, the gradient of a plain sum; drawn by the check unless it is here. */
  readonly dy?: 1;
}

/** How inputs are drawn. */
export interface DrawOptions {
  readonly shapes: DrawnShapes;
  readonly dtype?: FloatDtype;
  /** Values near which, and at which, elements are drawn more often, of all inputs or by element; 0 unless given. */
  readonly kinks?: readonly number[] | ((input: string, element: number) => readonly number[]);
  /** The share of the elements that lie on one of these; 0.12 unless given. */
  readonly onKinks?: number;
  /** Where elements lie, ends included, as far as the dtype tells; about 0 unless given. */
  readonly ranges?: Ranges;
  /** The largest length of an axis that is drawn; 6 unless given. */
  readonly longest?: number;
}

/** Elements on a kink or beside it. */
const aboutKinks = 0.2;
/** Those, and powers of two. */
const aboutPowers = 0.28;
/** Those, and small integers, among which lie the kinks of common activations: 1, 3, 6. */
const aboutSpecial = 0.36;
const largestInteger = 8;

/**
 * An arbitrary of inputs, a third of their elements special: on a kink, beside it, powers of two, small integers. The
 * others lie in ±[0, 4); of an input with a range half of them, and all that would lie outside of it, lie anywhere within.
 * Of 20 runs 7 have one input whose elements are alike, see `Pattern`, and 4 a dy of ones. Shrinks axes, then elements,
 * which never move onto a kink: it would hide what is wrong beside it. An axis of a fixed length shrinks too; where several
 * inputs have one of that length, in all of them.
 *
 * @throws TypeError, RangeError naming the option
 */
export function drawnInputs(options: DrawOptions): fc.Arbitrary<DrawnInputs> {
  checkDraw('drawnInputs', options);
  return new InputsArbitrary(options);
}

/**
 * Throws unless `draw` says how inputs are drawn.
 *
 * @throws TypeError, RangeError naming the option
 */
export function checkDraw(where: string, draw: DrawOptions): void {
  checkInput(where, 'draw', draw);
  checkKeys(`${where}: "draw"`, draw, drawParts);
  const { shapes, dtype, kinks, onKinks, ranges, longest } = draw;
  checkDrawnShapes(where, shapes);
  if (dtype !== undefined && dtype !== 'f64' && dtype !== 'f32') {
    throw new RangeError(`${where}: "dtype" expected f64 or f32, got ${shown(dtype)}`);
  }
  if (kinks !== undefined && typeof kinks !== 'function' && !(Array.isArray(kinks) && kinks.every(Number.isFinite))) {
    throw new RangeError(
      `${where}: "kinks" expected an array of finite numbers, or a function of one, got ${shown(kinks)}`,
    );
  }
  if (onKinks !== undefined && !(typeof onKinks === 'number' && onKinks >= 0 && onKinks <= 1)) {
    throw new RangeError(`${where}: "onKinks" expected a share from 0 to 1, got ${shown(onKinks)}`);
  }
  if (ranges !== undefined) checkRanges(where, ranges, Object.keys(shapes));
  if (longest !== undefined) checkInteger(`${where}: "longest"`, longest, 1);
}

const drawParts: readonly (keyof DrawOptions)[] = ['shapes', 'dtype', 'kinks', 'onKinks', 'ranges', 'longest'];

/** @throws TypeError unless these are ranges by name, RangeError for one that is empty or of an input that is not drawn */
function checkRanges(where: string, ranges: Ranges, inputs: readonly string[]): void {
  checkInput(where, 'ranges', ranges);
  for (const [name, range] of Object.entries(ranges)) {
    checkRange(`${where}: "ranges.${name}"`, range);
    if (inputs.includes(name)) continue;
    throw new RangeError(`${where}: "ranges" expected names among ${inputs.join(', ')}, got ${name}`);
  }
}

/** @throws RangeError unless `range` is two finite numbers, the lesser first */
export function checkRange(where: string, range: readonly [number, number]): void {
  if (Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] <= range[1]) return;
  throw new RangeError(`${where} expected two finite numbers, the lesser first, got ${shown(range)}`);
}

/** @throws TypeError unless these are shapes by name, RangeError for an axis that is neither a length nor a name */
export function checkDrawnShapes(where: string, shapes: DrawnShapes): void {
  if (typeof shapes !== 'object' || shapes === null || Array.isArray(shapes)) {
    throw new TypeError(`${where}: "shapes" expected an object of shapes by the names of inputs, got ${shown(shapes)}`);
  }
  for (const [name, shape] of Object.entries(shapes)) checkDrawnShape(`${where}: "shapes.${name}"`, shape);
}

/** @throws RangeError for an axis that is neither a length nor a name */
export function checkDrawnShape(where: string, shape: readonly (number | string)[]): void {
  const isAxis = (n: unknown) => (typeof n === 'string' && n !== '') || (Number.isSafeInteger(n) && (n as number) >= 0);
  if (!Array.isArray(shape) || !shape.every(isAxis)) {
    throw new RangeError(`${where} expected lengths or names of axes, got ${shown(shape)}`);
  }
  const size = sizeOf(shape.filter((n) => typeof n === 'number'));
  if (size > largestInput) throw new RangeError(`${where} expected at most ${largestInput} elements, got ${size}`);
}

/** A check holds some dozens of copies of each input. */
const largestInput = 2 ** 24;

/** What `drawnInputs` gives, where the number of a run is known. */
export class InputsArbitrary extends fc.Arbitrary<DrawnInputs> {
  readonly #options: DrawOptions;

  constructor(options: DrawOptions) {
    super();
    this.#options = options;
  }

  /** Inputs of any run. */
  override generate(random: fc.Random): fc.Value<DrawnInputs> {
    return new fc.Value(this.ofRun(random, random.nextInt(0, turnCount - 1)), undefined);
  }

  ofRun(random: fc.Random, run: number): DrawnInputs {
    const { shapes, longest = 6 } = this.#options;
    const lengths = new Map<string, number>();
    const lengthOf = (axis: number | string) => {
      if (typeof axis === 'number') return axis;
      if (!lengths.has(axis)) lengths.set(axis, random.nextInt(1, longest));
      return lengths.get(axis)!;
    };
    const concrete = Object.fromEntries(Object.entries(shapes).map(([name, axes]) => [name, axes.map(lengthOf)]));
    const inputs: Record<string, Float64Array> = Object.fromEntries(
      Object.entries(concrete).map(([name, shape]) => [
        name,
        Float64Array.from({ length: sizeOf(shape) }, (_, j) => this.#element(random, name, j)),
      ]),
    );
    const pattern = patternOf(run);
    if (pattern !== 'free' && Object.keys(inputs).length > 0) {
      // One input alone: where three are equal, as in a clamp between two others, moving one may show nothing of it.
      const name = likelyLargest(inputs, random);
      const isAllowed = (v: number) => isWithin(this.#options, name, v);
      inputs[name] = inPattern(pattern, { values: inputs[name], shape: concrete[name], isAllowed }, random);
    }
    return { shapes: concrete, inputs, ...(isOfPlainSum(run) && { dy: 1 as const }) };
  }

  #element(random: fc.Random, name: string, element: number): number {
    const { dtype = 'f64', ranges } = this.#options;
    const range = ranges !== undefined && Object.hasOwn(ranges, name) ? ranges[name] : undefined;
    const special = this.#special(random, name, element);
    if (special !== undefined && isWithin(this.#options, name, special)) return special;
    const { round } = formats[dtype];
    const sign = random.nextInt(0, 1) === 0 ? -1 : 1;
    const about0 = round(sign * random.nextDouble() * 2 ** random.nextInt(-2, 2));
    if (range === undefined) return about0;
    if (random.nextInt(0, 1) === 0 && isWithin(this.#options, name, about0)) return about0;
    const share = random.nextDouble();
    return round(range[0] * (1 - share) + range[1] * share);
  }

  /** On a kink, beside it, a power of two or a small integer; most elements are none of these. */
  #special(random: fc.Random, name: string, element: number): number | undefined {
    const { dtype = 'f64', onKinks = 0.12 } = this.#options;
    const { round } = formats[dtype];
    const kind = random.nextDouble();
    if (kind >= aboutSpecial) return undefined;
    const sign = random.nextInt(0, 1) === 0 ? -1 : 1;
    const kinks = kinksNear(this.#options, name, element);
    const kink = kinks[random.nextInt(0, Math.max(0, kinks.length - 1))] ?? 0;
    // On 0, of both signs.
    if (kind < onKinks) return kink === 0 ? 0 * sign : round(kink);
    if (kind < aboutKinks) return round(kink + sign * 2 ** -random.nextInt(4, 30));
    return sign * (kind < aboutPowers ? 2 ** random.nextInt(-4, 4) : random.nextInt(1, largestInteger));
  }

  override canShrinkWithoutContext(value: unknown): value is DrawnInputs {
    return typeof value === 'object' && value !== null && 'inputs' in value;
  }

  override shrink(value: DrawnInputs): fc.Stream<fc.Value<DrawnInputs>> {
    const smaller = fc.stream(smallerInputs(this.#options, value));
    return smaller.map(({ make }) => new fc.Value(make(), undefined));
  }
}

/** The largest input, the first of as many elements, two times in three; else any. */
function likelyLargest(inputs: Tensors, random: fc.Random): string {
  const names = Object.keys(inputs);
  if (random.nextInt(0, 2) === 0) return names[random.nextInt(0, names.length - 1)];
  return names.reduce((most, name) => (inputs[name].length > inputs[most].length ? name : most));
}
