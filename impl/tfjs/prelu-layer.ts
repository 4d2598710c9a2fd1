import * as tf from '@tensorflow/tfjs';
import {
  checkedOptions,
  type LayerOptions,
  ofLayer,
  ofWeight,
  type SharingOptions,
  withoutPool,
} from './layer-options.ts';
import type { WeightOptions } from './layer-weights.ts';
import { ActivationPool } from './layers.ts';

/** Options of the layer `PReLU`, as Keras' has them. */
export interface PReLUOptions extends LayerOptions, SharingOptions, WeightOptions {}

/**
 * `y = max(x, 0) + alpha·min(x, 0)`: PReLU as the pool `[relu, negative]`, whose coefficient of relu is the constant 1.
 *
 * x, y: `[N, ...U]`, float32; its weight alpha has shape `S`, as in Keras: `U`, with 1 for the shared axes.
 * Without `alphaInitializer` it starts at 0. At `x = 0` the derivative is 0 (Keras': alpha).
 *
 * Registered as `PReLUPool`, because `PReLU` is taken: models saved with tf.layers' own keep loading as that.
 *
 * @throws TypeError, RangeError naming the option. Source: spec §2.
 */
export class PReLU extends ActivationPool {
  static override className = 'PReLUPool';

  constructor(given: PReLUOptions = {}) {
    const { alphaInitializer = 'zeros', ...options } = checkedOptions('PReLU', given, [
      'sharing',
      ...ofWeight,
      ...ofLayer,
    ]);
    if (Array.isArray(alphaInitializer)) {
      throw new TypeError('PReLU: "alphaInitializer" expected an initializer of tf.layers, got an array');
    }
    super({ ...options, alphaInitializer, branches: ['relu', 'negative'], constraint: { kind: 'free' } });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { alphaInitializer, sharing, ...config } = super.getConfig();
    return { ...withoutPool(config), alphaInitializer: alphaInitializer!, sharing: sharing! };
  }

  protected override weightShape(alphaShape: readonly number[]): number[] {
    return alphaShape.slice(1);
  }

  protected override poolAlpha(): tf.Tensor {
    const alpha = super.poolAlpha();
    return tf.stack([tf.onesLike(alpha), alpha]);
  }
}
tf.serialization.registerClass(PReLU);
