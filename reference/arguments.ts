import { sizeOf } from './shape.ts';

/** Checks of arguments, and how their errors show what came: they must never fail themselves, whatever it was. */

/** The kind of a value: `null`, `a Float32Array`, `an object`, `string`. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  if (Array.isArray(value)) return 'an array';
  const name = value.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? `a ${name}` : 'an object';
}

/** A value in a few characters: `"relu"`, `[1, undefined]`, `Symbol(a)`, `an object`; arrays within arrays three deep. */
export function shown(value: unknown): string {
  return shownWithin(value, 3);
}

function shownWithin(value: unknown, depth: number): string {
  const text =
    Array.isArray(value) && depth > 0
      ? `[${Array.from(value.slice(0, 20), (element) => shownWithin(element, depth - 1)).join(', ')}]`
      : typeof value === 'string'
        ? JSON.stringify(value)
        : typeof value === 'object' && value !== null
          ? kindOf(value)
          : String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Throws unless an argument that holds others is an object. */
export function checkInput(where: string, name: string, input: unknown): void {
  if (typeof input === 'object' && input !== null) return;
  throw new TypeError(`${where}: "${name}" expected an object, got ${shown(input)}`);
}

/** @throws TypeError for another kind, RangeError unless `value` is an integer from `least` to `most` */
export function checkInteger(
  where: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  if (typeof value !== 'number') throw new TypeError(`${where} expected an integer ${range}, got ${shown(value)}`);
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new RangeError(`${where} expected an integer ${range}, got ${value}`);
  }
}

/** @throws TypeError for another kind, RangeError unless `value` is a finite number from `least` */
export function checkFinite(where: string, value: unknown, least: number = -Infinity): void {
  if (typeof value !== 'number') throw new TypeError(`${where} expected a number, got ${kindOf(value)}`);
  if (Number.isFinite(value) && value >= least) return;
  throw new RangeError(`${where} expected a finite number${least === -Infinity ? '' : ` ≥ ${least}`}, got ${value}`);
}

/** Throws unless `values` is a Float64Array: others would round what is computed, or hold no numbers. */
export function checkFloats(where: string, name: string, values: unknown): asserts values is Float64Array {
  if (values instanceof Float64Array) return;
  throw new TypeError(`${where}: "${name}" expected a Float64Array, got ${kindOf(values)}`);
}

/** Throws unless `values` is an array. */
export function checkArray(where: string, name: string, values: unknown): void {
  if (!ArrayBuffer.isView(values) && !Array.isArray(values)) {
    throw new TypeError(`${where}: "${name}" expected an array, got ${kindOf(values)}`);
  }
}

/** Throws unless `values` is an array with as many elements as `shape` says. */
export function checkLength(
  where: string,
  name: string,
  values: { readonly length: number },
  shape: readonly number[],
): void {
  checkArray(where, name, values);
  const expected = sizeOf(shape);
  if (values.length === expected) return;
  throw new RangeError(
    `${where}: "${name}" expected shape [${shape.join(', ')}], ${expected} elements, got ${values.length}`,
  );
}

/** Throws unless `tensor` is a Float64Array with as many elements as `shape` says. */
export function checkTensor(where: string, name: string, tensor: unknown, shape: readonly number[]): void {
  checkFloats(where, name, tensor);
  checkLength(where, name, tensor, shape);
}
