import { describe, expect, it } from 'vitest';
import { type Activation, concat, mrelu, pap, prelu, relu } from './activations.ts';
import { batches, stepsPerEpoch } from './batches.ts';
import { crossEntropyBackward, crossEntropyForward } from './cross-entropy.ts';
import { denseBackward, denseBackwardInput, denseForward } from './dense.ts';
import { dropoutMask } from './dropout.ts';
import { limitOf } from './initializers.ts';
import { product, transpose } from './matrix.ts';
import {
  type Batch,
  backward,
  forward,
  initialParameters,
  type Layer,
  layerShapes,
  widen,
  widenBatch,
  zerosLike,
} from './network.ts';
import type { Protocol } from './protocol.ts';
import { random } from './random.ts';
import { learningRateAt, nesterovUpdate } from './sgd.ts';
import { trainStep } from './train.ts';

const smooth: Activation = {
  name: 'smooth',
  pool: { branches: ['tanh', 'softplus'], sharing: 'unit', constraint: { kind: 'free' } },
  start: [0.75, 0.5],
  trained: [true, true],
};

const small: Protocol = {
  name: 'small',
  sizes: [6, 5, 4, 3],
  activation: smooth,
  dropout: 0.25,
  initializer: 'glorotUniform',
  learningRate: 0.1,
  momentum: 0.9,
  decay: 1e-2,
  batch: 4,
  epochs: 1,
};

const data = (() => {
  const source = random(11, 'data');
  return {
    images: Uint8Array.from({ length: 10 * 6 }, () => source.below(256)),
    labels: Uint8Array.from({ length: 10 }, () => source.below(3)),
  };
})();

const firstBatch = (protocol: Protocol, seed = 1): Batch<Float64Array> =>
  widenBatch(batches(protocol, data, seed).next().value);

const floats = (n: number, seed: number): Float64Array => {
  const source = random(seed, 'floats');
  return Float64Array.from({ length: n }, () => source.uniform(-1, 1));
};

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);

describe('product', () => {
  it('is the plain triple loop, for any shape and any share of zeros', () => {
    for (const [n, k, m, share] of [
      [3, 7, 5, 0],
      [4, 8, 1, 0.5],
      [1, 9, 6, 0.9],
      [2, 3, 4, 1],
      [0, 3, 2, 0],
      [2, 0, 2, 0],
    ] as const) {
      const source = random(n * 100 + k, 'product');
      // Small integers: every order of summation is exact.
      const integers = (size: number): Float64Array =>
        Float64Array.from({ length: size }, () => (source.uniform() < share ? 0 : source.below(17) - 8));
      const [A, B] = [integers(n * k), integers(k * m)];
      const C = Float64Array.from({ length: n * m }, (_, at) => {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += A[Math.floor(at / m) * k + p] * B[p * m + (at % m)];
        return sum;
      });
      expect(product(A, B, n, k, m)).toEqual(C);
      expect(transpose(transpose(A, n, k), k, n)).toEqual(A);
    }
  });

  it('does not pass over a zero that meets an infinity or NaN', () => {
    for (const special of [Infinity, Number.NaN]) {
      expect(product(Float64Array.of(0, 1), Float64Array.of(special, 2), 1, 2, 1)).toEqual(Float64Array.of(Number.NaN));
    }
  });

  it('names what does not fit', () => {
    expect(() => product(new Float64Array(5), new Float64Array(6), 2, 3, 2)).toThrow(
      'product: "A" expected shape [2, 3], 6 elements, got 5',
    );
  });
});

