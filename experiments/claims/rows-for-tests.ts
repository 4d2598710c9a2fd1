import { activations, protocols } from '../protocols.ts';
import { hashOf, type TrialRow } from '../trial.ts';

/** A row as a trial writes it, of a protocol and an activation of the registry. */
export function rowOf(
  protocol: string,
  activation: string,
  seed: number,
  { loss = 0.1, accuracy = 0.97, ...fields }: Partial<TrialRow> & { loss?: number | null; accuracy?: number } = {},
): TrialRow {
  return {
    protocol,
    hash: hashOf({ ...protocols.get(protocol)!, activation: activations.get(activation)! }),
    activation,
    seed,
    backend: 'tensorflow',
    versions: { tensorflow: 'tfjs-node 4.22.0', node: '20.20.2' },
    seconds: 100,
    epochs: [{ loss, accuracy, trainLoss: loss }],
    stepMs: 2,
    gradients: [1, 1],
    coefficients: [],
    ...fields,
  };
}

/** So many rows, seeds from 1, each with the fields that `of` gives for its seed. */
export function rowsOf(
  protocol: string,
  activation: string,
  n: number,
  of: (seed: number) => Parameters<typeof rowOf>[3],
): TrialRow[] {
  return Array.from({ length: n }, (_, i) => rowOf(protocol, activation, i + 1, of(i + 1)));
}

/** Evenly around 0, of standard deviation near 1, the same for every seed. */
export function noise(seed: number): number {
  return 1.6 * (((seed * 7) % 11) / 5 - 1);
}

/** Losses of relu at `a ± sa`, and of pap at `b ± sb`. */
export function both(a: number, sa: number, b: number, sb: number, n = 20, protocol = 'author-2016'): TrialRow[] {
  return [
    ...rowsOf(protocol, 'relu', n, (seed) => ({ loss: a + sa * noise(seed) })),
    ...rowsOf(protocol, 'pap', n, (seed) => ({ loss: b + sb * noise(seed + 1) })),
  ];
}
