import { describe, expect, it } from 'vitest';
import type { Differentiable } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';
import { describeGradcheckFailure } from './report-text.ts';

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i], 0);
/** `J v` of one row; each of these Jacobians is symmetric, so `Jᵀ v` is the same. */
type Product = (x: Float64Array, v: Float64Array) => Float64Array;
interface Row {
  readonly f: (x: Float64Array) => Float64Array;
  readonly times: Product;
}

const softmaxOf = (x: Float64Array): Float64Array => {
  const top = Math.max(...x);
  const e = x.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / total);
};
const rows: Readonly<Record<string, Row>> = {
  unit: {
    f: (x) => x.map((v) => v / Math.sqrt(dot(x, x))),
    times(x, v) {
      const n = Math.sqrt(dot(x, x));
      const along = dot(x, v);
      return v.map((d, i) => d / n - (x[i] * along) / n ** 3);
    },
  },
  rmsNorm: {
    f: (x) => x.map((v) => v / Math.sqrt(dot(x, x) / x.length + 1e-6)),
    times(x, v) {
      const s = 1 / Math.sqrt(dot(x, x) / x.length + 1e-6);
      const along = dot(x, v);
      return v.map((d, i) => s * d - (x[i] * s ** 3 * along) / x.length);
    },
  },
  softmax: {
    f: softmaxOf,
    times(x, v) {
      const p = softmaxOf(x);
      const mean = dot(p, v);
      return p.map((c, i) => c * (v[i] - mean));
    },
  },
};
const softmaxOfTwo: Product = (x, v) => {
  const [p, q] = softmaxOf(x);
  return Float64Array.of(p * q * (v[0] - v[1]), p * q * (v[1] - v[0]));
};

function layerOf({ f, times }: Row, jvp: Product = times): Differentiable {
  return {
    forward: ({ x }) => f(x),
    vjp: ({ x }, dy) => ({ x: times(x, dy) }),
    jvp: ({ x }, { x: t }) => jvp(x, t),
  };
}

const places: readonly (readonly number[])[] = [[3], [0.3], [-8, 1], [1, -1, 30], [7, 7.5], [0.1, 0.7, -2.3, 5]];
const seeds = Array.from({ length: 20 }, (_, k) => k + 1);

describe('no right layer is called wrong where terms cancel inside', () => {
  it.each(Object.entries(rows))('%s', async (_, row) => {
    for (const place of places) {
      for (const seed of seeds) {
        const { failures } = await gradcheck(layerOf(row), { x: Float64Array.from(place) }, { seed });
        expect(failures.map(describeGradcheckFailure), `[${place}], seed ${seed}`).toEqual([]);
      }
    }
  });

  it('softmax, in one mode by another formula', async () => {
    for (const place of [
      [-8, 1],
      [30, -1],
      [0.5, 0.25],
    ]) {
      for (const seed of seeds) {
        const f = layerOf(rows.softmax, softmaxOfTwo);
        const { failures } = await gradcheck(f, { x: Float64Array.from(place) }, { seed });
        expect(failures.map(describeGradcheckFailure), `[${place}], seed ${seed}`).toEqual([]);
      }
    }
  });

  it('tanh, in one mode by 1 - tanh(x)², in the other by 1/cosh(x)²', async () => {
    const f = elementwiseLayer('tanh', elementwise.tanh);
    const vjp: Differentiable['vjp'] = ({ x }, dy) => ({ x: x.map((v, i) => dy[i] / Math.cosh(v) ** 2) });
    for (const v of [0.5, 4, 9, 15, 17, 19]) {
      for (const seed of seeds) {
        const { failures } = await gradcheck({ ...f, vjp }, { x: Float64Array.of(v) }, { seed });
        expect(failures.map(describeGradcheckFailure), `${v}, seed ${seed}`).toEqual([]);
      }
    }
  });

  it('where what is below the smallest number is lost', async () => {
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    const slope = (v: number) => sigmoid(v) * sigmoid(-v);
    const f32: Differentiable = {
      dtype: 'f32',
      forward: ({ x }) => x.map((v) => Math.fround(sigmoid(v))),
      vjp: ({ x }, dy) => ({ x: dy.map((d, i) => Math.fround(d * slope(x[i]))) }),
      jvp: ({ x }, { x: t }) => t.map((d, i) => Math.fround(d * slope(x[i]))),
    };
    for (const f of [f32, { ...f32, twin: ({ x }: Readonly<Record<string, Float64Array>>) => x.map(sigmoid) }]) {
      for (const v of [-80, -95, -100, -103]) {
        for (const seed of seeds) {
          const { failures } = await gradcheck(f, { x: Float64Array.of(v) }, { seed });
          expect(failures.map(describeGradcheckFailure), `${v}, seed ${seed}`).toEqual([]);
        }
      }
    }
  });
});

describe('what is wrong is found', () => {
  const wrongBy =
    (e: number): Product =>
    (x, v) =>
      rows.softmax.times(x, v).map((t) => t * (1 + e));
  const found = async (f: Differentiable, x: readonly number[]) => {
    const codes = await Promise.all(
      seeds.map(async (seed) =>
        (await gradcheck(f, { x: Float64Array.from(x) }, { seed })).failures.map((o) => o.code),
      ),
    );
    return codes.filter((of) => of.includes('adjoint')).length;
  };

  it('by 1e-12 in a softmax, but for where <ty, dy> cancels', async () => {
    expect(await found(layerOf(rows.softmax, wrongBy(1e-12)), [0.5, 0.25, -1])).toBeGreaterThan(14);
    expect(await found(layerOf(rows.softmax, wrongBy(1e-11)), [0.5, 0.25, -1])).toBeGreaterThan(17);
  });

  it('by 1e-13 in elementwise functions', async () => {
    for (const name of ['tanh', 'cube', 'relu']) {
      const f = elementwiseLayer(name, elementwise[name]);
      const jvp: Differentiable['jvp'] = async (...of) => (await f.jvp!(...of)).map((t) => t * (1 + 1e-13));
      expect(await found({ ...f, jvp }, [0.5, 1.25, -0.75, 0.3]), name).toBeGreaterThan(14);
    }
  });

  it('rounded to float32', async () => {
    const jvp: Product = (x, v) => rows.softmax.times(x, v).map(Math.fround);
    expect(await found(layerOf(rows.softmax, jvp), [0.5, 0.25, -1])).toBe(seeds.length);
  });

  it('at a kink alone', async () => {
    const f = elementwiseLayer('relu6', elementwise.relu6);
    const jvp: Differentiable['jvp'] = ({ x }, { x: t }) => x.map((v, i) => (v > 0 && v <= 6 ? t[i] : 0));
    // A tangent may be 0 there.
    expect(await found({ ...f, jvp }, [0.5, 6, -0.75])).toBeGreaterThan(14);
  });
});
