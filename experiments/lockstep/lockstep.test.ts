import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { availableBackends } from '../../impl/tfjs/available-for-tests.ts';
import { createTrainer, type StepTrace, type Trainer } from '../../impl/tfjs/training/train.ts';
import { installWasmKernels } from '../../impl/tfjs/wasm/install.ts';
import { type Activation, concat, mrelu, pap, prelu, relu } from '../../reference/activations.ts';
import { batches } from '../../reference/batches.ts';
import {
  type Batch,
  backward,
  forward,
  initialParameters,
  type Layer,
  widen,
  widenBatch,
} from '../../reference/network.ts';
import type { Protocol } from '../../reference/protocol.ts';
import { random } from '../../reference/random.ts';
import { learningRateAt } from '../../reference/sgd.ts';
import { author2016 } from '../protocols.ts';
import { compareStep } from './lockstep.ts';
import { runLockstep } from './lockstep-run.ts';
import { LossCurves } from './loss-curves.ts';

const protocol: Protocol = { ...author2016, sizes: [30, 24, 20, 10], batch: 16 };

const data = (() => {
  const source = random(5, 'images');
  return {
    images: Uint8Array.from({ length: 100 * 30 }, () => (source.uniform() < 0.6 ? 0 : source.below(256))),
    labels: Uint8Array.from({ length: 100 }, () => source.below(10)),
  };
})();

const trained = await availableBackends();

describe('trainings that are right', () => {
  for (const backend of trained) {
    describe(backend.name, () => {
      let restore = (): void => {};
      beforeAll(() => {
        backend.use();
        if (backend.name === 'wasm') restore = installWasmKernels();
      });
      afterAll(() => restore());

      for (const activation of [relu, mrelu(0.8), pap, prelu, concat]) {
        it(`${activation.name}: 50 steps hold, with every seed`, async () => {
          for (const seed of [1, 2, 3]) {
            const lockstep = await lockstepOf({ ...protocol, activation }, seed, 50, createTrainer);
            expect(lockstep.worst.ratio, JSON.stringify(lockstep.worst)).toBeLessThanOrEqual(1);
            expect(lockstep.held, JSON.stringify(lockstep)).toBe(true);
            // Neither is blind: single roundings attain their bound, and some rounding shows in the curve.
            expect(lockstep.worst.ratio).toBeGreaterThan(0.5);
            expect(lockstep.worstSum.ratio).toBeLessThan(lockstep.worst.ratio);
            expect(lockstep.worstSum.ratio).toBeGreaterThan(0);
            expect(lockstep.lossDifference).toBeGreaterThan(0);
            console.log(
              `${backend.name}, ${activation.name}, seed ${seed}: 50 losses off by ${lockstep.lossDifference.toExponential(1)}, bound ${lockstep.lossBound.toExponential(1)}`,
            );
            expect(lockstep.lossBound).toBeLessThan(1e-3);
          }
        });
      }
    });
  }
});

async function lockstepOf(
  protocol: Protocol,
  seed: number,
  steps: number,
  make: (protocol: Protocol, initial: readonly Layer<Float32Array>[]) => Trainer,
): ReturnType<typeof runLockstep> {
  const initial = initialParameters(protocol, seed);
  const trainer = make(protocol, initial);
  try {
    return await runLockstep(protocol, initial, trainer, batches(protocol, data, seed), steps);
  } finally {
    trainer.dispose();
  }
}

/** What may be wrong with `float32Trainer`: each changes one formula. */
interface Wrong {
  readonly dropout?: (mask: number) => number;
  readonly dz?: (dz: number, z: number, da: number) => number;
  readonly dalpha?: (dalpha: number) => number;
  readonly gradient?: (g: number, index: number) => number;
  readonly db?: (db: number) => number;
  readonly rate?: (rate: number) => number;
  /** From velocity before and after, rate·g and momentum to the change of w. */
  readonly move?: (old: number, v: number, change: number, momentum: number) => number;
  readonly loss?: (loss: number) => number;
}

