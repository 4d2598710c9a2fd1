import { describe, expect, it } from 'vitest';
import { describeFinding } from './failure.ts';
import { laws } from './laws.ts';
import { referenceSubject } from './reference-subject.ts';
import { checkLaw } from './verify.ts';

describe('the reference keeps every law', () => {
  it.each(laws.map((law) => [law.id, law] as const))('%s', async (_, law) => {
    const result = await checkLaw(law, referenceSubject, { runs: +(process.env.RUNS ?? 200), seed: 1 });
    console.log(
      law.id,
      result.outcome,
      JSON.stringify(result.cases),
      JSON.stringify(result.counts),
      result.milliseconds.toFixed(0),
    );
    for (const f of result.failures)
      console.log(
        describeFinding(f.finding),
        f.kind,
        f.path,
        JSON.stringify({ ...f.case, x: [...f.case.x], alpha: [...f.case.alpha], dy: [...f.case.dy] }),
      );
    if (result.breakage) console.log(result.breakage);
    expect(result.failures).toEqual([]);
  });
});
