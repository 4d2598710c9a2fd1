import { range } from '../transform.ts';
import type { AskedFunction } from './calls.ts';
import type { Declared, Differentiable, FloatDtype, Tensors } from './differentiable.ts';
import type { Layout } from './layout.ts';

/** The function as its derivatives are measured: in float64 by the twin if there is one, else as it is. */
export interface NumericSide {
  readonly numeric: (inputs: Tensors) => Promise<Float64Array>;
  readonly inputs: Tensors;
  readonly y: Float64Array;
  readonly dtype: FloatDtype;
  /** The bound of the rounding error of each output, over all evaluations where it is declared. */
  readonly noise: Float64Array;
}

export async function numericSide(
  f: Differentiable,
  asked: AskedFunction,
  inputs: Tensors,
  y: Float64Array,
  { rounding }: Declared,
): Promise<NumericSide> {
  const noise = new Float64Array(y.length);
  const note = (at: Tensors): void => {
    const bounds = rounding?.forward(at);
    if (bounds)
      for (const [i, bound] of bounds.entries())
        noise[i] = Number.isNaN(bound) ? Number.POSITIVE_INFINITY : Math.max(noise[i], bound);
  };
  const numeric = (at: Tensors) => {
    note(at);
    return asked.numeric(at);
  };
  note(inputs);
  const isTwin = f.twin !== undefined;
  return {
    numeric,
    inputs,
    y: isTwin ? await asked.numeric(inputs) : y,
    dtype: isTwin ? 'f64' : (f.dtype ?? 'f64'),
    noise,
  };
}

/** Outputs that depend on ∞ or NaN can't be measured, whatever is moved: none of `noises` bounds their error. */
export function leaveOpenNonFinite(
  inputs: Tensors,
  layoutFor: (name: string) => Layout | undefined,
  noises: readonly Float64Array[],
): void {
  for (const [name, given] of Object.entries(inputs)) {
    if (allFinite(given)) continue;
    const layout = layoutFor(name);
    for (let i = 0; i < noises[0].length; i++) {
      const elements = layout && range(layout.colours).map((colour) => layout.element(layout.siteOf[i], colour));
      // Without a layout any output may depend on it.
      if (elements?.every((j) => Number.isFinite(given[j]))) continue;
      for (const noise of noises) noise[i] = Number.POSITIVE_INFINITY;
    }
  }
}

/** Whether no element is ∞ or NaN. */
export function allFinite(tensor: Float64Array): boolean {
  for (let i = 0; i < tensor.length; i++) if (!Number.isFinite(tensor[i])) return false;
  return true;
}
