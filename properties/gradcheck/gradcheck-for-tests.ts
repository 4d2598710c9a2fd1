import { type Random, random } from '../../reference/random.ts';
import type { Declared, Differentiable, Shapes, Tensors } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { papLayer } from './layers-for-tests.ts';
import type { GradcheckOptions } from './options.ts';

const draw: Random = random(7, 'gradcheck.test');
export const normal = (): number =>
  Math.sqrt(-2 * Math.log(1 - draw.uniform())) * Math.cos(2 * Math.PI * draw.uniform());
export const tensor = (size: number, element: () => number = normal): Float64Array =>
  Float64Array.from({ length: size }, element);

/** A PAP layer: x [32, 64], alpha [2, 64]; smaller for Stryker, which runs this some thousand times. */
const isSmall = Number(process.env.POOLPROOF_ATTACK ?? 1) < 1;
export const N: number = isSmall ? 8 : 32;
export const U: number = isSmall ? 24 : 64;
export const pap: Differentiable = papLayer(U);
export const shapes: Shapes = { x: [N, U], alpha: [2, U] };
export const declared: Declared = {
  shapes,
  structure: { x: 'elementwise', alpha: { trailing: 1 } },
  kinks: { x: [{ at: 0, value: 'left', derivative: 'left' }] },
  batch: ['x'],
};
export const inputs: { readonly x: Float64Array; readonly alpha: Float64Array } = {
  x: tensor(N * U),
  alpha: tensor(2 * U),
};
const { jvp: _, doubleVjp: __, ...withVjp } = pap;
/** The layer without forward mode and gradient of the gradient. */
export const first: Differentiable = withVjp;

/** The codes of what is found. */
export async function codes(f: Differentiable, given: Tensors, options: GradcheckOptions = {}): Promise<string[]> {
  return (await gradcheck(f, given, options)).failures.map(({ code }) => code);
}
