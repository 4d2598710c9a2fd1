import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { availableBackends } from './available-for-tests.ts';
import { ActivationPool, type ActivationPoolOptions } from './layers.ts';
import { MReLU, type MReLUOptions } from './mrelu-layer.ts';
import { PReLU, type PReLUOptions } from './prelu-layer.ts';

/** Values of a tensor, -0 as 0. */
const plain = (t: unknown) => Array.from((t as tf.Tensor).dataSync(), (v) => v + 0);

/** The layer's weight after it is built for `shape`. */
function alphaOf(layer: tf.layers.Layer, shape: (number | null)[]): { shape: number[]; values: number[] } {
  layer.build(shape);
  const alpha = layer.getWeights()[0];
  return { shape: alpha.shape, values: plain(alpha) };
}

const bounded: ActivationPoolOptions = {
  name: 'bounded',
  branches: ['halfSquare', 'negative', 'softplus'],
  sharing: { sharedAxes: [1] },
  constraint: { kind: 'clip', bounds: [0.1, Infinity, 0] },
  alphaInitializer: [0.3, -0.7, 1e-3],
  alphaRegularizer: tf.regularizers.l1l2({ l1: 0.01, l2: 0.02 }),
  alphaConstraint: tf.constraints.maxNorm({ maxValue: 2, axis: 0 }),
};

