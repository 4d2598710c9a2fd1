import { branch } from './mutants/branch.ts';
import { constraint } from './mutants/constraint.ts';
import { formula } from './mutants/formula.ts';
import { forward } from './mutants/forward.ts';
import { kink } from './mutants/kink.ts';
import { local } from './mutants/local.ts';
import { memory } from './mutants/memory.ts';
import type { Mutant } from './mutants/mutant.ts';
import { secondOrder } from './mutants/second-order.ts';
import { shape } from './mutants/shape.ts';
import { sharing } from './mutants/sharing.ts';
import { small } from './mutants/small.ts';
import { special } from './mutants/special.ts';
import { state } from './mutants/state.ts';

/** Every deliberately wrong Subject, by group. */
export const mutants: readonly Mutant[] = [
  formula,
  branch,
  constraint,
  local,
  small,
  kink,
  shape,
  sharing,
  forward,
  secondOrder,
  special,
  state,
  memory,
].flat();
