import type { Activation } from './activations.ts';
import { checkRate } from './dropout.ts';
import { type Initializer, limitOf } from './initializers.ts';
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

/** @throws TypeError, RangeError naming the field, what was expected and what came */
export function checkProtocol(protocol: Protocol): void {
  const { sizes, activation, batch, epochs, learningRate, momentum, decay } = protocol;
  if (!Array.isArray(sizes)) throw new TypeError(`protocol: "sizes" expected an array, got ${typeof sizes}`);
  if (sizes.length < 2 || !sizes.every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new RangeError(`protocol: "sizes" expected two or more positive integers, got [${sizes.join(', ')}]`);
  }
  if (typeof activation !== 'object' || activation === null) {
    throw new TypeError(`protocol: "activation" expected a pool with its start, got ${String(activation)}`);
  }
  const rows = activation.pool.branches.length - (activation.pool.constraint.kind === 'sumToOne' ? 1 : 0);
  for (const field of ['start', 'trained'] as const) {
    if (activation[field].length !== rows) {
      throw new RangeError(
        `protocol: "activation.${field}" expected ${rows} values, one a row, got ${activation[field].length}`,
      );
    }
  }
  for (const [field, value] of Object.entries({ batch, epochs })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`protocol: "${field}" expected a positive integer, got ${value}`);
    }
  }
  for (const [field, value] of Object.entries({ learningRate, momentum, decay })) {
    if (!(typeof value === 'number' && value >= 0 && value < Infinity)) {
      throw new RangeError(`protocol: "${field}" expected a finite number ≥ 0, got ${value}`);
    }
  }
  checkRate(protocol.dropout);
  limitOf(protocol.initializer, sizes[0], sizes[1]);
}
