import { describe, expect, it } from 'vitest';
import { GradcheckError } from './calls.ts';
import type { Differentiable, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { tensor } from './gradcheck-for-tests.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';
import { gradcheckText } from './report-text.ts';

describe('what was not compared is not passed', () => {
  it.each<[string, Differentiable, Tensors]>([
    ['y is NaN', elementwiseLayer('nan', { f: () => Number.NaN, df: () => 3 }), { x: tensor(3) }],
    ['all inputs are NaN', elementwiseLayer('relu', elementwise.relu), { x: tensor(3).fill(Number.NaN) }],
    ['all inputs are constants', { ...elementwiseLayer('relu', elementwise.relu), constants: ['x'] }, { x: tensor(3) }],
    ['there is no element', elementwiseLayer('relu', elementwise.relu), { x: tensor(0) }],
    [
      'the twin is NaN',
      { ...elementwiseLayer('relu', elementwise.relu), twin: ({ x }) => x.map(() => Number.NaN) },
      { x: tensor(3) },
    ],
  ])('where %s', async (_name, f, given) => {
    const report = await gradcheck(f, given);
    expect(report).toMatchObject({ outcome: 'nothing-compared', passed: false, failures: [] });
    expect(gradcheckText(report)).toContain('NOTHING COMPARED');
  });

  it('and the report does not claim a gradient', async () => {
    const f = { ...elementwiseLayer('relu', elementwise.relu), constants: ['x'] };
    expect((await gradcheck(f, { x: tensor(3) })).checks[0]).toBe('no gradient');
  });

  it('but a wrong answer is a failure all the same', async () => {
    const f: Differentiable = {
      forward: ({ x }) => x.map(() => Number.NaN),
      vjp: ({ x }) => ({ x: x }),
    };
    expect((await gradcheck(f, { x: tensor(3) })).outcome).toBe('failed');
  });
});

describe('bad arguments', () => {
  const relu = elementwiseLayer('relu', elementwise.relu);
  const x = tensor(6);
  it.each<[string, () => Promise<unknown>]>([
    ['"f" expected an object with forward and vjp, got null', () => gradcheck(null as never, { x })],
    ['"f.jvp" expected a function, got number', () => gradcheck({ ...relu, jvp: 3 as never }, { x })],
    ['"inputs" expected an object of Float64Arrays by name, got a Float64Array', () => gradcheck(relu, x as never)],
    ['"inputs" expected at least one tensor', () => gradcheck(relu, {})],
    [
      '"inputs.x" expected a Float64Array, got a Float32Array',
      () => gradcheck(relu, { x: new Float32Array(3) as never }),
    ],
    ['"inputs" expected another name than y', () => gradcheck(relu, { y: x })],
    [
      '"inputs.x" expected values of f32, got 0.1',
      () => gradcheck({ ...relu, dtype: 'f32' }, { x: Float64Array.of(0.1) }),
    ],
    ['"f.dtype" expected f64 or f32, got "f16"', () => gradcheck({ ...relu, dtype: 'f16' as never }, { x })],
    ['"shapes.x" expected 6 elements, got [4], 4 elements', () => gradcheck(relu, { x }, { shapes: { x: [4] } })],
    ['"shapes.x" expected non-negative integers, got [-6]', () => gradcheck(relu, { x }, { shapes: { x: [-6] } })],
    ['"shapes" expected names among x, got z', () => gradcheck(relu, { x }, { shapes: { z: [6] } })],
    ['"shapes.y" expected 6 elements, got [5], 5 elements', () => gradcheck(relu, { x }, { shapes: { y: [5] } })],
    [
      '"structure.x" "rows" expected the first axis of y',
      () => gradcheck(relu, { x }, { shapes: { x: [2, 3], y: [3, 2] }, structure: { x: 'rows' } }),
    ],
    [
      '"structure.x" expected elementwise, rows, dense or { trailing }',
      () => gradcheck(relu, { x }, { structure: { x: 'diagonal' as never } }),
    ],
    [
      '"kinks.x" expected objects with at: a finite number',
      () => gradcheck(relu, { x }, { kinks: { x: [0] as never } }),
    ],
    ['"constants" expected names among x, got z', () => gradcheck(relu, { x }, { constants: ['z'] })],
    [
      '"batch" expected inputs whose first axis is that of y, 6, got z of [4]',
      () =>
        gradcheck(
          { ...relu, vjp: (_g, dy) => ({ x: dy, z: new Float64Array(4) }) },
          { x, z: tensor(4) },
          { batch: ['z'] },
        ),
    ],
    ['"seed" expected an integer from 0, got -1', () => gradcheck(relu, { x }, { seed: -1 })],
    ['"tolerance" expected a finite number from 0, got NaN', () => gradcheck(relu, { x }, { tolerance: NaN })],
    ['"jacobian" expected full or projected, got "half"', () => gradcheck(relu, { x }, { jacobian: 'half' as never })],
    ['"dy" expected a Float64Array of 6 elements, got 2', () => gradcheck(relu, { x }, { dy: tensor(2) })],
  ])('%s', async (message, call) => {
    const error = await call().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toContain(message);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
  });

  it.each<[string, Differentiable]>([
    [
      'forward threw: no',
      {
        ...relu,
        forward: () => {
          throw new Error('no');
        },
      },
    ],
    ['forward: "y" expected a Float64Array, got undefined', { ...relu, forward: () => undefined as never }],
    ['vjp: expected an object with a Float64Array for each input, got null', { ...relu, vjp: () => null as never }],
    ['vjp: "x" expected a Float64Array, got undefined', { ...relu, vjp: () => ({}) }],
    ['vjp: "x" expected 6 elements, got 2', { ...relu, vjp: () => ({ x: new Float64Array(2) }) }],
    ['jvp: "y" expected 6 elements, got 0', { ...relu, jvp: () => new Float64Array(0) }],
  ])('a function that does not do its part: %s', async (message, f) => {
    await expect(gradcheck(f, { x })).rejects.toThrow(GradcheckError);
    await expect(gradcheck(f, { x })).rejects.toThrow(message);
  });
});
