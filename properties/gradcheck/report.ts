import type { Calls } from './calls.ts';
import type { FloatDtype, Structure } from './differentiable.ts';

/** An element of a gradient with what it is compared with. */
export interface ComparedElement {
  /** Of a random direction, along which many elements were moved, its number. */
  readonly index: readonly number[];
  readonly isDirection?: true;
  /** The value of the input's element; of a direction none. */
  readonly at?: number;
  /** Where the element reaches one output alone, dy there: derivatives are `analytic / dy` and `numeric / dy`. */
  readonly dy?: number;
  readonly analytic: number;
  /** The middle of what was measured. */
  readonly numeric: number;
  /** The derived error interval: what is allowed. */
  readonly lo: number;
  readonly hi: number;
  /** From the input's element to its nearest kink, declared or found; infinite where none is known. */
  readonly kinkDistance: number;
  /** How far the analytic value is from the middle, in half widths of the interval; above 1 it is wrong. */
  readonly ratio: number;
}

/** What was wrong, as data. `what` names the call: `vjp`, `jvp`, `forward`. */
export type GradcheckFailure =
  | ({
      readonly code: 'gradient';
      readonly what: string;
      readonly input: string;
      readonly wrong: number;
      readonly compared: number;
    } & ComparedElement)
  | {
      readonly code: 'tangent';
      readonly index: readonly number[];
      readonly analytic: number;
      readonly numeric: number;
      readonly lo: number;
      readonly hi: number;
      readonly wrong: number;
      readonly compared: number;
    }
  | { readonly code: 'adjoint'; readonly forward: number; readonly reverse: number; readonly allowed: number }
  | {
      readonly code: 'value';
      readonly index: readonly number[];
      readonly actual: number;
      readonly lo: number;
      readonly hi: number;
      readonly why: string;
    }
  | {
      readonly code: 'one-sided';
      readonly input: string;
      readonly at: number;
      readonly index: readonly number[];
      readonly side: 'left' | 'right';
      readonly quantity: 'value' | 'slope';
      readonly actual: number;
      readonly expected: number;
      readonly error: number;
    }
  | {
      readonly code: 'cross-talk';
      readonly input: string;
      readonly structure: Structure;
      readonly index: readonly number[];
      readonly was: number;
      readonly became: number;
    }
  | {
      readonly code: 'non-deterministic';
      readonly what: string;
      readonly element: number;
      readonly first: number;
      readonly again: number;
    }
  | { readonly code: 'mutated' | 'aliased'; readonly what: string; readonly input: string; readonly element?: number }
  | { readonly code: 'shared'; readonly what: string; readonly input: string; readonly other: string }
  | { readonly code: 'overwritten'; readonly what: string; readonly element: number }
  | {
      readonly code: 'spreads';
      readonly from: string;
      readonly to: string;
      readonly index: readonly number[];
      readonly was: number;
      readonly became: number;
    }
  | {
      readonly code: 'batch';
      readonly what: string;
      readonly index: readonly number[];
      readonly alone: number;
      readonly together: number;
    }
  | { readonly code: 'second-order'; readonly of: string; readonly failure: GradcheckFailure };

/** How the numeric derivatives of one input came about, and its worst element. */
export interface InputReport {
  readonly name: string;
  readonly shape: readonly number[];
  readonly structure: Structure | 'projected';
  /** Whether the structure was declared, or found by measuring. */
  readonly declared: boolean;
  /** How a projected input was moved: along random directions, so many elements together; others alone. */
  readonly projection?: { readonly random: number; readonly together: number; readonly alone: number };
  /** Elements of the gradient that were compared, directions if it is projected; and elements that were left open. */
  readonly compared: number;
  readonly open: number;
  /** Compared elements whose interval is as wide as the value is large. */
  readonly vacuous: number;
  /** Derivatives of one output by one element that lie on a kink or a jump. */
  readonly kinks: readonly KinkFound[];
  readonly kinkCount: number;
  readonly worst: ComparedElement | undefined;
  /**
   * An error of a single element that would be seen in every one of them, and in half of them: relative, of those that
   * are not 0; of a projected input absolute.
   */
  readonly sees: { readonly everywhere: number; readonly median: number; readonly absolute: boolean } | undefined;
}

/** A kink on which an element lies: what was measured on both sides of it. */
export interface KinkFound {
  readonly element: readonly number[];
  readonly output: readonly number[];
  readonly at: number;
  readonly declared: boolean;
  readonly left: number;
  readonly right: number;
  /** The right limit of the value minus the left one. */
  readonly jump: number;
}

/** What `gradcheck` found. */
export interface GradcheckReport {
  readonly name: string;
  /** `nothing-compared`: nothing was wrong, and no element of any gradient could be compared. */
  readonly outcome: 'passed' | 'failed' | 'nothing-compared';
  readonly passed: boolean;
  readonly dtype: FloatDtype;
  readonly seed: number;
  readonly outputShape: readonly number[];
  readonly inputs: readonly InputReport[];
  readonly failures: readonly GradcheckFailure[];
  readonly calls: Readonly<Calls>;
  /** What was checked, in words. */
  readonly checks: readonly string[];
  /** What the caller put in place of the derived intervals, and of the estimated rounding or that which f declares. */
  readonly override: { readonly tolerance?: number; readonly rounding?: true } | undefined;
}
