import { mean } from './statistics.ts';
import type { Surface } from './trial.ts';

/** What a loss surface is like, none of it dependent on the unit of the loss. */
export interface SurfaceMeasures {
  /**
   * `1 - |λ₂|/|λ₁|`, λ₁ and λ₂ the eigenvalues of the Hessian of the quadratic that fits the surface best, |λ₁| the
   * larger: 0 for a bowl, 1 for a trench, which bends one way only.
   */
  readonly anisotropy: number;
  /** Mean of |second difference| along both axes, in shares of the range of the loss: 0 for a plane; kinks and jumps add. */
  readonly roughness: number;
  /** `(mean at the border - minimum) / loss where nothing is moved`: how clear the minimum is. */
  readonly depth: number;
}

/**
 * The measures of a surface over `offsets`, the same for both weights.
 *
 * @returns `undefined` if a loss was not finite, or all are the same
 * @throws RangeError unless offsets are symmetric about 0, which is one of them, and the losses fit them
 */
export function surfaceMeasures(
  { losses }: Pick<Surface, 'losses'>,
  offsets: readonly number[],
): SurfaceMeasures | undefined {
  const k = offsets.length;
  const isSymmetric = offsets.every((t, i) => t === -offsets[k - 1 - i]) && k % 2 === 1 && k >= 3;
  if (!isSymmetric) {
    throw new RangeError(`surfaceMeasures: "offsets" expected three or more, symmetric about 0, got ${offsets}`);
  }
  if (losses.length !== k || losses.some((row) => row.length !== k)) {
    throw new RangeError(`surfaceMeasures: "losses" expected shape [${k}, ${k}], got ${losses.length} rows`);
  }
  const all = losses.flat();
  if (!all.every((loss) => loss !== null)) return undefined;
  const L = (i: number, j: number): number => losses[i][j]!;
  const [lowest, highest] = [Math.min(...all), Math.max(...all)];
  if (lowest === highest) return undefined;
  const border = losses.flatMap((row, i) =>
    row.filter((_, j) => i === 0 || i === k - 1 || j === 0 || j === k - 1),
  ) as number[];
  const bends: number[] = [];
  for (let i = 0; i < k; i++) {
    for (let j = 1; j < k - 1; j++) {
      bends.push(Math.abs(L(i, j - 1) - 2 * L(i, j) + L(i, j + 1)), Math.abs(L(j - 1, i) - 2 * L(j, i) + L(j + 1, i)));
    }
  }
  const middle = (k - 1) / 2;
  return {
    anisotropy: anisotropyOf(hessianOf(L, offsets)),
    roughness: mean(bends) / (highest - lowest),
    depth: (mean(border) - lowest) / L(middle, middle),
  };
}

/**
 * The Hessian `[h₁₁, h₁₂, h₂₂]` of the least-squares quadratic. On a symmetric grid its terms are orthogonal:
 * `h₁₂ = mean(L·t₁·t₂) / m₂²`, `h₁₁ = 2·mean(L·(t₁² - m₂)) / (m₄ - m₂²)`, with `mₚ = mean(tᵖ)`.
 */
function hessianOf(L: (i: number, j: number) => number, offsets: readonly number[]): readonly [number, number, number] {
  const m2 = mean(offsets.map((t) => t ** 2));
  const m4 = mean(offsets.map((t) => t ** 4));
  const average = (weight: (t1: number, t2: number) => number): number =>
    mean(offsets.flatMap((t1, i) => offsets.map((t2, j) => L(i, j) * weight(t1, t2))));
  return [
    (2 * average((t1) => t1 ** 2 - m2)) / (m4 - m2 ** 2),
    average((t1, t2) => t1 * t2) / m2 ** 2,
    (2 * average((_, t2) => t2 ** 2 - m2)) / (m4 - m2 ** 2),
  ];
}

function anisotropyOf([h11, h12, h22]: readonly [number, number, number]): number {
  const half = (h11 + h22) / 2;
  const radius = Math.hypot((h11 - h22) / 2, h12);
  const sizes = [Math.abs(half + radius), Math.abs(half - radius)];
  const largest = Math.max(...sizes);
  return largest === 0 ? 0 : 1 - Math.min(...sizes) / largest;
}
