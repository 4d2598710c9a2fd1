import { expect, it } from 'vitest';
import type { Law } from './law.ts';
import { laws } from './laws.ts';
import { mutants } from './mutants.ts';
import { referenceSubject } from './reference-subject.ts';
import { checkKind } from './verify.ts';

/** Enough for every mutant; some laws meet one of thousands of elements in 20 dyadic Cases. */
const runsOf = (law: Law) => (law.longSums ? 40 : 16);

/** Which laws find which mutant: rows are mutants, columns laws. */
async function kills(): Promise<boolean[][]> {
  const table: boolean[][] = [];
  for (const { make } of mutants) {
    const row: boolean[] = [];
    for (const law of laws) {
      let killed = false;
      for (const kind of law.kinds ?? (['dyadic', 'general'] as const)) {
        const subject = make();
        if (law.needs !== undefined && subject[law.needs] === undefined) continue;
        killed ||= (await checkKind(law, subject, { kind, seed: 5, runs: runsOf(law), shrink: false })) !== undefined;
      }
      row.push(killed);
    }
    table.push(row);
  }
  return table;
}

it('each mutant is found by a law, and each law finds a mutant', { timeout: 900_000 }, async () => {
  const table = await kills();
  const lines = table.map(
    (row, m) => `${mutants[m]!.id.padEnd(26)} ${row.map((killed) => (killed ? '#' : '·')).join('')}`,
  );
  const legend = laws.map(
    (law, k) => `${String(k + 1).padStart(28)}. ${law.id}: finds ${table.filter((row) => row[k]).length}`,
  );
  console.log(['', ...lines, '', 'Columns, in the order of the list of laws:', ...legend].join('\n'));
  expect(mutants.length).toBeGreaterThanOrEqual(20);
  expect(mutants.filter((_, m) => !table[m]!.some(Boolean)).map(({ id }) => id)).toEqual([]);
  expect(laws.filter((_, k) => !table.some((row) => row[k])).map(({ id }) => id)).toEqual([]);
});

it('the table is no accident: the reference breaks no law on the same Cases', { timeout: 900_000 }, async () => {
  for (const law of laws) {
    for (const kind of law.kinds ?? (['dyadic', 'general'] as const)) {
      if (law.needs === 'liveTensors') continue;
      expect(
        await checkKind(law, referenceSubject, { kind, seed: 5, runs: runsOf(law), shrink: false }),
      ).toBeUndefined();
    }
  }
});
