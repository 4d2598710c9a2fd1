import { describe, expect, it } from 'vitest';
import type { BranchRef, Case, Constraint, Pool } from '../../reference/case.ts';
import { forward } from '../../reference/pool.ts';
import type { Subject } from '../../reference/subject.ts';
import { expressionBranch } from '../expression-branch.ts';
import { referenceSubject } from '../reference-subject.ts';
import type { DeclaredKink, Differentiable, Tensors } from './differentiable.ts';
import { subjectFunction } from './subject.ts';

const floats = (...values: number[]) => Float64Array.from(values);
const u = 2 ** -53;

/** `D·step(x) + P·relu(x)` over [2, 2], unless told otherwise. */
function caseOf(pool: Partial<Pool> = {}, more: Partial<Case> = {}): Case {
  return {
    pool: { branches: ['step', 'relu'], sharing: 'unit', constraint: { kind: 'free' }, ...pool },
    dtype: 'f64',
    shape: [2, 2],
    x: floats(1, -2, 0, 0.5),
    alpha: floats(0.25, 0.5, 3, -4),
    dy: floats(1, 2, -1, 4),
    ...more,
  };
}
const declared = (c: Case, subject: Subject = referenceSubject) => subjectFunction(subject, c);
const inputsOf = ({ x, alpha }: Case): Tensors => ({ x, alpha });
const kinksOfX = (c: Case) => declared(c).kinks!.x as readonly DeclaredKink[];
const kinksOfAlpha = (c: Case, element: number) =>
  (declared(c).kinks!.alpha as (j: number) => readonly DeclaredKink[])(element);
const numberOf = (value: DeclaredKink['value'] | DeclaredKink['derivative'], output: number) =>
  (value as (output: number) => number)(output);

describe('parts', () => {
  it('are those of the Subject, at the inputs that are asked for', async () => {
    const c = caseOf();
    const f = declared(c);
    const right = await referenceSubject.answer(c);
    expect(await f.forward(inputsOf(c), {})).toEqual(right.y);
    const other = { ...c, x: floats(3, 3, -1, 1), alpha: floats(1, 2, 3, 4), dy: floats(0, 1, 0, -1) };
    const { dx, dalpha } = await referenceSubject.answer(other);
    expect(await f.vjp(inputsOf(other), other.dy, {})).toEqual({ x: dx, alpha: dalpha });
    const tangents = { x: floats(1, 0, 2, -1), alpha: floats(1, 1, 0, 2) };
    const ty = await referenceSubject.jvp!(other, { tx: tangents.x, talpha: tangents.alpha });
    expect(await f.jvp!(inputsOf(other), tangents, {})).toEqual(ty);
    const twice = await referenceSubject.doubleVjp!(other, { ddx: tangents.x, ddalpha: tangents.alpha });
    expect(await f.doubleVjp!(inputsOf(other), other.dy, tangents, {})).toEqual({
      inputs: { x: twice.toX, alpha: twice.toAlpha },
      dy: twice.toDy,
    });
  });

  it('answer for a batch of fewer rows', async () => {
    const c = caseOf();
    const y = await declared(c).forward({ x: c.x.slice(2), alpha: c.alpha }, {});
    expect(y).toEqual(forward(c).slice(2));
  });

  it('are there where the Subject has them; a twin where it computes in float32', () => {
    const { jvp: _jvp, doubleVjp: _doubleVjp, ...least } = referenceSubject;
    const parts = (subject: Subject) => {
      const f: Differentiable = declared(caseOf(), subject);
      return [f.jvp, f.doubleVjp, f.twin].map((part) => part !== undefined);
    };
    expect(parts(referenceSubject)).toEqual([true, true, false]);
    expect(parts(least)).toEqual([false, false, false]);
    expect(parts({ ...least, dtype: 'f32' })).toEqual([false, false, true]);
    const c = caseOf();
    expect(declared(c, { ...least, name: 'mine', dtype: 'f32' })).toMatchObject({ name: 'mine', dtype: 'f32' });
    expect(declared(c, { ...least, dtype: 'f32' }).twin!(inputsOf(c), {})).toEqual(forward(c));
  });

  it('of fixed coefficients have no gradient of alpha', async () => {
    const c = caseOf({ constraint: { kind: 'fixed' } });
    const f = declared(c);
    expect(f.constants).toEqual(['alpha']);
    expect(Object.keys(await f.vjp(inputsOf(c), c.dy, {}))).toEqual(['x']);
    const { inputs } = await f.doubleVjp!(inputsOf(c), c.dy, { x: floats(1, 1, 1, 1) }, {});
    expect(Object.keys(inputs)).toEqual(['x']);
    expect(declared(caseOf()).constants).toEqual([]);
  });
});

