import { type Interval, leastValues } from '../statistics.ts';
import type { SurfaceMeasures } from '../surface.ts';
import type { GradientRow, Surface, SurfaceRow, TrialRow } from '../trial.ts';

export type ClaimId =
  | 'mnist-table'
  | 'mean-loss'
  | 'consistency'
  | 'training-time'
  | 'high-lr'
  | 'slope'
  | 'trench'
  | 'pathways'
  | 'sharing';

/** A published claim, how it is judged, and the function that judges it. */
export interface Claim {
  readonly id: ClaimId;
  /** What is claimed, as a sentence. */
  readonly claimed: string;
  /** The published figures, a line each; where there are several, those of `ours`. */
  readonly published: readonly NamedValue[];
  /** When it holds and when it does not, written down before rows were judged. */
  readonly rule: string;
  /** The protocol that decides: the published one, where there is one. */
  readonly on: string;
  /** What a reader must know of how it was measured, a paragraph each. */
  readonly notes?: readonly string[];
  /** What measures it again on the protocol that decides. */
  readonly commands: readonly string[];
  /** What measures it on the others. */
  readonly further: readonly string[];
  /** A pure function of what was measured: the same rows give the same finding. */
  measure(evidence: Evidence): Finding;
}

/** All that claims are judged by. */
export interface Evidence {
  readonly rows: readonly TrialRow[];
  /** Of networks that are not trained. */
  readonly gradients: readonly GradientRow[];
  /** Trained convnets. */
  readonly networks: readonly SurfaceRow[];
  /** Of those that are of the registry. */
  readonly surfaces: readonly MeasuredSurface[];
  /** Of `docs/benchmarks/training.json`: the median ratio of two steps of one round. */
  readonly stepRatios: readonly StepRatio[];
}

export interface StepRatio {
  readonly batch: number;
  /** `wasm pap / wasm relu` */
  readonly what: string;
  readonly ratio: number;
}

/** The loss over two weights of a trained network, and what it measures. */
export interface MeasuredSurface extends Surface {
  readonly protocol: string;
  readonly activation: string;
  /** Of the network. */
  readonly seed: number;
  /** Whether the network learned: its test accuracy is at least 0.2. */
  readonly learned: boolean;
  /** Of its pairs of weights: the same seed and pair move weights of the same places in every network. */
  readonly pair: number;
  readonly offsets: readonly number[];
  /** `undefined` where a loss is not finite, or all are the same. */
  readonly measures: SurfaceMeasures | undefined;
}

export interface Finding {
  readonly verdict: Verdict;
  /** What came on the protocol that decides, a line each; none if nothing did. */
  readonly ours: readonly NamedValue[];
  /** Trials behind it. */
  readonly n: string;
  /** What a reader of the verdict alone must know beside it. */
  readonly caveat?: string;
  readonly sentence: string;
  readonly cells: readonly Cell[];
  readonly comparisons: readonly Comparison[];
}

/** A figure in words, with its interval: `mean loss, pap / relu` and `0.348 (0.332 to 0.364)`. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** One quantity of one activation on one protocol. */
export interface Cell {
  readonly protocol: string;
  readonly activation: string;
  readonly quantity: string;
  /** Values that the mean is of. */
  readonly n: number;
  /** Runs that ended below an accuracy of 0.2 or with a loss that is not finite. */
  readonly dead: number;
  /** Runs that have no value: their loss is not finite. */
  readonly excluded: number;
  readonly mean: number;
  readonly interval: Interval | undefined;
  readonly sd: number;
  /** The mean without dead runs, where there are some. */
  readonly alive?: number;
}

export type Outcome = 'holds' | 'does not hold' | 'open';

/** One figure that is judged: an interval against where the claim says that it is. */
export interface Comparison {
  readonly protocol: string;
  /** What it is a figure of, where a claim has several that may hold or not; those of one part hold together. */
  readonly part?: string;
  readonly what: string;
  readonly n: readonly number[];
  readonly value: number;
  readonly interval: Interval | undefined;
  /** The interval that a bootstrap gives, which is not judged. */
  readonly bootstrap?: Interval;
  /** The value without dead runs, where there are some. */
  readonly alive?: number;
  /** The value with dead runs, where they are not judged. */
  readonly withDead?: number;
  /** Where the claim says that the value is. */
  readonly claimed: Region;
  readonly tests: readonly { readonly name: string; readonly p: number | undefined }[];
  readonly outcome: Outcome;
}

/** From `from` (−∞ by default) to `to` (∞ by default). */
export interface Region {
  readonly from?: number;
  readonly to?: number;
}

/** What is true on one protocol. */
export type Judgement =
  | { readonly kind: 'holds' | 'does not hold' }
  | { readonly kind: 'holds only where'; readonly where: readonly string[] }
  /** Some parts are decided, and others are open or were not measured. */
  | {
      readonly kind: 'decided in part';
      readonly holds: readonly string[];
      readonly fails: readonly string[];
      readonly open: readonly string[];
    }
  | { readonly kind: 'not measured yet' | 'not decided yet'; readonly missing: string };

