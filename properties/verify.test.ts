import { describe, expect, it } from 'vitest';
import type { Subject } from '../reference/subject.ts';
import { cases } from './cases.ts';
import { expectation } from './interval.ts';
import { laws } from './laws.ts';
import { mutants } from './mutants.ts';
import { referenceSubject } from './reference-subject.ts';
import { checkKind, checkLaw } from './verify.ts';

const y = laws.find(({ id }) => id === 'agreement/y')!;
const wrong = () => mutants.find(({ id }) => id === 'step-at-zero-is-one')!.make();

describe('checkLaw', () => {
  it('counts the Cases of both kinds, and the elements', async () => {
    const result = await checkLaw(y, referenceSubject, { runs: 101, seed: 1 });
    expect(result).toMatchObject({ outcome: 'held', cases: { dyadic: 51, general: 50 }, failures: [] });
    expect(result.counts.checked).toBeGreaterThan(100);
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
    const leak = laws.find(({ needs }) => needs === 'liveTensors')!;
    expect(await checkLaw(leak, referenceSubject, { runs: 10, seed: 1 })).toMatchObject({
      outcome: 'inapplicable',
      inapplicable: 'liveTensors',
    });
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
      'checkKind: "seed" expected an integer from 0, got 0.5',
    ],
    [
      'subject',
      () => checkLaw(y, {} as Subject, { runs: 1, seed: 1 }),
      'checkLaw: "subject" expected an object with name',
    ],
    [
      'dtype',
      () => checkLaw(y, { ...referenceSubject, dtype: 'f8' as 'f32' }, { runs: 1, seed: 1 }),
      'checkLaw: "subject": "dtype" expected f64 or f32, got f8',
    ],
    [
      'facets',
      () => checkLaw(y, { ...referenceSubject, facets: ['fast' as 'ftz'] }, { runs: 1, seed: 1 }),
      'expectation: "facets" expected ftz, faithful',
    ],
    [
      'kind',
      async () => cases({ dtype: 'f64', kind: 'any' as 'general' }),
      'cases: "kind" expected dyadic or general, got any',
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
    const c = { ...good, x: Float64Array.of(1 / 3, 0.1), alpha: Float64Array.of(0.7) };
    const width = (dtype: 'f64' | 'f32', ...facets: ('faithful' | 'storage:f16')[]) => {
      const rounded = { ...c, dtype, x: c.x.map(Math.fround), alpha: c.alpha.map(Math.fround) };
      return expectation(rounded, facets).y[0]!.bound;
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
