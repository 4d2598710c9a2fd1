import { checkArray, checkInput, shown } from '../reference/arguments.ts';
import { branchNames } from '../reference/branches.ts';
import type { BranchName, Constraint } from '../reference/case.ts';
import { checkKeys } from './check-arguments.ts';

/** Names of sharings; `sharedAxes` stands for any of them. */
export type SharingName = 'layer' | 'channel' | 'unit' | 'sharedAxes';

/** Names of constraints; the spec states no bounds for softmax. */
export type ConstraintName = Exclude<Constraint['kind'], 'softmax'>;

/** What an implementation has. */
export interface Within {
  readonly branches: readonly BranchName[];
  readonly sharing: readonly SharingName[];
  readonly constraints: readonly ConstraintName[];
}

/** All that there is. */
export const drawable: Within = {
  branches: branchNames,
  sharing: ['layer', 'channel', 'unit', 'sharedAxes'],
  constraints: ['free', 'fixed', 'sumToOne', 'clip'],
};

/** Throws unless something can be drawn `within`, of the shape if there is one. */
export function checkWithin(within: Within, shape: readonly number[] | undefined): void {
  checkInput('cases', 'within', within);
  checkKeys('cases: "within"', within, Object.keys(drawable));
  for (const name of ['branches', 'sharing', 'constraints'] as const) {
    const [names, known]: (readonly unknown[])[] = [within[name], drawable[name]];
    checkArray('cases', `within.${name}`, names);
    const fits = Array.from(names).every((one) => known.includes(one));
    if (names.length === 0 || !fits) {
      throw new RangeError(`cases: "within.${name}" expected one or more of ${known.join(', ')}, got ${shown(names)}`);
    }
  }
  if (shape?.length === 1 && !within.sharing.includes('layer') && !within.sharing.includes('unit')) {
    throw new RangeError(
      `cases: "within.sharing" expected layer or unit for shape ${shown(shape)}, got ${shown(within.sharing)}`,
    );
  }
}
