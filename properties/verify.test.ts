import { describe, expect, it } from 'vitest';
import type { Answer, Case } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { cases } from './cases.ts';
import { heldFormat } from './dtypes.ts';
import { describeFinding } from './failure.ts';
import { expectation } from './interval.ts';
import { laws } from './laws.ts';
import { mutants } from './mutants.ts';
import { referenceSubject } from './reference-subject.ts';
import { checkKind, checkLaw } from './verify.ts';

const y = laws.find(({ id }) => id === 'agreement/y')!;
const leak = laws.find(({ id }) => id === 'state/no-leak')!;
/** The reference, with one tensor of its answers changed. */
function answering(name: keyof Answer, change: (tensor: Float64Array) => unknown): Pick<Subject, 'answer'> {
  const answer = (c: Case): Answer => {
    const right = referenceSubject.answer(c) as Answer;
    return { ...right, [name]: change(right[name]) };
  };
  return { answer };
}

const wrong = () => mutants.find(({ id }) => id === 'step-at-zero-is-one')!.make();

describe('checkLaw', () => {
  it('counts the Cases of both kinds, and the elements', async () => {
    const result = await checkLaw(y, referenceSubject, { runs: 101, seed: 1 });
    expect(result).toMatchObject({ outcome: 'held', cases: { dyadic: 51, general: 50 }, failures: [] });
    expect(result.counts.compared).toBeGreaterThan(100);
  });

  it('shrinks to the smallest Case and says where it came from', async () => {
    const { outcome, failures } = await checkLaw(y, wrong(), { runs: 200, seed: 1 });
    expect(outcome).toBe('failed');
    for (const { case: c, finding } of failures) {
      expect(c.shape).toEqual([1]);
      expect(c.pool.branches).toEqual(['step']);
      expect([...c.x]).toEqual([0]);
      expect(finding).toMatchObject({ code: 'outside', quantity: 'y', index: [0], expected: 0 });
    }
  });

  it('replays a counterexample from seed, kind and path alone', async () => {
    const { failures } = await checkLaw(y, wrong(), { runs: 200, seed: 9 });
    for (const failure of failures) {
      const { kind, seed, path } = failure;
      const again = await checkKind(y, wrong(), { kind, seed, path, runs: 1 });
      expect(again).toMatchObject({ case: failure.case, finding: failure.finding });
      expect(await checkKind(y, referenceSubject, { kind, seed, path, runs: 1 })).toBeUndefined();
    }
    expect(failures.length).toBeGreaterThan(0);
  });

  it('tells a Subject that throws from one that is wrong', async () => {
    const throws: Subject = {
      ...referenceSubject,
      answer() {
        throw new Error('out of memory');
      },
    };
    const { outcome, breakage } = await checkLaw(y, throws, { runs: 10, seed: 1 });
    expect(outcome).toBe('broke');
    expect(breakage?.message).toBe('reference threw: out of memory');
  });

  it('says what a Subject lacks for a law', async () => {
    expect(await checkLaw(leak, referenceSubject, { runs: 10, seed: 1 })).toMatchObject({
      outcome: 'inapplicable',
      inapplicable: 'liveTensors',
    });
  });

  it('counts the Cases that were drawn, not those tried while it shrinks', async () => {
    let told = 0;
    const { cases, failures } = await checkLaw(y, wrong(), { runs: 200, seed: 1, onCase: () => told++ });
    expect(failures.map(({ shrinks }) => shrinks).some((n) => n > 0)).toBe(true);
    for (const { kind, path } of failures) expect(cases[kind]).toBeLessThanOrEqual(Number.parseInt(path, 10) + 1);
    expect(cases.dyadic).toBeGreaterThan(0);
    expect(told).toBe(cases.dyadic + cases.general);
  });

  const f64 = (n: number) => new Float64Array(n);
  it.each<[string, string, Partial<Record<keyof Subject, unknown>>, string]>([
    ['y of numbers', 'agreement/y', answering('y', (y) => [...y]), 'y is an array, expected a Float64Array'],
    ['y of BigInt', 'bias/constant', answering('y', (y) => [...y].map(() => 1n)), 'y is an array, expected a Float'],
    ['y with holes', 'bias/constant', answering('y', (y) => Array(y.length)), 'y is an array, expected a Float64Array'],
    ['y of float32', 'agreement/y', answering('y', (y) => new Float32Array(y)), 'y is a Float32Array, expected'],
    ['no dalpha', 'agreement/dalpha', answering('dalpha', () => undefined), 'dalpha is undefined, expected a Float'],
    ['a number', 'special/zero', { answer: () => 1 }, 'answer is 1, expected an object of y, dx, dalpha'],
    [
      'no second order',
      'agreement/second-order',
      { doubleVjp: () => undefined },
      'the answer of doubleVjp is undefined',
    ],
    [
      'half a second order',
      'agreement/second-order',
      { doubleVjp: () => ({ toX: f64(0) }) },
      'toX has 0 elements, exp',
    ],
    [
      'an empty second order',
      'agreement/second-order',
      { doubleVjp: () => ({ toX: f64(0), toDy: f64(0), toAlpha: f64(0) }) },
      'toX has 0 elements, expected',
    ],
    ['no tangent', 'adjoint/identity', { jvp: () => undefined }, 'ty is undefined, expected a Float64Array'],
    ['a short tangent', 'adjoint/identity', { jvp: () => f64(0) }, 'ty has 0 elements, expected'],
    ['no count of tensors', 'state/no-leak', { liveTensors: () => NaN }, 'liveTensors() is NaN, expected an integer'],
  ])('says of %s what is wrong', async (_, id, parts, message) => {
    const law = laws.find((known) => known.id === id)!;
    const subject = { ...referenceSubject, ...parts } as Subject;
    const { outcome, failures } = await checkLaw(law, subject, { runs: 20, seed: 1 });
    expect(outcome).toBe('failed');
    for (const { finding } of failures) expect(describeFinding(finding)).toContain(message);
  });

  it.each<[string, string, Partial<Subject>]>([
    ['jvp', 'adjoint/identity', { jvp: () => Promise.reject(new Error('no memory')) }],
    ['doubleVjp', 'agreement/second-order', { doubleVjp: () => Promise.reject(new Error('no memory')) }],
    [
      'liveTensors',
      'state/no-leak',
      {
        liveTensors() {
          throw new Error('no memory');
        },
      },
    ],
  ])('is broke when %s throws', async (_, id, parts) => {
    const law = laws.find((known) => known.id === id)!;
    const { outcome, breakage } = await checkLaw(law, { ...referenceSubject, ...parts }, { runs: 20, seed: 1 });
    expect([outcome, breakage?.message]).toEqual(['broke', 'reference threw: no memory']);
  });

  it('is broke when an answer throws as it is read', async () => {
    const answer = () => ({
      get y(): never {
        throw new Error('freed');
      },
    });
    const { outcome, breakage } = await checkLaw(y, { ...referenceSubject, answer } as never, { runs: 20, seed: 1 });
    expect([outcome, breakage?.message]).toEqual(['broke', 'reference threw: freed']);
  });

  it('does not wait for ever for an answer', async () => {
    const silent: Subject = { ...referenceSubject, answer: () => new Promise(() => {}) };
    const start = performance.now();
    const { outcome, breakage } = await checkLaw(y, silent, { runs: 20, seed: 1, timeout: 50 });
    expect([outcome, breakage?.message]).toEqual(['broke', 'reference gave no answer within 0.05 s']);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('finds a pool or a shape that is written to', async () => {
    const kept = laws.find(({ id }) => id === 'state/inputs-kept')!;
    const spoil = (change: (c: Case) => void): Subject => ({
      ...referenceSubject,
      answer(c) {
        const answer = referenceSubject.answer(c);
        change(c);
        return answer;
      },
    });
    const sorting = spoil(({ pool }) => (pool.branches as string[]).push('tanh'));
    const padding = spoil(({ shape }) => (shape as number[]).push(1));
    for (const [subject, quantity] of [
      [sorting, 'pool'],
      [padding, 'shape'],
    ] as const) {
      const { failures } = await checkLaw(kept, { ...subject, jvp: undefined, doubleVjp: undefined } as never, {
        runs: 10,
        seed: 1,
      });
      expect(failures[0]?.finding).toEqual({ code: 'mutated', quantity, index: [] });
    }
  });

  it('finds an answer that is too short', async () => {
    const short: Subject = { ...referenceSubject, answer: () => ({ y: new Float64Array(0) }) as never };
    const { failures } = await checkLaw(y, short, { runs: 10, seed: 1 });
    expect(failures[0]?.finding).toMatchObject({ code: 'shape', quantity: 'y', actual: 0 });
    const nothing: Subject = { ...referenceSubject, answer: () => undefined as never };
    for (const law of laws.filter(({ needs }) => needs === undefined)) {
      expect((await checkLaw(law, nothing, { runs: 4, seed: 1 })).outcome).toBe('failed');
    }
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'runs',
      () => checkLaw(y, referenceSubject, { runs: 0, seed: 1 }),
      'checkLaw: "runs" expected an integer from 1, got 0',
    ],
    [
      'seed',
      () => checkLaw(y, referenceSubject, { runs: 1, seed: 0.5 }),
      'checkLaw: "seed" expected an integer from 0 to 4294967295, got 0.5',
    ],
    [
      'large seed',
      () => checkLaw(y, referenceSubject, { runs: 1, seed: 2 ** 32 }),
      'checkLaw: "seed" expected an integer from 0 to 4294967295, got 4294967296',
    ],
    [
      'options',
      () => checkLaw(y, referenceSubject, undefined as never),
      'checkLaw: "options" expected an object, got undefined',
    ],
    [
      'law',
      () => checkLaw('agreement/y' as never, referenceSubject, { runs: 1, seed: 1 }),
      'checkLaw: "law" expected a law, such as an element of laws, got "agreement/y"',
    ],
    [
      'law without check',
      () => checkLaw({ id: 'mine' } as never, referenceSubject, { runs: 1, seed: 1 }),
      'checkLaw: "law" expected an object with id and check',
    ],
    [
      'missing subject',
      () => checkLaw(y, null as never, { runs: 1, seed: 1 }),
      'checkLaw: "subject" expected an object with name, dtype, facets and answer, got null',
    ],
    [
      'jvp',
      () => checkLaw(y, { ...referenceSubject, jvp: 5 as never }, { runs: 1, seed: 1 }),
      'checkLaw: "subject.jvp" expected a function, got number',
    ],
    [
      'path',
      () => checkKind(y, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1, path: 'zzz' }),
      'checkKind: "path" expected integers separated by colons, got "zzz"',
    ],
    [
      'path that leads nowhere',
      () => checkKind(y, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1, path: '0:9999:3' }),
      'checkKind: "path" expected the way to a Case that the law speaks of, got "0:9999:3"',
    ],
    [
      'option',
      () => checkLaw(y, referenceSubject, { runs: 1, seed: 1, timeot: 3 } as never),
      'checkLaw: "options" expected runs, seed, branches, fresh, onCase, timeout, got "timeot"',
    ],
    [
      'option of checkKind',
      () => checkKind(y, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1, paht: '0' } as never),
      'checkKind: "options" expected kind, seed, ',
    ],
    [
      'fresh',
      () => checkLaw(y, referenceSubject, { runs: 1, seed: 1, fresh: 3 as never }),
      'checkLaw: "fresh" expected a function, got number',
    ],
    [
      'onCase',
      () => checkLaw(y, referenceSubject, { runs: 1, seed: 1, onCase: 3 as never }),
      'checkLaw: "onCase" expected a function, got number',
    ],
    [
      'subject for the law',
      () => checkKind(leak, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1 }),
      'checkKind: "subject" expected one with liveTensors, which state/no-leak needs, got reference without it',
    ],
    [
      'shrink',
      () => checkKind(y, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1, shrink: 'no' as never }),
      'checkKind: "shrink" expected true or false, got "no"',
    ],
    [
      'history',
      () => checkKind(y, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1, history: 'x' as never }),
      'checkKind: "history" expected an array, got string',
    ],
    [
      'Case of a history',
      () => checkKind(y, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1, history: [3 as never] }),
      'checkKind: "history": "input" expected an object, got 3',
    ],
    [
      'expect',
      () => checkKind(y, referenceSubject, { kind: 'dyadic', runs: 1, seed: 1, expect: 3 as never }),
      'checkKind: "expect" expected a function, got number',
    ],
    [
      'fresh Subject',
      () => checkLaw(y, wrong(), { runs: 20, seed: 1, fresh: () => 3 as never }),
      'checkKind: "fresh()" expected an object with name, dtype, facets and answer, got 3',
    ],
    [
      'subject',
      () => checkLaw(y, {} as Subject, { runs: 1, seed: 1 }),
      'checkLaw: "subject" expected an object with name',
    ],
    [
      'dtype',
      () => checkLaw(y, { ...referenceSubject, dtype: 'f8' as 'f32' }, { runs: 1, seed: 1 }),
      'checkLaw: "subject": "dtype" expected f64, f32, f16, bf16, got "f8"',
    ],
    [
      'facets',
      () => checkLaw(y, { ...referenceSubject, facets: ['fast' as 'ftz'] }, { runs: 1, seed: 1 }),
      'checkLaw: "subject.facets" expected ftz, faithful',
    ],
    [
      'kind',
      async () => cases({ dtype: 'f64', kind: 'any' as 'general' }),
      'cases: "kind" expected dyadic or general, got "any"',
    ],
  ])('refuses a wrong %s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
  });
});

