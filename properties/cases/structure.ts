import type { BranchName, BranchRef, Constraint, Pool, Sharing } from '../../reference/case.ts';
import { sizeOf } from '../../reference/shape.ts';
import type { CaseOptions } from '../cases.ts';
import { formats } from '../dtypes.ts';
import type { Draw } from './draw.ts';
import type { Values } from './values.ts';

/** Those of which sums of `many` quarters are exact in float32. */
const linear: readonly BranchName[] = ['relu', 'step', 'negative', 'identity'];
const polynomial: readonly BranchName[] = [...linear, 'halfSquare'];
const all: readonly BranchName[] = [...polynomial, 'tanh', 'sigmoid', 'softplus'];

/** The largest number of elements of an ordinary Case. */
const few = 48;
/** More than a buffer or a thread block of 4,096, and few enough that sums of linear branches stay exact in float32. */
const many = 4600;
const rare = 20;
/** The largest general Case is more than a thread block of 1,024, and small enough for its exact results. */
const manyGeneral = 1100;
/** One Case in so many has an axis of 16 to 130 units, wider than a vector register or a warp. */
const wide = 24;
/** So many of them have more elements, in wide rows, up to this and for general ones to `manyGeneral`. */
const wider = { share: 0.3, most: 2100 };
/** One small Case in so many has 7 to 17 branches, more than a vector has components. */
const branched = 20;
/** One in so many has a batch of 10 to 84 rows. */
const tall = 32;

/** What a Case is but for its numbers. */
interface Structure {
  readonly pool: Pool;
  readonly shape: readonly number[];
  /** Of hundreds to thousands of elements. */
  readonly isLarge: boolean;
}

/**
 * Draws pool and shape; `own` are the given branches that a Case of this kind may hold, `values` draws the bounds of a
 * clip.
 */
export function drawStructure(
  draw: Draw,
  constraints: CaseOptions,
  own: readonly BranchRef[],
  values: Values,
): Structure {
  return new StructureDraw(draw, constraints, own, values).structure();
}

class StructureDraw {
  readonly #draw: Draw;
  readonly #constraints: CaseOptions;
  readonly #own: readonly BranchRef[];
  readonly #values: Values;

  constructor(draw: Draw, constraints: CaseOptions, own: readonly BranchRef[], values: Values) {
    this.#draw = draw;
    this.#constraints = constraints;
    this.#own = own;
    this.#values = values;
  }

