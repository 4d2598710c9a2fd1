import { describe, expect, it } from 'vitest';
import { GradcheckError } from './calls.ts';
import { checkArguments, checkedRounding } from './check-options.ts';
import type { DeclaredKink, Differentiable, Rounding } from './differentiable.ts';
import {
  checkBatchNames,
  type GradcheckOptions,
  inputShapes,
  kinksOfInput,
  outputShapeBy,
  rowOf,
  withOutput,
} from './options.ts';

const floats = (...values: number[]) => Float64Array.from(values);
const f: Differentiable = { forward: ({ x }) => x.slice(), vjp: (_inputs, dy) => ({ x: dy.slice() }) };
const inputs = { x: floats(1, 2, 3, 4, 5, 6), w: floats(1, 2) };
const options = (given: GradcheckOptions) => () => checkArguments(f, inputs, given);

describe('arguments', () => {
  it('that fit are taken', () => {
    for (const given of [
      {},
      { shapes: { x: [2, 3], w: [2], y: [6] } },
      { shapes: { x: [6] }, structure: { x: 'elementwise', w: 'dense' } },
      { structure: { x: 'rows', w: { trailing: 0 } } },
      { kinks: { x: [{ at: 0 }] }, constants: ['w'], batch: ['x'] },
      { seed: 0, tolerance: 0, jacobian: 'full' },
      { seed: 2 ** 53 - 1, tolerance: 1e300, jacobian: 'projected' },
    ] satisfies GradcheckOptions[]) {
      expect(options(given)).not.toThrow();
    }
    const parts = { jvp: () => floats(), doubleVjp: () => ({ inputs: {}, dy: floats() }), twin: () => floats() };
    expect(() => checkArguments({ ...f, ...parts }, inputs, {})).not.toThrow();
    const empty = { x: floats(), w: floats() };
    expect(() => checkArguments(f, empty, { shapes: { x: [0, 3], w: [0] } })).not.toThrow();
  });

  it.each<[unknown, string, string]>([
    [null, 'f', 'an object with forward and vjp, got null'],
    [() => 1, 'f', 'an object with forward and vjp, got function'],
    [{ forward: f.forward }, 'f', 'an object with forward and vjp, got an object'],
    [{ vjp: f.vjp }, 'f', 'an object with forward and vjp, got an object'],
    [{ ...f, jvp: null }, 'f.jvp', 'a function, got null'],
    [{ ...f, doubleVjp: 1 }, 'f.doubleVjp', 'a function, got number'],
    [{ ...f, twin: {} }, 'f.twin', 'a function, got an object'],
  ])('a function %j is refused', (given, name, expected) => {
    const attempt = () => checkArguments(given as Differentiable, inputs, {});
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(`gradcheck: "${name}" expected ${expected}`);
  });

  it.each<[unknown, string]>([
    [null, 'expected an object of Float64Arrays by name, got null'],
    [3, 'expected an object of Float64Arrays by name, got number'],
    [floats(1), 'expected an object of Float64Arrays by name, got a Float64Array'],
    [{ x: [1] }, '"inputs.x" expected a Float64Array, got an array'],
    [{ x: floats(1), w: Float32Array.of(1) }, '"inputs.w" expected a Float64Array, got a Float32Array'],
  ])('inputs %j are refused as of another kind', (given, expected) => {
    const attempt = () => checkArguments(f, given as never, {});
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(expected);
  });

  it('inputs have names, none of them y, and values of the dtype', () => {
    expect(() => checkArguments(f, {}, {})).toThrow(RangeError);
    expect(() => checkArguments(f, { x: floats(1), y: floats(1) }, {})).toThrow('expected another name than y');
    const f32: Differentiable = { ...f, dtype: 'f32' };
    expect(() => checkArguments(f32, { x: floats(0.5, -0, Number.NaN, Infinity) }, {})).not.toThrow();
    for (const v of [0.1, 1e300, 1e-300]) {
      expect(() => checkArguments(f32, { x: floats(0.5, v) }, {})).toThrow(`expected values of f32, got ${v} at 1`);
      expect(() => checkArguments(f, { x: floats(0.5, v) }, {})).not.toThrow();
    }
  });

  it.each<[unknown, string]>([
    [{ shapes: { z: [1] } }, '"shapes" expected names among x, w, got z'],
    [{ structure: { z: 'rows' } }, '"structure" expected names among x, w, got z'],
    [{ structure: { y: 'rows' } }, '"structure" expected names among x, w, got y'],
    [{ kinks: { z: [] } }, '"kinks" expected names among x, w, got z'],
    [{ constants: ['x', 'z'] }, '"constants" expected names among x, w, got z'],
    [{ batch: ['x', 'z'] }, '"batch" expected names among x, w, got z'],
    [{ shapes: { x: [2, -3] } }, '"shapes.x" expected non-negative integers, got [2, -3]'],
    [{ shapes: { x: [1.5, 4] } }, '"shapes.x" expected non-negative integers, got [1.5, 4]'],
    [{ shapes: { y: [0.5] } }, '"shapes.y" expected non-negative integers, got [0.5]'],
    [{ shapes: { x: [2, 2] } }, '"shapes.x" expected 6 elements, got [2,2], 4 elements'],
    [{ structure: { x: 'row' } }, '"structure.x" expected elementwise, rows, dense or { trailing }, got "row"'],
    [{ structure: { x: { trailing: 0.5 } } }, '"structure.x" expected elementwise, rows, dense or { trailing }'],
    [
      { structure: { x: { trailing: -1 } } },
      '"structure.x" expected elementwise, rows, dense or { trailing }, got trailing: -1',
    ],
    [{ seed: -1 }, '"seed" expected an integer from 0, got -1'],
    [{ seed: 0.5 }, '"seed" expected an integer from 0, got 0.5'],
    [{ tolerance: -1 }, '"tolerance" expected a finite number from 0, got -1'],
    [{ tolerance: Number.NaN }, '"tolerance" expected a finite number from 0, got NaN'],
    [{ jacobian: 'whole' }, '"jacobian" expected full or projected, got "whole"'],
  ])('options %j are refused', (given, expected) => {
    expect(options(given as GradcheckOptions)).toThrow(RangeError);
    expect(options(given as GradcheckOptions)).toThrow(`gradcheck: ${expected}`);
  });
});