for (const backend of await availableBackends()) {
  describe(`layers on ${backend.name}`, () => {
    const on = (what: string, test: () => void | Promise<void>) =>
      it(what, () => {
        backend.use();
        return test();
      });

    on('start at 1/n for each branch, or where alphaInitializer says', () => {
      expect(alphaOf(new ActivationPool(), [null, 2])).toEqual({ shape: [2, 2], values: [0.5, 0.5, 0.5, 0.5] });
      const sumToOne = new ActivationPool({ constraint: { kind: 'sumToOne' }, branches: ['relu', 'step', 'negative'] });
      expect(alphaOf(sumToOne, [null, 1])).toEqual({ shape: [2, 1], values: [Math.fround(1 / 3), Math.fround(1 / 3)] });
      const perBranch = new ActivationPool({ alphaInitializer: [0.75, 0.25], sharedAxes: 2 });
      expect(alphaOf(perBranch, [null, 2, null])).toEqual({ shape: [2, 2, 1], values: [0.75, 0.75, 0.25, 0.25] });
      const ones = new ActivationPool({ alphaInitializer: 'ones', sharing: 'channel' });
      expect(alphaOf(ones, [null, null, 2])).toEqual({ shape: [2, 2], values: [1, 1, 1, 1] });
      expect(alphaOf(new PReLU({ sharedAxes: [1] }), [null, 3, 2])).toEqual({ shape: [1, 2], values: [0, 0] });
      expect(alphaOf(new MReLU({ P: 0.75 }), [null, 3])).toEqual({ shape: [2], values: [0.75, 0.25] });
      expect(alphaOf(new MReLU(), [null, 3]).values).toEqual([Math.fround(0.8), Math.fround(1 - 0.8)]);
    });

    on('apply their formulas', () => {
      tf.tidy(() => {
        const x = tf.tensor2d([-2, 0, 4], [1, 3]);
        expect(plain(new MReLU({ P: 0.75 }).apply(x))).toEqual([0, 0, 3.25]);
        expect(plain(new PReLU({ alphaInitializer: tf.initializers.constant({ value: 0.25 }) }).apply(x))).toEqual([
          -0.5, 0, 4,
        ]);
        expect(plain(new ActivationPool({ branches: ['identity', 'halfSquare'] }).apply(x))).toEqual([-1, 0, 6]);
      });
    });

    on('train by model.fit; a fixed pool keeps its coefficients', async () => {
      const before = tf.memory().numTensors;
      const pool = new ActivationPool({ branches: ['relu', 'negative'] });
      const prelu = new PReLU({ sharing: 'layer' });
      const mrelu = new MReLU();
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 4, inputShape: [3], kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }) }),
          prelu,
          tf.layers.dense({ units: 4, kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }) }),
          pool,
          mrelu,
          tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotUniform({ seed: 3 }) }),
        ],
      });
      const alphas = () => [pool, prelu, mrelu].map((layer) => plain(layer.getWeights()[0]));
      const [pool0, prelu0, mrelu0] = alphas();
      model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' });
      const x = tf.randomNormal([64, 3], 0, 1, 'float32', 4);
      const y = tf.tidy(() => tf.abs(tf.sum(x, 1, true)));
      const { history } = await model.fit(x, y, { epochs: 8, batchSize: 16, verbose: 0 });
      const loss = history.loss as number[];
      expect(loss.at(-1)).toBeLessThan(loss[0] / 2);
      const [pool1, prelu1, mrelu1] = alphas();
      expect(pool1).not.toEqual(pool0);
      expect(prelu1).not.toEqual(prelu0);
      expect(mrelu1).toEqual(mrelu0);
      expect(pool.trainableWeights.length + prelu.trainableWeights.length).toBe(2);
      expect([mrelu.trainableWeights.length, mrelu.nonTrainableWeights.length]).toEqual([0, 1]);
      model.dispose();
      model.optimizer.dispose();
      tf.dispose([x, y]);
      expect(tf.memory().numTensors).toBe(before);
    });

    on('regularise and constrain alpha as Keras does', async () => {
      const layer = new ActivationPool({
        inputShape: [1],
        branches: ['identity'],
        alphaInitializer: [0.5],
        alphaRegularizer: 'l1l2',
        alphaConstraint: 'nonNeg',
      });
      const model = tf.sequential({ layers: [layer] });
      model.compile({ optimizer: tf.train.sgd(1), loss: 'meanSquaredError' });
      const [x, y] = [tf.ones([1, 1]), tf.tensor2d([[-1]])];
      // Loss (0.5 + 1)² plus 0.01·|alpha| + 0.01·alpha²; the step of -3 is projected back to 0.
      const { history } = await model.fit(x, y, { epochs: 1, verbose: 0 });
      expect(history.loss[0]).toBeCloseTo(2.25 + 0.005 + 0.0025, 5);
      expect(plain(layer.getWeights()[0])).toEqual([0]);
      model.dispose();
      tf.dispose([x, y]);
    });

    on('save and load without loss: the same configs, weights and outputs, bit for bit', async () => {
      const layers = [
        new ActivationPool({ inputShape: [4, 3], alphaInitializer: tf.initializers.randomNormal({ seed: 5 }) }),
        new ActivationPool(bounded),
        new ActivationPool({ constraint: { kind: 'sumToOne' }, sharing: 'channel', name: 'Third' }),
        new PReLU({ alphaInitializer: tf.initializers.randomUniform({ seed: 6 }), sharedAxes: [2] }),
        new MReLU({ P: 0.3 }),
      ];
      const model = tf.sequential({ layers });
      const file: { json: string; weights: ArrayBuffer } = { json: '', weights: new ArrayBuffer(0) };
      await model.save(
        tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
          file.json = JSON.stringify({ modelTopology, weightSpecs });
          file.weights = tf.io.CompositeArrayBuffer.join(weightData);
          return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
        }),
      );
      const loaded = await tf.loadLayersModel(tf.io.fromMemory({ ...JSON.parse(file.json), weightData: file.weights }));
      const x = tf.randomNormal([5, 4, 3], 0, 2, 'float32', 7);
      expect(loaded.layers.map((layer) => layer.constructor)).toEqual(layers.map((layer) => layer.constructor));
      expect(loaded.layers.map((layer) => layer.getConfig())).toEqual(layers.map((layer) => layer.getConfig()));
      expect(loaded.getWeights().map(plain)).toEqual(model.getWeights().map(plain));
      expect(plain(loaded.predict(x))).toEqual(plain(model.predict(x)));
      expect(plain(model.predict(x)).some((v) => v !== 0)).toBe(true);
    });
  });
}

