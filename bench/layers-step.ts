import * as tf from '@tensorflow/tfjs';
import { ActivationPool } from '../impl/tfjs/layers.ts';
import type { Batch } from '../reference/network.ts';
import type { Protocol } from '../reference/protocol.ts';

/** The network of `protocol` with PAPs, as a user writes it with `tf.layers` and `tf.train.momentum`, on the current backend. */
export function layersStep({ sizes, learningRate, momentum }: Protocol, data: Batch<Float32Array>) {
  const [inputs, ...units] = sizes as [number, ...number[]];
  const classes = units.pop()!;
  const model = tf.sequential();
  for (const [k, size] of units.entries()) {
    model.add(tf.layers.dense({ units: size, ...(k === 0 && { inputShape: [inputs] }) }));
    model.add(new ActivationPool({ branches: ['relu', 'step'] }));
  }
  model.add(tf.layers.dense({ units: classes, activation: 'softmax' }));
  const optimizer = tf.train.momentum(learningRate, momentum, true);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const { labels } = data;
  const x = tf.tensor2d(data.x, [labels.length, inputs]);
  const y = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d([...labels], 'int32'), classes), 'float32'));
  return {
    step: async (): Promise<void> => {
      await model.trainOnBatch(x, y);
    },
    dispose(): void {
      model.dispose();
      optimizer.dispose();
      tf.dispose([x, y]);
    },
  };
}
