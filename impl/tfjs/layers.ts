import * as tf from '@tensorflow/tfjs';
import type { Constraint, Sharing } from '../../reference/case.ts';
import { projectUpdates, type Weight, type WeightOptions, weightOf } from './layer-weights.ts';
import { activationPool } from './op.ts';
import {
  type BuiltInPool,
  checkedPool,
  knownOptions,
  layoutOf,
  list,
  type PoolOptions,
  poolOptions,
  shown,
} from './parameters.ts';
import { checkFloat32, checkLiveFloat32, moveHere } from './tensors.ts';

type Shape = (number | null)[];
type LayerOptions = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

interface SharingOptions {
  readonly sharing?: Sharing | undefined;
  /** Keras' way to write `sharing: { sharedAxes }`; a single axis may stand alone. */
  readonly sharedAxes?: number | readonly number[] | null | undefined;
}

/** The options that every layer of tf.layers takes; its loader adds the last. */
const ofLayer = [
  ...['name', 'trainable', 'dtype', 'inputShape', 'batchInputShape', 'batchSize', 'inputDType', 'weights'],
  'customObjects',
];
const ofWeight = ['sharedAxes', 'alphaInitializer', 'alphaRegularizer', 'alphaConstraint'];

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
    if (weights.length !== 1 || !tf.util.arraysEqual(value!.shape, this.alpha.shape as number[])) {
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
    const [P, D] = readNow(value);
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

/** webgpu reads a result at once by drawing it, which Node can't, and by which SwiftShader answers 0 and loses the device. */
function readNow(value: tf.Tensor): Float32Array {
  const { tensorMap } = tf.backend() as { tensorMap?: { get(dataId: object): { values?: unknown } | undefined } };
  const kept = tf.getBackend() === 'webgpu' ? tensorMap?.get(value.dataId) : undefined;
  if (kept !== undefined && !kept.values) {
    const where = 'which results of the backend webgpu can not be';
    throw new TypeError(`MReLU: "weights" expected weights of an MReLU or values that can be read at once, ${where}`);
  }
  return value.dataSync<'float32'>();
}

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

/** The options, known by name and, where tf.layers would take anything, of their kind. */
function checkedOptions<T extends LayerOptions>(where: string, options: T, known: readonly string[]): T {
  knownOptions(where, options, known);
  for (const [name, [expected, is]] of Object.entries(kinds)) {
    const value = options[name as keyof LayerOptions];
    if (value == null || is(value)) continue;
    throw new TypeError(`${where}: "${name}" expected ${expected}, got ${shown(value)}`);
  }
  for (const name of ['inputShape', 'batchInputShape'] as const) {
    const shape = options[name];
    if (shape == null || Array.from(shape).every((n) => n === null || (Number.isSafeInteger(n) && n >= 0))) continue;
    throw new RangeError(`${where}: "${name}" expected integers from 0, or null, got ${list(shape)}`);
  }
  return options;
}

const isText = (value: unknown) => typeof value === 'string';
const kinds: Readonly<Record<string, readonly [expected: string, is: (value: unknown) => boolean]>> = {
  name: ['text', isText],
  trainable: ['true or false', (value) => typeof value === 'boolean'],
  inputShape: ['an array', Array.isArray],
  batchInputShape: ['an array', Array.isArray],
  batchSize: ['an integer', Number.isSafeInteger],
  inputDType: ['text', isText],
  weights: ['an array of tensors', Array.isArray],
};

function sharingOf(where: string, { sharing, sharedAxes }: SharingOptions): Sharing | undefined {
  if (sharedAxes == null) return sharing;
  if (sharing !== undefined) {
    throw new RangeError(`${where}: "sharedAxes" expected to be left out where "sharing" is given, got both`);
  }
  return { sharedAxes: typeof sharedAxes === 'number' ? [sharedAxes] : sharedAxes };
}

/** JSON has no ∞: a config writes an infinite bound as null. */
function withNullBounds(constraint: Constraint): tf.serialization.ConfigDict {
  if (constraint.kind !== 'clip') return { kind: constraint.kind };
  return { kind: 'clip', bounds: constraint.bounds.map((b) => (b === Infinity ? null : b)) };
}

function withInfiniteBounds(constraint: Constraint | undefined): Constraint | undefined {
  if (constraint?.kind !== 'clip' || !Array.isArray(constraint.bounds)) return constraint;
  return { kind: 'clip', bounds: constraint.bounds.map((b) => b ?? Infinity) };
}

/** The config of a layer whose pool follows from its class. */
function withoutPool(config: tf.serialization.ConfigDict): tf.serialization.ConfigDict {
  const { branches, sharing, constraint, alphaInitializer, ...rest } = config;
  return rest;
}

/** tf.layers passes one input as itself or as a list of one, and so it does with shapes. */
function oneTensor(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(inputs) ? inputs[0]! : inputs;
}

function oneShape(shapes: Shape | Shape[]): Shape {
  return Array.isArray(shapes[0]) ? shapes[0] : (shapes as Shape);
}
