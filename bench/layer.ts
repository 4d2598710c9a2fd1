import type { Differentiable, Shapes, Tensors } from '../properties/gradcheck/differentiable.ts';
import { random } from '../reference/random.ts';

const units = 64;
export const shapes: Shapes = { x: [32, units], alpha: [2, units], y: [32, units] };

/** Inputs of the layer, row-major. */
export interface Inputs {
  readonly x: Float64Array;
  readonly alpha: Float64Array;
}

/** `y = P·relu(x) + D·step(x)`, the rows of alpha P and D of each unit, `step(0) = 0`; x, y `[32, 64]`, alpha `[2, 64]`. */
function forward({ x, alpha }: Tensors): Float64Array {
  const y = new Float64Array(x.length);
  for (let i = 0; i < y.length; i++) {
    const v = x[i];
    const unit = i % units;
    y[i] = v > 0 ? alpha[unit] * v + alpha[units + unit] : 0;
  }
  return y;
}

/** `dx = dy·P` where x > 0; `dP = Σ dy·x` and `dD = Σ dy` over the rows with x > 0. */
function vjp({ x, alpha }: Tensors, dy: Float64Array): Tensors {
  const dx = new Float64Array(x.length);
  const dalpha = new Float64Array(alpha.length);
  for (let i = 0; i < dx.length; i++) {
    const v = x[i];
    if (!(v > 0)) continue;
    const unit = i % units;
    dx[i] = dy[i] * alpha[unit];
    dalpha[unit] += dy[i] * v;
    dalpha[units + unit] += dy[i];
  }
  return { x: dx, alpha: dalpha };
}

/** `ty = P·tx + tP·x + tD` where x > 0. */
function jvp({ x, alpha }: Tensors, { x: tx, alpha: talpha }: Tensors): Float64Array {
  const ty = new Float64Array(x.length);
  for (let i = 0; i < ty.length; i++) {
    const v = x[i];
    const unit = i % units;
    if (v > 0) ty[i] = alpha[unit] * tx[i] + talpha[unit] * v + talpha[units + unit];
  }
  return ty;
}

/** The layer in plain float64, nothing declared but shapes. */
export const plainLayer: Differentiable = { name: 'PAP', shapes, forward, vjp, jvp };

/** The same with its structure and its kink declared. */
export const declaredLayer: Differentiable = {
  ...plainLayer,
  structure: { x: 'elementwise', alpha: { trailing: 1 } },
  kinks: { x: [{ at: 0, value: 'left', derivative: 'left' }] },
  batch: ['x'],
};

/** Inputs from a normal distribution (Box and Muller), rounded to float32 so that every checker gets the same. */
export function normalInputs(seed: number): Inputs {
  const draw = random(seed, 'bench');
  const normal = () =>
    Math.fround(Math.sqrt(-2 * Math.log(1 - draw.uniform())) * Math.cos(2 * Math.PI * draw.uniform()));
  return {
    x: Float64Array.from({ length: 32 * units }, normal),
    alpha: Float64Array.from({ length: 2 * units }, normal),
  };
}
