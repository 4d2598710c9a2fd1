import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Protocol } from '../reference/protocol.ts';
import type { SurfaceProtocol } from './convnet-protocol.ts';

/** One training: the protocol, with its activation, and what all that is drawn depends on. */
export interface Trial<P = Protocol | SurfaceProtocol> {
  readonly protocol: P;
  readonly seed: number;
}

/** What every row says: of which trial, and where it was measured. */
interface RowBase {
  /** The name of the protocol. */
  readonly protocol: string;
  /** `hashOf` the protocol. */
  readonly hash: string;
  readonly activation: string;
  readonly seed: number;
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Of the trial as a whole, data apart. */
  readonly seconds: number;
}

/** One line of a results file. */
export type Row = TrialRow | SurfaceRow | GradientRow;

/** What a training on MNIST showed. */
export interface TrialRow extends RowBase {
  /** After each epoch; a test loss that is not finite ends the trial. */
  readonly epochs: readonly EpochRow[];
  /** Median milliseconds of an update, its batch included: the least of the epochs. */
  readonly stepMs: number;
  /** At the start, on the first batch, by the float64 reference: `‖dL/dW‖₂` of each layer. */
  readonly gradients: readonly number[];
  /** The trained coefficients; `[]` if the activation has none. */
  readonly coefficients: readonly LayerCoefficients[];
}

/** A network before its first update. */
export interface GradientRow extends RowBase {
  /** On the first batch, by the float64 reference: `‖dL/dW‖₂` of each layer. */
  readonly gradients: readonly number[];
}

/** `null` where a loss was not finite. */
export interface EpochRow {
  /** On the test images, without dropout. */
  readonly loss: number | null;
  readonly accuracy: number;
  /** Mean over the updates, with dropout. */
  readonly trainLoss: number | null;
}

/** How the coefficients of a hidden layer are spread over its units: quantiles at `quantileLevels`. */
export interface LayerCoefficients {
  /** Of each branch, by its name, and of their sum. */
  readonly quantiles: Readonly<Record<string, readonly number[]>>;
  /** Share of units whose coefficients sum to less than 0.1 in size: pathways that are off. */
  readonly off: number;
}

/** A weight that is moved. */
export interface SweptWeight {
  /** `conv1` … `dense2`. */
  readonly layer: string;
  /** Of the element in the layer's W. */
  readonly index: number;
  /** `‖w‖₂` of the weights of its unit: the unit of `offsets`. */
  readonly norm: number;
}

/** The loss over two weights: `losses[i][j]` with the first at `offsets[i]` and the second at `offsets[j]`. */
export interface Surface {
  readonly weights: readonly [SweptWeight, SweptWeight];
  /** `null` where it was not finite. */
  readonly losses: readonly (readonly (number | null)[])[];
}

/** A trained convnet and the loss surfaces around it. */
export interface SurfaceRow extends RowBase {
  /** Of the trained network, on images that it has not seen. */
  readonly test: { readonly loss: number | null; readonly accuracy: number };
  readonly offsets: readonly number[];
  readonly surfaces: readonly Surface[];
}

export const quantileLevels: readonly number[] = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];

/** The protocol as a whole, activation and number of epochs included: SHA-256 of its canonical JSON, 16 hex digits. */
export function hashOf(protocol: object): string {
  return createHash('sha256').update(canonicalize(protocol)!).digest('hex').slice(0, 16);
}

/** What every row says, of a trial that was begun at `start`. */
export function rowBase(
  { protocol, seed }: Trial,
  backend: string,
  versions: Readonly<Record<string, string>>,
  start: number,
): RowBase {
  return {
    protocol: protocol.name,
    hash: hashOf(protocol),
    activation: protocol.activation.name,
    seed,
    backend,
    versions: { ...versions, node: process.versions.node },
    seconds: Number(((performance.now() - start) / 1000).toFixed(1)),
  };
}

/** What makes a trial: two rows with one key are the same trial, on whichever backend. */
export function keyOf({ hash, seed }: Pick<Row, 'hash' | 'seed'>): string {
  return `${hash}/${seed}`;
}
