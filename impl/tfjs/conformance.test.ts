import * as tf from '@tensorflow/tfjs';
import { getThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { describe, expect, inject, it } from 'vitest';
import { failureText } from '../../properties/failure-text.ts';
import { laws } from '../../properties/laws.ts';
import { checkLaw } from '../../properties/verify.ts';
import type { Constraint, Sharing } from '../../reference/case.ts';
import { parameterLayout } from '../../reference/parameters.ts';
import { doubleVjp, forward, vjp } from '../../reference/pool.ts';
import { random } from '../../reference/random.ts';
import { sizeOf } from '../../reference/shape.ts';
import { wrongCalls } from './bad-input-for-tests.ts';
import { backwardKernel, forwardKernel } from './kernels/kernel.ts';
import { ActivationPool } from './layers.ts';
import { MReLU } from './mrelu-layer.ts';
import { activationPool } from './op.ts';
import { openTarget } from './open-target-for-tests.ts';
import { tfjsSubject } from './subject.ts';

/** Every law on the backend of this Vitest project, in Node or in a browser (vitest.conformance.ts). */

const { target, runs } = inject('conformance');
const isThreaded = target.endsWith('-threads');

/** Ranks 1 to 5, odd and even edges, one unit, more tiles than a block sums, axes that have to be moved. */
const tiled: readonly (readonly [number[], Sharing])[] = [
  [[5], 'layer'],
  [[7, 1], 'unit'],
  [[6, 4], 'unit'],
  [[5, 7], 'unit'],
  [[3, 5], 'layer'],
  [[70, 3], 'channel'],
  [[3, 5, 7], 'unit'],
  [[3, 5, 7], { sharedAxes: [1] }],
  [[3, 5, 7], { sharedAxes: [2] }],
  [[2, 3, 5, 3], { sharedAxes: [2] }],
  [[2, 3, 5, 3], { sharedAxes: [2, 3] }],
  [[2, 1, 3, 2, 3], 'unit'],
  [[2, 2, 1, 3, 3], 'channel'],
];
const constraints: readonly Constraint[] = [
  { kind: 'free' },
  { kind: 'fixed' },
  { kind: 'sumToOne' },
  { kind: 'softmax' },
  { kind: 'clip', bounds: [0.5, 1, Infinity, 1] },
];
/** Two constraints of each shape by turns: WebGL compiles programs for each, which takes seconds on SwiftShader. */
const tiledCases = tiled.map(
  ([shape, sharing], i) => [shape, sharing, [0, 2].map((k) => constraints[(i + k) % constraints.length])] as const,
);
/** How a tensor can come to a kernel; on webgl as a packed texture, as an unpacked one, and as values without one. */
const sources: readonly ((t: tf.Tensor) => tf.Tensor)[] = [
  (t) => tf.mul(t, 1),
  (t) => tf.tile(t, new Array(t.rank).fill(1)),
  (t) => t,
];

/**
 * What is alive on the current backend: what the engine counts, the tensors of the backend, of which kernels may make some
 * that the engine never sees, those of TensorFlow itself, and on wasm the size of its heap, which never shrinks.
 */
function held() {
  const memory: tf.MemoryInfo & { numBytesInGPU?: number } = tf.memory();
  const { numTensors, numDataBuffers, numBytes, numBytesInGPU } = memory;
  type OfBackend = { wasm?: { HEAPU8: Uint8Array }; binding?: { getNumOfTensors(): number } };
  const { wasm, binding } = tf.backend() as OfBackend;
  return {
    ...{ numTensors, numDataBuffers, numBytes, numBytesInGPU },
    ofBackend: tf.engine().backend.numDataIds(),
    ofTensorFlow: binding?.getNumOfTensors(),
    heap: wasm?.HEAPU8.length,
  };
}

const backend = await openTarget();

if (typeof backend === 'string') {
  console.warn(`not tested: ${target}: ${backend}`);
  it.skip(`${target} is not tested: ${backend}`, () => {});
} else {
  const subject = tfjsSubject(backend);
  describe(`${target}, ${backend.version}`, () => {
    if (isThreaded) it('has more than one thread', () => expect(getThreadsCount()).toBeGreaterThan(1));

    it('computes on the backend itself, with the facets that are stated, measured', async () => {
      backend.use();
      const name = tf.getBackend();
      // Where there are none the op is composed of stock ops, which no other test would tell from them.
      for (const kernel of [forwardKernel, backwardKernel]) expect(tf.getKernel(kernel, name)).toBeDefined();
      if (name.startsWith('webg')) expect(tf.env().get(`${name.toUpperCase()}_CPU_FORWARD`)).toBe(false);
      const values = [2 ** -130, 1 + 2 ** -12];
      const { y } = await subject.answer({
        pool: { branches: ['identity'], sharing: 'layer', constraint: { kind: 'free' } },
        dtype: 'f32',
        shape: [2],
        x: Float64Array.from(values),
        alpha: Float64Array.of(1),
        dy: Float64Array.of(0, 0),
      });
      // By a stock op, of which the second order is made: native kernels of ours keep subnormals, TensorFlow's do not.
      const product = tf.tidy(() => tf.mul(tf.tensor1d(values), 1));
      const stock = await product.data();
      product.dispose();
      const stated = [subject.facets.includes('ftz'), subject.facets.includes('storage:f16')];
      expect([stock[0] === 0, stock[1] === 1]).toEqual(stated);
      // Ours do nothing that is not stated.
      if (!stated[0]) expect(y[0]).toBe(values[0]);
      if (!stated[1]) expect(y[1]).toBe(values[1]);
    });

    it('leaves nothing behind: 10,000 calls, forward and backward', { timeout: 600_000 }, async () => {
      backend.use();
      // Of 33 rows and more a GPU makes partial sums; some kinds have tensors for their coefficients.
      const pools = constraints.map((constraint) => {
        const branches = ['relu', 'step', 'negative', 'identity'] as const;
        const rows = constraint.kind === 'sumToOne' ? 3 : 4;
        const inputs = [tf.randomNormal([40, 4]), tf.randomNormal([rows, 4])];
        const pulled = tf.valueAndGrads((v, a) => activationPool(v, a, { branches, constraint }));
        return { inputs, pulled, dy: tf.randomNormal([40, 4]) };
      });
      const calls = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const { inputs, pulled, dy } = pools[i % pools.length];
          const { value, grads } = pulled(inputs, dy);
          // Lets a GPU catch up, which else holds all that is queued.
          if (i % 250 === 0) await value.data();
          tf.dispose([value, grads]);
        }
      };
      await calls(500);
      const before = held();
      await calls(10_000);
      expect(held()).toEqual(before);
      for (const { inputs, dy } of pools) tf.dispose([...inputs, dy]);
    });

    it('names the argument that is wrong, and leaves nothing behind', () => {
      backend.use();
      tf.tidy(() => {
        const calls = wrongCalls();
        const before = tf.memory().numTensors;
        for (const [act, kind, message] of calls) {
          let error: unknown;
          try {
            act();
          } catch (thrown) {
            error = thrown;
          }
          expect(error, message).toBeInstanceOf(kind);
          expect((error as Error).message).toContain(`activationPool: ${message}`);
        }
        // Not in a tidy of their own, so that what a call leaves is counted.
        expect(tf.memory().numTensors).toBe(before);
      });
    });

    it('refuses a tensor of another backend; a layer moves its weight', async () => {
      const other = target === 'cpu' ? 'wasm' : 'cpu';
      await tf.setBackend(other);
      const pool = new ActivationPool({ inputShape: [3], sharing: 'layer', alphaInitializer: [0.5, 0.25] });
      const model = tf.sequential({ layers: [pool] });
      const far = tf.ones([2, 3]);
      backend.use();
      const near = tf.ones([2, 3]);
      const before = tf.memory().numTensors;
      const expected = `expected a float32 tensor of the backend ${tf.getBackend()}, got one of ${other}`;
      expect(() => activationPool(near, far)).toThrow(new TypeError(`activationPool: "alpha" ${expected}`));
      expect(() => activationPool(far, near)).toThrow(new TypeError(`activationPool: "x" ${expected}`));
      const pulled = () => tf.grads((v, a) => activationPool(v, a))([near, near], far);
      expect(pulled).toThrow(new TypeError(`activationPool: "dy" ${expected}`));
      expect(tf.memory().numTensors).toBe(before);
      const y = model.predict(near) as tf.Tensor;
      expect([...(await y.data())]).toEqual(new Array(6).fill(0.75));
      tf.dispose([far, near, y]);
      model.dispose();
    });

    it('MReLU takes the weights of others of its P, which on webgpu can not be read at once', async () => {
      backend.use();
      const layer = () => new MReLU({ inputShape: [3], P: 0.5 });
      const [model, other] = [0, 1].map(() => tf.sequential({ layers: [layer()] }));
      const x = tf.ones([2, 3]);
      const y = model.predict(x) as tf.Tensor;
      await y.data();
      model.setWeights(model.getWeights());
      other.setWeights(model.getWeights());
      other.setWeights(other.getWeights().map((weight) => weight.clone()));
      const again = other.predict(x) as tf.Tensor;
      expect([...(await again.data())]).toEqual(new Array(6).fill(1));
      expect(() => other.setWeights([tf.tensor1d([1, 1])])).toThrow('of its P, [0.5, 0.5], got [1, 1]');
      const wrong = tf.add(model.getWeights()[0], 1);
      expect(() => other.setWeights([wrong])).toThrow(
        target.endsWith('webgpu')
          ? 'expected weights of an MReLU or values that can be read at once'
          : 'got [1.5, 1.5]',
      );
      tf.dispose([x, y, again, wrong]);
      model.dispose();
      other.dispose();
    });

    it('reads what was cast, which lies in memory as what it was cast from', async () => {
      backend.use();
      const x = tf.tensor1d([2, 1, -3], 'int32').toFloat();
      const alpha = tf.tensor1d([2, -1], 'int32').toFloat();
      const dy = tf.tensor1d([true, false, true], 'bool').toFloat();
      const pulled = (constraint: Constraint) =>
        tf.valueAndGrads((v, a) => activationPool(v, a, { sharing: 'layer', constraint }))([x, alpha], dy);
      const [free, clipped] = [pulled({ kind: 'free' }), pulled({ kind: 'clip', bounds: [0.5, 0.25] })];
      const tensors = [free.value, ...free.grads, clipped.value, ...clipped.grads];
      const values = await Promise.all(tensors.map(async (t) => Array.from(await t.data(), (v) => v + 0)));
      const ofFree = [
        [3, 1, 0],
        [2, 0, 0],
        [2, 1],
      ];
      const ofClipped = [
        [0.75, 0.25, 0],
        [0.5, 0, 0],
        [0, 0],
      ];
      expect(values).toEqual([...ofFree, ...ofClipped]);
      tf.dispose([x, alpha, dy, ...tensors]);
    });

    it('takes many branches, or says how many', async () => {
      backend.use();
      const pools = (n: number) =>
        tf.tidy(() => {
          const branches = new Array<'relu'>(n).fill('relu');
          const options = { branches, sharing: 'layer' } as const;
          const pulled = tf.valueAndGrads((v, a) => activationPool(v, a, options));
          const { value, grads } = pulled([tf.tensor1d([2, -1]), tf.ones([n])], tf.ones([2]));
          return [value, ...grads];
        });
      const made = pools(126);
      const values = await Promise.all(made.map(async (t) => Array.from(await t.data(), (v) => v + 0)));
      expect(values).toEqual([[252, 0], [126, 0], new Array(126).fill(2)]);
      tf.dispose(made);
      const name = tf.getBackend();
      if (name.startsWith('webg')) {
        const expected = `activationPool: "branches" expected at most 126 on ${name}, got 127`;
        expect(() => pools(127)).toThrow(new RangeError(expected));
      } else tf.dispose(pools(300));
    });

    it('takes any rank, and bounds beyond float32', async () => {
      backend.use();
      const alpha = tf.ones([2]);
      const x = tf.tensor(new Float32Array(128).fill(3), new Array(7).fill(2));
      const options = { sharing: 'layer', constraint: { kind: 'clip', bounds: [1e39, 0.5] } } as const;
      const y = activationPool(x, alpha, options);
      expect(y.shape).toEqual(x.shape);
      expect([...(await y.data())]).toEqual(new Array(128).fill(3.5));
      tf.dispose([alpha, x, y]);
    });

    it.each<[number[], Sharing]>([
      [[2, 1, 3, 2, 2], { sharedAxes: [2, 4] }],
      [[2, 1, 2, 2, 1, 2, 2], 'unit'],
      [[2, 2, 2, 2, 2, 2, 2], 'layer'],
      [[2, 2, 2, 2, 2, 2, 2], { sharedAxes: [2, 4, 6] }],
      [[2, 2, 1, 2, 2, 2, 3, 2], { sharedAxes: [1, 4, 7] }],
    ])('is exact at any rank, in second order too: %j %j', async (shape, sharing) => {
      const pool = { branches: ['relu', 'halfSquare'], sharing, constraint: { kind: 'free' } } as const;
      const draw = random(1, 'ranks');
      // Few halves, so that every sum of products is exact in float16.
      const halves = (size: number) => Float64Array.from({ length: size }, () => [-1, -0.5, 0.5, 1][draw.below(4)]);
      const [size, alphas] = [shape, parameterLayout(pool, shape).alphaShape].map((s) => sizeOf(s));
      const [x, dy, ddx] = [halves(size), halves(size), halves(size)];
      const [alpha, ddalpha] = [halves(alphas), halves(alphas)];
      const input = { pool, dtype: 'f32', shape, x, alpha, dy } as const;
      // -0 as 0.
      const { y, dx, dalpha } = await subject.answer(input);
      const gradients = vjp(input);
      const second = await subject.doubleVjp!(input, { ddx, ddalpha });
      const expected = doubleVjp(input, { ddx, ddalpha });
      const plain = (all: Float64Array[]) => all.map((values) => Array.from(values, (v) => v + 0));
      expect(plain([y, dx, dalpha])).toEqual(plain([forward(input), gradients.dx, gradients.dalpha]));
      expect(plain([second.toX, second.toAlpha, second.toDy])).toEqual(
        plain([expected.toX, expected.toAlpha, expected.toDy]),
      );
    });

    it.each(tiledCases)('computes exactly what is exact, however x and dy lie: %j %j', async (shape, sharing, some) => {
      backend.use();
      const draw = random(1, 'tiles');
      // Few halves, so that every sum of products is exact in float16.
      const halves = (size: number) =>
        Float64Array.from({ length: size }, () => [-1.5, -1, -0.5, 0.5, 1, 1.5][draw.below(6)]);
      const size = sizeOf(shape);
      for (const constraint of some) {
        const pool = { branches: ['relu', 'step', 'negative', 'identity'], sharing, constraint } as const;
        const { alphaShape } = parameterLayout(pool, shape);
        const alphas = halves(sizeOf(alphaShape));
        // Of equal ones the coefficients are quarters.
        if (constraint.kind === 'softmax') alphas.fill(0.5);
        const input = { pool, shape, x: halves(size), alpha: alphas, dy: halves(size) };
        const { dx, dalpha } = vjp(input);
        // What is not learned has no gradient to compare, and ours are 0.
        if (constraint.kind === 'fixed') dalpha.fill(0);
        const expected = [forward(input), dx, dalpha].map((values) => Array.from(values, (v) => v + 0));
        for (const [i, source] of sources.entries()) {
          const made = tf.tidy(() => {
            const [x, dy] = [input.x, input.dy].map((values) => tf.tensor(Float32Array.from(values), shape));
            const alpha = tf.tensor(Float32Array.from(alphas), [...alphaShape]);
            const other = sources[(i + 1) % sources.length];
            const pulled = tf.valueAndGrads((v, a) => activationPool(v, a, pool));
            const { value, grads } = pulled([source(x), alpha], other(dy));
            return [value, ...grads];
          });
          const got = await Promise.all(made.map(async (t) => Array.from(await t.data(), (v) => v + 0)));
          tf.dispose(made);
          expect(got, `${constraint.kind}, source ${i}`).toEqual(expected);
        }
      }
    });

    it('a NaN in alpha is seen also where its branch is there twice and its coefficients sum to 1', async () => {
      backend.use();
      const pool = { branches: ['negative', 'negative'], sharing: 'layer', constraint: { kind: 'sumToOne' } } as const;
      const [x, alpha] = [tf.tensor1d([1, -1]), tf.tensor1d([Number.NaN])];
      const { value, grads } = tf.valueAndGrads((v, a) => activationPool(v, a, pool))([x, alpha], tf.ones([2]));
      expect([(await value.data())[1], (await grads[0].data())[1]]).toEqual([Number.NaN, Number.NaN]);
      tf.dispose([x, alpha, value, grads]);
    });

    it('can be differentiated twice; a third time is refused, where others would answer 0', async () => {
      backend.use();
      const x = tf.tensor1d([0.5, -1]);
      const once = tf.grad((v) => activationPool(v, tf.ones([1]), { branches: ['softplus'], sharing: 'layer' }));
      const twice = tf.grad((v) => tf.sum(once(v)));
      const second = tf.tidy(() => twice(x));
      const expected = [0.5, -1].map((v) => 1 / (2 + Math.exp(v) + Math.exp(-v)));
      for (const [i, v] of (await second.data()).entries())
        expect(v).toBeCloseTo(expected[i], target.endsWith('f16') ? 3 : 6);
      expect(() => tf.tidy(() => tf.grad((v) => tf.sum(twice(v)))(x))).toThrow('at most twice, got a third gradient');
      tf.dispose([x, second]);
    });

    it('an empty x can be differentiated twice too, to all that the gradient depends on', async () => {
      backend.use();
      const inputs = [tf.zeros([0, 3]), tf.zeros([0, 3]), tf.ones([2, 3])];
      const before = tf.memory().numTensors;
      for (const i of [0, 1]) {
        const gradient = (dy: tf.Tensor, x: tf.Tensor, alpha: tf.Tensor) =>
          tf.grads((v, a) => activationPool(v, a))([x, alpha], dy)[i];
        const second = tf.tidy(() => tf.grads((dy, x, alpha) => gradient(dy, x, alpha))(inputs));
        const values = await Promise.all(second.map(async (t) => [...(await t.data())]));
        expect(values).toEqual([[], [], [0, 0, 0, 0, 0, 0]]);
        tf.dispose(second);
      }
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose(inputs);
    });

    it.for(laws.map((law) => [law.id, law] as const))('%s', async ([_, law], { skip }) => {
      const kinds = law.kinds?.length ?? 2;
      const result = await checkLaw(law, subject, { runs: runs * kinds, seed: 1 });
      const { outcome, failures, breakage, inapplicable = '' } = result;
      // tfjs has no forward mode, and fp16 textures no infinity: nothing else may be lacking.
      if (['jvp', '±∞'].includes(inapplicable)) skip(`needs ${inapplicable}`);
      expect([...failures.map(failureText), ...(breakage ? [breakage.message] : [])].join('\n\n')).toBe('');
      expect(outcome).toBe('held');
    });
  });
}
