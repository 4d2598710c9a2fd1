import type { Case, Sharing } from '../../reference/case.ts';
import type { Printed } from './printed.ts';

/** Something that is wrong in TensorFlow.js itself, or worth knowing. */
export interface Finding {
  /** Permanent. */
  readonly id: string;
  /** `wrong`: not what the op's documentation or mathematics says; `choice`: a convention or a cost worth knowing. */
  readonly kind: 'wrong' | 'choice';
  readonly title: string;
  /** At most ten lines that show it without this project, by console.log. */
  readonly snippet: string;
  /** What the snippet should print, and what it prints where it is wrong; an error that it throws counts as printed. */
  readonly right: string;
  readonly wrong: Printed;
  /** For a stock op that is certified: the law that it breaks there. */
  readonly breaks?: Broken;
}

/** A law that a stock op breaks, by the smallest Case. */
export interface Broken {
  readonly op: string;
  /** It is no fault of this op alone. */
  readonly everyOp?: boolean;
  readonly law: string;
  readonly x: readonly number[];
  readonly alpha?: readonly number[];
  readonly dy?: readonly number[];
  /** `[x.length]` unless given. */
  readonly shape?: readonly number[];
  /** `layer` unless given. */
  readonly sharing?: Sharing;
  /** What is said of the worst element. */
  readonly says: string;
  /** Whether it touches element i of any Case (0 of an empty one): there the laws are checked without the op. */
  touches(input: Case, i: number): boolean;
}
