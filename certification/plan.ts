import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { decodeCase } from '../fixtures/case.ts';
import type { Suite } from '../fixtures/load.ts';
import { type CaseKind, cases } from '../properties/cases.ts';
import type { Case, Dtype } from '../reference/case.ts';
import { lackOf } from './serve.ts';
import { type Announcement, type Capabilities, type Op, ops } from './wire.ts';

export type Profile = 'smoke' | 'forward' | 'training' | 'challenge';

/** What a profile claims, and what is asked for it. */
export interface ProfileTable {
  readonly ops: readonly Op[];
  /** The list that finds every known bug; each of its requests is asked again of a second process. */
  readonly smoke: boolean;
  readonly vectors: boolean;
  readonly invalid: boolean;
  readonly accumulated: boolean;
  readonly challenge: boolean;
}

/** The shortest list that finds every known bug, inference, inference and gradients, or fresh Cases only. */
export const profiles: Readonly<Record<Profile, ProfileTable>> = {
  smoke: { ops, smoke: true, vectors: false, invalid: true, accumulated: false, challenge: false },
  forward: { ops: ['forward'], smoke: true, vectors: true, invalid: true, accumulated: false, challenge: true },
  training: { ops, smoke: true, vectors: true, invalid: true, accumulated: true, challenge: true },
  challenge: { ops, smoke: false, vectors: false, invalid: false, accumulated: false, challenge: true },
};

/** One request to be made. */
export interface Check {
  /** Of a vector its id; of a fresh Case `challenge/dtype/number`. */
  readonly id: string;
  readonly note: string;
  readonly op: Op;
  readonly case: Case;
  /** Its place in the smoke list, if it is one of it. */
  readonly smoke?: number;
}

/** The requests of the smoke list, then those of every vector, of what the subject announced; the others are counted. */
export function vectorChecks(
  suite: Suite,
  profile: Profile,
  capabilities: Capabilities,
): { readonly checks: readonly Check[]; readonly lacking: Readonly<Record<string, number>> } {
  const { ops: claimed, smoke, vectors } = profiles[profile];
  const lacking = new Map<string, Set<string>>();
  const decoded = new Map(suite.vectors.map((vector) => [vector.id, { ...vector, case: decodeCase(vector) }]));
  const check = (id: string, op: Op, place?: number): Check[] => {
    const vector = decoded.get(id);
    if (vector === undefined || !claimed.includes(op)) return [];
    const lack = lackOf(capabilities, op, vector.case);
    if (lack === undefined) {
      return [{ id, note: vector.note, op, case: vector.case, ...(place !== undefined && { smoke: place }) }];
    }
    lacking.set(lack, (lacking.get(lack) ?? new Set()).add(id));
    return [];
  };
  // Of the first dtype that the subject has.
  const [dtype] = capabilities.dtypes;
  const first = smoke ? suite.smoke.flatMap(([id, op], k) => check(id.replace(/[^/]*$/, dtype), op, k)) : [];
  const all = vectors ? suite.vectors.flatMap(({ id }) => claimed.flatMap((op) => check(id, op))) : [];
  return {
    checks: [...first, ...all],
    lacking: Object.fromEntries([...lacking].map(([lack, ids]) => [lack, ids.size])),
  };
}

/** The seed of the fresh Cases: anyone with the same suite, implementation and number draws the same. */
export function challengeSeed(suite: Suite, { implementation }: Announcement, number: number): number {
  const { name, version, language } = implementation;
  const text = JSON.stringify([suite.digest, name, version, language, number]);
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}

/** Cases drawn at once. */
const chunk = 50;

/** Requests about `count` fresh Cases of what the subject announced, its dtypes and both kinds by turns. */
export function* challengeChecks(
  { ops: announced, dtypes, branches, sharing, constraints, facets }: Capabilities,
  profile: Profile,
  seed: number,
  count: number,
): Generator<Check> {
  const asked = profiles[profile].ops.filter((op) => announced.includes(op));
  const kinds: readonly CaseKind[] = ['dyadic', 'general'];
  const sources = dtypes.flatMap((dtype) => kinds.map((kind) => ({ dtype, kind })));
  const numbers = new Map<Dtype, number>();
  for (let done = 0, turn = 0; done < count; turn++) {
    const { dtype, kind } = sources[turn % sources.length];
    const drawn = fc.sample(
      cases({ dtype, kind, facets, longSums: true, within: { branches, sharing, constraints } }),
      { numRuns: Math.min(chunk, count - done), seed: (seed + turn) | 0 },
    );
    for (const c of drawn) {
      const number = (numbers.get(dtype) ?? 0) + 1;
      numbers.set(dtype, number);
      // By turns: what gradients keep of the last forward would never show where that was of the same Case.
      const ordered = number % 2 === 0 ? asked.toReversed() : asked;
      for (const op of ordered) yield { id: `challenge/${dtype}/${number}`, note: `a fresh ${kind} Case`, op, case: c };
    }
    done += drawn.length;
  }
}