/** What is decided of a claim on a protocol, in whole or in part. */
export type Decided = Exclude<Judgement['kind'], 'not measured yet' | 'not decided yet'>;

/** What is true on the protocol that decides; beside it, what is decided on others, and on which. */
export type Verdict = Judgement & {
  readonly on: string;
  readonly elsewhere: Readonly<Record<Decided, readonly string[]>>;
};

/** The parts that the rule needs on a protocol, whether they were measured or not; none of a claim that is one. */
export type PartsNeeded = (protocol: string) => readonly string[];

/** The least values a side that decide anything. */
export const enough: number = leastValues;

/** Whether an interval lies within the region, outside of it, or across its end. */
export function judge(
  interval: Interval | undefined,
  { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: Region,
  n: readonly number[],
): Outcome {
  if (interval === undefined || n.some((count) => count < enough)) return 'open';
  const [low, high] = interval;
  if (low >= from && high <= to) return 'holds';
  return high < from || low > to ? 'does not hold' : 'open';
}

/** Where the size of an effect is open and its direction is not: on which side of 1 the whole interval of a ratio lies. */
export function directionOf({ outcome, interval, n }: Comparison): 'above' | 'below' | undefined {
  if (outcome !== 'open') return undefined;
  if (judge(interval, { from: 1 }, n) === 'holds') return 'above';
  return judge(interval, { to: 1 }, n) === 'holds' ? 'below' : undefined;
}

/** Each protocol is judged by itself, and the verdict is that of one. */
export function verdictOf(
  comparisons: readonly Comparison[],
  on: string,
  missing: string,
  { least = enough, needed = () => [] }: { readonly least?: number; readonly needed?: PartsNeeded } = {},
): Verdict {
  const judged = (protocol: string) => judgementOf(ofProtocol(comparisons, protocol), needed(protocol), missing, least);
  const others = protocolsOf(comparisons).filter((protocol) => protocol !== on);
  const those = (kind: Decided) => others.filter((protocol) => judged(protocol).kind === kind);
  return {
    ...judged(on),
    on,
    elsewhere: {
      holds: those('holds'),
      'holds only where': those('holds only where'),
      'decided in part': those('decided in part'),
      'does not hold': those('does not hold'),
    },
  };
}

function judgementOf(
  comparisons: readonly Comparison[],
  needed: readonly string[],
  missing: string,
  least: number,
): Judgement {
  if (comparisons.length === 0) return { kind: 'not measured yet', missing };
  const { holds, 'does not hold': fails, open } = partsOf(comparisons, needed);
  if (holds.length + fails.length === 0) {
    const isEnough = comparisons.some(({ n }) => n.every((count) => count >= least));
    return { kind: 'not decided yet', missing: isEnough ? 'more trials: no interval is clear of its bound' : missing };
  }
  if (open.length > 0) return { kind: 'decided in part', holds, fails, open };
  if (fails.length === 0) return { kind: 'holds' };
  return holds.length === 0 ? { kind: 'does not hold' } : { kind: 'holds only where', where: holds };
}

export function ofProtocol(comparisons: readonly Comparison[], protocol: string): Comparison[] {
  return comparisons.filter((comparison) => comparison.protocol === protocol);
}

/** The protocols of which there are figures, in their order. */
export function protocolsOf(comparisons: readonly Comparison[]): string[] {
  return [...new Set(comparisons.map(({ protocol }) => protocol))];
}

/**
 * The parts of one protocol, by what is true of them: a part holds if all its figures do, and fails if one does; one that is
 * needed and was not measured is open.
 */
export function partsOf(comparisons: readonly Comparison[], needed: readonly string[]): Record<Outcome, string[]> {
  const parts = [...new Set([...comparisons.map(({ part }) => part ?? ''), ...needed])];
  const outcomeOf = (name: string): Outcome => {
    const found = comparisons.filter(({ part = '' }) => part === name).map(({ outcome }) => outcome);
    if (found.includes('does not hold')) return 'does not hold';
    return found.length === 0 || found.includes('open') ? 'open' : 'holds';
  };
  const those = (outcome: Outcome) => parts.filter((name) => outcomeOf(name) === outcome);
  return { holds: those('holds'), 'does not hold': those('does not hold'), open: those('open') };
}

/** The interval of a ratio of statistics of two samples, as rules name it. */
export const jackknifeText = "Student's of its logarithm, with the variance of the jackknife";

/** The end of every rule of figures that are judged by intervals. */
export function commonRule(on: string): string {
  return `A figure is open where a side has fewer than ${enough} values, or where its 95 % interval lies across the bound. ${protocolRule(on)}`;
}

/** The end of every rule. */
export function protocolRule(on: string): string {
  return `Each protocol is judged by itself; the verdict is that of ${on}, and what others give is said beside it.`;
}

/** How a claim of several parts is judged. */
export const partsRule =
  'The claim holds on a protocol if every part holds there, and does not if none does; if all are decided and differ, it holds only for some. Where some parts are decided and others are open, or were not measured, it is decided in part, and both are named. Each part is judged by itself, at 95 % and without a correction for how many there are.';

/** Where that is said. */
export const partsLink = '[Method](#method) says how a claim of several parts is judged.';
