import type { Random } from '../../reference/random.ts';
import type { AskedFunction } from './calls.ts';
import type { Numeric } from './compare.ts';
import type { FloatDtype, Shapes, Tensors } from './differentiable.ts';
import type { GradcheckOptions } from './options.ts';

/** What is known once the derivatives are measured. */
export interface Measured {
  readonly asked: AskedFunction;
  readonly inputs: Tensors;
  readonly y: Float64Array;
  readonly numerics: readonly Numeric[];
  readonly shapes: Shapes;
  readonly dtype: FloatDtype;
  readonly draw: Random;
  readonly declared: GradcheckOptions;
  /** The bound of the rounding error of each element of `y`. */
  readonly noise: Float64Array;
  /** Roundings that the derivative of one output may have passed. */
  readonly roundings: number;
  readonly tolerance: number | undefined;
}

/** For the checks that build on the first cotangents. */
export interface Context extends Measured {
  readonly dy: Float64Array;
  /** What `vjp` answered to `dy`. */
  readonly gradients: Tensors;
}
