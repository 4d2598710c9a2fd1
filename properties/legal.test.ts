import { describe, expect, it } from 'vitest';
import type { Answer, Case } from '../reference/case.ts';
import { permits } from './allowed.ts';
import { formats } from './dtypes.ts';
import { describeFinding } from './failure.ts';
import { expectation } from './interval.ts';
import { laws } from './laws.ts';
import { gpuStyles, legalStyles, legalSubject, narrowStyles } from './legal.ts';
import { checkKind } from './verify.ts';

/** Cases of each kind for each style; more by the environment, for a longer attack. */
const runs = Number(process.env.POOLPROOF_ATTACK ?? 2);

describe('no law calls a legal evaluation wrong', () => {
  it.each(laws.filter((law) => law.needs === undefined).map((law) => [law.id, law] as const))(
    '%s',
    async (_, law) => {
      for (const [s, style] of [...legalStyles, ...gpuStyles, ...narrowStyles].entries()) {
        const subject = legalSubject(style);
        for (const kind of law.kinds ?? (['dyadic', 'general'] as const)) {
          const outcome = await checkKind(law, subject, { kind, seed: s, runs });
          const found = outcome && ('finding' in outcome ? describeFinding(outcome.finding) : outcome.message);
          expect(found, `${subject.name}, ${JSON.stringify(outcome)}`).toBeUndefined();
        }
      }
    },
    3_600_000,
  );
});

// Found by 10,000 fresh cases of each: what underflows was skipped as if it were masked out.
it('a coefficient that is NaN is seen where the term underflows', () => {
  for (const style of [...legalStyles, ...narrowStyles]) {
    const { name, dtype, facets, answer } = legalSubject(style);
    const { p, normalExponent } = formats[dtype];
    const c: Case = {
      dtype,
      pool: { branches: ['halfSquare'], sharing: 'layer', constraint: { kind: 'free' } },
      shape: [1],
      x: Float64Array.of(2 ** (normalExponent - p + 1)),
      alpha: Float64Array.of(Number.NaN),
      dy: Float64Array.of(1),
    };
    const { y } = answer(c) as Answer;
    expect(permits(expectation(c, facets).y[0]!, y[0]!), `${name}: ${y[0]}`).toBe(true);
  }
});
