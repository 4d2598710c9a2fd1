import * as tf from '@tensorflow/tfjs';
import { ActivationPool } from '../impl/tfjs/layers.ts';
import { activationPool } from '../impl/tfjs/op.ts';
import type { Differentiable, Tensors } from '../properties/gradcheck/differentiable.ts';
import { gradcheck } from '../properties/gradcheck/gradcheck.ts';
import { layerFunction, tensorflowFunction } from '../properties/gradcheck/tensorflow.ts';
import type { Checker } from './checker.ts';
import { declaredLayer, plainLayer, shapes } from './layer.ts';

/** poolproof's check of the layer in plain float64 and on the `cpu` backend of TensorFlow.js. */
export async function poolproofCheckers(): Promise<Checker[]> {
  await tf.setBackend('cpu');
  await tf.ready();
  const op: Differentiable = { ...tensorflowFunction(tf, (x, alpha) => activationPool(x, alpha)), shapes };
  const { structure, kinks, batch } = declaredLayer;
  const declared = { structure: structure!, kinks: kinks!, batch: batch! };
  const layer = layerFunction(tf, new ActivationPool({ branches: ['relu', 'step'] }), shapes.x);
  return [
    checker('poolproof, float64, declared', declaredLayer),
    checker('poolproof, float64, found', plainLayer),
    checker('poolproof, tfjs op, float64 twin, declared', {
      ...op,
      ...declared,
      twin: (inputs) => declaredLayer.forward(inputs, shapes) as Float64Array,
    }),
    checker('poolproof, tfjs op, found', op),
    checker('poolproof, tfjs layer, found', { ...layer.f, shapes }),
  ];
}

function checker(name: string, f: Differentiable): Checker {
  return {
    name,
    async check(inputs, fault) {
      const counts = { forward: 0, backward: 0, jvp: 0 };
      const counted: Differentiable = {
        ...f,
        forward(...given) {
          counts.forward++;
          return f.forward(...given);
        },
        async vjp(...given) {
          counts.backward++;
          const gradients = await f.vjp(...given);
          return fault ? wrong(gradients, fault) : gradients;
        },
        ...(f.jvp && {
          jvp(...given: Parameters<NonNullable<Differentiable['jvp']>>) {
            counts.jvp++;
            return f.jvp!(...given);
          },
        }),
        ...(f.twin && {
          twin(...given: Parameters<NonNullable<Differentiable['twin']>>) {
            counts.forward++;
            return f.twin!(...given);
          },
        }),
      };
      const start = performance.now();
      const { passed } = await gradcheck(counted, { ...inputs });
      return { passed, ms: performance.now() - start, ...counts };
    },
  };
}

function wrong({ x, ...rest }: Tensors, { element, factor }: { element: number; factor: number }): Tensors {
  return { x: x.with(element, x[element] * factor), ...rest };
}
