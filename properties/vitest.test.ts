import { describe, expect, it } from 'vitest';
import { laws } from './laws.ts';
import { legalSubject } from './legal.ts';
import { mutants } from './mutants.ts';
import { referenceSubject } from './reference-subject.ts';
import { checkKind } from './verify.ts';
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

  it('says what runs the counterexample again', async () => {
    const wrong = mutants.find(({ id }) => id === 'step-at-zero-is-one')!.make();
    const error: Error = await expect(wrong)
      .toConform({ runs: 50, laws: ['agreement/y'] })
      .then(undefined, (thrown) => thrown);
    expect(error.message).toMatch(/^FAIL on step-at-zero-is-one\nagreement\/y: /);
    const [, call] = /again: await (checkKind\(.*\))/.exec(error.message)!;
    const again = new Function('checkKind', 'laws', 'subject', `return ${call}`);
    expect(await again(checkKind, laws, wrong)).toMatchObject({ finding: { quantity: 'y', index: [0], actual: 1 } });
    expect(await again(checkKind, laws, referenceSubject)).toBeUndefined();
    const broken = { ...referenceSubject, answer: () => Promise.reject(new Error('no memory')) };
    await expect(expect(broken).toConform()).rejects.toThrow(
      /^agreement\/y: reference threw: no memory\nagain: await checkKind\(/,
    );
  });

  it.each([
    [{ laws: ['kink'] }, RangeError, 'toConform: "laws" expected ids or families of laws, got kink'],
    [{ laws: ['kinks', 'agreemnt'] }, RangeError, 'toConform: "laws" expected ids or families of laws, got agreemnt'],
    [{ laws: [] }, RangeError, 'toConform: "laws" expected ids or families of laws, got []'],
    [{ laws: 'kinks' as never }, TypeError, 'toConform: "laws" expected an array of ids or families, got string'],
    [{ law: ['kinks'] } as never, TypeError, 'toConform: "options" expected runs, seed, laws, branches, got "law"'],
    [{ runs: 0 }, RangeError, '"runs" expected an integer from 1, got 0'],
  ])('refuses %j', async (options, kind, message) => {
    const outcome = expect(referenceSubject).toConform(options);
    await expect(outcome).rejects.toThrow(kind);
    await expect(expect(referenceSubject).toConform(options)).rejects.toThrow(message);
  });
});