describe('dense', () => {
  it('is x·W + b, by hand', () => {
    const [x, W, b] = [
      [1, 2],
      [1, 2, 3, 4, 5, 6],
      [10, 20, 30],
    ].map((v) => Float64Array.from(v));
    expect([...denseForward(x, W, b, 2)]).toEqual([19, 32, 45]);
    const dy = Float64Array.of(1, 0, -1);
    expect([...denseBackward(dy, x, 2, 3).dW]).toEqual([1, 0, -1, 2, 0, -2]);
    expect([...denseBackward(dy, x, 2, 3).db]).toEqual([1, 0, -1]);
    expect([...denseBackwardInput(dy, W, 2)]).toEqual([-2, -2]);
  });

  it('<dy, J t> = <Jᵀ dy, t> for each argument', () => {
    const [N, inputs, units] = [5, 7, 3];
    const [x, W, b, dy] = [N * inputs, inputs * units, units, N * units].map(floats);
    const [tx, tW, tb] = [N * inputs, inputs * units, units].map((n) => floats(n, n + 50));
    const zero = new Float64Array(units);
    const { dW, db } = denseBackward(dy, x, inputs, units);
    const dx = denseBackwardInput(dy, W, inputs);
    const ones = Float64Array.from({ length: N * units }, (_, i) => tb[i % units]);
    // Sums of some 100 terms of size 1: 1e-13 is 5 times the bound of their rounding.
    expect(dot(dx, tx)).toBeCloseTo(dot(dy, denseForward(tx, W, zero, inputs)), 13);
    expect(dot(dW, tW)).toBeCloseTo(dot(dy, denseForward(x, tW, zero, inputs)), 13);
    expect(dot(db, tb)).toBeCloseTo(dot(dy, ones), 13);
    expect(b).toHaveLength(units);
  });
});

describe('cross-entropy', () => {
  it('is log(classes) for equal logits, and does not overflow', () => {
    expect(crossEntropyForward(new Float64Array(6), [0, 2], 3)).toBeCloseTo(Math.log(3), 15);
    expect(crossEntropyForward(Float64Array.of(1000, 0), [0], 2)).toBe(0);
    expect(crossEntropyForward(Float64Array.of(1000, 0), [1], 2)).toBe(1000);
    expect([...crossEntropyBackward(Float64Array.of(1000, 0), [1], 2)]).toEqual([1, -1]);
  });

  it('does not change when a row is shifted; its gradient sums to 0 over a row', () => {
    const z = floats(12, 3);
    const labels = [0, 1, 2, 0];
    const shifted = z.map((v) => v + 8);
    expect(crossEntropyForward(shifted, labels, 3)).toBeCloseTo(crossEntropyForward(z, labels, 3), 13);
    const dz = crossEntropyBackward(z, labels, 3);
    for (let row = 0; row < 4; row++)
      expect(dot(dz.subarray(row * 3, row * 3 + 3), floats(3, 1).fill(1))).toBeCloseTo(0, 15);
  });

  it('refuses labels out of range and no labels', () => {
    expect(() => crossEntropyForward(new Float64Array(3), [3], 3)).toThrow('integers in [0, 3), got 3 at 0');
    expect(() => crossEntropyForward(new Float64Array(0), [], 3)).toThrow('at least one');
  });
});

describe('network', () => {
  it('has the gradient of its loss, by central differences in every parameter of a smooth network', () => {
    const parameters = widen(initialParameters(small, 3));
    const batch = firstBatch(small);
    const { stages } = forward(small, parameters, batch);
    const { gradients } = backward(small, parameters, batch, stages);
    const h = 1e-5;
    for (const [i, layer] of parameters.entries()) {
      for (const field of ['W', 'b', 'alpha'] as const) {
        const values = layer[field];
        for (let k = 0; values && k < values.length; k++) {
          const kept = values[k];
          values[k] = kept + h;
          const above = forward(small, parameters, batch).loss;
          values[k] = kept - h;
          const below = forward(small, parameters, batch).loss;
          values[k] = kept;
          // h² · |f‴| / 6 and 2u·loss / h are below 1e-9 for weights and inputs of size 1.
          expect(Math.abs((gradients[i][field]?.[k] ?? Number.NaN) - (above - below) / (2 * h))).toBeLessThan(1e-9);
        }
      }
    }
  });

  it('is the same function when hidden units change places', () => {
    const protocol = { ...small, sizes: [6, 5, 3], activation: pap };
    const [first, last] = widen(initialParameters(protocol, 5));
    const batch = firstBatch(protocol);
    const order = [3, 1, 4, 0, 2];
    const columns = (values: Float64Array): Float64Array => values.map((_, i) => values[i - (i % 5) + order[i % 5]]);
    const rows = (values: Float64Array): Float64Array =>
      values.map((_, i) => values[order[Math.floor(i / 3)] * 3 + (i % 3)]);
    const moved: Layer<Float64Array>[] = [
      { W: columns(first.W), b: columns(first.b), alpha: first.alpha && columns(first.alpha) },
      { ...last, W: rows(last.W) },
    ];
    const masks = batch.masks.map(columns);
    const { loss } = forward(protocol, [first, last], batch);
    expect(forward(protocol, moved, { ...batch, masks }).loss).toBeCloseTo(loss, 14);
  });

  it('starts from float32 numbers that only seed and shape decide', () => {
    const a = initialParameters(small, 1);
    expect(a).toEqual(initialParameters({ ...small, learningRate: 1, dropout: 0.5 }, 1));
    expect(a).not.toEqual(initialParameters(small, 2));
    expect(layerShapes(small).map(({ alpha }) => alpha)).toEqual([[2, 5], [2, 4], null]);
    const limit = Math.sqrt(6 / 11);
    expect(limitOf('glorotUniform', 6, 5)).toBe(limit);
    expect(limitOf('heUniform', 6, 5)).toBe(1);
    expect(limitOf('uniform', 6, 5)).toBe(0.05);
    expect(a[0].W.every((w) => Math.abs(w) <= limit)).toBe(true);
    expect([...(a[0].alpha ?? [])]).toEqual([0.75, 0.75, 0.75, 0.75, 0.75, 0.5, 0.5, 0.5, 0.5, 0.5]);
  });
});