describe('structure', () => {
  it('is that of the pool', () => {
    expect(declared(caseOf())).toMatchObject({
      shapes: { x: [2, 2], alpha: [2, 2], y: [2, 2] },
      structure: { x: 'elementwise', alpha: { trailing: 1 } },
      batch: ['x'],
    });
    const layer = declared(caseOf({ sharing: 'layer' }, { alpha: floats(1, 2) }));
    expect(layer.shapes!.alpha).toEqual([2]);
    expect(layer.structure!.alpha).toEqual({ trailing: 0 });
    const image = { shape: [1, 2, 2], alpha: floats(1, 2, 3, 4) };
    expect(declared(caseOf({ sharing: { sharedAxes: [1] } }, image))).toMatchObject({
      shapes: { alpha: [2, 1, 2] },
      structure: { alpha: { trailing: 2 } },
    });
    const sum = caseOf({ constraint: { kind: 'sumToOne' } }, { alpha: floats(1, 2) });
    expect(declared(sum).shapes!.alpha).toEqual([1, 2]);
  });

  it('has no batch without units', async () => {
    const empty = { shape: [3, 0], x: floats(), alpha: floats(), dy: floats() };
    const f = declared(caseOf({}, empty));
    expect(f.batch).toEqual([]);
    expect(await f.forward({ x: floats(), alpha: floats() }, {})).toEqual(floats());
  });
});

describe('kinks of x', () => {
  it('are each place once, with the limits of the sum at each output', () => {
    const [kink, ...others] = kinksOfX(caseOf());
    expect(others).toEqual([]);
    expect(kink.at).toBe(0);
    for (const output of [0, 1, 2, 3]) {
      const [D, P] = [[0.25, 0.5][output % 2], [3, -4][output % 2]];
      expect(numberOf(kink.value, output)).toBe(0);
      expect(numberOf(kink.derivative, output)).toBe(0);
      expect(kink.left!(output)).toEqual({ value: 0, slope: 0 });
      expect(kink.right!(output)).toEqual({ value: D, slope: P });
    }
  });

  it('count the smooth branches with their value and slope there', () => {
    const clipped = expressionBranch('x > 1 ? 2*x : x + 5', { kinks: [1] });
    const c = caseOf({ branches: ['relu', 'identity', clipped], sharing: 'layer' }, { alpha: floats(1, 10, 100) });
    const [zero, one] = kinksOfX(c);
    expect([zero.at, one.at]).toEqual([0, 1]);
    // relu, identity and x + 5 at 0; relu and identity are smooth at 1.
    expect(zero.left!(0)).toEqual({ value: 500, slope: 0 + 10 + 100 });
    expect(zero.right!(0)).toEqual({ value: 500, slope: 1 + 10 + 100 });
    expect(numberOf(zero.value, 3)).toBe(500);
    expect(one.left!(0)).toEqual({ value: 1 + 10 + 600, slope: 1 + 10 + 100 });
    expect(one.right!(0)).toEqual({ value: 1 + 10 + 200, slope: 1 + 10 + 200 });
    expect(numberOf(one.value, 0)).toBe(1 + 10 + 600);
    expect(numberOf(one.derivative, 0)).toBe(1 + 10 + 100);
  });

  it('have limits on both sides, whichever of them the value is', () => {
    const step = (text: string) =>
      caseOf({ branches: [expressionBranch(text, { kinks: [0] })], sharing: 'layer' }, { alpha: floats(2) });
    for (const [text, value] of [
      ['x >= 0 ? x + 1 : 3*x', 2],
      ['x > 0 ? x + 1 : 3*x', 0],
    ] as const) {
      const [kink] = kinksOfX(step(text));
      expect([kink.left!(0), numberOf(kink.value, 0), kink.right!(0)]).toEqual([
        { value: 0, slope: 6 },
        value,
        { value: 2, slope: 2 },
      ]);
    }
  });

  it('are none of smooth pools', () => {
    expect(kinksOfX(caseOf({ branches: ['tanh', 'sigmoid'] }))).toEqual([]);
  });
});

it('what is no Subject or no Case is named', () => {
  const of =
    (...given: unknown[]) =>
    () =>
      subjectFunction(...(given as Parameters<typeof subjectFunction>));
  expect(of()).toThrow(/^subjectFunction: "subject" expected an object .*, got undefined$/);
  expect(of({})).toThrow(/^subjectFunction: "subject" expected an object .*, got an object without answer$/);
  expect(of(referenceSubject)).toThrow('subjectFunction: "input" expected an object, got undefined');
  for (const given of [[], [{}], [referenceSubject], [referenceSubject, {}]]) expect(of(...given)).toThrow(TypeError);
  expect(of({ ...referenceSubject, dtype: 'f16' }, caseOf())).toThrow(
    new RangeError('subjectFunction: "subject.dtype" expected f64 or f32, got "f16"'),
  );
});

