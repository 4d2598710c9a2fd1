import { checkInteger, shown } from './arguments.ts';
import { checkSource, type Random } from './random.ts';

/** Keras' names; `uniform` is on [-0.05, 0.05) unless a limit is given. */
export type Initializer = 'glorotUniform' | 'heUniform' | 'uniform' | { readonly uniform: number };

/**
 * The half-width of the interval: glorotUniform `√(6 / (inputs + units))`, heUniform `√(6 / inputs)`.
 * Source: Glorot and Bengio 2010, He et al. 2015, as in Keras.
 *
 * @throws RangeError for an unknown initialiser or a limit that is negative or not finite
 */
export function limitOf(initializer: Initializer, inputs: number, units: number): number {
  if (initializer === 'glorotUniform') return Math.sqrt(6 / (inputs + units));
  if (initializer === 'heUniform') return Math.sqrt(6 / inputs);
  if (initializer === 'uniform') return 0.05;
  const limit = typeof initializer === 'object' ? initializer?.uniform : undefined;
  if (!(typeof limit === 'number' && limit >= 0 && limit < Infinity)) {
    throw new RangeError(
      `initializer: expected glorotUniform, heUniform, uniform or { uniform: limit }, got ${shown(initializer)}`,
    );
  }
  return limit;
}

/**
 * `W ~ U(-limit, limit)`, `[inputs, units]`, drawn in float64 and rounded to float32: both a float32 and a float64
 * training can start from exactly these numbers. inputs, units: integers from 1.
 *
 * @throws TypeError for another kind, RangeError for another number of inputs or units, an unknown initialiser or a limit
 *   that is negative or not finite. Source: Glorot and Bengio 2010, He et al. 2015, as in Keras.
 */
export function initialWeights(source: Random, initializer: Initializer, inputs: number, units: number): Float32Array {
  checkSource('initialWeights', source);
  for (const [name, n] of Object.entries({ inputs, units })) checkInteger(`initialWeights: "${name}"`, n, 1);
  const limit = limitOf(initializer, inputs, units);
  return Float32Array.from({ length: inputs * units }, () => source.uniform(-limit, limit));
}

/** `alpha[r, …] = start[r]`: where an activation starts its alpha `[rows, ...S]` of `size` elements, in float32. */
export function startingAlpha(start: readonly number[], size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => start[Math.floor((i * start.length) / size)]);
}
