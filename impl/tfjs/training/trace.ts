import * as tf from '@tensorflow/tfjs';
import type { Stage, StageCotangents } from '../../../reference/network.ts';
import type { Protocol } from '../../../reference/protocol.ts';
import type { Place, Tap } from './network.ts';

interface Recorded {
  readonly stages: readonly Stage<Float32Array>[];
  readonly cotangents: readonly StageCotangents<Float32Array>[];
}

/**
 * A tap that keeps each value it sees and, in the backward pass, the cotangent of that value. It passes both on as they
 * are, so that a traced update is the same arithmetic as any other. `read` may be called once, and frees what was kept.
 */
export function recorder({ sizes }: Protocol): { readonly tap: Tap; read(): Promise<Recorded> } {
  const values = new Map<string, tf.Tensor>();
  const cotangents = new Map<string, tf.Tensor>();
  const keep = (into: Map<string, tf.Tensor>, key: string, t: tf.Tensor): void => {
    into.set(key, tf.keep(t.clone()));
  };
  const tap: Tap = (place, layer, value) => {
    const key = `${place}${layer}`;
    keep(values, key, value);
    const pass = tf.customGrad((v) => ({
      value: (v as tf.Tensor).clone(),
      gradFunc: (dy: tf.Tensor) => {
        keep(cotangents, key, dy);
        return dy.clone();
      },
    }));
    return pass(value) as tf.Tensor2D;
  };
  async function read(from: Map<string, tf.Tensor>, place: Place, layer: number): Promise<Float32Array> {
    const kept = from.get(`${place}${layer}`);
    return kept ? (await kept.data<'float32'>()).slice() : new Float32Array(0);
  }
  return {
    tap,
    async read() {
      const layers = sizes.slice(1).map((_, i) => i);
      const hidden = (i: number): boolean => i < layers.length - 1;
      const stages = layers.map(async (i) => ({
        h: await read(values, 'h', i),
        z: await read(values, 'z', i),
        a: hidden(i) ? await read(values, 'a', i) : null,
      }));
      const duals = layers.map(async (i) => ({
        dh: await read(cotangents, 'h', i),
        dz: await read(cotangents, 'z', i),
        da: hidden(i) ? await read(cotangents, 'a', i) : null,
      }));
      const recorded = { stages: await Promise.all(stages), cotangents: await Promise.all(duals) };
      tf.dispose([...values.values(), ...cotangents.values()]);
      return recorded;
    },
  };
}
