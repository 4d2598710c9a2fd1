import type { Trainer } from '../../impl/tfjs/training/train.ts';
import type { Batch, Layer } from '../../reference/network.ts';
import type { Protocol } from '../../reference/protocol.ts';
import { type Comparison, compareStep } from './lockstep.ts';
import { LossCurves } from './loss-curves.ts';

/** What the first updates of a training showed against float64. */
export interface Lockstep {
  readonly steps: number;
  /** Values compared, each within a bound of its own. */
  readonly elements: number;
  /** Of all comparisons that with the largest error / bound, and its step (from 0). More than 1 is provably wrong. */
  readonly worst: Comparison & { readonly step: number };
  /** The same of the sums alone: where one rounding or a few make a value, some element always comes near its bound. */
  readonly worstSum: Comparison & { readonly step: number };
  /** Relative, never synchronised: the subject's loss curve against the reference's, and how far rounding can drive it. */
  readonly lossDifference: number;
  readonly lossBound: number;
  /** Pre-activations that reference and subject had on different sides of 0, and by how much they differed at most. */
  readonly settled: number;
  readonly settledBy: number;
  /** Every comparison within its bound, the loss curve within its own. */
  readonly held: boolean;
}

/** Runs `steps` updates of `trainer`, which must stand at `initial`, and compares each (`compareStep`, `LossCurves`). */
export async function runLockstep(
  protocol: Protocol,
  initial: readonly Layer<Float32Array>[],
  trainer: Trainer,
  source: Iterator<Batch<Float32Array>>,
  steps: number,
  report: (loss: number) => void = () => {},
): Promise<Lockstep> {
  if (!(Number.isInteger(steps) && steps > 0)) {
    throw new RangeError(`runLockstep: "steps" expected a positive integer, got ${steps}`);
  }
  const curves = new LossCurves(protocol, initial);
  let worst: Lockstep['worst'] | undefined;
  let worstSum: Lockstep['worst'] | undefined;
  let elements = 0;
  for (let step = 0; step < steps; step++) {
    const batch: Batch<Float32Array> = source.next().value;
    const trace = await trainer.tracedStep(batch);
    const comparisons = compareStep(protocol, batch, trace);
    for (const comparison of comparisons) {
      elements += comparison.elements;
      if (!worst || comparison.ratio > worst.ratio) worst = { ...comparison, step };
      if (comparison.isSum && !(worstSum && comparison.ratio <= worstSum.ratio)) worstSum = { ...comparison, step };
    }
    curves.step(batch, trace, comparisons.find(({ what }) => what === 'loss')?.bound ?? 0);
    report(trace.loss);
  }
  if (!worst || !worstSum) throw new Error('runLockstep: nothing was compared');
  const { difference, bound, settled, settledBy } = curves;
  const held = worst.ratio <= 1 && difference <= bound;
  return { steps, elements, worst, worstSum, lossDifference: difference, lossBound: bound, settled, settledBy, held };
}
