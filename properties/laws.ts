import type { Law } from './law.ts';
import * as agreement from './laws/agreement.ts';
import * as batch from './laws/batch.ts';
import * as bias from './laws/bias.ts';
import * as constraints from './laws/constraints.ts';
import * as derivatives from './laws/derivatives.ts';
import * as linearity from './laws/linearity.ts';
import * as normalisation from './laws/normalisation.ts';
import * as secondOrder from './laws/second-order.ts';
import * as sharing from './laws/sharing.ts';
import * as slope from './laws/slope.ts';
import * as softmax from './laws/softmax.ts';
import * as special from './laws/special.ts';
import * as state from './laws/state.ts';

/** Every law, in the order of reports: agreement first, then what follows from the formulas, then special values and state. */
export const laws: readonly Law[] = [
  agreement,
  normalisation,
  bias,
  slope,
  linearity,
  sharing,
  batch,
  constraints,
  softmax,
  derivatives,
  secondOrder,
  special,
  state,
].flatMap((family) => Object.values(family));

/** The laws with this id, or of this family, the first part of their ids; none for an unknown name. */
export function lawsNamed(name: string): readonly Law[] {
  return laws.filter(({ id }) => id === name || familyOf(id) === name);
}

/** `kinks` of `kinks/one-sided`. */
export function familyOf(id: string): string {
  return id.slice(0, id.indexOf('/'));
}