describe('configs', () => {
  it('hold every option, and make the same layer again after a way through JSON', () => {
    for (const layer of [new ActivationPool(bounded), new PReLU({ sharedAxes: 1 }), new MReLU({ P: 0.25 })]) {
      const config = JSON.parse(JSON.stringify(layer.getConfig()));
      const Layer = layer.constructor as typeof ActivationPool;
      expect(Layer.fromConfig(Layer, config).getConfig()).toEqual(layer.getConfig());
    }
    expect(new ActivationPool(bounded).getConfig()).toMatchObject({
      name: 'bounded',
      branches: ['halfSquare', 'negative', 'softplus'],
      sharing: { sharedAxes: [1] },
      constraint: { kind: 'clip', bounds: [0.1, null, 0] },
      alphaInitializer: [0.3, -0.7, 1e-3],
      alphaRegularizer: { className: 'L1L2', config: { l1: 0.01, l2: 0.02 } },
      alphaConstraint: { className: 'MaxNorm', config: { maxValue: 2, axis: 0 } },
    });
    expect(new MReLU({ P: 0.25, name: 'm' }).getConfig()).toEqual({ name: 'm', trainable: true, P: 0.25 });
  });

  it('of an MReLU say what it computes: weights of another P are refused, its own are not', () => {
    const layer = new MReLU({ P: 0.8, inputShape: [2] });
    const model = tf.sequential({ layers: [layer] });
    const [own, other] = [tf.tensor1d([0.8, 1 - 0.8]), tf.tensor1d([0.25, 0.25])];
    for (const target of [layer, model]) {
      target.setWeights([own]);
      expect(() => target.setWeights([other])).toThrow(
        new RangeError(`MReLU: "weights" expected [P, 1 - P] of its P, [0.8, ${1 - 0.8}], got [0.25, 0.25]`),
      );
      expect(plain(layer.getWeights()[0])).toEqual(plain(own));
    }
  });

  it('leave tf.layers its own PReLU', () => {
    const stock = tf.layers.prelu();
    const { layers } = tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [2] }), stock] });
    expect(stock.getClassName()).not.toBe(new PReLU().getClassName());
    expect(layers.at(-1)).toBe(stock);
  });
});

