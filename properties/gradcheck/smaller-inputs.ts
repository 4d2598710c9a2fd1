import { simplerValues } from '../shrink.ts';
import { range, take } from '../transform.ts';
import type { DrawnInputs, DrawnShapes, DrawOptions } from './drawn-inputs.ts';

/** Axes that have one length: those of a name; or of a fixed length, those of all inputs where several have one. */
export type LinkedAxes = readonly { readonly input: string; readonly axis: number }[];

/** Inputs one step smaller: with a part of an axis only, or with a simpler value. */
export interface SmallerInputs {
  /** The axis and what is left of it. */
  readonly part?: { readonly axes: LinkedAxes; readonly indices: readonly number[] };
  readonly make: () => DrawnInputs;
}

/** The longest axis of which every index but one is a part. */
const shortAxis = 8;

/**
 * Smaller inputs, the boldest first: of each axis one index, two, three, half, all but one; then all elements as 1, then
 * equal ones together and single ones simpler. None is moved onto a kink, but for -0 to 0, or out of its range.
 */
export function* smallerInputs(options: DrawOptions, value: DrawnInputs): IterableIterator<SmallerInputs> {
  for (const axes of linkedAxes(options.shapes)) {
    const n = lengthOf(value, axes);
    for (const indices of partsOf(n)) {
      yield { part: { axes, indices }, make: () => takeLinked(value, axes, indices) };
    }
  }
  for (const [name, tensor] of Object.entries(value.inputs)) {
    const simpler = [...tensor].map((v, j) => {
      const kinks = kinksNear(options, name, j);
      if (kinks.includes(v)) return Object.is(v, -0) ? [0] : [];
      return simplerValues(v).filter((to) => !kinks.includes(to) && isWithin(options, name, to));
    });
    const ones = tensor.map((v, j) => (simpler[j].includes(1) ? 1 : v));
    if (simpler.filter((to) => to.includes(1)).length > 1) {
      yield { make: () => withTensor(value, name, ones) };
    }
    for (const tie of equalElements(tensor)) {
      const first = tensor[tie[0]];
      for (const v of simpler[tie[0]]) {
        if (!tie.every((j) => simpler[j].includes(v))) continue;
        yield {
          make: () =>
            withTensor(
              value,
              name,
              tensor.map((was) => (was === first ? v : was)),
            ),
        };
      }
    }
    for (const [j, to] of simpler.entries()) {
      for (const v of to) yield { make: () => withTensor(value, name, tensor.with(j, v)) };
    }
  }
}

function withTensor(value: DrawnInputs, name: string, tensor: Float64Array): DrawnInputs {
  return { ...value, inputs: { ...value.inputs, [name]: tensor } };
}

/** Those that are equal, several of each: what is wrong at a tie alone passes once it is parted. */
function equalElements(tensor: Float64Array): number[][] {
  const equal = new Map<number, number[]>();
  for (const [j, v] of tensor.entries()) {
    const tie = equal.get(v);
    if (tie === undefined) equal.set(v, [j]);
    else tie.push(j);
  }
  return [...equal.values()].filter((tie) => tie.length > 1);
}

/** The values near which an element is drawn. */
export function kinksNear({ kinks = [0] }: DrawOptions, input: string, element: number): readonly number[] {
  return typeof kinks === 'function' ? kinks(input, element) : kinks;
}

/** Whether an input may have this value. */
export function isWithin({ ranges = {} }: DrawOptions, input: string, v: number): boolean {
  if (!Object.hasOwn(ranges, input)) return true;
  const [lo, hi] = ranges[input];
  return lo <= v && v <= hi;
}

/** The axes that can shrink by themselves. */
export function linkedAxes(shapes: DrawnShapes): LinkedAxes[] {
  const linked = new Map<string, { input: string; axis: number }[]>();
  for (const [input, shape] of Object.entries(shapes)) {
    for (const [axis, length] of shape.entries()) {
      const isShared = Object.entries(shapes).some(([other, of]) => other !== input && of.includes(length));
      const key = typeof length === 'string' || isShared ? JSON.stringify(length) : `${input} ${axis}`;
      linked.set(key, [...(linked.get(key) ?? []), { input, axis }]);
    }
  }
  return [...linked.values()];
}

export function lengthOf({ shapes }: DrawnInputs, [first]: LinkedAxes): number {
  return shapes[first.input][first.axis];
}

function* partsOf(n: number): IterableIterator<number[]> {
  if (n < 2) return;
  for (const length of [1, 2, 3]) {
    if (length >= n - 1) break;
    for (const start of range(n - length + 1)) yield range(length).map((i) => start + i);
  }
  const half = n >> 1;
  if (half > 3) {
    yield range(half);
    yield range(n).slice(half);
  }
  if (n <= shortAxis) for (const i of range(n)) yield range(n).filter((k) => k !== i);
}

/** The inputs with only these indices of axes of one length. */
function takeLinked(value: DrawnInputs, axes: LinkedAxes, indices: readonly number[]): DrawnInputs {
  const taken = { ...value.inputs };
  const smaller = { ...value.shapes };
  for (const { input, axis } of axes) {
    taken[input] = take(taken[input], smaller[input], axis, indices);
    smaller[input] = smaller[input].with(axis, indices.length);
  }
  return { ...value, shapes: smaller, inputs: taken };
}
