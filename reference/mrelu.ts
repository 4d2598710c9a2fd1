import { checkFinite, checkFloats, checkTensor } from './arguments.ts';
import type { Pool } from './case.ts';
import { forward, vjp } from './pool.ts';

/** MReLU's coefficients: P of relu (proportional), D of step (derivative, as in a PID controller). */
export interface MReLUSetting {
  readonly P: number;
  readonly D: number;
}

/** The two named settings of MReLU (spec §1). */
export const mreluSettings: Readonly<Record<'0.8/0.2' | '0.5/0.5', MReLUSetting>> = {
  '0.8/0.2': { P: 0.8, D: 1 - 0.8 },
  '0.5/0.5': { P: 0.5, D: 0.5 },
};

/** The pool `[relu, step]` with fixed coefficients, one pair for the whole layer. */
export const mreluPool: Pool = { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'fixed' } };

/**
 * `y = P·relu(x) + D·step(x)`, `D = 1 - P`.
 *
 * x, y: float64, any length; 0 ≤ P ≤ 1 is usual, any finite P is allowed.
 *
 * @throws TypeError, RangeError naming the argument. Source: spec §1.
 */
export function mreluForward(x: Float64Array, P: number): Float64Array {
  return forward(inputOf('mreluForward', x, P));
}

/**
 * `dx = P · dy` where `x > 0`, else 0: the step adds nothing.
 *
 * x, dy, dx: float64, one length; any finite P.
 *
 * @throws TypeError, RangeError naming the argument. Source: spec §4.
 */
export function mreluVjp(x: Float64Array, P: number, dy: Float64Array): Float64Array {
  const input = inputOf('mreluVjp', x, P);
  checkTensor('mreluVjp', 'dy', dy, input.shape);
  return vjp({ ...input, dy }).dx;
}

function inputOf(where: string, x: Float64Array, P: number) {
  checkFinite(`${where}: "P"`, P);
  checkFloats(where, 'x', x);
  return { pool: mreluPool, shape: [x.length], x, alpha: Float64Array.of(P, 1 - P) };
}
