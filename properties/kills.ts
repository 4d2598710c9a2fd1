import { byContent } from './by-content.ts';
import { expectation } from './interval.ts';
import type { Law } from './law.ts';
import type { Mutant } from './mutants/mutant.ts';
import { checkKind, lackOf } from './verify.ts';

export interface KillOptions {
  /** Cases of each law, half of them dyadic. */
  readonly runs: number;
  readonly seed: number;
  /** Leaves a mutant alone once it is found by so many of the laws; by all that find it unless given. */
  readonly enough?: number;
  /** Called after each pair of a law and a mutant. */
  readonly onPair?: (law: Law, mutant: Mutant) => void | Promise<void>;
}

/** Whether each mutant is found by each law: a row for each mutant, a column for each law. */
export type Kills = readonly (readonly boolean[])[];

/** Runs every law on a fresh Subject of every mutant, to the first failure. */
export async function findKills(
  mutants: readonly Mutant[],
  laws: readonly Law[],
  { runs, seed, enough = laws.length, onPair }: KillOptions,
): Promise<Kills> {
  const table = mutants.map(() => laws.map(() => false));
  for (const [k, law] of laws.entries()) {
    const kinds = law.kinds ?? (['dyadic', 'general'] as const);
    // Every mutant of a dtype is asked about the same Cases.
    const expect = byContent((input) => expectation(input));
    for (const [m, mutant] of mutants.entries()) {
      if (table[m].filter(Boolean).length >= enough) continue;
      for (const [share, kind] of kinds.entries()) {
        const subject = mutant.make();
        if (table[m][k] || lackOf(subject, law) !== undefined) continue;
        const count = Math.floor(runs / kinds.length) + (share < runs % kinds.length ? 1 : 0);
        const found = await checkKind(law, subject, { kind, seed, runs: count, shrink: false, expect });
        table[m][k] = found !== undefined;
      }
      await onPair?.(law, mutant);
    }
  }
  return table;
}

/** Whether a law judges whole answers: by the reference, or by a gradient check. */
export function isAgreement({ id }: Law): boolean {
  return id.startsWith('agreement/') || id.startsWith('gradcheck/');
}

/** The laws that find some mutant which no other law finds, each with those mutants. */
export function soleKillers(laws: readonly Law[], mutants: readonly Mutant[], kills: Kills): Map<string, Mutant[]> {
  const sole = new Map<string, Mutant[]>();
  for (const [m, mutant] of mutants.entries()) {
    const killers = laws.filter((_, k) => kills[m][k]);
    if (killers.length === 1) sole.set(killers[0].id, [...(sole.get(killers[0].id) ?? []), mutant]);
  }
  return sole;
}
