import type { KillRow } from '../fixtures/kill-matrix.ts';
import { type CaseRequest, repliesOf } from '../fixtures/kills.ts';
import type { Suite } from '../fixtures/load.ts';
import { permits } from '../properties/allowed.ts';
import { expectation } from '../properties/interval.ts';
import type { Tensors } from '../properties/judge.ts';
import type { Mutant } from '../properties/mutants/mutant.ts';
import { mutants } from '../properties/mutants.ts';
import type { Answer } from '../reference/case.ts';
import type { Facet } from '../reference/subject.ts';

/** One request, in the order of asking, with its reply. */
export interface Replied extends CaseRequest {
  /** Of the vector or the fresh Case. */
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
  /** Requests in which the same elements are wrong, alike or by other amounts. */
  readonly places: number;
  readonly of: number;
}

/** Which known bug a subject's wrong replies are like; if it explains some of them only, it is no more than the nearest. */
export type Diagnosis =
  | ({ readonly kind: 'known' } & Likeness)
  | { readonly kind: 'unknown'; readonly nearest?: Likeness };

/** Mutants whose stored row is most like the pattern; these are asked again here. */
const candidates = 12;
/** Share of the requests that one of them answers wrongly, which both must answer alike for the bug to be known. */
const knownShare = 0.8;
/** From here on a bug is worth a hint as the nearest: a second one beside it, or the same in more quantities. */
const nearestShare = 1 / 8;
/** Share of an error that may be left once a mutant explains it. */
const residualShare = 1 / 8;

/**
 * The mutant whose wrong replies are those of the subject: the rows of the kill matrix that come nearest to the pattern
 * of failures are asked the same requests, and what they reply is compared element by element.
 */
export function diagnose(
  { matrix }: Suite,
  replied: readonly Replied[],
  facets: readonly Facet[],
): Diagnosis | undefined {
  // Words instead of tensors are like nothing that is known.
  if (!replied.some(({ isWrong, tensors }) => isWrong && tensors !== undefined)) return undefined;
  let nearest: Likeness | undefined;
  let overlapBefore = 0;
  for (const { id, overlap } of nearestRows(matrix, replied)) {
    // No row that overlaps less explains more than all.
    if (nearest !== undefined && nearest.explained === nearest.of && overlap < overlapBefore) break;
    overlapBefore = overlap;
    const mutant = mutants.find((one) => one.id === id);
    if (mutant === undefined) continue;
    const likeness = likenessOf(mutant, replied, facets);
    const gain =
      nearest === undefined
        ? 1
        : (likeness.explained + likeness.places) * nearest.of - (nearest.explained + nearest.places) * likeness.of;
    if (nearest !== undefined && gain === 0) nearest = { ...nearest, mutants: [...nearest.mutants, id] };
    if (gain > 0) nearest = likeness;
  }
  if (nearest === undefined || nearest.explained === 0) return { kind: 'unknown' };
  const { explained, places, of } = nearest;
  if (explained >= knownShare * of) return { kind: 'known', ...nearest };
  const isHint = explained >= nearestShare * of || places >= knownShare * of;
  return isHint ? { kind: 'unknown', nearest } : { kind: 'unknown' };
}

/** How many of the wrong replies a mutant gives too, asked the same. */
function likenessOf(mutant: Mutant, replied: readonly Replied[], facets: readonly Facet[]): Likeness {
  let [explained, places, of] = [0, 0, 0];
  for (const [r, { tensors, isWrong }] of repliesOf(mutant, replied).entries()) {
    const { isWrong: isSubjectWrong, tensors: came, ...asked } = replied[r];
    if (!isWrong && !isSubjectWrong) continue;
    of++;
    if (!isWrong || !isSubjectWrong || came === undefined) continue;
    const agreement = agreementOf(asked, came, tensors, facets);
    if (agreement !== 'other') places++;
    if (agreement === 'alike') explained++;
  }
  return { mutants: [mutant.id], bug: mutant.bug, explained, places, of };
}

/** A diagnosis in words, its verdict first. */
export function diagnosisSentences(diagnosis: Diagnosis): [verdict: string, ...rest: string[]] {
  const namesOf = ({ mutants, bug }: Likeness) => `${mutants.map((id) => `"${id}"`).join(' or ')}: ${bug}`;
  if (diagnosis.kind === 'known') {
    const { explained, of } = diagnosis;
    return [`behaves like ${namesOf(diagnosis)}.`, `It explains ${explained} of the ${of} wrong replies.`];
  }
  const verdict = 'unknown; no known bug gives these replies.';
  if (diagnosis.nearest === undefined) return [verdict];
  const { explained, places, of } = diagnosis.nearest;
  const more = places > explained ? `; ${places - explained} more have the same elements wrong, by other amounts` : '';
  return [
    verdict,
    `The nearest, ${namesOf(diagnosis.nearest)}, explains ${explained} of the ${of} wrong replies${more}.`,
  ];
}

/** Whether a mutant's stored row has a request among its wrong ones. */
type IsWrongIn = (row: KillRow) => boolean;

/**
 * Mutants by the overlap of their stored rows with the pattern, the largest first: requests that both answer wrongly, over
 * those that one of them does. All mutants where the matrix does not know the requests.
 */
function nearestRows(
  matrix: Suite['matrix'],
  replied: readonly Replied[],
): { readonly id: string; readonly overlap: number }[] {
  const places = new Map(matrix.vectors.map((id, v) => [id, v]));
  const columns = new Map<string, { readonly isWrong: boolean; readonly isWrongIn: IsWrongIn }>();
  for (const { id, smoke, isWrong } of replied) {
    const place = places.get(id);
    if (place === undefined) continue;
    const key = smoke === undefined ? id : String(smoke);
    const before = columns.get(key)?.isWrong ?? false;
    const isWrongIn: IsWrongIn = (row) => (smoke === undefined ? row.kills[place] : row.smoke[smoke]) === 'x';
    columns.set(key, { isWrong: isWrong || before, isWrongIn });
  }
  const rows = Object.entries(matrix.mutants).map(([id, row]) => {
    let [both, either] = [0, 0];
    for (const { isWrong, isWrongIn } of columns.values()) {
      const isMutantWrong = isWrongIn(row);
      if (isWrong && isMutantWrong) both++;
      if (isWrong || isMutantWrong) either++;
    }
    return { id, overlap: either === 0 ? 0 : both / either };
  });
  return columns.size === 0 ? rows : rows.sort((a, b) => b.overlap - a.overlap).slice(0, candidates);
}

/**
 * Whether a mutant's reply is wrong in the same elements as the subject's, and there leaves at most an eighth of each
 * error.
 */
function agreementOf(
  { case: c }: CaseRequest,
  subject: Tensors,
  mutant: Tensors,
  facets: readonly Facet[],
): 'alike' | 'same places' | 'other' {
  const allowed = expectation(c, facets);
  let isAlike = true;
  for (const [name, values] of subject) {
    for (const [i, actual] of values.entries()) {
      const element = allowed[name as keyof Answer][i];
      const other = mutant.get(name)?.[i];
      if (element.open !== undefined || other === undefined || Object.is(actual, other)) continue;
      if (permits(element, actual) !== permits(element, other)) return 'other';
      if (permits(element, actual)) continue;
      if (Number.isNaN(actual) !== Number.isNaN(other)) isAlike = false;
      const error = Math.max(element.lo - actual, actual - element.hi);
      if (Math.abs(actual - other) > Math.max(residualShare * error, element.hi - element.lo)) isAlike = false;
    }
  }
  return isAlike ? 'alike' : 'same places';
}
