import type { Random } from '../../reference/random.ts';
import { formats } from '../dtypes.ts';
import { defectOf, type Modes } from './adjoint.ts';
import { GradcheckError } from './calls.ts';
import type { Numeric } from './compare.ts';
import type { Context } from './context.ts';
import type { FloatDtype, Tensors } from './differentiable.ts';

/** By these the inputs are multiplied to see how large tangents are within reach. */
const reach: readonly number[] = [1 / 2, 1 / 16, 0, -1 / 2];
/** Relative moves are of one to so many ulps. */
const ulps = 4;
/** Moves at most, each at the inputs and beside them. */
const rounds = 8;

/** How far rounding of terms that cancel inside may have brought what was answered from what is right. */
export interface HiddenRounding {
  readonly ty: Float64Array;
  /** Of `<ty, dy> - Σ <t, Jᵀdy>`. */
  readonly defect: number;
}

/**
 * What rounding does to jvp and vjp where terms cancel inside, which derivatives do not show. Two measures are added until
 * they are enough. Terms that are as large as tangents within reach may cancel here, as in a softmax that is saturated: they
 * are rounded like these. And twice the range of what both modes answer to tangents and dy that are moved by some ulps,
 * at the inputs and, since what is rounded of them alone stays the same there, beside them: what is wrong by more than
 * rounding moves as little as what is right. Elements on a kink stay; and beside the inputs the range counts, not where it
 * lies, since what is wrong on a kink alone is right there.
 */
export async function measureHidden(
  context: Context,
  modes: Modes,
  isEnough: (hidden: HiddenRounding) => boolean,
): Promise<HiddenRounding> {
  const { asked, inputs, numerics, dtype, draw } = context;
  const outputs = modes.ty.length;
  const largest = await sizesWithinReach(context, modes);
  let hidden = largest;
  const kinks = new Map(numerics.map((numeric) => [numeric.name, elementsOnKinks(numeric, dtype)]));
  const [here, beside] = [new Ranges(outputs), new Ranges(outputs)];
  here.include(modes);
  for (let round = 0; round < rounds && !isEnough(hidden); round++) {
    for (const ranges of [here, beside]) {
      const at = ranges === here ? inputs : changed(inputs, kinks, (v, on) => moved(v, draw, dtype, on));
      const tangents = changed(modes.tangents, kinks, (t) => moved(t, draw, dtype));
      const dy = moved(modes.dy, draw, dtype);
      await unlessOutside(async () =>
        ranges.include({ tangents, dy, ty: await asked.jvp(at, tangents), gradients: await asked.vjp(at, dy) }),
      );
    }
    const range = (i: number) => 2 * (here.width(i) + beside.width(i));
    hidden = { ty: largest.ty.map((v, i) => v + range(i)), defect: largest.defect + range(outputs) };
  }
  return hidden;
}

/**
 * The rounding of terms as large as tangents are at other inputs, down to 0 and beyond; with half of their signs as given
 * and the other half turned around, one of which does not cancel.
 */
async function sizesWithinReach(context: Context, { tangents, dy }: Modes): Promise<HiddenRounding> {
  const { asked, inputs, gradients, dtype, roundings, draw } = context;
  const { round, p } = formats[dtype];
  const sizes = new Float64Array(dy.length);
  for (const factor of reach) {
    const at = Object.fromEntries(
      Object.entries(inputs).map(([name, v]) => [name, gradients[name] ? v.map((e) => round(e * factor)) : v]),
    );
    const turned = Object.fromEntries(
      Object.entries(tangents).map(([name, t]) => [name, t.map((v) => (draw.below(2) === 0 ? v : -v))]),
    );
    for (const t of [tangents, turned]) {
      await unlessOutside(async () => {
        for (const [i, v] of (await asked.jvp(at, t)).entries()) {
          if (Number.isFinite(v)) sizes[i] = Math.max(sizes[i], Math.abs(v));
        }
      });
    }
  }
  const u = 2 ** -p;
  const terms = Object.values(gradients).reduce((sum, { length }) => sum + length, dy.length);
  // Of both modes, as in the adjoint of what does not cancel.
  const all = sizes.reduce((sum, size, i) => sum + (Number.isFinite(dy[i]) ? size * Math.abs(dy[i]) : 0), 0);
  return { ty: sizes.map((size) => 2 * u * roundings * size), defect: 2 * u * (2 * roundings + terms) * all };
}

/** Beside the inputs a function may throw. */
async function unlessOutside(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof GradcheckError)) throw error;
  }
}

/** The ranges of each output's tangent, and after them that of the defect, over what is finite. */
class Ranges {
  readonly #least: Float64Array;
  readonly #most: Float64Array;

  constructor(outputs: number) {
    this.#least = new Float64Array(outputs + 1).fill(Number.POSITIVE_INFINITY);
    this.#most = new Float64Array(outputs + 1).fill(Number.NEGATIVE_INFINITY);
  }

  include(modes: Modes): void {
    const { ty } = modes;
    const defect = defectOf(modes);
    for (let i = 0; i <= ty.length; i++) {
      const v = i < ty.length ? ty[i] : defect;
      if (!Number.isFinite(v)) continue;
      this.#least[i] = Math.min(this.#least[i], v);
      this.#most[i] = Math.max(this.#most[i], v);
    }
  }

  width(i: number): number {
    return Math.max(0, this.#most[i] - this.#least[i]);
  }
}

/** Those that have a gradient, changed; labels stay what they are. */
function changed(
  tensors: Tensors,
  kinks: ReadonlyMap<string, ReadonlySet<number>>,
  change: (tensor: Float64Array, kinks: ReadonlySet<number>) => Float64Array,
): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const own = kinks.get(name);
      return [name, own ? change(tensor, own) : tensor];
    }),
  );
}

/** Every element but 0 and those that stay, off by some ulps. */
function moved(tensor: Float64Array, draw: Random, dtype: FloatDtype, stay?: ReadonlySet<number>): Float64Array {
  const { round, p } = formats[dtype];
  return tensor.map((v, j) => {
    const by = (1 + draw.below(ulps)) * (1 - 2 * draw.below(2));
    return v === 0 || stay?.has(j) ? v : round(v * (1 + by * 2 ** (1 - p)));
  });
}

/** Elements on a kink that was found, or so near to a declared one that they could be moved across it. */
function elementsOnKinks({ jacobian, kinksOf, values }: Numeric, dtype: FloatDtype): ReadonlySet<number> {
  const near = 2 * ulps * 2 ** (1 - formats[dtype].p);
  const elements = new Set(jacobian.kinks.map(({ element }) => element));
  if (kinksOf === undefined) return elements;
  for (const [j, v] of values.entries()) {
    if (kinksOf(j).some(({ at }) => Math.abs(at - v) <= near * Math.abs(v))) elements.add(j);
  }
  return elements;
}
