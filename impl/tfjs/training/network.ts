import * as tf from '@tensorflow/tfjs';
import type { Activation } from '../../../reference/activations.ts';
import type { Batch, Layer } from '../../../reference/network.ts';
import type { Protocol } from '../../../reference/protocol.ts';
import { attribute, type NativeBackend } from '../native-backend.ts';
import { activationPool } from '../op.ts';
import { list } from '../parameters.ts';

/** Which value of which layer: `z = h·W + b`, `a = pool(z)`, and the next layer's `h = mask · a`. */
export type Place = 'h' | 'z' | 'a';

/** May look at a value on its way through the network and must return it, or one equal to it. */
export type Tap = (place: Place, layer: number, value: tf.Tensor2D) => tf.Tensor2D;

const untouched: Tap = (_place, _layer, value) => value;

/**
 * Logits `[N, classes]` of images `x` `[N, sizes[0]]`, float32: for each layer `z = h·W + b`, `a = pool(z)`,
 * `h ← mask · a`. Without masks nothing is dropped.
 */
export function logits(
  protocol: Protocol,
  parameters: readonly Layer<tf.Tensor>[],
  x: tf.Tensor2D,
  masks: readonly tf.Tensor[] = [],
  tap: Tap = untouched,
): tf.Tensor2D {
  const { activation } = protocol;
  let h = x;
  let z = x;
  for (const [i, { W, b, alpha }] of parameters.entries()) {
    h = tap('h', i, h);
    z = tap('z', i, tf.add(tf.matMul(h, W as tf.Tensor2D), b));
    if (alpha === null) break;
    const a = tap('a', i, activate(activation, z, alpha));
    h = masks.length > 0 && protocol.dropout > 0 ? tf.mul(a, masks[i]) : a;
  }
  return z;
}

/** `[N, units]`, the sum of the branches; or `[N, maps · units]`, each branch a feature map of its own. */
function activate({ pool, maps = 1 }: Activation, z: tf.Tensor2D, alpha: tf.Tensor): tf.Tensor2D {
  if (maps === 1) return activationPool(z, alpha, pool);
  const all = pool.branches.map((branch, i) =>
    activationPool(z, tf.slice(alpha, [i], [1]), { ...pool, branches: [branch] }),
  );
  return tf.concat(all, 1);
}

/**
 * `loss = (1/N) Σᵢ (log Σⱼ exp(zᵢⱼ) - zᵢ,label(i))`, `dz = (softmax(z) - onehot) / N`.
 *
 * z: logits `[N, classes]`; onehot: `[N, classes]`, one 1 a row; the result is a scalar. The largest logit of a row is
 * taken out first, so that no exponential overflows.
 */
export function crossEntropy(z: tf.Tensor2D, onehot: tf.Tensor2D): tf.Scalar {
  const N = onehot.shape[0];
  const loss = tf.customGrad((...inputs) => {
    const [logit, save] = inputs as [tf.Tensor2D, tf.GradSaveFunc];
    const [losses, excess] = softmaxLosses(logit, onehot);
    save([tf.div(excess, N)]);
    return { value: tf.mean(losses), gradFunc: (dy: tf.Tensor, [dz]: tf.Tensor[]) => tf.mul(dz, dy) };
  });
  return loss(z) as tf.Scalar;
}

/** For each row `log Σⱼ exp(zⱼ) - z_label` and `softmax(z) - onehot`; TensorFlow has an op for both. */
function softmaxLosses(z: tf.Tensor2D, onehot: tf.Tensor2D): tf.Tensor[] {
  if (tf.getBackend() === 'tensorflow') {
    const backend = tf.backend() as NativeBackend;
    const T = attribute('T', backend.binding.TF_ATTR_TYPE, backend.binding.TF_FLOAT);
    return backend.executeMultipleOutputs('SoftmaxCrossEntropyWithLogits', [T], [z, onehot], 2);
  }
  const shifted = tf.sub(z, tf.max(z, 1, true));
  const e = tf.exp(shifted);
  const sum = tf.sum(e, 1, true);
  return [tf.sub(tf.log(sum), tf.sum(tf.mul(onehot, shifted), 1, true)), tf.sub(tf.div(e, sum), onehot)];
}

/**
 * A batch as float32 tensors, labels as one-hot rows. The caller disposes of them.
 *
 * @throws RangeError naming what does not fit the protocol, before any tensor is made
 */
export function uploadBatch(
  { sizes, activation: { maps = 1 } }: Protocol,
  { x, labels, masks }: Batch<Float32Array>,
): { x: tf.Tensor2D; onehot: tf.Tensor2D; masks: tf.Tensor2D[] } {
  const N = labels.length;
  const classes = sizes[sizes.length - 1];
  const maskShapes = masks.map((_, i): [number, number] => [N, maps * sizes[i + 1]]);
  checkLength('x', x, [N, sizes[0]]);
  for (const [i, mask] of masks.entries()) checkLength('masks', mask, maskShapes[i]);
  const rows = new Float32Array(N * classes);
  for (const [i, label] of labels.entries()) {
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new RangeError(`batch: "labels" expected integers from 0, below ${classes}, got ${label} at ${i}`);
    }
    rows[i * classes + label] = 1;
  }
  return {
    x: tf.tensor2d(x, [N, sizes[0]]),
    onehot: tf.tensor2d(rows, [N, classes]),
    masks: masks.map((mask, i) => tf.tensor2d(mask, maskShapes[i])),
  };
}

function checkLength(what: string, { length }: Float32Array, shape: readonly [number, number]): void {
  if (length === shape[0] * shape[1]) return;
  throw new RangeError(`batch: "${what}" expected shape ${list(shape)}, got ${length} elements`);
}
