import { random } from '../../reference/random.ts';
import { AskedFunction } from './calls.ts';
import type { Numeric } from './compare.ts';
import type { Context } from './context.ts';
import type { Differentiable, Structure, Tensors } from './differentiable.ts';
import type { Jacobian } from './jacobian.ts';
import { layoutOf } from './layout.ts';

/** What is known of an input: its structure, and `∂yᵢ/∂vⱼ`, or an interval of it. */
export interface Known {
  readonly structure: Structure;
  readonly slope: (i: number, j: number) => number | readonly [number, number];
}

/** A context whose derivatives are given, not measured. `more` replaces parts of it. */
export async function contextOf(
  f: Differentiable,
  inputs: Tensors,
  shapes: Context['shapes'],
  known: Readonly<Record<string, Known>>,
  more: Partial<Context> & { readonly seed?: number } = {},
): Promise<Context> {
  const { seed = 1, ...replaced } = more;
  const asked = new AskedFunction(f, {}, shapes);
  const y = await asked.forward(inputs);
  const dy = more.dy ?? new Float64Array(y.length).fill(1);
  const numerics = Object.entries(known).map(([name, { structure, slope }]): Numeric => {
    const layout = layoutOf(name, structure, shapes[name], shapes.y);
    const [lo, hi] = [new Float64Array(layout.colours * y.length), new Float64Array(layout.colours * y.length)];
    for (let colour = 0; colour < layout.colours; colour++) {
      for (const [i, j] of layout.elements(colour).entries()) {
        const interval = slope(i, j);
        [lo[colour * y.length + i], hi[colour * y.length + i]] =
          typeof interval === 'number' ? [interval, interval] : interval;
      }
    }
    const jacobian: Jacobian = { lo, hi, kinks: [] };
    return {
      name,
      layout,
      jacobian,
      confirm: async () => jacobian,
      shape: shapes[name],
      values: inputs[name],
      noise: new Float64Array(y.length),
      kinksOf: undefined,
      projection: undefined,
    };
  });
  return {
    asked,
    inputs,
    y,
    dy,
    gradients: await asked.vjp(inputs, dy),
    numerics,
    shapes,
    dtype: 'f64',
    draw: random(seed, 'context'),
    declared: {},
    noise: new Float64Array(y.length),
    roundings: 4,
    tolerance: undefined,
    ...replaced,
  };
}

/** `y = w·x` over x `[3, 2]` with w `[2]`, at inputs of few bits. */
export const product: Differentiable = {
  forward: ({ x, w }) => x.map((v, i) => v * w[i % 2]),
  vjp({ x, w }, dy) {
    const dw = new Float64Array(2);
    for (const [i, d] of dy.entries()) dw[i % 2] += x[i] * d;
    return { x: dy.map((d, i) => w[i % 2] * d), w: dw };
  },
  jvp: ({ x, w }, { x: tx, w: tw }) => x.map((v, i) => w[i % 2] * tx[i] + v * tw[i % 2]),
};
export const productInputs: Readonly<Record<'x' | 'w', Float64Array>> = {
  x: Float64Array.of(1, 2, -3, 4, 0.5, -0.25),
  w: Float64Array.of(3, -2),
};
export const productShapes: Readonly<Record<'x' | 'w' | 'y', readonly number[]>> = { x: [3, 2], w: [2], y: [3, 2] };
export const productKnown: Readonly<Record<'x' | 'w', Known>> = {
  x: { structure: 'elementwise', slope: (i) => productInputs.w[i % 2] },
  w: { structure: { trailing: 1 }, slope: (i) => productInputs.x[i] },
};
