import { shown } from '../../reference/arguments.ts';
import { sizeOf } from '../../reference/shape.ts';
import { checkCallback, checkKeys } from '../check-arguments.ts';
import { answerOf, copiesOf, GradcheckError } from './calls.ts';
import type { Declared, DeclaredKink, Differentiable, OneSided, Shapes, Tensors } from './differentiable.ts';
import type { KinksOf } from './stencil.ts';

/** Options of `gradcheck`: what is known of f, which goes before what f declares itself, and how it is checked. */
export interface GradcheckOptions extends Declared {
  /** What dy, tangents and the order of moves are drawn from; 1 unless given. */
  readonly seed?: number;
  /** The cotangent of y, or 1 for that of a plain sum; drawn unless given. */
  readonly dy?: Float64Array | 1;
  /**
   * How an input without structure is measured: its whole Jacobian, element by element, or along random directions.
   * Unless given, the former up to 64 elements.
   */
  readonly jacobian?: 'full' | 'projected';
  /** What lies on a kink is compared, or left open; `compared` unless given. */
  readonly onKinks?: 'compared' | 'open';
  /** Whether NaN in one element may touch no others; true unless given. */
  readonly containment?: boolean;
  /**
   * So many calls more of `vjp` and `jvp` while earlier answers are held, by which a function that answers from as many
   * buffers and two more in turn writes over one; 0 unless given, 2 on drawn inputs.
   */
  readonly held?: number;
  /** A relative tolerance in place of the derived intervals; the report says so. */
  readonly tolerance?: number;
}

/** The shapes of the inputs; flat where none is declared. */
export function inputShapes(inputs: Tensors, declared: Declared['shapes']): Shapes {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { length }]) => [name, ownOf(declared, name)?.slice() ?? [length]]),
  );
}

/** The shapes of the inputs and under `y` that of the output; unless declared, that of an input with as many elements. */
export function withOutput(shapes: Shapes, outputs: number, declared: readonly number[] | undefined): Shapes {
  const y = declared ?? Object.values(shapes).find((shape) => sizeOf(shape) === outputs) ?? [outputs];
  if (sizeOf(y) !== outputs) {
    throw new RangeError(`gradcheck: "shapes.y" expected ${outputs} elements, got [${y}], ${sizeOf(y)} elements`);
  }
  return { ...shapes, y };
}

/**
 * The shape that a function says its output has; `undefined` if it says none.
 *
 * @throws GradcheckError if it throws, or answers something else than the shape of so many elements
 */
export function outputShapeBy(f: Differentiable, shapes: Shapes, outputs: number): readonly number[] | undefined {
  if (f.outputShape === undefined) return undefined;
  const shape: unknown = answerOf('outputShape', () => f.outputShape!(copiesOf(shapes)));
  if (!isShape(shape)) {
    throw new GradcheckError(`outputShape: expected an array of non-negative integers, got ${shown(shape)}`);
  }
  if (sizeOf(shape) !== outputs) {
    throw new GradcheckError(
      `outputShape: expected ${outputs} elements, as forward answers, got [${shape}], ${sizeOf(shape)} elements`,
    );
  }
  return shape;
}

/** @throws TypeError, RangeError unless `shape` is an array of lengths */
export function checkLengths(where: string, shape: unknown): void {
  if (isShape(shape)) return;
  const isOfNumbers = Array.isArray(shape) && shape.every((n) => typeof n === 'number');
  const Kind = isOfNumbers ? RangeError : TypeError;
  throw new Kind(`${where} expected non-negative integers, got ${shown(shape)}`);
}