describe('sgd', () => {
  it('is Keras with Nesterov momentum, two steps by hand', () => {
    const [w, v] = [Float64Array.of(1), Float64Array.of(0)];
    nesterovUpdate(w, v, Float64Array.of(2), 0.5, 0.5); // v = -1, w = 1 - 0.5 - 1
    expect([w[0], v[0]]).toEqual([-0.5, -1]);
    nesterovUpdate(w, v, Float64Array.of(-4), 0.25, 0.5); // v = -0.5 + 1, w = -0.5 + 0.25 + 1
    expect([w[0], v[0]]).toEqual([0.75, 0.5]);
  });

  it('decays with the number of updates', () => {
    expect(learningRateAt({ learningRate: 0.1, momentum: 0, decay: 0.5 }, 2)).toBe(0.05);
    const training = {
      parameters: widen(initialParameters(small, 1)),
      velocities: zerosLike(initialParameters(small, 1)),
      iterations: 0,
    };
    trainStep(small, training, firstBatch(small));
    expect(training.iterations).toBe(1);
  });

  it('learns, and leaves alone what is fixed', () => {
    for (const activation of [relu, mrelu(0.8), pap, prelu, concat]) {
      const protocol = { ...small, activation, dropout: 0, sizes: [6, 16, 3], batch: 10 };
      const initial = initialParameters(protocol, 2);
      const training = { parameters: widen(initial), velocities: zerosLike(initial), iterations: 0 };
      const batch = firstBatch(protocol);
      const first = trainStep(protocol, training, batch);
      let last = first;
      for (let i = 0; i < 100; i++) last = trainStep(protocol, training, batch);
      expect(last).toBeLessThan(first / 4);
      const { alpha } = training.parameters[0];
      const size = (alpha?.length ?? 0) / activation.trained.length;
      for (const [row, trained] of activation.trained.entries()) {
        const moved = alpha?.slice(row * size, (row + 1) * size).some((v) => v !== Math.fround(activation.start[row]));
        expect(moved, `${activation.name} row ${row}`).toBe(trained);
      }
    }
  });
});

