import { describe, expect, it } from 'vitest';
import type { Case } from '../../reference/case.ts';
import type { Subject } from '../../reference/subject.ts';
import { referenceSubject } from '../reference-subject.ts';
import { LawBroken, SubjectError, Trial } from '../trial.ts';
import { gradcheckLaw } from './law.ts';

/** `D·step(x) + P·relu(x)` over [2, 2]. */
const c: Case = {
  pool: { branches: ['step', 'relu'], sharing: 'unit', constraint: { kind: 'free' } },
  dtype: 'f64',
  shape: [2, 2],
  x: Float64Array.of(1, -2, 3, 0.5),
  alpha: Float64Array.of(0.25, 0.5, 3, -4),
  dy: Float64Array.of(1, 2, -1, 4),
};

async function checked(more: Partial<Subject>): Promise<Trial> {
  const trial = new Trial({ ...referenceSubject, ...more });
  await gradcheckLaw.check(c, trial);
  return trial;
}

describe('the gradient check as a law', () => {
  it('is known by its id, which is permanent, and says what holds by which text', () => {
    expect(gradcheckLaw.id).toBe('gradcheck/measured');
    expect(gradcheckLaw.statement).toContain('gradient');
    expect(gradcheckLaw.source).toContain('docs/gradcheck.md');
  });

  it('counts what was compared, left open and vacuous, and asks nothing of double backward', async () => {
    const doubleVjp = () => {
      throw new Error('is not asked');
    };
    const { counts } = await checked({ doubleVjp });
    expect(counts).toEqual({ compared: 8, open: 0, vacuous: 0 });
    // Two sums over x that cancel up to rounding, of D and of P.
    const vacuous = new Trial(referenceSubject);
    const pool = { ...c.pool, sharing: 'layer' } as const;
    const cancelling = { x: Float64Array.of(1, -2, 1, 0.5), dy: Float64Array.of(1, 2, -1 + 2 ** -52, 0) };
    await gradcheckLaw.check({ ...c, pool, alpha: Float64Array.of(0.25, 3), ...cancelling }, vacuous);
    expect(vacuous.counts).toEqual({ compared: 6, open: 0, vacuous: 2 });
    const at = new Trial(referenceSubject);
    await gradcheckLaw.check({ ...c, x: Float64Array.of(Number.NaN, -2, 3, 0.5) }, at);
    expect(at.counts.open).toBeGreaterThan(0);
    expect(at.counts.compared + at.counts.open).toBe(8);
  });

  it('is broken by a gradient that is wrong for the dy of the Case alone, with what was wrong', async () => {
    const answer = async (of: Case) => {
      const right = await referenceSubject.answer(of);
      return of.dy.every((d, i) => d === c.dy[i]) ? { ...right, dx: right.dx.map((v) => 2 * v) } : right;
    };
    const broken = await checked({ answer }).catch((error: unknown) => error);
    expect(broken).toBeInstanceOf(LawBroken);
    expect(broken).toMatchObject({
      finding: { code: 'gradcheck', failure: { code: 'gradient', what: 'vjp', input: 'x' } },
      input: c,
    });
  });

  it('is broken by an answer of the wrong length, which is no breakage of the Subject', async () => {
    const answer = async (of: Case) => ({ ...(await referenceSubject.answer(of)), y: new Float64Array(3) });
    await expect(checked({ answer })).rejects.toBeInstanceOf(LawBroken);
  });

  it('says that a Subject broke which throws on what is asked besides the Case', async () => {
    const answer = (of: Case) => {
      if (of.x[0] !== 1) throw new Error('not 1');
      return referenceSubject.answer(of);
    };
    await expect(checked({ answer })).rejects.toBeInstanceOf(SubjectError);
  });
});
