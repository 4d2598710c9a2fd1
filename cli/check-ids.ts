import type { Suite } from '../fixtures/load.ts';
import { dtypes } from '../properties/dtypes.ts';

/** Checks that a caller may name: vectors and fresh Cases for `--only`, all there are for `--known-failing`. */
export function idsOf(suite: Suite, flag: 'only' | 'known-failing'): readonly string[] {
  const { vectors, invalid, accumulated } = suite;
  return (flag === 'only' ? vectors : [...vectors, ...invalid, ...accumulated]).map(({ id }) => id);
}

const freshCase = new RegExp(`^challenge/(${dtypes.join('|')})/[1-9]\\d*$`);

/** What is wrong with the first id that is none of `known` nor of a fresh Case; `undefined` if each is. */
export function unknownId(ids: Iterable<string>, known: readonly string[]): string | undefined {
  const all = new Set(known);
  const unknown = [...ids].find((id) => !all.has(id) && !freshCase.test(id));
  if (unknown === undefined) return undefined;
  const [nearest] = known.toSorted((a, b) => sharedEnds(b, unknown) - sharedEnds(a, unknown));
  return `expected ids of checks, got "${unknown}" (Did you mean ${nearest}?)`;
}

/** Characters at the beginning and the end that two words have alike. */
function sharedEnds(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let [start, end] = [0, 0];
  while (start < shorter && a[start] === b[start]) start++;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return start + end;
}
