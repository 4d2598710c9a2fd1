import { checkInput, checkTensor } from './arguments.ts';
import { type Branch, branchOf } from './branches.ts';
import type { GradientCotangents, Gradients, PoolInput, SecondOrder, Tangents } from './case.ts';
import { type Kappa, kappa } from './constraints.ts';
import { type ParameterLayout, parameterLayout } from './parameters.ts';
import { ExactSum } from './sum.ts';

/** A pool input with the cotangent `dy` of its output, `[N, ...U]`. */
export type VjpInput = PoolInput & { readonly dy: Float64Array };

/**
 * `y = Σᵢ cᵢ · fᵢ(x)`, `c = κ(alpha)`.
 *
 * x: `[N, ...U]`, alpha: `[rows, ...S]`, both float64, row-major; y: `[N, ...U]`, each element rounded once from the
 * exact sum of the products of `cᵢ` and `fᵢ(x)`.
 *
 * @throws TypeError, RangeError naming the argument. Source: spec §1, §2.
 */
export function forward(input: PoolInput): Float64Array {
  const { layout, fs, kappas } = prepare(input, 'forward');
  return input.x.map((x, i) => {
    const { c } = kappas[layout.positionOf[i % layout.units]];
    const y = new ExactSum();
    for (const [k, { f }] of fs.entries()) y.addProduct(c[k], f(x));
    return y.value();
  });
}

/**
 * `dx = dy · Σᵢ cᵢ fᵢ′(x)`, `dcᵢ = Σ_shared fᵢ(x) · dy`, `dalpha = κ′ᵀ dc`.
 *
 * dy, dx: `[N, ...U]`; dalpha: `[rows, ...S]`, summed over the batch and every shared axis, in no order.
 *
 * @throws TypeError, RangeError naming the argument. Source: spec §4.
 */
export function vjp(input: VjpInput): Gradients {
  const { layout, fs, kappas } = prepare(input, 'vjp');
  const { x, dy, shape } = input;
  checkTensor('vjp', 'dy', dy, shape);
  const dx = x.map((v, i) => dy[i] * slope(fs, kappas[layout.positionOf[i % layout.units]].c, v));
  const dc = sumsOverShared(layout, x.length, (k, i) => [fs[k].f(x[i]), dy[i]]);
  return { dx, dalpha: pullBack(layout, kappas, dc) };
}

/**
 * `ty = Σᵢ cᵢ fᵢ′(x) · tx + Σᵢ fᵢ(x) · tcᵢ`, `tc = κ′ talpha`.
 *
 * tx, ty: `[N, ...U]`; talpha: `[rows, ...S]`.
 *
 * @throws TypeError, RangeError naming the argument. Source: spec §4.
 */
export function jvp(input: PoolInput, tangents: Tangents): Float64Array {
  const { layout, fs, kappas } = prepare(input, 'jvp');
  checkInput('jvp', 'tangents', tangents);
  const { tx, talpha } = tangents;
  checkTensor('jvp', 'tx', tx, input.shape);
  checkTensor('jvp', 'talpha', talpha, layout.alphaShape);
  const tcs = kappas.map((kappaAt, s) => kappaAt.jvp(column(talpha, layout.rows, layout.positions, s)));
  return input.x.map((x, i) => {
    const s = layout.positionOf[i % layout.units];
    const ty = new ExactSum();
    ty.addProduct(slope(fs, kappas[s].c, x), tx[i]);
    for (const [k, { f }] of fs.entries()) ty.addProduct(tcs[s][k], f(x));
    return ty.value();
  });
}

/**
 * Double backward, the gradients of `<ddx, dx> + <ddalpha, dalpha>`, with `tc = κ′ ddalpha`:
 * to dy: `ddx · Σ cᵢfᵢ′ + Σ tcᵢfᵢ`; to x: `ddx · dy · Σ cᵢfᵢ″ + dy · Σ tcᵢfᵢ′`;
 * to alpha: `κ′ᵀ Σ_shared ddx · dy · fᵢ′`, and for softmax the second derivative of κ.
 *
 * ddx, toX, toDy: `[N, ...U]`; ddalpha, toAlpha: `[rows, ...S]`.
 *
 * @throws TypeError, RangeError naming the argument. Source: spec §4.
 */
