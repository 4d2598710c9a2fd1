import * as tf from '@tensorflow/tfjs';
import type { OpenBackend } from '../impl/tfjs/backends.ts';
import { dropoutMask } from '../reference/dropout.ts';
import { random } from '../reference/random.ts';
import { quantile } from './quantile.ts';

/** Median milliseconds, by turns, forward and backward, of a dense layer and of the dropout behind it. */
export interface DropoutRow {
  readonly on: string;
  readonly batch: number;
  readonly layer: number;
  readonly dropout: number;
}

const units = 512;
const rounds = 31;

/** Of a layer of 512 to 512 units, dropout of 0.2: drawing the mask, bringing it to the backend, `mask · a`, `mask · dh`. */
export function measureDropout(backend: OpenBackend, batch: number): DropoutRow {
  backend.use();
  const source = random(1, 'dropout');
  const [W, b] = [tf.randomUniform([units, units]), tf.zeros([units])];
  const [h, dy] = [tf.randomUniform([batch, units]), tf.randomUniform([batch, units])];
  const layer = (): tf.Tensor[] =>
    tf.grads((h, W, b) => tf.add(tf.matMul(h as tf.Tensor2D, W as tf.Tensor2D), b))([h, W, b], dy);
  const dropout = (): tf.Tensor[] => {
    const mask = tf.tensor2d(dropoutMask(source, batch * units, 0.2), [batch, units]);
    return [tf.mul(h, mask), tf.mul(dy, mask)];
  };
  const times = { layer: [] as number[], dropout: [] as number[] };
  for (let round = -5; round < rounds; round++) {
    for (const [what, run] of [
      ['layer', layer],
      ['dropout', dropout],
    ] as const) {
      const start = performance.now();
      tf.tidy(() => {
        run();
      });
      if (round >= 0) times[what].push(performance.now() - start);
    }
  }
  tf.dispose([W, b, h, dy]);
  return { on: backend.name, batch, layer: quantile(times.layer, 0.5), dropout: quantile(times.dropout, 0.5) };
}
