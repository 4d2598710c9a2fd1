import * as tf from '@tensorflow/tfjs';
import { nativeVariable } from './native-variable.ts';
import { type NesterovAttrs, nesterovUpdate } from './nesterov-update.ts';

/** A parameter with its velocity, on the backend that was current when it was made. */
export interface Variable {
  /** Its values current. Not to be disposed of, nor used after an update. */
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
  let current = { w, v };
  return {
    get value() {
      return current.w;
    },
    velocity: () => current.v.clone(),
    update(g, options) {
      const [w, v] = nesterovUpdate(current.w, current.v, g, options);
      tf.dispose([current.w, current.v]);
      current = { w, v };
    },
    dispose: () => tf.dispose([current.w, current.v]),
  };
}