describe('kinks of alpha', () => {
  it('are none but the bounds of clip, where the derivative is that inside', () => {
    for (const kind of ['free', 'sumToOne', 'softmax'] as const) {
      // One row less, since the last follows from the others.
      const alpha = floats(0.25, 0.5, ...(kind === 'sumToOne' ? [] : [3, -4]));
      expect(kinksOfAlpha(caseOf({ constraint: { kind } as Constraint }, { alpha }), 0)).toEqual([]);
    }
    const branches: readonly BranchRef[] = ['identity', 'relu', 'step'];
    const c = caseOf(
      { branches, constraint: { kind: 'clip', bounds: [2, Infinity, 0] } },
      { alpha: floats(1, 1, 1, 1, 1, 1) },
    );
    // alpha is [3, 2]: two elements for each branch.
    const places = [0, 1, 2, 3, 4, 5].map((element) => kinksOfAlpha(c, element).map(({ at }) => at));
    expect(places).toEqual([[-2, 2], [-2, 2], [], [], [0], [0]]);
    for (const kink of kinksOfAlpha(c, 1)) expect(c.x.map((_x, i) => numberOf(kink.derivative, i))).toEqual(c.x);
    const [zero] = kinksOfAlpha(c, 4);
    expect(c.x.map((_x, i) => numberOf(zero.derivative, i))).toEqual(floats(1, 0, 0, 1));
  });
});

describe('rounding', () => {
  it('is bounded but for softmax', () => {
    expect(declared(caseOf({ constraint: { kind: 'softmax' } })).rounding).toBeUndefined();
    const c = caseOf({ branches: ['tanh', 'relu'] });
    const rounding = declared(c).rounding!;
    for (const bounds of [rounding.forward(inputsOf(c)), rounding.output!(inputsOf(c))]) {
      expect(bounds).toHaveLength(4);
      for (const bound of bounds) expect(bound).toBeLessThan(100 * u);
      expect(Math.max(...bounds)).toBeGreaterThan(0);
    }
    // The value that is declared of a kink is rounded once more.
    const y = forward(c);
    const [forwards, outputs] = [rounding.forward(inputsOf(c)), rounding.output!(inputsOf(c))];
    for (const i of [0, 1, 3]) expect(forwards[i] - outputs[i]).toBeCloseTo(u * Math.abs(y[i]), 30);
    const { x, alpha } = rounding.vjp(inputsOf(c), c.dy);
    expect([x.length, alpha.length]).toEqual([4, 4]);
    for (const bound of [...x, ...alpha]) expect(bound).toBeLessThan(100 * u);
  });

  it('is not known of what is not finite', () => {
    const c = caseOf({}, { x: floats(Number.NaN, Infinity, 1, 1) });
    const bounds = declared(c).rounding!.forward(inputsOf(c));
    expect([...bounds].map(Number.isNaN)).toEqual([true, true, false, false]);
  });

  it('is left open of a branch of one’s own where a step is too wide for it: at a pole, not beside a kink that is listed', () => {
    const pole = expressionBranch('1/x');
    const at = (branch: BranchRef, ...x: number[]) => {
      const c = caseOf({ branches: [branch], sharing: 'layer' }, { x: floats(...x), alpha: floats(1) });
      return [...declared(c).rounding!.forward(inputsOf(c))].map((bound) => !Number.isNaN(bound));
    };
    expect(at(pole, 1, -2, 1e-5, -1e-5)).toEqual([true, true, false, false]);
    expect(at(expressionBranch('abs(x)', { kinks: [0] }), 1, 0, 1e-5, -1e-5)).toEqual([true, true, true, true]);
    expect(at('relu', 1, 0, 1e-5, -1e-5)).toEqual([true, true, true, true]);
    // A kink elsewhere says nothing, nor does one of which a slope is infinite.
    expect(at(expressionBranch('1/x', { kinks: [-3] }), 3, -3, 1e-5, -1e-5)).toEqual([true, true, false, false]);
    for (const text of ['sqrt(abs(x))', 'x > 0 ? sqrt(x) : 0', 'x < 0 ? sqrt(-x) : 0']) {
      expect(at(expressionBranch(text, { kinks: [0] }), 1, 0, 2, 0)).toEqual([true, false, true, false]);
    }
    expect(at(expressionBranch('sin(1000000*x)'), 1, 2, 3, 4)).toEqual([false, false, false, false]);
  });
});
