import { mapsOf } from './activate.ts';
import type { Activation } from './activations.ts';
import { checkArray, checkFinite, checkInput, checkInteger, kindOf, shown } from './arguments.ts';
import { checkRate } from './dropout.ts';
import { type Initializer, limitOf } from './initializers.ts';
import { parameterLayout } from './parameters.ts';
import type { SgdOptions } from './sgd.ts';

/** A network and how it is trained, in one plain object: all that a run depends on, besides its data and seed. */
export interface Protocol extends SgdOptions {
  readonly name: string;
  /** Widths from the input to the logits, `[784, 512, 512, 10]` say. */
  readonly sizes: readonly number[];
  /** The activation after every layer but the last. */
  readonly activation: Activation;
  /** Share of units dropped after every activation. */
  readonly dropout: number;
  readonly initializer: Initializer;
  /** Images an update. */
  readonly batch: number;
  readonly epochs: number;
}

/** The width of what layer `i` gets: the images, or what the activation makes of the layer before. */
export function inputsOf({ sizes, activation }: Protocol, i: number): number {
  return i === 0 ? sizes[0] : sizes[i] * mapsOf(activation);
}

/** @throws TypeError, RangeError naming the field, what was expected and what came */
export function checkProtocol(protocol: Protocol): void {
  if (typeof protocol !== 'object' || protocol === null) {
    throw new TypeError(`protocol: expected an object, got ${shown(protocol)}`);
  }
  const { sizes, activation, batch, epochs, learningRate, momentum, decay } = protocol;
  if (!Array.isArray(sizes)) throw new TypeError(`protocol: "sizes" expected an array, got ${kindOf(sizes)}`);
  if (sizes.length < 2 || !Array.from(sizes).every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new RangeError(`protocol: "sizes" expected two or more positive integers, got ${shown(sizes)}`);
  }
  checkInput('protocol', 'activation', activation);
  const { rows } = parameterLayout(activation.pool, [1, sizes[1]]);
  for (const field of ['start', 'trained'] as const) {
    checkArray('protocol', `activation.${field}`, activation[field]);
    if (activation[field].length !== rows) {
      throw new RangeError(
        `protocol: "activation.${field}" expected ${rows} values, one a row, got ${activation[field].length}`,
      );
    }
  }
  const { pool } = activation;
  if (mapsOf(activation) !== 1) {
    const plain = pool.constraint.kind === 'fixed' && pool.sharing === 'layer';
    if (activation.maps !== pool.branches.length || !plain) {
      throw new RangeError(
        `protocol: "activation.maps" expected 1, or ${pool.branches.length}, one a branch, fixed for the whole layer, got ${activation.maps}`,
      );
    }
  }
  for (const [field, value] of Object.entries({ batch, epochs })) checkInteger(`protocol: "${field}"`, value, 1);
  for (const [field, value] of Object.entries({ learningRate, momentum, decay })) {
    checkFinite(`protocol: "${field}"`, value, 0);
  }
  checkRate(protocol.dropout);
  limitOf(protocol.initializer, sizes[0], sizes[1]);
}
