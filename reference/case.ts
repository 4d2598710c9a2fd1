import type { CustomBranch } from './branches.ts';

/**
 * The one value that is generated, checked, shrunk, printed, frozen and sent:
 * a pool, a dtype, a shape and the tensors that go in (spec §1, §6).
 */

/** `f64` is IEEE binary64, `f32` binary32, `f16` binary16; `bf16` is binary32 with a significand of 8 bits. */
export type Dtype = 'f64' | 'f32' | 'f16' | 'bf16';

/** Names of the built-in branches (spec §2). */
export type BranchName = 'relu' | 'step' | 'halfSquare' | 'negative' | 'identity' | 'tanh' | 'sigmoid' | 'softplus';

/** A branch of a pool: a built-in one by its name, or one of your own. */
export type BranchRef = BranchName | CustomBranch;

/**
 * Which elements share one row of coefficients: all (`layer`), those of one last-axis index (`channel`),
 * none (`unit`), or Keras' `sharedAxes` (axis 1 is the first unit axis; shared axes stay as 1).
 */
export type Sharing = 'layer' | 'channel' | 'unit' | { readonly sharedAxes: readonly number[] };

/** κ in `c = κ(alpha)` (spec §1). `bounds` are one per branch, `0 ≤ b ≤ ∞`. */
export type Constraint =
  | { readonly kind: 'free' }
  | { readonly kind: 'fixed' }
  | { readonly kind: 'sumToOne' }
  | { readonly kind: 'softmax' }
  | { readonly kind: 'clip'; readonly bounds: readonly number[] };

/** `y = Σᵢ cᵢ · fᵢ(x)`, without its numbers. */
export interface Pool {
  readonly branches: readonly BranchRef[];
  readonly sharing: Sharing;
  readonly constraint: Constraint;
}

/** What `forward` takes: `x` of `shape` `[N, ...U]` and `alpha` of shape `[rows, ...S]`, both row-major. */
export interface PoolInput {
  readonly pool: Pool;
  readonly shape: readonly number[];
  readonly x: Float64Array;
  readonly alpha: Float64Array;
}

/** A pool input with a cotangent `dy` of the shape of `x`. Every number is exactly representable in `dtype`. */
export interface Case extends PoolInput {
  readonly dtype: Dtype;
  readonly dy: Float64Array;
}

/** Cotangents: `dx` of the shape of `x`, `dalpha` of the shape of `alpha`. */
export interface Gradients {
  readonly dx: Float64Array;
  readonly dalpha: Float64Array;
}

/** What a Subject answers to a Case. */
export interface Answer extends Gradients {
  readonly y: Float64Array;
}

/** Directions for forward mode: `tx` of the shape of `x`, `talpha` of the shape of `alpha`. */
export interface Tangents {
  readonly tx: Float64Array;
  readonly talpha: Float64Array;
}

/** Cotangents of the gradients, for double backward (spec §4). */
export interface GradientCotangents {
  readonly ddx: Float64Array;
  readonly ddalpha: Float64Array;
}

/** What double backward answers: the gradients of `<ddx, dx> + <ddalpha, dalpha>`. */
export interface SecondOrder {
  readonly toX: Float64Array;
  readonly toAlpha: Float64Array;
  readonly toDy: Float64Array;
}
