import { branchOf } from '../../reference/branches.ts';
import type { BranchRef } from '../../reference/case.ts';
import type { Format } from '../dtypes.ts';
import { exactBranchOf } from '../exact-branches.ts';

/** Far enough out that f there is its asymptote, and twice that. */
const far = 1024;

/**
 * Where a smooth branch reaches its straight asymptotes in a format, on the left and on the right: from there on
 * `|f(x) - asymptote(x)| ≤ u·max(1, |f(x)|)`. None on a side without such a place.
 */
export function saturationsOf(ref: BranchRef, format: Format): readonly number[] {
  if (exactBranchOf(ref).polynomial) return [];
  const { f } = branchOf(ref);
  return [-1, 1].flatMap((sign) => {
    const at = (distance: number) => f(sign * distance);
    const slope = (at(2 * far) - at(far)) / far;
    const isFlat = (distance: number) => {
      const off = Math.abs(at(distance) - (at(far) + slope * (distance - far)));
      return off <= 2 ** -format.p * Math.max(1, Math.abs(at(distance)));
    };
    if (isFlat(0) || !isFlat(far / 2)) return [];
    let [curved, straight] = [0, far / 2];
    while (straight - curved > 2 ** -10) {
      const middle = (curved + straight) / 2;
      if (isFlat(middle)) straight = middle;
      else curved = middle;
    }
    return [sign * straight];
  });
}