describe('arguments of another kind', () => {
  const circular: Record<string, unknown> = {};
  circular.trailing = circular;
  const structures = '"structure.x" expected elementwise, rows, dense or { trailing }, got';
  it.each<[string, unknown, string]>([
    ['a tolerance', { tolerance: '1e-3' }, '"tolerance" expected a finite number from 0, got "1e-3"'],
    ['onKinks', { onKinks: true }, '"onKinks" expected compared or open, got true'],
    ['containment', { containment: 1 }, '"containment" expected true or false, got 1'],
    ['jacobian', { jacobian: null }, '"jacobian" expected full or projected, got null'],
    ['a constant', { constants: [3] }, '"constants" expected names among x, w, got 3'],
    ['a batch', { batch: [Symbol('a')] }, '"batch" expected names among x, w, got Symbol(a)'],
    ['a shape', { shapes: { x: '3' } }, '"shapes.x" expected non-negative integers, got "3"'],
    ['a shape that is a number', { shapes: { x: 6 } }, '"shapes.x" expected non-negative integers, got 6'],
    ['a length', { shapes: { x: ['6'] } }, '"shapes.x" expected non-negative integers, got ["6"]'],
    [
      'a length that has no text',
      { shapes: { x: [Symbol('n')] } },
      '"shapes.x" expected non-negative integers, got [Sym',
    ],
    ['a structure', { structure: { x: {} } }, `${structures} an object`],
    ['a structure that is null', { structure: { x: null } }, `${structures} null`],
    ['a structure that is a bigint', { structure: { x: 5n } }, `${structures} 5`],
    ['a structure that is a symbol', { structure: { x: Symbol('s') } }, `${structures} Symbol(s)`],
    ['a structure within itself', { structure: { x: circular } }, `${structures} trailing: an object`],
    ['trailing', { structure: { x: { trailing: '1' } } }, `${structures} trailing: "1"`],
    [
      'more in a structure',
      { structure: { x: { trailing: 1, foo: 2 } } },
      '"structure.x" expected trailing, got "foo"',
    ],
    ['a place', { kinks: { x: [{ at: '0' }] } }, '"kinks.x" expected objects with at: a finite number, got at: "0"'],
    ['a kink', { kinks: { x: [null] } }, '"kinks.x" expected objects with at: a finite number, got null'],
  ])('%s is a TypeError', (_what, given, expected) => {
    expect(options(given as GradcheckOptions)).toThrow(TypeError);
    expect(options(given as GradcheckOptions)).toThrow(`gradcheck: ${expected}`);
  });

  it('so are an array of inputs, and what is no dtype', () => {
    const list = [floats(1)] as never;
    expect(() => checkArguments(f, list, {})).toThrow(
      new TypeError('gradcheck: "inputs" expected an object of Float64Arrays by name, got an array'),
    );
    expect(() => checkArguments({ ...f, dtype: 64 as never }, inputs, {})).toThrow(TypeError);
    expect(() => checkArguments({ ...f, dtype: 'f16' as never }, inputs, {})).toThrow(RangeError);
  });
});

