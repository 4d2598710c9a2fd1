import type { Differentiable } from './differentiable.ts';

/** An elementwise function with its derivative, as scalars. */
export interface Elementwise {
  readonly f: (x: number) => number;
  readonly df: (x: number) => number;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** `erfc(x) = exp(-x²)/√π / (x + ½/(x + 1/(x + …)))`, its continued fraction, to some ulps where |x| ≥ 2. */
const erfc = (x: number): number => {
  if (x < 0) return 2 - erfc(-x);
  let rest = 0;
  for (let k = 200; k > 0; k--) rest = k / 2 / (x + rest);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + rest);
};
const softplus = (x: number): number => Math.log(1 + Math.exp(x));

const sech2 = (x: number): number => 1 / Math.cosh(x) ** 2;

/** Right functions whose inner terms are as large as 1 and cancel: tiny, and flat or on steps, at these places. */
export const cancelling: Readonly<Record<string, Elementwise & { readonly places: readonly number[] }>> = {
  '1 - tanh': { f: (x) => 1 - Math.tanh(x), df: (x) => -1 / Math.cosh(x) ** 2, places: [14, 16, 17, 19.5, 30] },
  '1 - sigmoid': { f: (x) => 1 - sigmoid(x), df: (x) => -sigmoid(x) * sigmoid(-x), places: [30, 35.7, 37, 52] },
  'exact GELU': {
    f: (x) => 0.5 * x * (1 - (1 - erfc(-x / Math.SQRT2))),
    df: (x) => 0.5 * erfc(-x / Math.SQRT2) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
    places: [-7, -8, -8.3, -9, -10, -15],
  },
  'log(1 + exp)': { f: softplus, df: sigmoid, places: [-32.6, -36, -37, -44, -600, -690, -740] },
  Mish: {
    f: (x) => x * Math.tanh(softplus(x)),
    df: (x) => Math.tanh(softplus(x)) + (x * sigmoid(x)) / Math.cosh(softplus(x)) ** 2,
    places: [-28, -36.4, -43.6],
  },
  // Large about 0 alone.
  '1 - tanh²': {
    f: (x) => 1 - Math.tanh(x) ** 2,
    df: (x) => -2 * Math.tanh(x) * sech2(x),
    places: [12, 16, -16, 16.5, 17, 17.5, -18, 20],
  },
  '1 - tanh⁴': {
    f: (x) => 1 - Math.tanh(x) ** 4,
    df: (x) => -4 * Math.tanh(x) ** 3 * sech2(x),
    places: [-16, 16.5, 17, 17.5],
  },
  's(1 - s)': {
    f: (x) => sigmoid(x) * (1 - sigmoid(x)),
    df: (x) => sigmoid(x) * sigmoid(-x) * (sigmoid(-x) - sigmoid(x)),
    places: [30, 32, 33, 34, 35, 36.5],
  },
};

/** Right functions, smooth and not, some of them with kinks elsewhere than at 0. */
export const elementwise: Readonly<Record<string, Elementwise>> = {
  tanh: { f: Math.tanh, df: (x) => 1 - Math.tanh(x) ** 2 },
  sigmoid: { f: sigmoid, df: (x) => sigmoid(x) * sigmoid(-x) },
  softplus: { f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), df: sigmoid },
  exp: { f: Math.exp, df: Math.exp },
  sin10: { f: (x) => Math.sin(10 * x), df: (x) => 10 * Math.cos(10 * x) },
  cube: { f: (x) => x * x * x, df: (x) => 3 * x * x },
  square: { f: (x) => x * x, df: (x) => 2 * x },
  swish: { f: (x) => x * sigmoid(x), df: (x) => sigmoid(x) + x * sigmoid(x) * sigmoid(-x) },
  softsign: { f: (x) => x / (1 + Math.abs(x)), df: (x) => 1 / (1 + Math.abs(x)) ** 2 },
  steep: { f: (x) => Math.tanh(1000 * x), df: (x) => 1000 * (1 - Math.tanh(1000 * x) ** 2) },
  narrow: { f: (x) => Math.exp(-50 * x * x), df: (x) => -100 * x * Math.exp(-50 * x * x) },
  third: { f: (x) => x / 3, df: () => 1 / 3 },
  constant: { f: () => 7, df: () => 0 },
  offset: { f: (x) => 1e8 + x, df: () => 1 },
  relu: { f: (x) => Math.max(x, 0), df: (x) => (x > 0 ? 1 : 0) },
  abs: { f: Math.abs, df: Math.sign },
  relu6: { f: (x) => Math.min(Math.max(x, 0), 6), df: (x) => (x > 0 && x < 6 ? 1 : 0) },
  leaky: { f: (x) => (x > 0 ? x : x / 100), df: (x) => (x > 0 ? 1 : 1 / 100) },
  elu: { f: (x) => (x > 0 ? x : Math.expm1(x)), df: (x) => (x > 0 ? 1 : Math.exp(x)) },
  selu: { f: (x) => 1.05 * (x > 0 ? x : 1.67 * Math.expm1(x)), df: (x) => 1.05 * (x > 0 ? 1 : 1.67 * Math.exp(x)) },
  hardSwish: {
    f: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    df: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6),
  },
  halfSquare: { f: (x) => (x > 0 ? (x * x) / 2 : 0), df: (x) => Math.max(x, 0) },
  step: { f: (x) => (x > 0 ? 1 : 0), df: () => 0 },
};

