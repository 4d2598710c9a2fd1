import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cases } from '../../properties/cases.ts';
import { laws } from '../../properties/laws.ts';
import { Trial } from '../../properties/trial.ts';
import type { Answer, Case } from '../../reference/case.ts';
import type { Subject } from '../../reference/subject.ts';
import { availableBackends } from './available-for-tests.ts';
import { ActivationPool } from './layers.ts';
import { MReLU } from './mrelu-layer.ts';
import { PReLU } from './prelu-layer.ts';
import { tfjsSubject } from './subject.ts';

/** The layer of a Case, the Case in the form that it answers, and its alpha. */
interface Form {
  readonly name: string;
  of(c: Case): Case;
  layer(c: Case): tf.layers.Layer;
  /** The rows of the pool's alpha that are the layer's weight. */
  weight(c: Case): Float64Array;
}

const forms: readonly Form[] = [
  { name: 'ActivationPool', of: (c) => c, layer: ({ pool }) => new ActivationPool(pool), weight: ({ alpha }) => alpha },
  {
    name: 'PReLU',
    of(c) {
      const rows = c.alpha.length / c.pool.branches.length || 0;
      const own = c.pool.constraint.kind === 'sumToOne' ? [] : c.alpha.slice(0, rows);
      return {
        ...c,
        pool: {
          branches: ['relu', 'negative'],
          sharing: own.length > 0 ? c.pool.sharing : 'layer',
          constraint: { kind: 'free' },
        },
        alpha: own.length > 0 ? Float64Array.of(...own.map(() => 1), ...own) : Float64Array.of(1, 0.25),
      };
    },
    layer: ({ pool }) => new PReLU({ sharing: pool.sharing }),
    weight: ({ alpha }) => alpha.slice(alpha.length / 2),
  },
  {
    name: 'MReLU',
    of(c) {
      const P = Number.isFinite(c.alpha[0]) ? c.alpha[0] : 0.5;
      const pool = { branches: ['relu', 'step'], sharing: 'layer', constraint: { kind: 'fixed' } } as const;
      return { ...c, pool, alpha: Float64Array.of(P, Math.fround(1 - P)) };
    },
    layer: ({ alpha }) => new MReLU({ P: alpha[0] }),
    weight: ({ alpha }) => alpha,
  },
];

const values = (t: tf.Tensor) => Float64Array.from(t.dataSync());

/** Asks a layer: its y, and by automatic differentiation dx and the gradient of its weight. */
function layerSubject({ name, layer, weight }: Form): Subject {
  const answer = (c: Case): Answer => {
    const made = layer(c);
    const [x, dy] = [c.x, c.dy].map((t) => tf.tensor(new Float32Array(t), [...c.shape])) as [tf.Tensor, tf.Tensor];
    try {
      const y = made.apply(x) as tf.Tensor;
      const [variable] = made.weights;
      if (name !== 'MReLU') made.setWeights([tf.tensor(new Float32Array(weight(c)), variable.shape as number[])]);
      const apply = (v: tf.Tensor) => made.apply(v) as tf.Tensor;
      const trained = made.trainableWeights.map((w) => w.read() as tf.Variable);
      const own = trained.length
        ? values(tf.variableGrads(() => tf.sum(tf.mul(apply(x), dy)), trained).grads[trained[0].name])
        : new Float64Array(0);
      // A weight of fewer rows than the pool's alpha: those that are constants have no gradient to compare.
      const rest = new Float64Array(c.alpha.length - own.length);
      y.dispose();
      return { y: values(apply(x)), dx: values(tf.grad(apply)(x, dy)), dalpha: Float64Array.of(...rest, ...own) };
    } finally {
      made.dispose();
    }
  };
  return { name, dtype: 'f32', facets: [], answer };
}

const lawsOnAnswers = ['y', 'dx', 'dalpha'] as const;

for (const backend of await availableBackends()) {
  describe.each(forms)(`the layer $name on ${backend.name}`, (form) => {
    it.each(lawsOnAnswers)('keeps agreement/%s', { timeout: 60_000 }, async (quantity) => {
      backend.use();
      const subject: Subject = { ...layerSubject(form), facets: tfjsSubject(backend).facets };
      const law = laws.find(({ id }) => id === `agreement/${quantity}`)!;
      let compared = 0;
      for (const kind of ['dyadic', 'general'] as const) {
        for (const drawn of fc.sample(cases({ dtype: 'f32', kind, finite: true }), { numRuns: 25, seed: 4 })) {
          const c = form.of(drawn);
          if (form.name !== 'ActivationPool' && quantity === 'dalpha') continue;
          const trial = new Trial(subject);
          tf.engine().startScope();
          await law.check(c, trial);
          tf.engine().endScope();
          compared += trial.counts.compared;
        }
      }
      if (form.name === 'ActivationPool' || quantity !== 'dalpha') expect(compared).toBeGreaterThan(200);
    });
  });
}