/**
 * A float32 training that is legal unless told otherwise: each value by the float64 reference from float32 inputs,
 * rounded once. It answers only `tracedStep`.
 */
function float32Trainer(protocol: Protocol, initial: readonly Layer<Float32Array>[], wrong: Wrong = {}): Trainer {
  let parameters = initial;
  let velocities: readonly Layer<Float32Array>[] = initial.map(({ W, b, alpha }) => ({
    W: new Float32Array(W.length),
    b: new Float32Array(b.length),
    alpha: alpha && new Float32Array(alpha.length),
  }));
  let iterations = 0;
  const last = initial.length - 1;

  function traced(batch: Batch<Float32Array>): StepTrace {
    const { x, labels, masks } = widenBatch(batch);
    const wide = widen(parameters);
    const stages: StepTrace['stages'][number][] = [];
    const gradients: Layer<Float32Array>[] = [];
    const cotangents: StepTrace['cotangents'][number][] = [];
    const alone = (i: number): Protocol => ({ ...protocol, sizes: protocol.sizes.slice(i, i + 2) });
    const scaled = masks.map((mask) => mask.map(wrong.dropout ?? ((m) => m)));
    let h: Float32Array = Float32Array.from(x);
    for (const [i, layer] of wide.entries()) {
      // One layer as a network of its own gives z; a hidden one, with a last layer of zeros behind it, gives a.
      const single = forward(alone(i), [{ ...layer, alpha: null }], {
        x: Float64Array.from(h),
        labels: i === last ? labels : labels.map(() => 0),
        masks: [],
      });
      const z = Float32Array.from(single.stages[0].z);
      const a = layer.alpha && Float32Array.from(activated(i, z, layer.alpha).a);
      stages.push({ h, z, a });
      if (a) h = Float32Array.from(a, (v, k) => v * scaled[i][k]);
    }
    let loss = 0;
    let dh: Float32Array = new Float32Array(0);
    for (let i = last; i >= 0; i--) {
      const { h, z } = stages[i];
      const layer = wide[i];
      let da: Float32Array | null = null;
      let dz: Float32Array;
      let dalpha: Float32Array | null = null;
      if (layer.alpha === null) {
        const rows = identityNetwork(protocol.sizes[i + 1], z, labels);
        loss = Math.fround((wrong.loss ?? ((v) => v))(rows.loss));
        dz = Float32Array.from(rows.dz);
      } else {
        da = Float32Array.from(dh, (v, k) => v * scaled[i][k]);
        const pulled = activated(i, z, layer.alpha, da);
        const g = da;
        dz = Float32Array.from(pulled.dz, (v, k) => (wrong.dz ?? ((v) => v))(v, z[k], g[k]));
        dalpha = Float32Array.from(pulled.dalpha, wrong.dalpha ?? ((v) => v));
      }
      const N = labels.length;
      const [inputs, units] = [protocol.sizes[i], protocol.sizes[i + 1]];
      const dW = new Float32Array(inputs * units);
      const db = new Float32Array(units);
      const back = new Float32Array(i > 0 ? N * inputs : 0);
      for (let p = 0; p < inputs; p++) {
        for (let j = 0; j < units; j++) {
          let sum = 0;
          for (let n = 0; n < N; n++) sum += h[n * inputs + p] * dz[n * units + j];
          dW[p * units + j] = (wrong.gradient ?? ((v) => v))(sum, p * units + j);
        }
      }
      for (let j = 0; j < units; j++) {
        let sum = 0;
        for (let n = 0; n < N; n++) sum += dz[n * units + j];
        db[j] = (wrong.db ?? ((v) => v))(sum);
      }
      for (let at = 0; at < back.length; at++) {
        let sum = 0;
        for (let j = 0; j < units; j++)
          sum += dz[Math.floor(at / inputs) * units + j] * layer.W[(at % inputs) * units + j];
        back[at] = sum;
      }
      dh = back;
      gradients.unshift({ W: dW, b: db, alpha: dalpha });
      cotangents.unshift({ dh, dz, da });
    }
    const before = { parameters, velocities };
    const rate = (wrong.rate ?? ((v) => v))(learningRateAt(protocol, iterations));
    const moved = parameters.map((layer, i) => moveLayer(layer, velocities[i], gradients[i], rate));
    parameters = moved.map(({ w }) => w);
    velocities = moved.map(({ v }) => v);
    return { iterations: iterations++, loss, stages, cotangents, gradients, before, after: { parameters, velocities } };
  }

  function moveLayer(
    layer: Layer<Float32Array>,
    velocity: Layer<Float32Array>,
    gradient: Layer<Float32Array>,
    rate: number,
  ): { w: Layer<Float32Array>; v: Layer<Float32Array> } {
    const { momentum } = protocol;
    const move = wrong.move ?? ((_old, v, change, momentum) => momentum * v - change);
    const field = (key: keyof Layer<unknown>) => {
      const [w, old, g] = [layer[key], velocity[key], gradient[key]];
      if (!w || !old || !g) return { w: null, v: null };
      const v = old.map((value, k) => momentum * value - rate * g[k]);
      return { v, w: w.map((value, k) => value + move(old[k], v[k], rate * g[k], momentum)) };
    };
    const [W, b, alpha] = [field('W'), field('b'), field('alpha')];
    if (!W.w || !W.v || !b.w || !b.v) throw new Error('every layer has W and b');
    return { w: { W: W.w, b: b.w, alpha: alpha.w }, v: { W: W.v, b: b.v, alpha: alpha.v } };
  }

  /** [relu, step] with one alpha a unit, written out. */
  function activated(i: number, z: Float32Array, alpha: Float64Array, da: Float32Array = new Float32Array(z.length)) {
    const units = protocol.sizes[i + 1];
    const dalpha = new Float64Array(2 * units);
    for (const [k, v] of z.entries()) {
      dalpha[k % units] += Math.max(v, 0) * da[k];
      dalpha[units + (k % units)] += v > 0 ? da[k] : 0;
    }
    return {
      a: z.map((v, k) => (v > 0 ? alpha[k % units] * v + alpha[units + (k % units)] : 0)),
      dz: z.map((v, k) => (v > 0 ? alpha[k % units] * da[k] : 0)),
      dalpha,
    };
  }

  return {
    get iterations() {
      return iterations;
    },
    tracedStep: async (batch) => traced(batch),
    step: async (batch) => traced(batch).loss,
    state: async () => ({ parameters, velocities }),
    evaluate: () => Promise.reject(new Error('not for this')),
    dispose: () => {},
  };
}