/** A function of `x` alone. */
export function elementwiseLayer(name: string, { f, df }: Elementwise): Differentiable {
  return {
    name,
    forward: ({ x }) => x.map(f),
    vjp: ({ x }, dy) => ({ x: x.map((v, i) => df(v) * dy[i]) }),
    jvp: ({ x }, { x: tx }) => x.map((v, i) => df(v) * tx[i]),
  };
}

/** `P·relu(x) + D·step(x)` over x `[N, U]` with alpha `[2, U]`, as anyone would write it; nothing declared. */
export function papLayer(units: number): Differentiable {
  return {
    name: 'pap',
    forward({ x, alpha }) {
      return x.map((v, i) => (v > 0 ? alpha[i % units] * v + alpha[units + (i % units)] : 0 * v));
    },
    vjp({ x, alpha }, dy) {
      const dalpha = new Float64Array(2 * units);
      const dx = x.map((v, i) => {
        const u = i % units;
        dalpha[u] += Math.max(v, 0) * dy[i];
        dalpha[units + u] += (v > 0 ? 1 : 0 * v) * dy[i];
        return v > 0 ? alpha[u] * dy[i] : 0 * v * dy[i];
      });
      return { x: dx, alpha: dalpha };
    },
    jvp({ x, alpha }, { x: tx, alpha: talpha }) {
      return x.map((v, i) => {
        const u = i % units;
        return v > 0 ? alpha[u] * tx[i] + v * talpha[u] + talpha[units + u] : 0;
      });
    },
    doubleVjp({ x, alpha }, dy, { x: ddx, alpha: ddalpha }) {
      const toAlpha = new Float64Array(2 * units);
      const toX = new Float64Array(x.length);
      const toDy = x.map((v, i) => {
        const u = i % units;
        if (!(v > 0)) return 0;
        toAlpha[u] += ddx[i] * dy[i];
        toX[i] = ddalpha[u] * dy[i];
        return alpha[u] * ddx[i] + v * ddalpha[u] + ddalpha[units + u];
      });
      return { inputs: { x: toX, alpha: toAlpha }, dy: toDy };
    },
  };
}

/** `y = W x` for each row of x `[N, m]` with w `[m, n]`. */
export function denseLayer(m: number, n: number): Differentiable {
  const rowsOf = (length: number) => Array.from({ length: length / m }, (_, r) => r);
  const columns = Array.from({ length: n }, (_, k) => k);
  const inner = Array.from({ length: m }, (_, j) => j);
  return {
    name: 'dense',
    forward: ({ x, w }) =>
      Float64Array.from(
        rowsOf(x.length).flatMap((r) =>
          columns.map((k) => inner.reduce((sum, j) => sum + x[r * m + j] * w[j * n + k], 0)),
        ),
      ),
    vjp({ x, w }, dy) {
      const dw = new Float64Array(m * n);
      const dx = new Float64Array(x.length);
      for (const r of rowsOf(x.length)) {
        for (const j of inner) {
          for (const k of columns) {
            dx[r * m + j] += w[j * n + k] * dy[r * n + k];
            dw[j * n + k] += x[r * m + j] * dy[r * n + k];
          }
        }
      }
      return { x: dx, w: dw };
    },
  };
}
