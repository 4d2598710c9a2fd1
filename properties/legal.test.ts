import { describe, expect, it } from 'vitest';
import { describeFinding } from './failure.ts';
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
