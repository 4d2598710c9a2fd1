import type * as tf from '@tensorflow/tfjs';
import type { Constraint, Sharing } from '../../reference/case.ts';
import { knownOptions, list, shown } from './parameters.ts';

/** The options of every layer of tf.layers. */
export type LayerOptions = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

export interface SharingOptions {
  readonly sharing?: Sharing | undefined;
  /** Keras' way to write `sharing: { sharedAxes }`; a single axis may stand alone. */
  readonly sharedAxes?: number | readonly number[] | null | undefined;
}

/** The options that every layer of tf.layers takes; its loader adds the last. */
export const ofLayer: readonly string[] = [
  ...['name', 'trainable', 'dtype', 'inputShape', 'batchInputShape', 'batchSize', 'inputDType', 'weights'],
  'customObjects',
];
export const ofWeight: readonly string[] = ['sharedAxes', 'alphaInitializer', 'alphaRegularizer', 'alphaConstraint'];

/** The options, known by name and, where tf.layers would take anything, of their kind. */
export function checkedOptions<T extends LayerOptions>(where: string, options: T, known: readonly string[]): T {
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

export function sharingOf(where: string, { sharing, sharedAxes }: SharingOptions): Sharing | undefined {
  if (sharedAxes == null) return sharing;
  if (sharing !== undefined) {
    throw new RangeError(`${where}: "sharedAxes" expected to be left out where "sharing" is given, got both`);
  }
  return { sharedAxes: typeof sharedAxes === 'number' ? [sharedAxes] : sharedAxes };
}

/** JSON has no ∞: a config writes an infinite bound as null. */
export function withNullBounds(constraint: Constraint): tf.serialization.ConfigDict {
  if (constraint.kind !== 'clip') return { kind: constraint.kind };
  return { kind: 'clip', bounds: constraint.bounds.map((b) => (b === Infinity ? null : b)) };
}

export function withInfiniteBounds(constraint: Constraint | undefined): Constraint | undefined {
  if (constraint?.kind !== 'clip' || !Array.isArray(constraint.bounds)) return constraint;
  return { kind: 'clip', bounds: constraint.bounds.map((b) => b ?? Infinity) };
}

/** The config of a layer whose pool follows from its class. */
export function withoutPool(config: tf.serialization.ConfigDict): tf.serialization.ConfigDict {
  const { branches, sharing, constraint, alphaInitializer, ...rest } = config;
  return rest;
}