describe('trainStep', () => {
  type Change = (layers: Layer<Float64Array>[]) => unknown;
  const no: Change = () => {};
  const float32 = new Float32Array(3) as never;
  it.each<[string, Change, Change, ErrorConstructor, string]>([
    [
      'a hidden layer without alpha',
      (layers) => layers.splice(0, 1, { ...layers[0], alpha: null }),
      no,
      TypeError,
      '"parameters[0].alpha" expected a Float64Array, got null',
    ],
    [
      'a velocity without alpha',
      no,
      (layers) => layers.splice(0, 1, { ...layers[0], alpha: null }),
      TypeError,
      '"velocities[0].alpha" expected a Float64Array, got null',
    ],
    [
      'a short velocity in a later layer',
      no,
      (layers) => layers.splice(1, 1, { ...layers[1], b: new Float64Array(3) }),
      RangeError,
      '"velocities[1].b" expected shape [4], 4 elements, got 3',
    ],
    [
      'an alpha in the last layer',
      (layers) => layers.splice(2, 1, { ...layers[2], alpha: new Float64Array(6) }),
      no,
      TypeError,
      '"parameters[2].alpha" expected null in the last layer, got a Float64Array',
    ],
    [
      'parameters of float32',
      (layers) => layers.splice(2, 1, { ...layers[2], b: float32 }),
      no,
      TypeError,
      '"parameters[2].b" expected a Float64Array, got a Float32Array',
    ],
    ['a layer too few', (layers) => layers.pop(), no, RangeError, '"parameters" expected shape [3], 3 elements, got 2'],
  ])('refuses %s, and changes nothing', (_, changeParameters, changeVelocities, kind, message) => {
    const parameters = widen(initialParameters(small, 1));
    const velocities = zerosLike(parameters);
    changeParameters(parameters);
    changeVelocities(velocities);
    const training = { parameters, velocities, iterations: 0 };
    const before = structuredClone(training);
    const act = () => trainStep(small, training, firstBatch(small));
    expect(act).toThrow(kind);
    expect(act).toThrow(`trainStep: ${message}`);
    expect(training).toEqual(before);
  });

  it('refuses a number of updates that is none', () => {
    const parameters = widen(initialParameters(small, 1));
    const training = { parameters, velocities: zerosLike(parameters), iterations: Number.NaN };
    expect(() => trainStep(small, training, firstBatch(small))).toThrow(
      'trainStep: "training.iterations" expected an integer from 0, got NaN',
    );
  });
});

describe('batches', () => {
  it('take every image once an epoch, in an order of its own', () => {
    const coded = { images: Uint8Array.from({ length: 60 }, (_, i) => Math.floor(i / 6)), labels: data.labels };
    const source = batches(small, coded, 9);
    expect(stepsPerEpoch(small, coded)).toBe(3);
    const epochs = [0, 1].map(() =>
      [0, 1, 2].flatMap(() => {
        const { x, labels, masks } = source.next().value;
        expect(masks.map((mask) => mask.length)).toEqual([labels.length * 5, labels.length * 4]);
        const found = Array.from(labels, (_, i) => Math.round(x[i * 6] * 255));
        expect(Array.from(labels)).toEqual(found.map((i) => data.labels[i]));
        return found;
      }),
    );
    for (const order of epochs) expect([...order].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('do not depend on dropout or activation, nor masks on the order', () => {
    const one = batches(small, data, 4).next().value;
    const other = batches({ ...small, dropout: 0, activation: relu }, data, 4).next().value;
    expect(other.x).toEqual(one.x);
    expect(other.masks.every((mask) => mask.every((v) => v === 1))).toBe(true);
  });

  it('drop the share asked for and scale the rest', () => {
    const n = 100_000;
    const mask = dropoutMask(random(1, 'mask'), n, 0.2);
    const kept = mask.filter((v) => v === 1.25).length;
    expect(mask.filter((v) => v === 0).length).toBe(n - kept);
    // 5 standard deviations of a count with probability 0.8.
    expect(Math.abs(kept - 0.8 * n)).toBeLessThan(5 * Math.sqrt(n * 0.16));
    expect(() => dropoutMask(random(1, 'mask'), 1, 1)).toThrow('"rate" expected 0 ≤ rate < 1, got 1');
  });
});

describe('protocol', () => {
  it('is refused with the name of what is wrong', () => {
    const refused =
      (change: Partial<Protocol>): (() => unknown) =>
      () =>
        layerShapes({ ...small, ...change });
    expect(refused({ sizes: [3] })).toThrow('"sizes" expected two or more positive integers, got [3]');
    expect(refused({ sizes: 3 as never })).toThrow(TypeError);
    expect(refused({ batch: 0 })).toThrow('"batch" expected an integer from 1, got 0');
    expect(refused({ learningRate: Number.NaN })).toThrow('"learningRate" expected a finite number ≥ 0, got NaN');
    expect(refused({ dropout: 1 })).toThrow(RangeError);
    expect(refused({ initializer: 'zeros' as never })).toThrow('got "zeros"');
    expect(refused({ activation: { ...pap, start: [1] } })).toThrow('"activation.start" expected 2 values');
  });
});
