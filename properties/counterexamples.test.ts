import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../reference/shape.ts';
import type { Subject } from '../reference/subject.ts';
import { type CaseKind, type CaseOptions, cases } from './cases.ts';
import type { Failure } from './failure.ts';
import { failureText } from './failure-text.ts';
import type { Law } from './law.ts';
import { laws } from './laws.ts';
import type { Mutant } from './mutants/mutant.ts';
import { mutants } from './mutants.ts';
import { LawBroken, Trial } from './trial.ts';
import { checkKind } from './verify.ts';

const lawOf = (id: string) => laws.find((law) => law.id === id)!;
const mutantOf = (id: string) => mutants.find((mutant) => mutant.id === id)!;

/** A quarter of the mutants and a tenth of the replays are enough for every day; the rest with POOLPROOF_ATTACK set. */
const isAttack = process.env.POOLPROOF_ATTACK !== undefined;
const some = isAttack ? mutants : mutants.filter((_, m) => m % 4 === 0);
const replaysWanted = isAttack ? 1000 : 100;

/** The first counterexample of a mutant, with what shrinking it took. */
async function found(mutant: Mutant, chosen: readonly Law[], runs: number, seed: number) {
  for (const law of chosen) {
    if (law.needs !== undefined && mutant.make()[law.needs] === undefined) continue;
    for (const kind of law.kinds ?? (['dyadic', 'general'] as const)) {
      let calls = 0;
      let start = 0;
      const fresh = () => {
        start ||= performance.now();
        return counting(mutant.make(), () => calls++);
      };
      const failure = await checkKind(law, mutant.make(), { kind, seed, runs, fresh });
      const milliseconds = performance.now() - start;
      if (failure && 'finding' in failure) return { law, kind, failure, calls, milliseconds };
    }
  }
  return undefined;
}

/** The same Subject, its calls counted. */
function counting(subject: Subject, count: () => void): Subject {
  const counted =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      count();
      return call(...args);
    };
  return {
    ...subject,
    answer: counted((c) => subject.answer(c)),
    ...(subject.jvp && { jvp: counted(subject.jvp) }),
    ...(subject.doubleVjp && { doubleVjp: counted(subject.doubleVjp) }),
  };
}

/**
 * Ranks 1 to 4 with 1 to 4 elements: the fewest elements first, then the lowest rank. What fails on anything, a leak
 * for one, fails on empty tensors too, but those show nothing.
 */
function smallShapes(): number[][] {
  const lengths = [1, 2, 3, 4];
  const longer = (shapes: number[][]) => shapes.flatMap((shape) => lengths.map((n) => [...shape, n]));
  const one = longer([[]]);
  const two = longer(one);
  const three = longer(two);
  return [...one, ...two, ...three, ...longer(three)]
    .filter((shape) => sizeOf(shape) <= 4 && sizeOf(shape) > 0)
    .toSorted((a, b) => order(a) - order(b));
}

const order = (shape: readonly number[]) => 10 * sizeOf(shape) + shape.length;

/** The least order of a failing Case among many of every small shape, at most `limit`. */
async function smallest(mutant: Mutant, law: Law, kind: CaseKind, limit: number): Promise<number> {
  for (const shape of smallShapes()) {
    if (order(shape) >= limit) break;
    const constraints: CaseOptions = { dtype: mutant.make().dtype, kind, finite: law.finiteCases ?? false, shape };
    for (const c of fc.sample(cases(constraints), { numRuns: 30, seed: 7 })) {
      try {
        await law.check(c, new Trial(mutant.make()));
      } catch (error) {
        if (error instanceof LawBroken) return Math.min(limit, order(error.input.shape));
        throw error;
      }
    }
  }
  return limit;
}

describe('counterexamples', () => {
  it('end at the smallest failing shape, in 500 calls', { timeout: 3_600_000 }, async () => {
    const larger: string[] = [];
    let ended = 0;
    const shrinks: { id: string; calls: number; milliseconds: number }[] = [];
    for (const mutant of some) {
      const one = await found(
        mutant,
        laws.filter(({ id }) => /^agreement|^special|^adjoint|^state/.test(id)),
        60,
        1,
      );
      if (one === undefined) continue;
      ended++;
      const { law, kind, failure, calls, milliseconds } = one;
      shrinks.push({ id: `${mutant.id}, ${law.id}`, calls, milliseconds: Math.round(milliseconds) });
      const size = order(failure.case.shape);
      if ((await smallest(mutant, law, kind, size)) < size)
        larger.push(`${mutant.id}, ${law.id}, [${failure.case.shape}]`);
    }
    console.log(`${ended - larger.length} of ${ended} end at the smallest shape; not so: ${larger.join('; ')}`);
    console.table(shrinks.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, 5));
    expect(ended).toBeGreaterThan(some.length / 2);
    expect(larger.length).toBeLessThanOrEqual(0.05 * ended);
    expect(Math.max(...shrinks.map(({ calls }) => calls))).toBeLessThanOrEqual(500);
  });

  it.each([
    ['stale-alpha', 'agreement/y', 1],
    ['kept-by-shape', 'agreement/y', 1],
    ['remembers-branches', 'agreement/y', 1],
    ['every-seventh-call', 'agreement/y', 6],
    ['first-call-differs', 'agreement/y', 0],
    ['accumulates', 'agreement/dalpha', 1],
  ])('of %s by %s need %i Cases asked before', async (id, law, length) => {
    const mutant = mutantOf(id);
    const { failure, kind } = (await found(mutant, [lawOf(law)], 100, 1))!;
    expect(failure.history?.length ?? 0).toBe(length);
    if (failure.history === undefined) return;
    expect(failureText(failure)).toContain('asked first');
    const replay = { kind, seed: 1, path: failure.path, runs: 1, fresh: mutant.make };
    expect(await checkKind(lawOf(law), mutant.make(), replay)).toBeUndefined();
    for (const k of failure.history.keys()) {
      const shorter = failure.history.toSpliced(k, 1);
      expect(await checkKind(lawOf(law), mutant.make(), { ...replay, history: shorter })).toBeUndefined();
    }
  });

  it(`replay identically, ${replaysWanted} of ${replaysWanted}`, { timeout: 3_600_000 }, async () => {
    const chosen = laws.filter(({ id }) => /^agreement|^special\/(nan|zero)|^normalisation/.test(id));
    let replays = 0;
    for (let seed = 1; replays < replaysWanted; seed++) {
      for (const mutant of mutants) {
        if (replays === replaysWanted) break;
        const law = chosen[(seed + replays) % chosen.length];
        const one = await found(mutant, [law], 12, seed);
        if (one === undefined) continue;
        const { path, kind, history } = one.failure;
        const how = { path, kind, seed, runs: 1, fresh: mutant.make, ...(history && { history }) };
        const again = (await checkKind(law, mutant.make(), how)) as Failure | undefined;
        expect(again?.case, `${mutant.id} ${law.id} ${path}`).toEqual(one.failure.case);
        expect(again?.finding).toEqual(one.failure.finding);
        replays++;
      }
    }
    expect(replays).toBe(replaysWanted);
  });
});
