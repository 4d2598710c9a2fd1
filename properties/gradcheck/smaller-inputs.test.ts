import { describe, expect, it } from 'vitest';
import { range } from '../transform.ts';
import type { DrawnInputs, DrawnShapes, DrawOptions } from './drawn-inputs.ts';
import { isWithin, kinksNear, lengthOf, linkedAxes, smallerInputs } from './smaller-inputs.ts';

const axesOf = (shapes: DrawnShapes) => linkedAxes(shapes).map((axes) => axes.map(({ input, axis }) => input + axis));
const drawnOf = (x: number[], shape: number[] = [x.length]): DrawnInputs => ({
  shapes: { x: shape },
  inputs: { x: Float64Array.from(x) },
});
const valuesOf = (options: DrawOptions, drawn: DrawnInputs) =>
  [...smallerInputs(options, drawn)].filter(({ part }) => part === undefined).map(({ make }) => [...make().inputs.x]);
/** The parts of an axis of so many indices, as their first and last. */
const partsOf = (n: number) =>
  [...smallerInputs({ shapes: { x: ['n'] } }, drawnOf(new Array<number>(n).fill(0)))].flatMap(({ part }) =>
    part === undefined ? [] : [part.indices],
  );

describe('axes shrink together', () => {
  it('of one name, and of one fixed length in several inputs', () => {
    expect(axesOf({ x: ['n', 3], w: [3], v: ['n', 'm'] })).toEqual([['x0', 'v0'], ['x1', 'w0'], ['v1']]);
    expect(axesOf({ x: [4, 4] })).toEqual([['x0'], ['x1']]);
    expect(axesOf({ x: [4, 4], w: [5, 4] })).toEqual([['x0', 'x1', 'w1'], ['w0']]);
    // A name that looks like a length is none.
    expect(axesOf({ x: ['3'], w: [3], v: [3] })).toEqual([['x0'], ['w0', 'v0']]);
    expect(axesOf({ x: [] })).toEqual([]);
  });

  it('of the length that was drawn', () => {
    const [axes] = linkedAxes({ x: [2, 'n'] }).slice(1);
    expect(lengthOf(drawnOf([1, 2, 3, 4, 5, 6], [2, 3]), axes)).toBe(3);
  });

  it('and keep their elements in all inputs', () => {
    const shapes = { x: ['n', 2], w: ['n'] };
    const drawn: DrawnInputs = {
      shapes: { x: [3, 2], w: [3] },
      inputs: { x: Float64Array.of(1, 2, 3, 4, 5, 6), w: Float64Array.of(7, 8, 9) },
      dy: 1,
    };
    const last = [...smallerInputs({ shapes }, drawn)].find(({ part }) => part?.indices[0] === 2)!;
    expect(last.part).toEqual({
      axes: [
        { input: 'x', axis: 0 },
        { input: 'w', axis: 0 },
      ],
      indices: [2],
    });
    expect(last.make()).toEqual({
      shapes: { x: [1, 2], w: [1] },
      inputs: { x: Float64Array.of(5, 6), w: Float64Array.of(9) },
      dy: 1,
    });
  });
});

describe('parts of an axis', () => {
  const runs = (n: number, length: number) => range(n - length + 1).map((start) => range(length).map((i) => start + i));
  const without = (n: number) => range(n).map((i) => range(n).filter((k) => k !== i));

  it('are one index, two, three, all but one', () => {
    expect(partsOf(1)).toEqual([]);
    expect(partsOf(2)).toEqual(without(2));
    expect(partsOf(3)).toEqual([...runs(3, 1), ...without(3)]);
    expect(partsOf(4)).toEqual([...runs(4, 1), ...runs(4, 2), ...without(4)]);
    expect(partsOf(7)).toEqual([...runs(7, 1), ...runs(7, 2), ...runs(7, 3), ...without(7)]);
  });

  it('and from eight on halves; all but one up to eight', () => {
    const short = (n: number) => [...runs(n, 1), ...runs(n, 2), ...runs(n, 3)];
    expect(partsOf(8)).toEqual([...short(8), [0, 1, 2, 3], [4, 5, 6, 7], ...without(8)]);
    expect(partsOf(9)).toEqual([...short(9), [0, 1, 2, 3], [4, 5, 6, 7, 8]]);
  });
});

