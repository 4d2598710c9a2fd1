import { kindOf } from '../../reference/arguments.ts';
import { checkDtype, formats } from '../dtypes.ts';
import type { Declared, Differentiable, Kink, Shapes, Tensors } from './differentiable.ts';
import { sizeOf } from './layout.ts';
import type { KinksOf } from './stencil.ts';

export interface GradcheckOptions extends Declared {
  /** What dy, tangents and the order of moves are drawn from; 1 unless given. */
  readonly seed?: number;
  /** The cotangent of y; drawn unless given. */
  readonly dy?: Float64Array;
  /**
   * How an input without structure is measured: its whole Jacobian, element by element, or along random directions.
   * Unless given, the former up to 64 elements.
   */
  readonly jacobian?: 'full' | 'projected';
  /** What lies on a kink is compared, or left open; `compared` unless given. */
  readonly onKinks?: 'compared' | 'open';
  /** Whether NaN in one element may touch no others; true unless given. */
  readonly containment?: boolean;
  /** A relative tolerance in place of the derived intervals; the report says so. */
  readonly tolerance?: number;
}

/** Throws unless `f`, `inputs` and `options` are of their kinds and fit each other. */
export function checkArguments(f: Differentiable, inputs: Tensors, options: GradcheckOptions): void {
  checkFunction(f);
  checkInputs(f, inputs);
  checkOptions(inputs, options);
}

function checkFunction(f: Differentiable): void {
  if (f === null || typeof f !== 'object' || typeof f.forward !== 'function' || typeof f.vjp !== 'function') {
    throw new TypeError(`gradcheck: "f" expected an object with forward and vjp, got ${kindOf(f)}`);
  }
  for (const part of ['jvp', 'doubleVjp', 'twin'] as const) {
    if (f[part] !== undefined && typeof f[part] !== 'function') {
      throw new TypeError(`gradcheck: "f.${part}" expected a function, got ${kindOf(f[part])}`);
    }
  }
  checkDtype('gradcheck: "f"', f.dtype ?? 'f64');
}

function checkInputs(f: Differentiable, inputs: Tensors): void {
  const dtype = f.dtype ?? 'f64';
  const { round } = formats[dtype];
  if (inputs === null || typeof inputs !== 'object' || ArrayBuffer.isView(inputs)) {
    throw new TypeError(`gradcheck: "inputs" expected an object of Float64Arrays by name, got ${kindOf(inputs)}`);
  }
  const names = Object.keys(inputs);
  if (names.length === 0) throw new RangeError('gradcheck: "inputs" expected at least one tensor, got {}');
  for (const name of names) {
    const tensor = inputs[name]!;
    if (!(tensor instanceof Float64Array)) {
      throw new TypeError(`gradcheck: "inputs.${name}" expected a Float64Array, got ${kindOf(tensor)}`);
    }
    if (name === 'y') throw new RangeError('gradcheck: "inputs" expected another name than y, which is the output');
    for (let at = 0; at < tensor.length; at++) {
      if (Object.is(round(tensor[at]!), tensor[at])) continue;
      throw new RangeError(`gradcheck: "inputs.${name}" expected values of ${dtype}, got ${tensor[at]} at ${at}`);
    }
  }
}

function checkOptions(inputs: Tensors, options: GradcheckOptions): void {
  const names = Object.keys(inputs);
  const named = { shapes: options.shapes, structure: options.structure, kinks: options.kinks };
  for (const [option, given] of Object.entries(named)) {
    for (const name of Object.keys(given ?? {})) {
      if (Object.hasOwn(inputs, name) || (option === 'shapes' && name === 'y')) continue;
      throw new RangeError(`gradcheck: "${option}" expected names among ${names.join(', ')}, got ${name}`);
    }
  }
  for (const option of ['constants', 'batch'] as const) {
    for (const name of options[option] ?? []) {
      if (Object.hasOwn(inputs, name)) continue;
      throw new RangeError(`gradcheck: "${option}" expected names among ${names.join(', ')}, got ${name}`);
    }
  }
  for (const [name, shape] of Object.entries(options.shapes ?? {})) {
    if (!Array.isArray(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new RangeError(`gradcheck: "shapes.${name}" expected non-negative integers, got ${String(shape)}`);
    }
    if (name !== 'y' && sizeOf(shape) !== inputs[name]!.length) {
      throw new RangeError(
        `gradcheck: "shapes.${name}" expected ${inputs[name]!.length} elements, got [${shape}], ${sizeOf(shape)} elements`,
      );
    }
  }
  for (const [name, structure] of Object.entries(options.structure ?? {})) {
    const isNamed = structure === 'elementwise' || structure === 'rows' || structure === 'dense';
    if (isNamed || Number.isSafeInteger((structure as { trailing?: unknown })?.trailing)) continue;
    throw new RangeError(
      `gradcheck: "structure.${name}" expected elementwise, rows, dense or { trailing }, got ${JSON.stringify(structure)}`,
    );
  }
  const { seed = 1, tolerance, jacobian } = options;
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`gradcheck: "seed" expected an integer from 0, got ${String(seed)}`);
  }
  if (tolerance !== undefined && !(tolerance >= 0)) {
    throw new RangeError(`gradcheck: "tolerance" expected a number from 0, got ${String(tolerance)}`);
  }
  if (jacobian !== undefined && jacobian !== 'full' && jacobian !== 'projected') {
    throw new RangeError(`gradcheck: "jacobian" expected full or projected, got ${String(jacobian)}`);
  }
}

/** The shapes of the inputs; flat where none is declared. */
export function inputShapes(inputs: Tensors, declared: Declared['shapes']): Shapes {
  return Object.fromEntries(Object.entries(inputs).map(([name, { length }]) => [name, declared?.[name] ?? [length]]));
}

/** The shapes of the inputs and under `y` that of the output; unless declared, that of an input with as many elements. */
export function withOutput(shapes: Shapes, outputs: number, declared: readonly number[] | undefined): Shapes {
  const y = declared ?? Object.values(shapes).find((shape) => sizeOf(shape) === outputs) ?? [outputs];
  if (sizeOf(y) !== outputs) {
    throw new RangeError(`gradcheck: "shapes.y" expected ${outputs} elements, got [${y}], ${sizeOf(y)} elements`);
  }
  return { ...shapes, y };
}

/** Throws unless the first axis of every batched input is that of the output. */
export function checkBatchNames(shapes: Shapes, batch: readonly string[]): void {
  for (const name of batch) {
    if (shapes.y!.length > 0 && shapes[name]![0] === shapes.y![0]) continue;
    throw new RangeError(
      `gradcheck: "batch" expected inputs whose first axis is that of y, ${shapes.y![0]}, got ${name} of [${shapes[name]}]`,
    );
  }
}

/** The declared kinks of each element of an input; `undefined` if none are declared. */
export function kinksOfInput(name: string, declared: Declared['kinks']): KinksOf | undefined {
  const kinks: readonly Kink[] | KinksOf | undefined = declared?.[name];
  if (kinks === undefined || typeof kinks === 'function') return kinks;
  if (!Array.isArray(kinks) || !kinks.every(({ at }) => typeof at === 'number' && !Number.isNaN(at))) {
    throw new RangeError(`gradcheck: "kinks.${name}" expected objects with at: number, got ${JSON.stringify(kinks)}`);
  }
  return () => kinks;
}

/** One row of a batch. */
export function rowOf(tensor: Float64Array, rows: number, row: number): Float64Array {
  const size = tensor.length / rows;
  return tensor.slice(row * size, (row + 1) * size);
}
