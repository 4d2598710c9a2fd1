import * as tf from '@tensorflow/tfjs';
import { nativeVariable } from './native-variable.ts';
import { type NesterovAttrs, nesterov } from './nesterov.ts';

/** A parameter with its velocity, on the backend that was current when it was made. */
export interface Variable {
  /** Its values now. Not to be disposed of, nor used after an update. */
  readonly value: tf.Tensor;
  /** A copy of the velocities; the caller disposes of it. */
  velocity(): tf.Tensor;
  /** `v ← momentum · v - g · rate`, `w ← w + momentum · v - rate · g`. */
  update(g: tf.Tensor, options: NesterovAttrs): void;
  dispose(): void;
}

/** A variable that starts from `values`, its velocity from 0. */
export function createVariable(values: Float32Array, shape: number[]): Variable {
  const w = tf.tensor(values, shape, 'float32');
  const v = tf.zeros(shape);
  return tf.getBackend() === 'tensorflow' ? nativeVariable(w, v) : tensorVariable(w, v);
}

function tensorVariable(w: tf.Tensor, v: tf.Tensor): Variable {
  let now = { w, v };
  return {
    get value() {
      return now.w;
    },
    velocity: () => now.v.clone(),
    update(g, options) {
      const [w, v] = nesterov(now.w, now.v, g, options);
      tf.dispose([now.w, now.v]);
      now = { w, v };
    },
    dispose: () => tf.dispose([now.w, now.v]),
  };
}
