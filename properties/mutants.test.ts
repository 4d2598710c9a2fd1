import { expect, it } from 'vitest';
import { findKills, isAgreement, soleKillers } from './kills.ts';
import { laws } from './laws.ts';
import { mutants } from './mutants.ts';
import { referenceSubject } from './reference-subject.ts';
import { checkKind } from './verify.ts';

/** Within so many Cases of each law, half of them dyadic, from one seed. */
const runs = 200;
const seed = 1;

it('every mutant is found, and every law finds one alone', { timeout: 3_600_000 }, async () => {
  const others = laws.filter((law) => !isAgreement(law));
  // Two laws are enough to know that none is alone.
  const kills = await findKills(mutants, others, { runs, seed, enough: 2 });
  const left = mutants.filter((_, m) => !kills[m].some(Boolean));
  const agreement = laws.filter(isAgreement);
  const byReference = await findKills(left, agreement, { runs, seed, enough: 1 });
  const survivors = left.filter((_, m) => !byReference[m].some(Boolean));
  const sole = soleKillers(others, mutants, kills);
  console.log(
    [
      ...mutants.map(({ id, group }, m) => {
        const killers = [
          ...others.filter((_, k) => kills[m][k]),
          ...agreement.filter((_, k) => byReference[left.indexOf(mutants[m])]?.[k]),
        ];
        return `${group.padEnd(12)} ${id.padEnd(29)} ${killers.map((law) => law.id).join(', ')}`;
      }),
      '',
      'Found by one law alone:',
      ...others.map(
        ({ id }) =>
          `${id.padEnd(33)} ${
            sole
              .get(id)
              ?.map((one) => one.id)
              .join(', ') ?? '-'
          }`,
      ),
    ].join('\n'),
  );
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(60);
  expect(survivors.length / mutants.length).toBeLessThanOrEqual(0.02);
  const strict = ['kink', 'special', 'state', 'shape'];
  expect(survivors.filter(({ group }) => strict.includes(group)).map(({ id }) => id)).toEqual([]);
  expect(others.filter(({ id }) => !sole.has(id)).map(({ id }) => id)).toEqual([]);
});

it('the table is no accident: the reference breaks no law on the same Cases', { timeout: 900_000 }, async () => {
  for (const law of laws) {
    for (const kind of law.kinds ?? (['dyadic', 'general'] as const)) {
      if (law.needs === 'liveTensors') continue;
      expect(await checkKind(law, referenceSubject, { kind, seed, runs: runs / 2, shrink: false })).toBeUndefined();
    }
  }
});