/** Loss and gradient at the logits, through a network that is the identity. */
function identityNetwork(classes: number, z: Float32Array, labels: Uint8Array): { loss: number; dz: Float64Array } {
  const W = Float64Array.from({ length: classes * classes }, (_, i) => (i % (classes + 1) === 0 ? 1 : 0));
  const one: Protocol = { ...protocol, sizes: [classes, classes] };
  const layer = [{ W, b: new Float64Array(classes), alpha: null }];
  const batch = { x: Float64Array.from(z), labels, masks: [] };
  const { loss, stages } = forward(one, layer, batch);
  return { loss, dz: backward(one, layer, batch, stages).cotangents[0].dz };
}

describe('trainings that are wrong', () => {
  const run = (wrong: Wrong, activation: Activation = pap) =>
    lockstepOf({ ...protocol, activation }, 1, 4, (protocol, initial) => float32Trainer(protocol, initial, wrong));

  it('are wrong only by what is changed: unchanged, the float32 training of these tests holds', async () => {
    const lockstep = await run({});
    expect(lockstep.held, JSON.stringify(lockstep)).toBe(true);
  });

  const P = 0.5;
  const wrongs: Readonly<Record<string, readonly [Wrong, what: RegExp]>> = {
    'plain momentum for Nesterov': [{ move: (_old, v) => v }, /^(W|b|alpha)\d$/],
    'Nesterov with the old velocity': [{ move: (old, _v, change, m) => m * m * old - change }, /^(W|b|alpha)\d$/],
    'no decay, 1e-6 of the rate in the second step': [{ rate: () => author2016.learningRate }, /velocity$/],
    'no dropout scale': [{ dropout: (m) => (m > 0 ? 1 : 0) }, /^(d?h|da)\d$/],
    'dropout not inverted': [{ dropout: (m) => m * 0.8 }, /^(d?h|da)\d$/],
    'mean for sum in dalpha': [{ dalpha: (v) => v / 16 }, /^alpha\d gradient$/],
    'no P in dz': [{ dz: (v) => v / P }, /^dz\d$/],
    "step's derivative not 0": [{ dz: (v, z, da) => v + (Math.abs(z) < 0.25 ? da : 0) }, /^dz\d$/],
    'mean for sum in db': [{ db: (v) => v / 16 }, /^b\d gradient$/],
    'one element of dW off by 1e-5': [{ gradient: (v, i) => (i === 7 ? v * (1 + 1e-5) : v) }, /^W\d gradient$/],
    'gradient not averaged': [{ gradient: (v) => v * 16, db: (v) => v * 16 }, /gradient$/],
    'loss off by 1e-5': [{ loss: (v) => v * (1 + 1e-5) }, /^loss$/],
    'NaN in the gradient': [{ gradient: (v, i) => (i === 3 ? Number.NaN : v) }, /gradient$/],
  };
  for (const [name, [wrong, what]] of Object.entries(wrongs)) {
    it(`${name}: caught, and where it is`, async () => {
      const { held, worst } = await run(wrong);
      expect(held).toBe(false);
      expect(worst.ratio).toBeGreaterThan(1);
      expect(worst.what).toMatch(what);
    });
  }

  it('weights that were not the ones handed in: the loss curves part', async () => {
    const initial = initialParameters(protocol, 1);
    const trainer = float32Trainer(protocol, initialParameters(protocol, 2));
    const lockstep = await runLockstep(protocol, initial, trainer, batches(protocol, data, 1), 3);
    expect(lockstep.lossDifference).toBeGreaterThan(lockstep.lossBound);
    expect(lockstep.held).toBe(false);
  });

  it('a batch that was not the one handed in: h0 differs', async () => {
    const trainer = float32Trainer(protocol, initialParameters(protocol, 1));
    const [first, second] = [1, 2].map((seed) => batches(protocol, data, seed).next().value);
    const trace = await trainer.tracedStep(first);
    const found = compareStep(protocol, second, trace).find(({ what }) => what === 'h0');
    expect(found?.ratio).toBe(Infinity);
  });
});

