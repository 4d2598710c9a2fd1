import { expect, it } from 'vitest';
import { type CaseRequest, repliesOf } from '../fixtures/kills.ts';
import { readSuite } from '../fixtures/load.ts';
import { leaky, wrongBranch } from '../properties/mutants/branch.ts';
import type { Mutant } from '../properties/mutants/mutant.ts';
import { mutants } from '../properties/mutants.ts';
import { referenceSubject } from '../properties/reference-subject.ts';
import type { Answer } from '../reference/case.ts';
import { diagnose, diagnosisSentences, type Replied } from './diagnosis.ts';
import { type Profile, vectorChecks } from './plan.ts';
import { everything } from './wire.ts';

const suite = readSuite();
const visible = mutants.filter(({ id }) => id in suite.matrix.mutants);

const checksOf = (profile: Profile, more: Partial<typeof everything> = {}) =>
  vectorChecks(suite, profile, { ...everything, ...more }).checks;

const replied = (checks: readonly (CaseRequest & { id: string })[], mutant: Mutant): Replied[] =>
  repliesOf(mutant, checks).map((reply, k) => ({ ...checks[k], ...reply }));

const byId = (id: string) => mutants.find((one) => one.id === id)!;

/** A wrong implementation that is none of the project's mutants. */
const outside = (id: string, change: (answer: Answer) => Partial<Answer>): Mutant => ({
  id,
  group: 'formula',
  bug: id,
  make: () => ({
    ...referenceSubject,
    answer(input) {
      const answer = referenceSubject.answer(input) as Answer;
      return { ...answer, ...change(answer) };
    },
  }),
});

it('names the right one of every mutant by the smoke list alone', { timeout: 120_000 }, () => {
  const smoke = checksOf('smoke');
  const named = ({ id }: Mutant) => {
    const diagnosis = diagnose(suite, replied(smoke, byId(id)), []);
    return diagnosis?.kind === 'known' && diagnosis.mutants.includes(id);
  };
  expect(visible.filter((mutant) => !named(mutant)).map(({ id }) => id)).toEqual([]);
});

it.each([
  ['all vectors', checksOf('training')],
  ['float32 alone', checksOf('smoke', { dtypes: ['f32'] })],
  ['relu and step alone', checksOf('smoke', { branches: ['relu', 'step'] })],
])('names a wrong step by %s', (_, checks) => {
  expect(diagnose(suite, replied(checks, byId('step-at-zero-is-one')), [])).toMatchObject({
    kind: 'known',
    mutants: ['step-at-zero-is-one'],
  });
});

it('names all that inference alone can not tell apart', () => {
  const checks = checksOf('forward', { ops: ['forward'] });
  expect(diagnose(suite, replied(checks, byId('step-at-zero-is-one')), [])).toMatchObject({
    kind: 'known',
    mutants: expect.toSatisfy((ids: string[]) => ids.toSorted().join() === 'heaviside-one,step-at-zero-is-one'),
  });
});

it('has no nearest that explains nothing, even if it is wrong in the same places', () => {
  const fifth = wrongBranch('relu', 'leaky', 'leaks a fifth', leaky(0.2));
  expect(diagnose(suite, replied(checksOf('training'), fifth), [])).toEqual({ kind: 'unknown' });
});

it('says of the nearest how much it explains, and what is wrong in the same places only', () => {
  const nearest = { mutants: ['leaky-throughout'], bug: 'relu leaks', explained: 2, places: 9, of: 10 };
  expect(diagnosisSentences({ kind: 'unknown', nearest }).at(-1)).toBe(
    'The nearest, "leaky-throughout": relu leaks, explains 2 of the 10 wrong replies; 7 more have the same elements wrong, by other amounts.',
  );
});

it.each([
  outside('y of 2 is 2.5', ({ y }) => ({ y: y.map((v) => (v === 2 ? 2.5 : v)) })),
  outside('a third of dx', ({ dx }) => ({ dx: dx.map((v) => v / 3) })),
  outside('dalpha squared', ({ dalpha }) => ({ dalpha: dalpha.map((v) => v * v) })),
  outside('all zeros', ({ y, dx, dalpha }) => ({ y: y.fill(0), dx: dx.fill(0), dalpha: dalpha.fill(0) })),
])('says that it does not know $id', (mutant) => {
  for (const profile of ['smoke', 'training'] as const) {
    expect(diagnose(suite, replied(checksOf(profile), mutant), [])).toMatchObject({ kind: 'unknown' });
  }
});

it('names the nearest of a bug that shows in more quantities than a known one', () => {
  const half = byId('step-half-at-zero').make();
  const both = outside('step(0) = 1/2, relu′(0) = 1/2', () => ({}));
  const slope = byId('relu-slope-at-zero-is-half').make();
  const mutant: Mutant = {
    ...both,
    make: () => ({
      ...referenceSubject,
      answer: (input) => ({ ...(slope.answer(input) as Answer), y: (half.answer(input) as Answer).y }),
    }),
  };
  const diagnosis = diagnose(suite, replied(checksOf('training'), mutant), []);
  expect(diagnosis).toMatchObject({ kind: 'unknown', nearest: { mutants: ['step-half-at-zero'] } });
});

it('says nothing of a right one, nor of one that answers nothing wrongly but breaks', () => {
  const smoke = checksOf('smoke');
  const right = replied(
    smoke,
    outside('right', () => ({})),
  );
  expect(diagnose(suite, right, [])).toBeUndefined();
  const broken = right.map(({ tensors: _, ...one }) => ({ ...one, isWrong: true }));
  expect(diagnose(suite, broken, [])).toBeUndefined();
});
