import * as tf from '@tensorflow/tfjs';
import { checkedOptions, type LayerOptions, ofLayer, withoutPool } from './layer-options.ts';
import { ActivationPool, type Shape } from './layers.ts';
import { list, shown } from './parameters.ts';
import { isReadableNow } from './tensors.ts';

/** Options of the layer `MReLU`. */
export interface MReLUOptions extends LayerOptions {
  /** The coefficient of relu, finite in float32; that of step is `D = 1 - P`. 0.8 when left out. */
  readonly P?: number | undefined;
}

/**
 * `y = P·max(x, 0) + (1 - P)·(x > 0)`: Momentum ReLU with fixed coefficients.
 *
 * x, y: `[N, ...U]`, float32; its weight alpha, `[P, 1 - P]`, is not trainable.
 *
 * @throws TypeError, RangeError naming the option. Source: spec §1.
 */
export class MReLU extends ActivationPool {
  static override className = 'MReLU';
  private readonly P: number;

  constructor(options: MReLUOptions = {}) {
    const { P = 0.8, ...layer } = checkedOptions('MReLU', options, ['P', ...ofLayer]);
    if (typeof P !== 'number') throw new TypeError(`MReLU: "P" expected a number, got ${shown(P)}`);
    if (!Number.isFinite(Math.fround(P))) throw new RangeError(`MReLU: "P" expected a finite float32, got ${P}`);
    const constraint = { kind: 'fixed' } as const;
    super({ ...layer, branches: ['relu', 'step'], sharing: 'layer', constraint, alphaInitializer: [P, 1 - P] });
    this.P = P;
  }

  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    const alpha = this.alpha!;
    const write = alpha.write.bind(alpha);
    checkedAlphas.set(alpha.read().dataId, this.P);
    // By here pass setWeights of the layer and of its model, and loading: the config says P, so other weights would lie.
    alpha.write = (value) => {
      if (checkedAlphas.get(value.dataId) !== this.P) this.checkAlpha(value);
      checkedAlphas.set(value.dataId, this.P);
      return write(value);
    };
  }

  private checkAlpha(value: tf.Tensor): void {
    if (!isReadableNow(value)) {
      throw new TypeError(
        'MReLU: "weights" expected weights of an MReLU or values that can be read at once, which results of the backend webgpu can not be',
      );
    }
    const [P, D] = value.dataSync<'float32'>();
    if (P === Math.fround(this.P) && D === Math.fround(1 - this.P)) return;
    throw new RangeError(
      `MReLU: "weights" expected [P, 1 - P] of its P, ${list([this.P, 1 - this.P])}, got ${list([P, D])}`,
    );
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { alphaRegularizer, alphaConstraint, ...config } = withoutPool(super.getConfig());
    return { ...config, P: this.P };
  }

  /** A saved model has the keys of a config in snake case, and its loader does not turn `p` back into `P`. */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    { p, ...config }: tf.serialization.ConfigDict,
  ): T {
    return new cls(p === undefined ? config : { ...config, P: p });
  }
}
tf.serialization.registerClass(MReLU);

/** The P of which data are known to be `[P, 1 - P]`, such as other layers': on webgpu results can't be read at once. */
const checkedAlphas = new WeakMap<object, number>();