describe('what is said of arguments', () => {
  const said = (given: unknown, of: unknown = inputs, how: unknown = {}) => {
    try {
      checkArguments(given as Differentiable, of as never, how as GradcheckOptions);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  const expected = 'gradcheck: "f" expected an object with forward and vjp, got';

  it('names what a function lacks', () => {
    expect(said({ forward: f.forward })).toBe(`${expected} an object without vjp`);
    expect(said({})).toBe(`${expected} an object without forward and vjp`);
    expect(said(null)).toBe(`${expected} null`);
    expect(said(() => 1)).toBe(`${expected} function`);
    expect(said(Object.assign(() => 1, f))).toBe(`${expected} function`);
    expect(said({ ...f, dtype: 'f64' })).toBeUndefined();
    expect(said({ ...f, dtype: 'f16' })).toBe('gradcheck: "f.dtype" expected f64 or f32, got "f16"');
  });

  it('names what inputs and options lack', () => {
    expect(said(f, {})).toBe('gradcheck: "inputs" expected at least one tensor, got {}');
    expect(said(f, { 3: floats(1) }, { batch: [3] })).toBe('gradcheck: "batch" expected names among 3, got 3');
    expect(said(f, inputs, { held: -1 })).toBe('gradcheck: "held" expected an integer from 0, got -1');
    expect(said(f, inputs, { rounding: 3 })).toBe('gradcheck: "rounding" expected an object, got 3');
    expect(said(f, inputs, { structure: { x: Object.assign(() => 1, { trailing: 0 }) } })).toMatch(
      /^gradcheck: "structure.x" expected elementwise, rows, dense or \{ trailing \}, got /,
    );
  });
});

describe('bounds of the rounding', () => {
  const of = (part: Partial<Rounding>) =>
    checkedRounding({ forward: () => floats(0, 1), vjp: () => ({ x: floats(1), w: floats(2) }), ...part }, at, 2);
  const at = { x: floats(1), w: floats(2) };

  it('are as they are answered, NaN too', () => {
    const { forward, vjp, output } = of({ output: () => floats(Number.NaN, 0) });
    expect(forward(at)).toEqual(floats(0, 1));
    expect(vjp(at, floats(1, 1))).toEqual({ x: floats(1), w: floats(2) });
    expect(output!(at)).toEqual(floats(Number.NaN, 0));
    expect(of({})).not.toHaveProperty('output');
  });

  it('or said to be otherwise', () => {
    const forward = (answer: unknown) => () => of({ forward: () => answer as never }).forward(at);
    expect(forward([0, 1])).toThrow('gradcheck: "rounding.forward" expected a Float64Array, got an array');
    expect(forward(floats(0))).toThrow('gradcheck: "rounding.forward" expected 2 elements, got 1');
    expect(forward(floats(-1, 0))).toThrow('gradcheck: "rounding.forward" expected numbers from 0 or NaN, got -1 at 0');
    const vjp = (answer: unknown) => () => of({ vjp: () => answer as never }).vjp(at, floats(1, 1));
    expect(vjp(3)).toThrow('gradcheck: "rounding.vjp" expected an object, got 3');
    expect(vjp({ x: floats(1) })).toThrow('gradcheck: "rounding.vjp.w" expected a Float64Array, got undefined');
    const output = () => of({ output: () => floats(1, 2, 3) }).output!(at);
    expect(output).toThrow('gradcheck: "rounding.output" expected 2 elements, got 3');
  });
});

describe('shapes', () => {
  it('of inputs are flat where none are declared', () => {
    expect(inputShapes(inputs, undefined)).toEqual({ x: [6], w: [2] });
    expect(inputShapes(inputs, { x: [2, 3], y: [1] })).toEqual({ x: [2, 3], w: [2] });
  });

  it('of the output are declared, or that of the first input with as many elements, or flat', () => {
    const shapes = { a: [2], x: [2, 3], w: [3, 2] };
    expect(withOutput(shapes, 6, [6])).toEqual({ ...shapes, y: [6] });
    expect(withOutput(shapes, 6, undefined)).toEqual({ ...shapes, y: [2, 3] });
    expect(withOutput(shapes, 5, undefined)).toEqual({ ...shapes, y: [5] });
    expect(() => withOutput(shapes, 5, [6])).toThrow('"shapes.y" expected 5 elements, got [6], 6 elements');
  });

  it('of the output may be what the function says, of so many elements', () => {
    const by = (outputShape?: () => unknown) => () =>
      outputShapeBy({ ...f, ...(outputShape && { outputShape: outputShape as never }) }, { x: [2, 3] }, 6);
    expect(by()()).toBeUndefined();
    expect(by(() => [3, 2])()).toEqual([3, 2]);
    for (const [answer, came] of [
      ['a', '"a"'],
      [undefined, 'undefined'],
      [[2, -3], '[2, -3]'],
      [['6'], '["6"]'],
      [Promise.resolve([6]), 'a Promise'],
    ] as const) {
      expect(by(() => answer)).toThrow(
        new GradcheckError(`outputShape: expected an array of non-negative integers, got ${came}`),
      );
    }
    expect(by(() => [5])).toThrow(
      new GradcheckError('outputShape: expected 6 elements, as forward answers, got [5], 5 elements'),
    );
    expect(
      by(() => {
        throw new TypeError('no');
      }),
    ).toThrow(new GradcheckError('outputShape threw: no'));
  });

  it('of a batch begin as that of the output does', () => {
    const shapes = { x: [2, 3], w: [3], s: [], y: [2, 5] };
    expect(() => checkBatchNames(shapes, ['x'])).not.toThrow();
    for (const name of ['w', 's']) {
      expect(() => checkBatchNames(shapes, ['x', name])).toThrow(
        `"batch" expected inputs whose first axis is that of y, 2, got ${name} of [${shapes[name as 'w' | 's']}]`,
      );
    }
    expect(() => checkBatchNames({ ...shapes, y: [] }, ['s'])).toThrow(RangeError);
  });

  it('have rows', () => {
    expect([0, 1, 2].map((row) => [...rowOf(inputs.x, 3, row)])).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(rowOf(inputs.x, 3, 0).buffer).not.toBe(inputs.x.buffer);
  });
});

describe('kinks of an input', () => {
  it('are the same for each element, or those that a function gives, or none', () => {
    const kinks = [{ at: 0 }, { at: -1 }];
    expect(kinksOfInput('x', { x: kinks })!(3)).toEqual(kinks);
    const byElement = (j: number) => [{ at: j }];
    expect(kinksOfInput('x', { x: byElement })!(3)).toEqual(byElement(3));
    expect(kinksOfInput('x', { w: kinks })).toBeUndefined();
    expect(kinksOfInput('x', undefined)).toBeUndefined();
    expect(kinksOfInput('constructor', { x: kinks })).toBeUndefined();
  });

  it.each([[[{ at: 0 }, { at: '0' }]], [[{ at: Number.NaN }]], [[0]]])('%j are refused', (kinks) => {
    expect(() => kinksOfInput('x', { x: kinks as never })).toThrow(/^gradcheck: "kinks\.x.*" expected .+, got /);
  });

  it('at one place say one thing', () => {
    const at =
      (...kinks: Omit<DeclaredKink, 'at'>[]) =>
      () =>
        kinksOfInput('x', { x: [{ at: 1 }, ...kinks.map((kink, k) => ({ at: k === 0 ? 0 : -0, ...kink }))] });
    expect(at({ derivative: 'left' }, { derivative: 'left' })).not.toThrow();
    const zero = () => 0;
    expect(at({ value: zero }, { value: zero })).not.toThrow();
    for (const [pair, came] of [
      [[{ derivative: 'left' }, { derivative: 'right' }], 'derivative "left" and "right"'],
      [[{ value: 'any' }, {}], 'value "any" and undefined'],
      [[{ value: zero }, { value: () => 1 }], 'value a function and a function'],
      [[{}, {}, { left: () => ({ value: 0, slope: 0 }) }], 'left undefined and a function'],
    ] as [Omit<DeclaredKink, 'at'>[], string][]) {
      expect(at(...pair)).toThrow(RangeError);
      expect(at(...pair)).toThrow(/^gradcheck: "kinks\.x" expected one kink at -?0, got two, of /);
      expect(at(...pair)).toThrow(came);
    }
  });

  it('that throw are what threw', () => {
    const failing = () => {
      throw new TypeError('no');
    };
    expect(() => kinksOfInput('x', { x: failing })!(3)).toThrow(new GradcheckError('kinks.x threw: no'));
    const [kink] = kinksOfInput('x', {
      x: [{ at: 0, value: failing, derivative: failing, left: failing, right: failing }],
    })!(0) as [Required<DeclaredKink>];
    for (const part of ['value', 'derivative', 'left', 'right'] as const) {
      expect(() => (kink[part] as (output: number) => unknown)(0)).toThrow(
        new GradcheckError(`kinks.x.${part} threw: no`),
      );
    }
  });

  it('answer numbers for an output, or are told so', () => {
    const answers = { value: () => 'a', derivative: () => Number.NaN, left: () => null, right: () => ({ value: 0 }) };
    const [kink] = kinksOfInput('x', { x: [{ at: 0, ...answers } as never] })!(0) as [Required<DeclaredKink>];
    for (const [part, error] of [
      ['value', new TypeError('gradcheck: "kinks.x": "value" expected a number at output 2, got "a"')],
      ['derivative', new RangeError('gradcheck: "kinks.x": "derivative" expected a number at output 2, got NaN')],
      ['left', new TypeError('gradcheck: "kinks.x": "left" expected { value, slope } at output 2, got null')],
      ['right', new TypeError('gradcheck: "kinks.x": "right": "slope" expected a number at output 2, got undefined')],
    ] as const) {
      expect(() => (kink[part] as (output: number) => unknown)(2)).toThrow(error);
    }
  });

  it('are a list', () => {
    expect(() => kinksOfInput('x', { x: { at: 0 } as never })).toThrow(
      new TypeError('gradcheck: "kinks.x" expected an array, or a function that answers one, got an object'),
    );
  });
});