describe('expectation', () => {
  const pool = { branches: ['relu'], sharing: 'layer', constraint: { kind: 'free' } } as const;
  const good = {
    pool,
    dtype: 'f64',
    shape: [2],
    x: new Float64Array(2),
    alpha: new Float64Array(1),
    dy: new Float64Array(2),
  } as const;

  it('names the tensor that does not fit', () => {
    expect(() => expectation({ ...good, alpha: new Float64Array(2) })).toThrow(
      'expectation: "alpha" expected shape [1], 1 elements, got 2',
    );
  });

  it('gives a float32 dtype and a 16-bit storage wider intervals', () => {
    const c = { ...good, x: Float64Array.of(1 / 3, 0.1), alpha: Float64Array.of(0.7) } as const;
    const width = (dtype: 'f64' | 'f32', ...facets: ('faithful' | 'storage:f16')[]) => {
      const { round } = heldFormat({ dtype, facets });
      const rounded = { ...c, dtype, x: c.x.map(round), alpha: c.alpha.map(round) };
      return expectation(rounded, facets).y[0].bound;
    };
    const widths = [width('f64'), width('f32'), width('f32', 'faithful'), width('f32', 'storage:f16')];
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
    expect(new Set(widths).size).toBe(4);
  });

  it('does not invent bounds for softmax', () => {
    const softmax = { ...good, pool: { ...pool, constraint: { kind: 'softmax' } } } as const;
    expect(() => expectation(softmax)).toThrow(RangeError);
  });
});