describe('loss curves', () => {
  it('put a pre-activation that fell on the other side of the jump where the subject has it, and count it', async () => {
    const initial = initialParameters(protocol, 1);
    const batch = batches(protocol, data, 1).next().value;
    const trace = await float32Trainer(protocol, initial).tracedStep(batch);
    const { loss } = forward(protocol, widen(initial), widenBatch(batch));
    const plain = new LossCurves(protocol, initial);
    expect(plain.step(batch, trace, 0)).toBe(loss);
    expect(plain.settled).toBe(0);

    // The kept unit of the first layer that is nearest to its jump, on the other side.
    const z = trace.stages[0].z;
    const kept = [...z.keys()].filter((i) => batch.masks[0][i] > 0 && z[i] > 0);
    const nearest = kept.reduce((least, i) => (z[i] < z[least] ? i : least), kept[0]);
    const flipped = z.with(nearest, -z[nearest]);
    const stages = trace.stages.map((stage, i) => (i === 0 ? { ...stage, z: flipped } : stage));
    const settling = new LossCurves(protocol, initial);
    expect(settling.step(batch, { ...trace, stages }, 0)).not.toBe(loss);
    expect(settling.settled).toBeGreaterThanOrEqual(1);
    expect(settling.settledBy).toBeGreaterThanOrEqual(1.9 * z[nearest]);
  });
});
