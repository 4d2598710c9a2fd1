import * as tf from '@tensorflow/tfjs';
import {
  checkedOptions,
  type LayerOptions,
  ofLayer,
  ofWeight,
  type SharingOptions,
  sharingOf,
  withInfiniteBounds,
  withNullBounds,
} from './layer-options.ts';
import { projectUpdates, type Weight, type WeightOptions, weightOf } from './layer-weights.ts';
import { activationPool } from './op.ts';
import { type BuiltInPool, checkedPool, layoutOf, list, type PoolOptions, poolOptions, shown } from './parameters.ts';
import { checkFloat32, checkLiveFloat32, moveHere } from './tensors.ts';

/** A shape as tf.layers has it: null for an axis of unknown size. */
export type Shape = (number | null)[];

/** Options of the layer `ActivationPool`; all can be left out. */
export interface ActivationPoolOptions extends LayerOptions, PoolOptions, SharingOptions, WeightOptions {}

/**
 * `y = Σᵢ cᵢ · fᵢ(x)`, `c = κ(alpha)`: an activation pool whose alpha is trained (a PAP).
 *
 * x, y: `[N, ...U]`, float32; its weight alpha: `[rows, ...S]` as `activationPool` takes it, not trainable under `fixed`.
 * Without `alphaInitializer` it starts at `1/n` each, n branches. `alphaRegularizer` and `alphaConstraint` as in Keras'
 * PReLU: `alphaConstraint` projects alpha after each update, where `constraint` is κ, a part of the function.
 *
 * @throws TypeError, RangeError naming the option. Source: spec §1.
 */
export class ActivationPool extends tf.layers.Layer {
  static className = 'ActivationPool';
  private readonly pool: BuiltInPool;
  private readonly weight: Weight;
  protected alpha: tf.LayerVariable | undefined;
  /** The shape that it was built for, null for the axes that may change. */
  private inputShape: Shape | undefined;

  constructor(options: ActivationPoolOptions = {}) {
    super(checkedOptions(new.target.className, options, [...poolOptions, ...ofWeight, ...ofLayer]));
    const where = this.getClassName();
    if (options.dtype !== undefined && options.dtype !== 'float32') {
      throw new RangeError(`${where}: "dtype" expected float32, got ${shown(options.dtype)}`);
    }
    this.pool = checkedPool(where, {
      branches: options.branches,
      sharing: sharingOf(where, options),
      constraint: withInfiniteBounds(options.constraint),
    });
    const n = this.pool.branches.length;
    const rows = this.pool.constraint.kind === 'sumToOne' ? n - 1 : n;
    if (this.pool.constraint.kind === 'fixed' && options.alphaConstraint != null) {
      throw new RangeError(
        `${where}: "alphaConstraint" expected to be left out where "constraint" is fixed, got ${shown(options.alphaConstraint)}`,
      );
    }
    this.weight = weightOf(where, options, rows, tf.initializers.constant({ value: 1 / n }));
    this.supportsMasking = true;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = oneShape(inputShape);
    const { alphaShape: poolShape, summedAxes } = layoutOf(this.getClassName(), this.pool, shape as number[]);
    const alphaShape = this.weightShape(poolShape);
    if (alphaShape.includes(null as unknown as number)) {
      throw new RangeError(
        `${this.getClassName()}: "sharing" expected to share the axes of unknown size, got input shape ${shown(shape)}`,
      );
    }
    const { initializer, regularizer, constraint } = this.weight;
    const trainable = this.pool.constraint.kind !== 'fixed';
    this.alpha = this.addWeight('alpha', alphaShape, 'float32', initializer, regularizer, trainable);
    if (constraint != null) projectUpdates(this.alpha, constraint);
    // The axes that alpha has must stay as long as they are.
    this.inputShape = shape.map((n, axis) => (summedAxes.includes(axis) ? null : n));
    this.built = true;
  }

  override apply(...[inputs, kwargs]: Parameters<tf.layers.Layer['apply']>): ReturnType<tf.layers.Layer['apply']> {
    const one: unknown = Array.isArray(inputs) && inputs.length === 1 ? inputs[0] : inputs;
    if (!(one instanceof tf.Tensor || one instanceof tf.SymbolicTensor)) {
      throw new TypeError(`${this.getClassName()}: "inputs" expected one tensor, got ${shown(inputs)}`);
    }
    if (this.built) this.checkShape(one.shape);
    return super.apply(inputs, kwargs);
  }

  /** Here and not by tf.layers' `inputSpec`, whose error is a plain Error. */
  private checkShape(shape: Shape): void {
    const wanted = this.inputShape!;
    // A symbolic tensor has null for what is not known yet.
    const fits =
      shape.length === wanted.length && wanted.every((n, i) => n === null || shape[i] === null || shape[i] === n);
    if (fits) return;
    throw new RangeError(
      `${this.getClassName()}: "inputs" expected shape ${list(wanted)}, as it was built for, got ${list(shape)}`,
    );
  }

  override setWeights(weights: tf.Tensor[]): void {
    const where = this.getClassName();
    if (!Array.isArray(weights)) {
      throw new TypeError(`${where}: "weights" expected an array of tensors, got ${shown(weights)}`);
    }
    if (this.alpha === undefined)
      throw new RangeError(`${where}: "weights" expected to be set after the layer is built`);
    const [value] = weights;
    if (value !== undefined && !(value instanceof tf.Tensor)) {
      throw new TypeError(`${where}: "weights" expected an array of tensors, got ${shown(weights)}`);
    }
    if (weights.length !== 1 || !tf.util.arraysEqual(value.shape, this.alpha.shape as number[])) {
      const came = weights.map((weight) => list(weight?.shape ?? [])).join(', ');
      throw new RangeError(
        `${where}: "weights" expected one tensor of shape ${list(this.alpha.shape)}, got ${came || 'none'}`,
      );
    }
    checkLiveFloat32(where, 'weights', value);
    super.setWeights(weights);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    if (!this.built) throw new RangeError(`${this.getClassName()}: "call" expected a layer that is built; use apply`);
    const x = oneTensor(inputs);
    checkFloat32(this.getClassName(), 'inputs', x);
    this.checkShape(x.shape);
    // A model may go on after another backend was chosen, as those of stock layers do.
    moveHere(this.alpha!.read());
    return tf.tidy(() => activationPool(x, this.poolAlpha(), this.pool));
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return oneShape(inputShape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { branches, sharing, constraint } = this.pool;
    return {
      ...super.getConfig(),
      ...this.weight.config,
      branches: [...branches],
      sharing: typeof sharing === 'string' ? sharing : { sharedAxes: [...sharing.sharedAxes] },
      constraint: withNullBounds(constraint),
    };
  }

  /** The shape of the weight where the pool's alpha has `alphaShape`. */
  protected weightShape(alphaShape: readonly number[]): number[] {
    return [...alphaShape];
  }

  /** The pool's alpha, made of the weight. */
  protected poolAlpha(): tf.Tensor {
    return this.alpha!.read();
  }
}
tf.serialization.registerClass(ActivationPool);

/** tf.layers passes one input as itself or as a list of one, and so it does with shapes. */
function oneTensor(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0] : inputs;
}

function oneShape(shapes: Shape | Shape[]): Shape {
  return Array.isArray(shapes[0]) ? shapes[0] : (shapes as Shape);
}