export function doubleVjp(input: VjpInput, cotangents: GradientCotangents): SecondOrder {
  const { layout, fs, kappas } = prepare(input, 'doubleVjp');
  checkInput('doubleVjp', 'cotangents', cotangents);
  const { ddx, ddalpha } = cotangents;
  const { x, dy, shape } = input;
  checkTensor('doubleVjp', 'dy', dy, shape);
  checkTensor('doubleVjp', 'ddx', ddx, shape);
  checkTensor('doubleVjp', 'ddalpha', ddalpha, layout.alphaShape);
  const toDy = jvp(input, { tx: ddx, talpha: ddalpha });
  const ddalphas = kappas.map((_, s) => column(ddalpha, layout.rows, layout.positions, s));
  const tcs = kappas.map((kappaAt, s) => kappaAt.jvp(ddalphas[s]));
  const toX = x.map((v, i) => {
    const s = layout.positionOf[i % layout.units];
    const curvature = new ExactSum();
    for (const [k, { d2f }] of fs.entries()) curvature.addProduct(kappas[s].c[k], d2f(v));
    const total = new ExactSum();
    total.addProduct(ddx[i] * curvature.value(), dy[i]);
    total.addProduct(slope(fs, tcs[s], v), dy[i]);
    return total.value();
  });
  const toC = sumsOverShared(layout, x.length, (k, i) => [ddx[i] * fs[k].df(x[i]), dy[i]]);
  const toAlpha = pullBack(layout, kappas, toC);
  const dc = sumsOverShared(layout, x.length, (k, i) => [fs[k].f(x[i]), dy[i]]);
  for (const [s, kappaAt] of kappas.entries()) {
    const second = kappaAt.second(column(dc, layout.n, layout.positions, s), ddalphas[s]);
    for (const [row, value] of second.entries()) toAlpha[row * layout.positions + s] += value;
  }
  return { toX, toAlpha, toDy };
}

interface PreparedPool {
  readonly layout: ParameterLayout;
  readonly fs: readonly Branch[];
  /** κ at each position of S. */
  readonly kappas: readonly Kappa[];
}

function prepare(input: PoolInput, where: string): PreparedPool {
  checkInput(where, 'input', input);
  const { pool, shape, x, alpha } = input;
  const layout = parameterLayout(pool, shape);
  checkTensor(where, 'x', x, shape);
  checkTensor(where, 'alpha', alpha, layout.alphaShape);
  const kappas = Array.from({ length: layout.positions }, (_, s) =>
    kappa(pool.constraint, column(alpha, layout.rows, layout.positions, s), layout.n),
  );
  return { layout, fs: pool.branches.map(branchOf), kappas };
}

/** `Σᵢ cᵢ fᵢ′(x)` */
function slope(fs: readonly Branch[], c: readonly number[], x: number): number {
  const total = new ExactSum();
  for (const [k, { df }] of fs.entries()) total.addProduct(c[k], df(x));
  return total.value();
}

/** For each branch k and position s the sum of the products `terms(k, i)` over the elements i that use s: `[n, |S|]`. */
function sumsOverShared(
  layout: ParameterLayout,
  elements: number,
  terms: (k: number, i: number) => readonly [number, number],
): Float64Array {
  const sums = Array.from({ length: layout.n * layout.positions }, () => new ExactSum());
  for (let i = 0; i < elements; i++) {
    const s = layout.positionOf[i % layout.units];
    for (let k = 0; k < layout.n; k++) sums[k * layout.positions + s].addProduct(...terms(k, i));
  }
  return Float64Array.from(sums, (sum) => sum.value());
}

/** `κ′ᵀ dc` at every position: `[n, |S|]` to `[rows, |S|]`. */
function pullBack(layout: ParameterLayout, kappas: readonly Kappa[], dc: Float64Array): Float64Array {
  const dalpha = new Float64Array(layout.rows * layout.positions);
  for (const [s, kappaAt] of kappas.entries()) {
    const rows = kappaAt.vjp(column(dc, layout.n, layout.positions, s));
    for (const [row, value] of rows.entries()) dalpha[row * layout.positions + s] = value;
  }
  return dalpha;
}

/** Column `s` of a row-major `[rows, columns]` matrix. */
function column(matrix: Float64Array, rows: number, columns: number, s: number): number[] {
  return Array.from({ length: rows }, (_, row) => matrix[row * columns + s]);
}
