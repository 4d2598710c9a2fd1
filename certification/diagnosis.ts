import { type Asked, repliesOf } from '../fixtures/kills.ts';
import type { Suite } from '../fixtures/load.ts';
import { permits } from '../properties/allowed.ts';
import { expectation } from '../properties/interval.ts';
import type { Tensors } from '../properties/judge.ts';
import { mutants } from '../properties/mutants.ts';
import type { Answer } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';

/** One request of the vectors, in the order of asking, with its reply. */
export interface Replied extends Asked {
  /** The vector's id. */
  readonly id: string;
  /** Its place in the smoke list, if it was asked as one of it. */
  readonly smoke?: number;
  /** None where something else came. */
  readonly tensors?: Tensors;
  /** Outside of what is allowed, or another reply than to the same request before. */
  readonly isWrong: boolean;
}

/** A known bug, and how many of a subject's wrong replies it explains. */
export interface Likeness {
  /** Wrong implementations that explain the replies equally well. */
  readonly mutants: readonly string[];
  /** The mistake that the first of them stands for. */
  readonly bug: string;
  /** Requests that both answer wrongly, and alike, of those that one of them answers wrongly. */
  readonly explained: number;
  readonly of: number;
}

/** Which known bug a subject's wrong replies are like; if it explains some of them only, it is no more than the nearest. */
export type Diagnosis =
  | ({ readonly kind: 'known' } & Likeness)
  | { readonly kind: 'unknown'; readonly nearest?: Likeness };

/** Mutants whose stored row is most like the pattern; these are asked again here. */
const candidates = 12;
/** Of the requests that one of them answers wrongly, both must answer so many alike. */
const enough = 0.8;
/** From here on a bug that is not enough is worth a hint: a second one beside it, or the same in more quantities. */
const some = 1 / 8;
/** What is left of an error once a mutant explains it. */
const rest = 1 / 8;

/**
 * The mutant whose wrong replies are those of the subject: the rows of the kill matrix that come nearest to the pattern
 * of failures are asked the same requests, and what they reply is compared element by element.
 */
export function diagnose(
  { matrix }: Suite,
  replied: readonly Replied[],
  facets: readonly Facet[],
): Diagnosis | undefined {
  if (!replied.some(({ isWrong }) => isWrong)) return undefined;
  let best: Likeness | undefined;
  let likest = 0;
  for (const { id, likeness } of nearestRows(matrix, replied)) {
    // Nothing that is less alike explains more than all.
    if (best !== undefined && best.explained === best.of && likeness < likest) break;
    likest = likeness;
    const mutant = mutants.find((one) => one.id === id);
    if (mutant === undefined) continue;
    let [explained, of] = [0, 0];
    for (const [r, { tensors, isWrong }] of repliesOf(mutant, replied).entries()) {
      const { isWrong: isSubjectWrong, tensors: came, ...asked } = replied[r]!;
      if (!isWrong && !isSubjectWrong) continue;
      of++;
      if (isWrong && isSubjectWrong && came !== undefined && isExplained(asked, came, tensors, facets)) explained++;
    }
    const gain = best === undefined ? 1 : explained * best.of - best.explained * of;
    if (best !== undefined && gain === 0) best = { ...best, mutants: [...best.mutants, id] };
    if (gain > 0) best = { mutants: [id], bug: mutant.bug, explained, of };
  }
  if (best === undefined || best.explained < some * best.of) return { kind: 'unknown' };
  return best.explained >= enough * best.of ? { kind: 'known', ...best } : { kind: 'unknown', nearest: best };
}

/** Mutants, the likest first, by how many requests are wrong for both of those that are for one. */
function nearestRows(
  matrix: Suite['matrix'],
  replied: readonly Replied[],
): { readonly id: string; readonly likeness: number }[] {
  const places = new Map(matrix.vectors.map((id, v) => [id, v]));
  const columns = new Map<string, { isWrong: boolean; of: (row: { smoke: string; kills: string }) => boolean }>();
  for (const { id, smoke, isWrong } of replied) {
    const key = smoke === undefined ? id : String(smoke);
    const before = columns.get(key)?.isWrong ?? false;
    const of: (row: { smoke: string; kills: string }) => boolean =
      smoke === undefined ? ({ kills }) => kills[places.get(id)!] === 'x' : (row) => row.smoke[smoke] === 'x';
    columns.set(key, { isWrong: isWrong || before, of });
  }
  const rows = Object.entries(matrix.mutants).map(([id, row]) => {
    let [both, either] = [0, 0];
    for (const { isWrong, of } of columns.values()) {
      const isMutantWrong = of(row);
      if (isWrong && isMutantWrong) both++;
      if (isWrong || isMutantWrong) either++;
    }
    return { id, likeness: either === 0 ? 0 : both / either };
  });
  return rows.sort((a, b) => b.likeness - a.likeness).slice(0, candidates);
}

/** Whether a mutant's reply leaves at most an eighth of each error of the subject's, and is wrong nowhere else. */
function isExplained({ case: c }: Asked, subject: Tensors, mutant: Tensors, facets: readonly Facet[]): boolean {
  const allowed = expectation(c, facets);
  return [...subject].every(([name, values]) =>
    values.every((actual, i) => {
      const element = allowed[name as keyof Answer][i]!;
      const other = mutant.get(name)?.[i];
      if (element.unchecked !== undefined || other === undefined || Object.is(actual, other)) return true;
      if (permits(element, actual)) return permits(element, other);
      if (Number.isNaN(actual) || Number.isNaN(other)) return Number.isNaN(actual) === Number.isNaN(other);
      const error = Math.max(element.lo - actual, actual - element.hi);
      return Math.abs(actual - other) <= Math.max(rest * error, element.hi - element.lo);
    }),
  );
}