  structure(): Structure {
    const { kind, dtype, longSums, shape: given, within } = this.#constraints;
    const share = kind === 'dyadic' ? 1 / rare : 0.5 / rare;
    // Of thousands of terms nothing can be said in 16 bits.
    const isLong = longSums === true && formats[dtype].p >= 24;
    const isLarge = given === undefined && isLong && this.#draw.chance(share);
    const isWide = given === undefined && !isLarge && this.#draw.chance(1 / wide);
    const isTall = given === undefined && !isLarge && !isWide && this.#draw.chance(1 / tall);
    const shape = given ?? this.#shapeOf({ isLarge, isWide, isTall });
    const branches = this.#branches(isLarge, isWide);
    const hasUnit = within?.sharing.includes('unit') ?? true;
    const sharing = isWide && this.#draw.chance(0.5) && hasUnit ? 'unit' : this.#sharing(shape);
    return { pool: { branches, sharing, constraint: this.#constraint(branches.length) }, shape, isLarge };
  }

  #shapeOf(is: { readonly isLarge: boolean; readonly isWide: boolean; readonly isTall: boolean }): number[] {
    if (is.isLarge) return this.#draw.chance(0.3) ? this.#layerShape() : this.#largeShape();
    if (is.isWide) return this.#wideShape();
    return is.isTall ? [this.#draw.int(10, 84), this.#draw.int(1, 4)] : this.#shape();
  }

  /** Ranks 1 to 6, of which the ops of TensorFlow know no higher; odd sizes, equal axes and empty ones are common. */
  #shape(): number[] {
    // A batch alone has no channel and no axes to share.
    const sharing = this.#constraints.within?.sharing ?? ['layer'];
    const hasRank1 = sharing.includes('layer') || sharing.includes('unit');
    const common = this.#draw.pick(hasRank1 ? [1, 2, 2, 2, 3, 3, 4] : [2, 2, 2, 3, 3, 4]);
    const rank = common === 4 && this.#draw.chance(0.3) ? this.#draw.pick([5, 6]) : common;
    if (this.#draw.chance(0.04)) {
      const shape = Array.from({ length: rank }, () => this.#draw.int(1, 4));
      shape[this.#draw.int(0, rank - 1)] = 0;
      return shape;
    }
    const most = rank === 1 ? 19 : 9;
    const equal = this.#draw.chance(0.25)
      ? this.#draw.int(1, Math.min(most, Math.floor(few ** (1 / rank))))
      : undefined;
    const shape: number[] = [];
    let left = few;
    for (let axis = 0; axis < rank; axis++) {
      const n = equal ?? this.#draw.int(1, Math.min(left, most));
      shape.push(n);
      left = Math.max(1, Math.floor(left / n));
    }
    return shape;
  }

  /** Sums of thousands, where a worst-case bound would not see a missing row; most of them of more than 4,096 elements. */
  #largeShape(): number[] {
    const isDyadic = this.#constraints.kind === 'dyadic';
    const most = isDyadic ? many : manyGeneral;
    const sharing = this.#constraints.within?.sharing ?? ['layer'];
    const flat = sharing.includes('layer') || sharing.includes('unit') ? [[]] : [];
    const unitShape = this.#draw.pick([[1], [2], [3], ...flat, [2, 2], [1, 3, 2]]);
    const units = sizeOf(unitShape);
    const least = this.#draw.chance(0.75) ? Math.ceil((isDyadic ? 4100 : 1030) / units) : Math.ceil(most / 9 / units);
    return [this.#draw.int(least, Math.floor(most / units)), ...unitShape];
  }

  /** As layers are: a batch of 8 to 64 rows, and 7 to 400 units. */
  #layerShape(): number[] {
    const most = this.#constraints.kind === 'dyadic' ? many : manyGeneral;
    const batch = this.#draw.int(8, 64);
    return [batch, this.#draw.int(7, Math.min(400, Math.floor(most / batch)))];
  }

  #wideShape(): number[] {
    const { kind, dtype } = this.#constraints;
    const batch = this.#draw.int(1, 3);
    if (this.#draw.chance(wider.share) && formats[dtype].p >= 24) {
      const most = kind === 'dyadic' ? wider.most : manyGeneral;
      return [batch, this.#draw.logarithmic(131, Math.floor(most / batch))];
    }
    return this.#draw.chance(0.2) ? [batch, 2, this.#draw.int(16, 65)] : [batch, this.#draw.int(16, 130)];
  }

  #branches(isLarge: boolean, isWide: boolean): BranchRef[] {
    const { kind } = this.#constraints;
    if (isLarge && kind === 'dyadic') {
      const names = this.#known(linear);
      return this.#draw.chance(0.5) && this.#hasMReLU()
        ? ['relu', 'step']
        : [this.#draw.pick(names), this.#draw.pick(names)];
    }
    if (this.#own.length > 0 && !isLarge) {
      const others = [...this.#own, ...(kind === 'dyadic' ? polynomial : all)];
      const names = Array.from({ length: this.#draw.pick([1, 1, 2, 2, 3, 4]) }, () => this.#draw.pick(others));
      return names.with(this.#draw.int(0, names.length - 1), this.#draw.pick(this.#own));
    }
    if (this.#draw.chance(0.35) && this.#hasMReLU()) return ['relu', 'step'];
    const names = this.#known(kind === 'dyadic' || this.#draw.chance(0.5) ? polynomial : all);
    const isBranched = !isLarge && !isWide && this.#draw.chance(1 / branched);
    const n = isBranched ? this.#draw.int(7, 17) : this.#draw.pick([1, 2, 2, 3, 4, 6]);
    return Array.from({ length: n }, () => this.#draw.pick(names));
  }

  /** Those of the names that are announced; all that are announced if none is among them. */
  #known(names: readonly BranchName[]): readonly BranchName[] {
    const { within } = this.#constraints;
    if (within === undefined) return names;
    const known = names.filter((name) => within.branches.includes(name));
    return known.length > 0 ? known : within.branches;
  }

  #hasMReLU(): boolean {
    return this.#known(['relu', 'step']).join() === 'relu,step';
  }

  #sharing(shape: readonly number[]): Sharing {
    const choices: Sharing[] = ['layer', 'unit', 'unit'];
    if (shape.length > 1) {
      const sharedAxes = shape.map((_, axis) => axis).filter((axis) => axis > 0 && this.#draw.chance(0.5));
      if (this.#draw.chance(0.5)) sharedAxes.reverse();
      choices.push('channel', 'channel', { sharedAxes });
      if (shape.length > 2) choices.push({ sharedAxes });
    }
    const { within } = this.#constraints;
    if (within === undefined) return this.#draw.pick(choices);
    const nameOf = (choice: Sharing) => (typeof choice === 'string' ? choice : 'sharedAxes');
    return this.#draw.pick(choices.filter((choice) => within.sharing.includes(nameOf(choice))));
  }

  #constraint(n: number): Constraint {
    const { within } = this.#constraints;
    const kinds = (['free', 'free', 'free', 'fixed', 'sumToOne', 'sumToOne', 'clip', 'clip'] as const).filter(
      (kind) => within === undefined || within.constraints.includes(kind),
    );
    const kind = this.#draw.pick(kinds);
    if (kind !== 'clip') return { kind };
    const bound = () =>
      this.#draw.chance(0.1) ? Infinity : this.#draw.chance(0.1) ? 0 : Math.abs(this.#values.finiteCoefficient());
    return { kind, bounds: Array.from({ length: n }, bound) };
  }
}