describe('values', () => {
  const options = { shapes: { x: ['n'] }, kinks: [0] };

  it('are all 1 first, then equal ones together, then single ones simpler', () => {
    const values = valuesOf(options, drawnOf([3, 3, 2.5]));
    expect(values[0]).toEqual([1, 1, 1]);
    const isTogether = ([a, b, c]: number[]) => a === b && c === 2.5;
    const together = values.slice(1).findIndex((v) => !isTogether(v));
    expect(together).toBeGreaterThan(0);
    const single = values.slice(1 + together);
    for (const v of single) expect(v.filter((at, j) => at !== [3, 3, 2.5][j])).toHaveLength(1);
    expect(new Set(single.map((v) => v.findIndex((at, j) => at !== [3, 3, 2.5][j])))).toEqual(new Set([0, 1, 2]));
    expect(single.some(([, b]) => b === 1)).toBe(true);
  });

  it('are all 1 only where several were not', () => {
    expect(valuesOf(options, drawnOf([3, 1])).filter(([a, b]) => a === 1 && b === 1)).toHaveLength(1);
    expect(valuesOf(options, drawnOf([3, 2, 1]))[0]).toEqual([1, 1, 1]);
    expect(valuesOf(options, drawnOf([1, 1]))).toEqual([]);
  });

  it('on a kink stay, but for -0, and none is moved onto one', () => {
    const at = (kinks: number[]) => valuesOf({ ...options, kinks }, drawnOf([3, 2]));
    expect(at([3]).every(([first]) => first === 3)).toBe(true);
    expect(at([1]).flat()).not.toContain(1);
    expect(at([7]).flat()).toContain(1);
    const zero = [...smallerInputs(options, drawnOf([-0]))].map(({ make }) => make().inputs.x[0]);
    expect(zero).toEqual([0]);
    expect(valuesOf(options, drawnOf([0]))).toEqual([]);
  });

  it('on kinks of their own stay by themselves, and with those that are equal to them', () => {
    const values = valuesOf({ ...options, kinks: (_name, j) => (j === 0 ? [3] : [0]) }, drawnOf([3, 3, 3]));
    expect(values.every(([first]) => first === 3)).toBe(true);
    expect(values).toContainEqual([3, 1, 1]);
    expect(values).toContainEqual([3, 1, 3]);
    // The tie of all three does not move: one of them may not.
    expect(values.filter(([, b, c]) => b === c && b !== 3)).toEqual([[3, 1, 1]]);
  });

  it('stay in their range', () => {
    const values = valuesOf({ ...options, ranges: { x: [2, 3] } }, drawnOf([3, 2.75])).flat();
    expect(Math.min(...values)).toBe(2);
    expect(Math.max(...values)).toBe(3);
  });

  it('of one input at a time', () => {
    const drawn: DrawnInputs = {
      shapes: { x: [1], w: [1] },
      inputs: { x: Float64Array.of(3), w: Float64Array.of(5) },
    };
    for (const { part, make } of smallerInputs({ shapes: { x: [1], w: [1] } }, drawn)) {
      const { x, w } = make().inputs;
      expect([part, (x[0] === 3) !== (w[0] === 5)]).toEqual([undefined, true]);
    }
  });
});

it('kinks near an element are those that are given, for all or by element; 0 unless given', () => {
  expect(kinksNear({ shapes: {} }, 'x', 0)).toEqual([0]);
  expect(kinksNear({ shapes: {}, kinks: [1, 2] }, 'x', 0)).toEqual([1, 2]);
  expect(kinksNear({ shapes: {}, kinks: (name, j) => [name.length, j] }, 'abc', 5)).toEqual([3, 5]);
});

it('a range has its ends, and an input without one has all numbers', () => {
  const options = { shapes: {}, ranges: { x: [-1, 2] as const } };
  expect([-1.5, -1, 0, 2, 2.5].map((v) => isWithin(options, 'x', v))).toEqual([false, true, true, true, false]);
  expect([isWithin(options, 'w', 5), isWithin(options, 'constructor', 5), isWithin({ shapes: {} }, 'x', 5)]).toEqual([
    true,
    true,
    true,
  ]);
});
