import { describe, expect, it } from 'vitest';
import { GradcheckError } from './calls.ts';
import type { Differentiable, Rounding, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';

const relu = elementwiseLayer('relu', elementwise.relu);
const x = Float64Array.of(-1, 0, 2);
const failing = (): never => {
  throw new RangeError('no');
};
const bounds: Rounding = { forward: () => new Float64Array(3), vjp: () => ({ x: new Float64Array(3) }) };
const kinks = (kink: unknown) => ({ kinks: { x: [kink] } });

describe('options of gradcheck', () => {
  it.each<[string, unknown, string]>([
    ['unknown', { structur: {} }, '"options" expected shapes, structure,'],
    ['null', null, '"options" expected an object, got null'],
    ['a number', 5, '"options" expected an object, got 5'],
    ['onKinks', { onKinks: 'opne' }, '"onKinks" expected compared or open, got "opne"'],
    ['containment', { containment: 'no' }, '"containment" expected true or false, got "no"'],
    ['jacobian', { jacobian: 'half' }, '"jacobian" expected full or projected, got "half"'],
    ['tolerance', { tolerance: '1' }, '"tolerance" expected a finite number from 0, got "1"'],
    ['any tolerance', { tolerance: Infinity }, '"tolerance" expected a finite number from 0, got Infinity'],
    ['seed', { seed: '1' }, '"seed" expected an integer from 0, got "1"'],
    ['constants', { constants: 'x' }, '"constants" expected an array of names, got "x"'],
    ['batch', { batch: 'x' }, '"batch" expected an array of names, got "x"'],
    ['shapes', { shapes: 3 }, '"shapes" expected an object, got 3'],
    ['structure', { structure: 'dense' }, '"structure" expected an object, got "dense"'],
    ['kinks', { kinks: 0 }, '"kinks" expected an object, got 0'],
    ['kinks of an input', { kinks: { x: 0 } }, '"kinks.x" expected an array, or a function that answers one, got 0'],
    ['kinks by element', { kinks: { x: () => undefined } }, '"kinks.x" expected an array, or a function'],
    ['a kink that is null', kinks(null), '"kinks.x" expected objects with at: a finite number, got null'],
    ['a kink that is a number', kinks(0), '"kinks.x" expected objects with at: a finite number, got 0'],
    ['a kink at NaN', kinks({ at: Number.NaN }), '"kinks.x" expected objects with at: a finite number, got at: NaN'],
    ['a kink at ∞', kinks({ at: Infinity }), '"kinks.x" expected objects with at: a finite number, got at: Infinity'],
    [
      'what a kink does not have',
      kinks({ at: 0, derivitive: 'left' }),
      '"kinks.x" expected at, value, derivative, left, right, got "derivitive"',
    ],
    [
      'a side that is a number',
      kinks({ at: 0, left: () => 5 }),
      '"kinks.x": "left" expected { value, slope } at output 1, got 5',
    ],
    [
      'a side without a slope',
      kinks({ at: 0, right: () => ({ value: 0 }) }),
      '"kinks.x": "right": "slope" expected a number at output 1, got undefined',
    ],
    [
      'a derivative that is NaN',
      kinks({ at: 0, derivative: () => Number.NaN }),
      '"kinks.x": "derivative" expected a number at output 1, got NaN',
    ],
    [
      'a value that is no number',
      kinks({ at: 0, value: () => 'a' }),
      '"kinks.x": "value" expected a number at output 1, got "a"',
    ],
    [
      'a value',
      kinks({ at: 0, value: 0 }),
      '"kinks.x" expected value: left, right, any or a function of the output\'s index, got 0',
    ],
    [
      'a derivative',
      kinks({ at: 0, derivative: 'lft' }),
      '"kinks.x" expected derivative: left, right, any or a function',
    ],
    ['a side', kinks({ at: 0, left: { value: 0, slope: 0 } }), '"kinks.x": "left" expected a function, got an object'],
    ['rounding', { rounding: { forward: 3, vjp: () => ({}) } }, '"rounding.forward" expected a function, got number'],
    ['rounding of y', { rounding: { forward() {}, vjp() {}, output: 1 } }, '"rounding.output" expected a function'],
    ['rounding of ty', { rounding: { forward() {}, vjp() {}, jvp: 1 } }, '"rounding.jvp" expected a function'],
    ['dy', { dy: [1, 1, 1] }, '"dy" expected a Float64Array of 3 elements, got an array'],
    ['a short dy', { dy: x.slice(1) }, '"dy" expected a Float64Array of 3 elements, got 2'],
  ])('%s is refused', async (_name, options, message) => {
    await expect(gradcheck(relu, { x }, options as never)).rejects.toThrow(`gradcheck: ${message}`);
    await expect(gradcheck(relu, { x }, options as never)).rejects.toThrow(/^gradcheck: /);
  });

  it('a dy of another kind is a TypeError, one of another length a RangeError', async () => {
    const given = (dy: unknown) => gradcheck(relu, { x }, { dy: dy as never });
    for (const dy of [[1, 1, 1], null, 'dy']) await expect(given(dy)).rejects.toThrow(TypeError);
    await expect(given(x.slice(1))).rejects.toThrow(RangeError);
  });

  it.each<[string, Partial<Differentiable>]>([
    ['kinks.x threw: no', { kinks: { x: failing } }],
    ['kinks.x.derivative threw: no', { kinks: { x: [{ at: 0, derivative: failing }] } }],
    ['kinks.x.left threw: no', { kinks: { x: [{ at: 0, left: failing }] } }],
    ['outputShape threw: no', { outputShape: failing }],
    ['rounding.forward threw: no', { rounding: { ...bounds, forward: failing } }],
    ['rounding.vjp threw: no', { rounding: { ...bounds, vjp: failing } }],
    ['rounding.jvp threw: no', { rounding: { ...bounds, jvp: failing } }],
    ['rounding.output threw: no', { rounding: { ...bounds, output: failing } }],
  ])('a function of the caller that throws is what threw: %s', async (message, change) => {
    await expect(gradcheck({ ...relu, ...change }, { x })).rejects.toThrow(new GradcheckError(message));
  });

  it('bounds of the rounding are asked with copies', async () => {
    const changing: Rounding = {
      forward(at) {
        at.x.fill(9);
        return new Float64Array(3).fill(1e-12);
      },
      vjp(at, dy) {
        at.x.fill(9);
        dy.fill(9);
        return { x: new Float64Array(3).fill(1e-12) };
      },
      jvp(at, tangents) {
        at.x.fill(9);
        tangents.x.fill(9);
        return new Float64Array(3).fill(1e-12);
      },
    };
    const { failures } = await gradcheck(relu, { x }, { rounding: changing, dy: Float64Array.of(1, 2, 3) });
    expect([failures, [...x]]).toEqual([[], [-1, 0, 2]]);
  });

  it('the same of what f declares', async () => {
    await expect(gradcheck({ ...relu, batch: 'x' as never }, { x })).rejects.toThrow('gradcheck: "batch" expected');
    await expect(gradcheck({ ...relu, name: {} as never }, { x })).rejects.toThrow(
      'gradcheck: "f.name" expected a string, got an object',
    );
    await expect(gradcheck({ ...relu, kink: {} } as never, { x })).rejects.toThrow(
      /^gradcheck: "f" expected name, .*, got "kink"$/,
    );
    await expect(gradcheck({ ...relu, outputShape: [3] as never }, { x })).rejects.toThrow(
      'gradcheck: "f.outputShape" expected a function, got an array',
    );
  });

  it('an instance of a class may have more', async () => {
    class Layer implements Differentiable {
      readonly units = 3;
      forward = relu.forward;
      vjp({ x }: Tensors, dy: Float64Array): Tensors {
        return relu.vjp({ x: x }, dy, {}) as Tensors;
      }
    }
    expect((await gradcheck(new Layer(), { x })).passed).toBe(true);
  });
});
