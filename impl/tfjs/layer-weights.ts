import * as tf from '@tensorflow/tfjs';
import { list, shown } from './parameters.ts';
import { sizeOf } from './shape.ts';

type KerasOptions = NonNullable<Parameters<typeof tf.layers.prelu>[0]>;
type Initializer = ReturnType<typeof tf.initializers.ones>;
type Regularizer = NonNullable<KerasOptions['alphaRegularizer']>;
type Constraint = NonNullable<KerasOptions['alphaConstraint']>;
type Config = tf.serialization.ConfigDictValue;

/** How the weight `alpha` of a layer starts and is kept, named as in Keras' PReLU. */
export interface WeightOptions {
  /** An initializer of tf.layers, its name or config; or one finite starting value for each row of alpha. */
  readonly alphaInitializer?: KerasOptions['alphaInitializer'] | readonly number[] | undefined;
  readonly alphaRegularizer?: Regularizer | string | null | undefined;
  /** Projects alpha after each update. */
  readonly alphaConstraint?: Constraint | string | null | undefined;
}

/** The options in the form that `addWeight` takes, and in that of `getConfig`. */
export interface Weight {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer;
  readonly constraint: Constraint | null;
  readonly config: { alphaInitializer: Config; alphaRegularizer: Config; alphaConstraint: Config };
}

/** Resolves the options for an alpha of `rows` rows. Throws TypeError or RangeError naming the option. */
export function weightOf(where: string, options: WeightOptions, rows: number, byDefault: Initializer): Weight {
  const initializer = options.alphaInitializer ?? byDefault;
  const start = Array.isArray(initializer)
    ? { value: perRow(where, initializer, rows), config: [...initializer] }
    : resolved<Initializer>(where, 'alphaInitializer', initializer);
  const regularizer = resolved<Regularizer>(where, 'alphaRegularizer', options.alphaRegularizer);
  const constraint = resolved<Constraint>(where, 'alphaConstraint', options.alphaConstraint);
  return {
    initializer: start.value,
    regularizer: regularizer.value,
    constraint: constraint.value,
    config: {
      alphaInitializer: start.config,
      alphaRegularizer: regularizer.config,
      alphaConstraint: constraint.config,
    },
  };
}

/**
 * Makes every optimizer project its updates of the weight, as Keras' do; what is set or loaded stays as it is.
 * By itself tf.layers does the contrary: its optimizers assign past the constraint (tensorflow/tfjs#3345), its loader
 * projects, which for norms changes the last bits.
 */
export function projectUpdates(weight: tf.LayerVariable, constraint: Constraint): void {
  const variable = weight.read() as tf.Variable;
  const assign = variable.assign.bind(variable);
  variable.assign = (value) => {
    tf.tidy(() => assign(constraint.apply(value)));
  };
  weight.write = (value) => {
    if (value.id !== variable.id) assign(value);
    return weight;
  };
}

/** What tf.layers knows by name: not `constant`, which has no default, nor `l1` and `l2`, which are functions only. */
const named: Readonly<Record<keyof WeightOptions, { readonly from: string; readonly names: readonly string[] }>> = {
  alphaInitializer: {
    from: 'tf.initializers',
    names: Object.keys(tf.initializers).filter((name) => name !== 'constant'),
  },
  alphaRegularizer: { from: 'tf.regularizers', names: ['l1l2'] },
  alphaConstraint: { from: 'tf.constraints', names: Object.keys(tf.constraints) },
};

/** tf.layers does not export what turns names and configs into objects and back, but its own PReLU does it. */
function resolved<T>(where: string, key: keyof WeightOptions, given: unknown): { value: T; config: Config } {
  const { from, names } = named[key];
  const expected = `${where}: "${key}" expected ${names.join(', ')}, a config, or what a function of ${from} makes`;
  if (ArrayBuffer.isView(given)) {
    throw new TypeError(`${where}: "${key}" expected no typed array, got ${given.constructor.name}`);
  }
  if (given != null && typeof given !== 'string' && typeof given !== 'object') {
    throw new TypeError(`${expected}, got ${shown(given)}`);
  }
  try {
    // Named, so that it takes no number from the automatic names of other layers.
    const keras = tf.layers.prelu({ name: 'options', [key]: given });
    return { value: (keras as unknown as Record<string, T>)[key]!, config: keras.getConfig()[key]! };
  } catch (cause) {
    throw new RangeError(`${expected}, got ${described(given)}`, { cause });
  }
}

/** An object of a class by its name: what it does is in methods, which JSON does not show. */
function described(given: unknown): string {
  const isOfMethods = typeof given === 'object' && given !== null && 'apply' in given;
  return isOfMethods ? `an object of ${given.constructor.name}` : shown(given);
}

function perRow(where: string, values: readonly unknown[], rows: number): Initializer {
  if (values.length !== rows) {
    throw new RangeError(
      `${where}: "alphaInitializer" expected ${rows} numbers, one for each row, got ${list(values)}`,
    );
  }
  for (const value of values) {
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
      throw new RangeError(`${where}: "alphaInitializer" expected finite float32 numbers, got ${list(values)}`);
    }
  }
  const apply = (shape: number[]) => {
    const size = sizeOf(shape) / rows;
    return tf.tensor(
      Float32Array.from({ length: size * rows }, (_, i) => values[Math.floor(i / size)] as number),
      shape,
    );
  };
  return { apply } as Initializer;
}
