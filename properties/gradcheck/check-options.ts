import { checkFloats, checkInput, checkInteger, kindOf, shown } from '../../reference/arguments.ts';
import { sizeOf } from '../../reference/shape.ts';
import { checkCallback, checkKeys, checkOptions } from '../check-arguments.ts';
import { formats } from '../dtypes.ts';
import { answerOf, copiesOf } from './calls.ts';
import type { Differentiable, Rounding, Tensors } from './differentiable.ts';
import { checkLengths, type GradcheckOptions, kinksOfInput } from './options.ts';

const declarations = ['shapes', 'structure', 'kinks', 'constants', 'batch', 'rounding'] as const;

export const gradcheckOptions: readonly (keyof GradcheckOptions)[] = [
  ...declarations,
  ...(['seed', 'dy', 'jacobian', 'onKinks', 'containment', 'held', 'tolerance'] as const),
];

const functionParts: readonly (keyof Differentiable)[] = [
  ...(['name', 'dtype', 'forward', 'vjp', 'jvp', 'doubleVjp', 'outputShape', 'twin'] as const),
  ...declarations,
];

/** Throws unless `f`, `inputs` and `options` are of their kinds and fit each other. */
export function checkArguments(f: Differentiable, inputs: Tensors, options: GradcheckOptions): void {
  checkFunction('gradcheck', f);
  checkInputs(f, inputs);
  checkOptions('gradcheck', options, gradcheckOptions);
  checkDeclared(inputs, { ...f, ...options });
}

/** @throws TypeError, RangeError unless `f` has the parts of a function with its gradients, and no others */
export function checkFunction(where: string, f: Differentiable): void {
  const missing = (['forward', 'vjp'] as const).filter((part) => typeof f?.[part] !== 'function');
  if (f === null || typeof f !== 'object' || missing.length > 0) {
    const without = typeof f === 'object' && f !== null ? ` without ${missing.join(' and ')}` : '';
    throw new TypeError(`${where}: "f" expected an object with forward and vjp, got ${kindOf(f)}${without}`);
  }
  // An instance of a class may have more for its own use.
  if (Object.getPrototypeOf(f) === Object.prototype) checkKeys(`${where}: "f"`, f, functionParts);
  if (f.name !== undefined && typeof f.name !== 'string') {
    throw new TypeError(`${where}: "f.name" expected a string, got ${shown(f.name)}`);
  }
  for (const part of ['jvp', 'doubleVjp', 'twin', 'outputShape'] as const) {
    checkCallback(`${where}: "f.${part}"`, f[part]);
  }
  if (f.dtype !== undefined && f.dtype !== 'f64' && f.dtype !== 'f32') {
    throw new (kindError(f.dtype, 'string'))(`${where}: "f.dtype" expected f64 or f32, got ${shown(f.dtype)}`);
  }
}

function checkInputs(f: Differentiable, inputs: Tensors): void {
  const dtype = f.dtype ?? 'f64';
  const { round } = formats[dtype];
  if (inputs === null || typeof inputs !== 'object' || Array.isArray(inputs) || ArrayBuffer.isView(inputs)) {
    throw new TypeError(`gradcheck: "inputs" expected an object of Float64Arrays by name, got ${kindOf(inputs)}`);
  }
  const names = Object.keys(inputs);
  if (names.length === 0) throw new RangeError('gradcheck: "inputs" expected at least one tensor, got {}');
  for (const name of names) {
    const tensor = inputs[name];
    if (!(tensor instanceof Float64Array)) {
      throw new TypeError(`gradcheck: "inputs.${name}" expected a Float64Array, got ${kindOf(tensor)}`);
    }
    if (name === 'y') throw new RangeError('gradcheck: "inputs" expected another name than y, which is the output');
    for (let at = 0; at < tensor.length; at++) {
      if (Object.is(round(tensor[at]), tensor[at])) continue;
      throw new RangeError(`gradcheck: "inputs.${name}" expected values of ${dtype}, got ${tensor[at]} at ${at}`);
    }
  }
}

