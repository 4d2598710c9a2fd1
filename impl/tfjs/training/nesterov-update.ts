import * as tf from '@tensorflow/tfjs';

/** The name of the kernel that makes an update in one pass, on backends that have one. */
export const nesterovKernelName = 'NesterovUpdate';

export type NesterovAttrs = { readonly rate: number; readonly momentum: number };

/**
 * `v' = momentum · v - rate · g`, `w' = w + momentum · v' - rate · g`.
 *
 * w, v, g: float32 of one shape. The caller disposes of the results.
 */
export function nesterovUpdate(
  w: tf.Tensor,
  v: tf.Tensor,
  g: tf.Tensor,
  { rate, momentum }: NesterovAttrs,
): [w: tf.Tensor, v: tf.Tensor] {
  if (tf.getKernel(nesterovKernelName, tf.getBackend())) {
    return tf.engine().runKernel(nesterovKernelName, { w, v, g }, { rate, momentum }) as [tf.Tensor, tf.Tensor];
  }
  return tf.tidy(() => {
    const change = tf.mul(g, rate);
    const moved = tf.sub(tf.mul(v, momentum), change);
    return [tf.sub(tf.add(w, tf.mul(moved, momentum)), change), moved];
  });
}
