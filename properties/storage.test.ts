import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer, Case } from '../reference/case.ts';
import type { Subject } from '../reference/subject.ts';
import { cases } from './cases.ts';
import { storageFormats } from './dtypes.ts';
import { laws } from './laws.ts';
import { legalSubject } from './legal.ts';
import { checkLaw } from './verify.ts';

const right = legalSubject({
  dtype: 'f32',
  sum: 'forward',
  fused: false,
  form: 'plain',
  flush: false,
  storage: 'storage:f16',
});
const { round } = storageFormats['storage:f16'];

/** The right Subject with its answers changed. */
function changed(change: (answer: Answer, c: Case) => Partial<Answer>): Subject {
  const answer = async (c: Case) => {
    const given = await right.answer(c);
    return { ...given, ...change(given, c) };
  };
  return { ...right, name: 'changed', answer };
}

const outcomes = async (subject: Subject, ...ids: string[]) => {
  const chosen = laws.filter(({ id }) => ids.includes(id));
  return Promise.all(chosen.map(async (law) => (await checkLaw(law, subject, { runs: 60, seed: 1 })).outcome));
};

describe('storage:f16', () => {
  it.each(['dyadic', 'general'] as const)('draws %s Cases of what can be stored', (kind) => {
    const drawn = cases({ dtype: 'f32', kind, facets: ['storage:f16'] });
    for (const { x, alpha, dy } of fc.sample(drawn, { numRuns: 500, seed: 1 })) {
      for (const v of [...x, ...alpha, ...dy]) expect(Number.isFinite(v) ? round(v) : NaN).toBe(v);
    }
  });

  it('finds one unit of f16 too much, and a quarter too few in a sum', async () => {
    const more = changed(({ y }) => ({ y: y.map((v) => round(v * (1 + 2 ** -10))) }));
    const fewer = changed(({ dalpha }, c) => ({ dalpha: c.x.length > 1 ? dalpha.map((d) => d - 0.25) : dalpha }));
    expect(await outcomes(more, 'agreement/y')).toEqual(['failed']);
    expect(await outcomes(fewer, 'agreement/dalpha')).toEqual(['failed']);
  });

  it('leaves out what asks about infinities', async () => {
    expect(await outcomes(right, 'agreement/y', 'special/infinity')).toEqual(['held', 'inapplicable']);
  });
});