function isShape(shape: unknown): shape is readonly number[] {
  return Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Throws unless the first axis of every batched input is that of the output. */
export function checkBatchNames(shapes: Shapes, batch: readonly string[]): void {
  for (const name of batch) {
    if (shapes.y.length > 0 && shapes[name][0] === shapes.y[0]) continue;
    throw new RangeError(
      `gradcheck: "batch" expected inputs whose first axis is that of y, ${shapes.y[0]}, got ${name} of [${shapes[name]}]`,
    );
  }
}

/** An input may be called as something that every object has: `constructor`. */
function ownOf<T>(declared: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return declared !== undefined && Object.hasOwn(declared, name) ? declared[name] : undefined;
}

/** The declared kinks of each element of an input; `undefined` if none are declared. */
export function kinksOfInput(name: string, declared: Declared['kinks']): KinksOf | undefined {
  const kinks: readonly DeclaredKink[] | KinksOf | undefined = ownOf(declared, name);
  if (kinks === undefined) return undefined;
  if (typeof kinks === 'function') {
    const at = (element: number) => answerOf(`kinks.${name}`, () => kinks(element));
    return (element) => checkedKinks(name, at(element));
  }
  const checked = checkedKinks(name, kinks);
  return () => checked;
}

/**
 * The kinks, whose functions check what they answer where they are called: only there is the output known.
 *
 * @throws TypeError, RangeError naming what is not as a kink has it
 */
function checkedKinks(name: string, kinks: readonly DeclaredKink[]): readonly DeclaredKink[] {
  const where = `gradcheck: "kinks.${name}"`;
  if (!Array.isArray(kinks)) {
    throw new TypeError(`${where} expected an array, or a function that answers one, got ${shown(kinks)}`);
  }
  const checked = (kinks as readonly DeclaredKink[]).map((kink) => checkedKink(name, kink));
  checkPlaces(where, kinks);
  return checked;
}

/** @throws RangeError for two kinks at one place that say different things: only one of them would be held against f */
function checkPlaces(where: string, kinks: readonly DeclaredKink[]): void {
  for (const [k, kink] of kinks.entries()) {
    const other = kinks.slice(0, k).find(({ at }) => at === kink.at);
    if (other === undefined) continue;
    const part = kinkParts.find((name) => name !== 'at' && kink[name] !== other[name]);
    if (part === undefined) continue;
    const came = [other, kink].map((each) => (typeof each[part] === 'function' ? 'a function' : shown(each[part])));
    throw new RangeError(`${where} expected one kink at ${kink.at}, got two, of ${part} ${came.join(' and ')}`);
  }
}

function checkedKink(name: string, kink: DeclaredKink): DeclaredKink {
  const where = `gradcheck: "kinks.${name}"`;
  const at: unknown = kink?.at;
  if (!Number.isFinite(at)) {
    const came = typeof kink === 'object' && kink !== null ? `at: ${shown(at)}` : shown(kink);
    const Kind = typeof at === 'number' ? RangeError : TypeError;
    throw new Kind(`${where} expected objects with at: a finite number, got ${came}`);
  }
  checkKeys(where, kink, kinkParts);
  for (const part of ['value', 'derivative'] as const) {
    const given: unknown = kink[part];
    if (given === undefined || typeof given === 'function' || (conventions as readonly unknown[]).includes(given))
      continue;
    const expected = `${conventions.join(', ')} or a function of the output's index`;
    throw new TypeError(`${where} expected ${part}: ${expected}, got ${shown(given)}`);
  }
  for (const side of ['left', 'right'] as const) checkCallback(`${where}: "${side}"`, kink[side]);
  const { value, derivative, left, right } = kink;
  return {
    at: kink.at,
    ...(value && { value: typeof value === 'function' ? numberBy(name, 'value', value) : value }),
    ...(derivative && {
      derivative: typeof derivative === 'function' ? numberBy(name, 'derivative', derivative) : derivative,
    }),
    ...(left && { left: sideBy(name, 'left', left) }),
    ...(right && { right: sideBy(name, 'right', right) }),
  };
}

function numberBy(name: string, part: string, of: (output: number) => number): (output: number) => number {
  return (output) => {
    const given = answerOf(`kinks.${name}.${part}`, () => of(output));
    checkNumber(`gradcheck: "kinks.${name}": "${part}"`, output, given);
    return given;
  };
}

function sideBy(name: string, part: string, of: (output: number) => OneSided): (output: number) => OneSided {
  const where = `gradcheck: "kinks.${name}": "${part}"`;
  return (output) => {
    const side = answerOf(`kinks.${name}.${part}`, () => of(output));
    if (typeof side !== 'object' || side === null) {
      throw new TypeError(`${where} expected { value, slope } at output ${output}, got ${shown(side)}`);
    }
    for (const each of ['value', 'slope'] as const) checkNumber(`${where}: "${each}"`, output, side[each]);
    return side;
  };
}

/** @throws TypeError, RangeError unless `value` is a number other than NaN, which would be compared with nothing */
function checkNumber(where: string, output: number, value: unknown): void {
  const Kind = typeof value === 'number' ? RangeError : TypeError;
  if (typeof value === 'number' && !Number.isNaN(value)) return;
  throw new Kind(`${where} expected a number at output ${output}, got ${shown(value)}`);
}

const conventions = ['left', 'right', 'any'] as const;

const kinkParts: readonly (keyof DeclaredKink)[] = ['at', 'value', 'derivative', 'left', 'right'];

/** One row of a batch. */
export function rowOf(tensor: Float64Array, rows: number, row: number): Float64Array {
  const size = tensor.length / rows;
  return tensor.slice(row * size, (row + 1) * size);
}
