import { describe, expect, it } from 'vitest';
import { legalSubject } from './legal.ts';
import { mutants } from './mutants.ts';
import { referenceSubject } from './reference-subject.ts';
import './vitest.ts';

describe('expect(subject).toConform()', () => {
  it('passes for right Subjects, the reference and a legal evaluation', async () => {
    await expect(referenceSubject).toConform({ runs: 20 });
    const other = legalSubject({ dtype: 'f32', sum: 'pairwise', fused: true, form: 'lerp', flush: false });
    await expect(other).toConform({ runs: 20 });
  });

  it('names law, Case and worst element of a wrong one', async () => {
    const wrong = mutants.find(({ id }) => id === 'step-at-zero-is-one')!.make();
    const conforms = expect(wrong).toConform({ runs: 50, laws: ['agreement/y'] });
    await expect(conforms).rejects.toThrow(/agreement\/y[\s\S]*y\[0\] is 1, expected 0/);
    await expect(wrong).not.toConform({ runs: 50, laws: ['kinks'] });
  });

  it('refuses laws that there are not', async () => {
    await expect(expect(referenceSubject).toConform({ laws: ['kink'] })).rejects.toThrow(
      'toConform: "laws" expected ids or families of laws, got kink',
    );
  });
});
