import { expect } from 'vitest';
import { random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import { confirmJacobian } from './confirm.ts';
import type { DeclaredKink, FloatDtype, Structure } from './differentiable.ts';
import { type Jacobian, measureJacobian } from './jacobian.ts';
import { layoutOf } from './layout.ts';
import { Moved } from './measure.ts';
import { stepScales } from './stencil.ts';

export type F = (x: Float64Array) => Float64Array;
export const each =
  (f: (v: number, j: number) => number): F =>
  (x) =>
    x.map(f);

export interface How {
  readonly dtype?: FloatDtype;
  readonly structure?: Structure;
  readonly kinks?: (element: number) => readonly DeclaredKink[];
  readonly noise?: number;
  /** K·u of noise that was estimated, and may be far too small where terms cancel; 0 unless given. */
  readonly unit?: number;
}

export interface Measured {
  readonly jacobian: Jacobian;
  readonly confirm: (elements: number[], before?: Jacobian) => Promise<Jacobian>;
  /** Calls that the Jacobian took, after the first evaluations. */
  readonly more: number;
  readonly calls: () => number;
}

/** Measures f at x; counts its calls. */
export async function measured(
  f: F,
  x: readonly number[],
  { dtype = 'f64', structure = 'elementwise', kinks, noise, unit = 0 }: How = {},
): Promise<Measured> {
  const inputs = { x: Float64Array.from(x) };
  const y = f(inputs.x);
  let calls = 0;
  const numeric = async (at: Readonly<Record<string, Float64Array>>) => {
    calls++;
    return f(at.x);
  };
  const layout = layoutOf('x', structure, [1, x.length], [1, y.length]);
  const moved = new Moved('x', layout, kinks, { numeric, dtype, inputs, y });
  await moved.first(random(1, 'jacobian'));
  expect(moved.crossTalk).toBeUndefined();
  const u = 2 ** -formats[dtype].p;
  const bounds = Float64Array.from(y, (v) => noise ?? 4 * u * (Math.abs(v) + 1));
  const first = calls;
  const jacobian = await measureJacobian(moved, y, bounds, dtype, unit);
  const more = calls - first;
  const confirm = (elements: number[], before: Jacobian = jacobian) =>
    confirmJacobian(before, new Set(elements), moved, y, bounds, dtype, unit);
  return { jacobian, confirm, more, calls: () => calls };
}

/** Each derivative lies in its interval, which is at most so wide. */
export function expectWithin({ lo, hi }: Jacobian, slopes: readonly number[], width: number): void {
  for (const [i, slope] of slopes.entries()) {
    expect(lo[i], `lo of ${i}`).toBeLessThanOrEqual(slope);
    expect(hi[i], `hi of ${i}`).toBeGreaterThanOrEqual(slope);
    expect(hi[i] - lo[i], `width of ${i}`).toBeLessThanOrEqual(width * Math.max(1, Math.abs(slope)));
  }
}

export const h: number = 2 ** -15;
export const widest: number = stepScales.f64[0];
export const middle: number = stepScales.f64[1];
export const smallest: number = stepScales.f64[2];
/** `v + c·v³`, of which a quartic knows the slope, and takes for its error `4·h²·c` around a point, `8·h²·c` beside one. */
export const cubic = (c: number): F => each((v) => v + c * v ** 3);
/** A kink on the left of 0, so near that points lie on the right at every scale. */
export const beside = (): DeclaredKink[] => [{ at: -smallest }];
export const widthOf = ({ lo, hi }: Jacobian): number => hi[0] - lo[0];
