import type * as fc from 'fast-check';
import { sizeOf } from '../../reference/shape.ts';

/**
 * What the elements of one tensor have in common, where wrong gradients are wrong alone: a norm at 0, a variance of 0, a
 * maximum that two elements share.
 */
export type Pattern = 'free' | 'zero' | 'constant' | 'lines' | 'ties' | 'negative' | 'positive';

/** Those of twenty runs, which begin with free ones: by turns, since by chance one of them would often be left out. */
const turns: Readonly<Record<number, Pattern>> = {
  2: 'zero',
  4: 'ties',
  6: 'constant',
  9: 'negative',
  11: 'lines',
  13: 'ties',
  15: 'positive',
};

/** After so many runs the turns begin anew. */
export const turnCount = 20;

export function patternOf(run: number): Pattern {
  return turns[run % turnCount] ?? 'free';
}

/** Every fifth run asks for the gradient of a plain sum, also where elements are alike. */
export function isOfPlainSum(run: number): boolean {
  return run % 5 === 3;
}

/** A tensor that is drawn, and what its elements may be. */
export interface DrawnTensor {
  readonly values: Float64Array;
  readonly shape: readonly number[];
  readonly isAllowed: (v: number) => boolean;
}

/** The tensor of this pattern, as far as its elements may be so. */
export function inPattern(pattern: Pattern, tensor: DrawnTensor, random: fc.Random): Float64Array {
  const { values, isAllowed } = tensor;
  if (pattern === 'free' || values.length === 0) return values;
  if (pattern === 'lines') return withLines(tensor, random);
  if (pattern === 'ties') return withTies(tensor, random);
  if (pattern === 'zero' && isAllowed(0)) return values.map(() => 0);
  if (pattern === 'zero' || pattern === 'constant') return values.map(() => ofFewBits(values[0], isAllowed));
  const sign = pattern === 'negative' ? -1 : 1;
  return values.map((v) => {
    const signed = v === 0 ? sign : sign * Math.abs(v);
    return isAllowed(signed) ? signed : v;
  });
}

/**
 * A multiple of 1/8 but 0, so that sums of equal elements are exact, and their variance is 0 in floating point too: beside
 * 0 its root has any gradient that rounding makes.
 */
function ofFewBits(v: number, isAllowed: DrawnTensor['isAllowed']): number {
  if (v === 0) return v;
  const few = (Math.sign(v) * Math.max(1, Math.round(Math.abs(v) * 8))) / 8;
  return isAllowed(few) ? few : v;
}

/** About half of the lines along an axis, or of the blocks from there on, constant: at least one. */
function withLines({ values, shape, isAllowed }: DrawnTensor, random: fc.Random): Float64Array {
  if (shape.length === 0) return values;
  // The last axis more often, along which layers normalize.
  const axis = random.nextInt(0, 1) === 0 ? shape.length - 1 : random.nextInt(0, shape.length - 1);
  const isBlock = random.nextInt(0, 1) === 0;
  const inner = sizeOf(shape.slice(axis + 1));
  const block = shape[axis] * inner;
  const lineOf = (j: number) => (isBlock ? Math.floor(j / block) : Math.floor(j / block) * inner + (j % inner));
  const lines = values.length / (isBlock ? block : shape[axis]);
  const always = random.nextInt(0, lines - 1);
  const constants = new Map<number, number>();
  for (let line = 0; line < lines; line++) {
    if (random.nextInt(0, 1) === 0 || line === always) constants.set(line, Number.NaN);
  }
  return values.map((v, j) => {
    const line = lineOf(j);
    const constant = constants.get(line);
    if (constant === undefined) return v;
    if (!Number.isNaN(constant)) return constant;
    const first = ofFewBits(v, isAllowed);
    constants.set(line, first);
    return first;
  });
}

/** About half of the elements as the one before along some axis, as pooling sees them together, or as any other. */
function withTies({ values, shape, isAllowed }: DrawnTensor, random: fc.Random): Float64Array {
  const tied = values.slice();
  for (let j = 0; j < tied.length; j++) {
    if (random.nextInt(0, 1) === 0) continue;
    const axis = random.nextInt(0, Math.max(0, shape.length - 1));
    const before = j - sizeOf(shape.slice(axis + 1));
    const isNear = random.nextInt(0, 1) === 0 && before >= 0;
    const from = isNear ? before : random.nextInt(0, tied.length - 1);
    tied[from] = ofFewBits(tied[from], isAllowed);
    tied[j] = tied[from];
  }
  return tied;
}