describe('bad options', () => {
  it.each(['alphaInitializer', 'alphaRegularizer', 'alphaConstraint'])(
    'of %s: each name that is expected is taken',
    (key) => {
      const pool = (value: string) => new ActivationPool({ [key]: value });
      const namesIn = (message: string) => /expected (.*), a config/.exec(message)![1].split(', ');
      let names: string[] = [];
      try {
        pool('none');
      } catch (error) {
        names = namesIn((error as Error).message);
      }
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect(() => pool(name), name).not.toThrow();
    },
  );

  it('are refused with the layer and the option named', () => {
    const pool = (options: unknown) => () => new ActivationPool(options as ActivationPoolOptions);
    const gone = tf.zeros([2, 3]);
    gone.dispose();
    const set = (weights: unknown) => () => {
      const layer = new ActivationPool();
      layer.build([null, 3]);
      layer.setWeights(weights as tf.Tensor[]);
    };
    const wrong: [() => unknown, ErrorConstructor, string][] = [
      [pool({ branches: ['Relu'] }), RangeError, 'ActivationPool: "branches" expected relu, step, '],
      [pool({ sharing: 'unit', sharedAxes: [1] }), RangeError, 'ActivationPool: "sharedAxes" expected to be left out'],
      [
        pool({ sharedAxes: 'all' }),
        TypeError,
        'ActivationPool: "sharing" expected layer, channel, unit or { sharedAxes',
      ],
      [pool({ alphaInitializer: [1] }), RangeError, 'ActivationPool: "alphaInitializer" expected 2 numbers'],
      [pool({ alphaInitializer: [1, NaN] }), RangeError, 'ActivationPool: "alphaInitializer" expected finite float32'],
      [pool({ alphaInitializer: 'none' }), RangeError, 'ActivationPool: "alphaInitializer" expected glorotNormal, '],
      [pool({ alphaInitializer: 0.5 }), TypeError, 'ActivationPool: "alphaInitializer" expected glorotNormal, '],
      [
        pool({ alphaRegularizer: 'l2' }),
        RangeError,
        'ActivationPool: "alphaRegularizer" expected l1l2, a config, or what a function of tf.regularizers makes, got "l2"',
      ],
      [
        pool({ alphaConstraint: {} }),
        RangeError,
        'ActivationPool: "alphaConstraint" expected maxNorm, minMaxNorm, nonNeg, unitNorm, a config, ',
      ],
      [pool({ branhces: ['relu'] }), TypeError, 'ActivationPool: "options" expected branches, sharing, constraint, '],
      [pool('relu'), TypeError, 'ActivationPool: "options" expected an object, got "relu"'],
      [pool(null), TypeError, 'ActivationPool: "options" expected an object, got null'],
      [pool({ dtype: 'int32' }), RangeError, 'ActivationPool: "dtype" expected float32, got "int32"'],
      [pool({ branches: [{ a: 1n }] }), RangeError, 'ActivationPool: "branches" expected relu, step, '],
      [pool({ branches: [Symbol('a')] }), RangeError, 'ActivationPool: "branches" expected relu, step, '],
      [() => new MReLU(null as never), TypeError, 'MReLU: "options" expected an object, got null'],
      [() => new MReLU({ p: 0.5 } as never), TypeError, 'MReLU: "options" expected P, name, '],
      [() => new MReLU({ branches: ['relu'] } as never), TypeError, 'MReLU: "options" expected P, name, '],
      [() => new PReLU({ constraint: { kind: 'free' } } as never), TypeError, 'PReLU: "options" expected sharing, '],
      [() => new MReLU().apply(5 as never), TypeError, 'MReLU: "inputs" expected one tensor, got 5'],
      [() => new MReLU().apply([] as never), TypeError, 'MReLU: "inputs" expected one tensor, got []'],
      [
        () => {
          const layer = new ActivationPool();
          layer.apply(tf.zeros([2, 3]));
          layer.apply(tf.zeros([2, 4]));
        },
        RangeError,
        'ActivationPool: "inputs" expected shape [null, 3], as it was built for, got [2, 4]',
      ],
      [
        () => {
          const layer = new MReLU();
          layer.apply(tf.zeros([2, 3]));
          layer.apply(tf.zeros([2, 3, 4]));
        },
        RangeError,
        'MReLU: "inputs" expected shape [null, null], as it was built for, got [2, 3, 4]',
      ],
      [
        () => {
          const layer = new ActivationPool();
          layer.apply(tf.zeros([2, 3]));
          layer.apply(tf.input({ shape: [4] }));
        },
        RangeError,
        'ActivationPool: "inputs" expected shape [null, 3], as it was built for, got [null, 4]',
      ],
      [() => new MReLU().call(tf.zeros([2])), RangeError, 'MReLU: "call" expected a layer that is built; use apply'],
      [set(3), TypeError, 'ActivationPool: "weights" expected an array of tensors, got 3'],
      [set([3]), TypeError, 'ActivationPool: "weights" expected an array of tensors, got [3]'],
      [set([]), RangeError, 'ActivationPool: "weights" expected one tensor of shape [2, 3], got none'],
      [set([tf.zeros([2])]), RangeError, 'ActivationPool: "weights" expected one tensor of shape [2, 3], got [2]'],
      [set([tf.zeros([2, 3], 'int32')]), TypeError, 'ActivationPool: "weights" expected a float32 tensor, got int32'],
      [
        () => {
          const gone = tf.zeros([2, 3]);
          gone.dispose();
          set([gone])();
        },
        TypeError,
        'ActivationPool: "weights" expected a float32 tensor, got one that is disposed',
      ],
      [
        set([tf.zeros([2, 3]), tf.zeros([2])]),
        RangeError,
        'ActivationPool: "weights" expected one tensor of shape [2, 3], got [2, 3], [2]',
      ],
      [
        () => new ActivationPool({ weights: [tf.zeros([2])] }).apply(tf.zeros([2, 3])),
        RangeError,
        'ActivationPool: "weights" expected one tensor of shape [2, 3], got [2]',
      ],
      [
        () => new MReLU().setWeights([tf.zeros([2])]),
        RangeError,
        'MReLU: "weights" expected to be set after the layer is built',
      ],
      [pool({ weights: 3 }), TypeError, 'ActivationPool: "weights" expected an array of tensors, got 3'],
      [pool({ trainable: 'yes' }), TypeError, 'ActivationPool: "trainable" expected true or false, got "yes"'],
      [pool({ name: 3 }), TypeError, 'ActivationPool: "name" expected text, got 3'],
      [pool({ inputShape: '3' }), TypeError, 'ActivationPool: "inputShape" expected an array, got "3"'],
      [
        pool({ inputShape: [-3] }),
        RangeError,
        'ActivationPool: "inputShape" expected integers from 0, or null, got [-3',
      ],
      [() => new MReLU({ trainable: 1 } as never), TypeError, 'MReLU: "trainable" expected true or false, got 1'],
      [() => new PReLU({ name: 3 } as never), TypeError, 'PReLU: "name" expected text, got 3'],
      [() => new MReLU({ P: '0.8' } as unknown as MReLUOptions), TypeError, 'MReLU: "P" expected a number, got "0.8"'],
      [() => new MReLU({ P: Infinity }), RangeError, 'MReLU: "P" expected a finite float32, got Infinity'],
      [() => new MReLU({ P: 1e39 }), RangeError, 'MReLU: "P" expected a finite float32, got 1e+39'],
      [
        () => new ActivationPool({ alphaInitializer: [1e39, 0] }),
        RangeError,
        'ActivationPool: "alphaInitializer" expected finite float32 numbers, got [1e+39, 0]',
      ],
      [
        pool({ alphaInitializer: new Float32Array(2) }),
        TypeError,
        'ActivationPool: "alphaInitializer" expected no typed array, got Float32Array',
      ],
      [
        pool({ alphaConstraint: { apply: (w: tf.Tensor) => w } }),
        RangeError,
        'a config, or what a function of tf.constraints makes, got an object of Object',
      ],
      [
        pool({ constraint: { kind: 'fixed' }, alphaConstraint: 'nonNeg' }),
        RangeError,
        'ActivationPool: "alphaConstraint" expected to be left out where "constraint" is fixed, got "nonNeg"',
      ],
      [
        () => new PReLU().apply(tf.ones([2, 3], 'int32')),
        TypeError,
        'PReLUPool: "inputs" expected a float32 tensor, got int32',
      ],
      [() => new MReLU().apply(gone), TypeError, 'MReLU: "inputs" expected a float32 tensor, got one that is disposed'],
      [() => new PReLU({ alphaInitializer: [1] } as PReLUOptions), TypeError, 'PReLU: "alphaInitializer" expected an'],
      [
        () => new ActivationPool().build([null, null]),
        RangeError,
        'ActivationPool: "sharing" expected to share the axes',
      ],
      [
        () => new ActivationPool({ sharedAxes: 2 }).build([null, 3]),
        RangeError,
        'ActivationPool: "sharedAxes" expected',
      ],
    ];
    for (const [act, kind, message] of wrong) {
      expect(act, message).toThrow(kind);
      expect(act).toThrow(message);
    }
  });
});
