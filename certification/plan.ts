import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { decodeCase } from '../fixtures/case.ts';
import type { Suite } from '../fixtures/load.ts';
import { cases, type Kind } from '../properties/cases.ts';
import type { Case, Dtype } from '../reference/case.ts';
import { lackOf } from './serve.ts';
import type { Announcement, Capabilities, Op } from './wire.ts';

/** What is claimed: the shortest list that finds every known bug, inference, inference and gradients, or fresh Cases only. */
export const profiles = ['smoke', 'forward', 'training', 'challenge'] as const;
export type Profile = (typeof profiles)[number];

/** One Case to be asked about, and for which ops, in this order. */
export interface Check {
  /** Of a vector its id; of a fresh Case `challenge/dtype/number`. */
  readonly id: string;
  readonly note: string;
  readonly ops: readonly Op[];
  readonly case: Case;
}

/** The smoke list, then every vector, of what the subject announced; the others are told apart. */
export function vectorChecks(
  suite: Suite,
  profile: Profile,
  capabilities: Capabilities,
): { checks: readonly Check[]; lacking: ReadonlyMap<string, number> } {
  const lacking = new Map<string, number>();
  const byId = new Map(suite.vectors.map((vector) => [vector.id, vector]));
  const ofProfile: readonly Op[] = profile === 'forward' ? ['forward'] : ['forward', 'vjp'];
  const check = (id: string, ops: readonly Op[]): Check[] => {
    const vector = byId.get(id);
    if (vector === undefined) return [];
    const input = decodeCase(vector);
    const missing = ops.map((op) => lackOf(capabilities, op, input)).find((lack) => lack !== undefined);
    if (missing === undefined) return [{ id, note: vector.note, ops, case: input }];
    lacking.set(missing, (lacking.get(missing) ?? 0) + 1);
    return [];
  };
  if (profile === 'challenge') return { checks: [], lacking };
  // Of the first dtype that the subject has, with the vectors that this dtype has.
  const [dtype] = capabilities.dtypes;
  const smoke = suite.smoke
    .filter(([, op]) => ofProfile.includes(op))
    .flatMap(([id, op]) => check(id.replace(/[^/]*$/, dtype!), [op]));
  const all = profile === 'smoke' ? [] : suite.vectors.flatMap(({ id }) => check(id, ofProfile));
  return { checks: [...smoke, ...all], lacking };
}

/** The seed of the fresh Cases: anyone with the same suite, implementation and number draws the same. */
export function challengeSeed(suite: Suite, { implementation }: Announcement, number: number): number {
  const { name, version, language } = implementation;
  const text = JSON.stringify([suite.digest, name, version, language, number]);
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}

/** Cases drawn at once. */
const chunk = 50;

/** `count` fresh Cases of what the subject announced, its dtypes and both kinds by turns. */
export function* challengeChecks(
  { ops, dtypes, branches, sharing, constraints, facets }: Capabilities,
  profile: Profile,
  seed: number,
  count: number,
): Generator<Check> {
  const asked: readonly Op[] = ops.filter((op) => profile !== 'forward' || op === 'forward');
  const kinds: readonly Kind[] = ['dyadic', 'general'];
  const sources = dtypes.flatMap((dtype) => kinds.map((kind) => ({ dtype, kind })));
  const numbers = new Map<Dtype, number>();
  for (let done = 0, turn = 0; done < count; turn++) {
    const { dtype, kind } = sources[turn % sources.length]!;
    const drawn = fc.sample(
      cases({ dtype, kind, facets, longSums: true, within: { branches, sharing, constraints } }),
      {
        numRuns: Math.min(chunk, count - done),
        seed: (seed + turn) | 0,
      },
    );
    for (const c of drawn) {
      const number = (numbers.get(dtype) ?? 0) + 1;
      numbers.set(dtype, number);
      yield { id: `challenge/${dtype}/${number}`, note: `a fresh ${kind} Case`, ops: asked, case: c };
    }
    done += drawn.length;
  }
}
