import type { Inputs } from './layer.ts';

/** An error planted in one element of dx: it is multiplied. */
export interface Fault {
  readonly element: number;
  readonly factor: number;
}

/** What one check said, took and called. */
export interface Outcome {
  readonly passed: boolean;
  readonly ms: number;
  readonly forward: number;
  readonly backward: number;
  readonly jvp: number;
}

/** A gradient checker with the layer that it checks. */
export interface Checker {
  readonly name: string;
  check(inputs: Inputs, fault?: Fault): Promise<Outcome>;
}