function checkDeclared(inputs: Tensors, options: GradcheckOptions): void {
  const names = Object.keys(inputs);
  const named = { shapes: options.shapes, structure: options.structure, kinks: options.kinks };
  for (const [option, given] of Object.entries(named)) {
    if (given !== undefined) checkInput('gradcheck', option, given);
    for (const name of Object.keys(given ?? {})) {
      if (Object.hasOwn(inputs, name) || (option === 'shapes' && name === 'y')) continue;
      throw new RangeError(`gradcheck: "${option}" expected names among ${names.join(', ')}, got ${name}`);
    }
  }
  for (const option of ['constants', 'batch'] as const) {
    if (options[option] !== undefined && !Array.isArray(options[option])) {
      throw new TypeError(`gradcheck: "${option}" expected an array of names, got ${shown(options[option])}`);
    }
    for (const name of options[option] ?? []) {
      if (typeof name === 'string' && Object.hasOwn(inputs, name)) continue;
      const came = typeof name === 'string' ? name : shown(name);
      throw new (kindError(name, 'string'))(
        `gradcheck: "${option}" expected names among ${names.join(', ')}, got ${came}`,
      );
    }
  }
  for (const [name, shape] of Object.entries(options.shapes ?? {})) {
    checkLengths(`gradcheck: "shapes.${name}"`, shape);
    if (name !== 'y' && sizeOf(shape) !== inputs[name].length) {
      throw new RangeError(
        `gradcheck: "shapes.${name}" expected ${inputs[name].length} elements, got [${shape}], ${sizeOf(shape)} elements`,
      );
    }
  }
  for (const [name, structure] of Object.entries(options.structure ?? {})) {
    checkStructure(`gradcheck: "structure.${name}"`, structure);
  }
  for (const name of Object.keys(options.kinks ?? {})) kinksOfInput(name, options.kinks);
  const { seed = 1, held = 0, tolerance, jacobian, onKinks, containment, rounding } = options;
  checkInteger('gradcheck: "seed"', seed, 0);
  checkInteger('gradcheck: "held"', held, 0);
  if (tolerance !== undefined && !(Number.isFinite(tolerance) && tolerance >= 0)) {
    throw new (kindError(tolerance, 'number'))(
      `gradcheck: "tolerance" expected a finite number from 0, got ${shown(tolerance)}`,
    );
  }
  checkOneOf('jacobian', jacobian, ['full', 'projected']);
  checkOneOf('onKinks', onKinks, ['compared', 'open']);
  checkOneOf('containment', containment, [true, false]);
  if (rounding === undefined) return;
  checkInput('gradcheck', 'rounding', rounding);
  for (const part of ['jvp', 'output'] as const) checkCallback(`gradcheck: "rounding.${part}"`, rounding[part]);
  for (const part of ['forward', 'vjp'] as const) {
    if (typeof rounding[part] === 'function') continue;
    throw new TypeError(`gradcheck: "rounding.${part}" expected a function, got ${kindOf(rounding[part])}`);
  }
}

/**
 * The same bounds, each of the length of what it bounds and not negative, or said to be otherwise when it is answered; asked
 * with copies, since what it changed would be measured.
 */
export function checkedRounding(rounding: Rounding, inputs: Tensors, outputs: number): Rounding {
  const bounds = (name: string, answer: unknown, size: number): Float64Array => {
    checkFloats('gradcheck', name, answer);
    const tensor = answer as Float64Array;
    if (tensor.length !== size) {
      throw new RangeError(`gradcheck: "${name}" expected ${size} elements, got ${tensor.length}`);
    }
    const at = tensor.findIndex((v) => v < 0);
    if (at >= 0)
      throw new RangeError(`gradcheck: "${name}" expected numbers from 0 or NaN, got ${tensor[at]} at ${at}`);
    return tensor;
  };
  const { jvp, output } = rounding;
  const each = (name: 'forward' | 'jvp' | 'output', ask: () => Float64Array) =>
    bounds(`rounding.${name}`, answerOf(`rounding.${name}`, ask), outputs);
  return {
    forward: (at) => each('forward', () => rounding.forward(copiesOf(at))),
    vjp(at, dy) {
      const answer: Readonly<Record<string, unknown>> = answerOf('rounding.vjp', () =>
        rounding.vjp(copiesOf(at), dy.slice()),
      );
      checkInput('gradcheck', 'rounding.vjp', answer);
      return Object.fromEntries(
        Object.entries(inputs).map(([name, { length }]) => [
          name,
          bounds(`rounding.vjp.${name}`, answer[name], length),
        ]),
      );
    },
    ...(jvp && {
      jvp: (at: Tensors, tangents: Tensors) => each('jvp', () => jvp.call(rounding, copiesOf(at), copiesOf(tangents))),
    }),
    ...(output && { output: (at: Tensors) => each('output', () => output.call(rounding, copiesOf(at))) }),
  };
}

function checkOneOf(option: string, value: unknown, known: readonly unknown[]): void {
  if (value === undefined || known.includes(value)) return;
  const Kind = kindError(value, typeof known[0]);
  throw new Kind(`gradcheck: "${option}" expected ${known.join(' or ')}, got ${shown(value)}`);
}

/** What is thrown for a value that is not as it should be: of this kind, by `typeof`, or of another. */
function kindError(value: unknown, kind: string): typeof RangeError | typeof TypeError {
  return typeof value === kind ? RangeError : TypeError;
}

/** @throws TypeError, RangeError unless this is a Structure */
function checkStructure(where: string, structure: unknown): void {
  if (structure === 'elementwise' || structure === 'rows' || structure === 'dense') return;
  const { trailing }: { trailing?: unknown } = Object(structure);
  if (typeof structure === 'object' && Number.isSafeInteger(trailing) && (trailing as number) >= 0) {
    checkKeys(where, structure!, ['trailing']);
    return;
  }
  const isKind = typeof structure === 'string' || typeof trailing === 'number';
  const Kind = isKind ? RangeError : TypeError;
  const came = trailing === undefined ? shown(structure) : `trailing: ${shown(trailing)}`;
  throw new Kind(`${where} expected elementwise, rows, dense or { trailing }, got ${came}`);
}
