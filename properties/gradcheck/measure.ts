import type { Dtype } from '../../reference/case.ts';
import { permutation, type Random } from '../../reference/random.ts';
import { firstDifference } from './calls.ts';
import type { Tensors } from './differentiable.ts';
import type { Layout } from './layout.ts';
import { type KinksOf, type Stencil, stencilAt, stepScales } from './stencil.ts';

/** The state of a site all of whose elements are moved, which measures nothing. */
const everyColour = -1;
/** Of so many sites for each state, most are in different classes. */
const fewSites = 4;

/** Outputs that changed although no element of theirs was moved. */
export interface CrossTalk {
  readonly output: number;
  readonly was: number;
  readonly became: number;
}

/** Where derivatives are measured: the function as the numeric side asks it, the inputs, and what it answers there. */
export interface MeasuredAt {
  readonly numeric: (inputs: Tensors) => Promise<Float64Array>;
  readonly dtype: Dtype;
  readonly inputs: Tensors;
  readonly y: Float64Array;
}

/** One input as it is moved: where to, and the outputs that came of it. */
export class Moved {
  readonly name: string;
  readonly layout: Layout;
  readonly kinksOf: KinksOf | undefined;
  /** How many elements of the input an output depends on, at most. */
  readonly reach: number;
  readonly #base: MeasuredAt;
  /** `[scale][level][colour]`, each of the outputs. */
  readonly values: (readonly (readonly Float64Array[])[])[] = [];
  readonly stencils: Stencil[] = [];
  crossTalk: CrossTalk | undefined;

  constructor(
    name: string,
    layout: Layout,
    kinksOf: KinksOf | undefined,
    base: MeasuredAt,
    reach: number = layout.colours,
  ) {
    this.name = name;
    this.layout = layout;
    this.kinksOf = kinksOf;
    this.#base = base;
    this.reach = reach;
  }

  /** The values that it is moved from. */
  get given(): Float64Array {
    return this.#base.inputs[this.name]!;
  }

  get scales(): number {
    return stepScales[this.#base.dtype].length;
  }

  /**
   * The first two levels of the widest scale for every element. The sites are dealt into as many classes as there are
   * levels and colours, one more for rest, and the classes change places in a Latin square: in each evaluation all levels
   * occur at once, and every site rests in one of them, while all the others move. An output must not change by a bit then.
   */
  async first(random: Random): Promise<void> {
    this.#open(0);
    const { sites, colours } = this.layout;
    const states = 2 * colours + 1;
    const order = permutation(random, sites);
    const classes = new Int32Array(sites);
    for (let k = 0; k < sites; k++) classes[order[k]!] = k % states;
    for (let turn = 0; turn < states; turn++) {
      // A single site has no others to move while it rests.
      if (sites === 1 && turn === 0) continue;
      await this.#evaluate(0, (site) => (classes[site]! + turn) % states, 0);
      if (this.crossTalk !== undefined) return;
    }
    if (sites < fewSites * states) await this.#part();
  }

  /**
   * Among few sites, two may share a class, or rest while only one colour of the other moves. So that every two are parted,
   * the sites with a 1 in each bit of their number are moved in all colours, then those with a 0.
   */
  async #part(): Promise<void> {
    const { sites } = this.layout;
    for (let bit = 1; bit < sites; bit *= 2) {
      for (const moving of [bit, 0]) {
        await this.#evaluate(0, (site) => ((site & bit) === moving ? everyColour : 0), 0);
        if (this.crossTalk !== undefined) return;
      }
    }
  }

  /** Two levels, from `level` on, at one scale for the sites and colours that are asked for; the other sites rest. */
  async more(scale: number, level: 0 | 2, wanted: readonly Uint8Array[]): Promise<void> {
    this.#open(scale);
    for (const [colour, sites] of wanted.entries()) {
      if (!sites.some((flag) => flag === 1)) continue;
      for (const step of [1, 2]) {
        await this.#evaluate(scale, (site) => (sites[site] === 1 ? 2 * colour + step : 0), level);
      }
    }
  }

  #open(scale: number): void {
    if (this.stencils[scale] !== undefined) return;
    const { colours, siteOf } = this.layout;
    this.stencils[scale] = stencilAt(
      this.#base.inputs[this.name]!,
      this.#base.dtype,
      stepScales[this.#base.dtype][scale]!,
      this.kinksOf,
    );
    const level = () => Array.from({ length: colours }, () => new Float64Array(siteOf.length).fill(Number.NaN));
    this.values[scale] = [level(), level(), level(), level()];
  }

  /** One evaluation; state 0 rests, state `2·colour + 1 + step` is the colour's element at level `level + step`. */
  async #evaluate(scale: number, stateOf: (site: number) => number, level: number): Promise<void> {
    const { sites, colours, siteOf, element } = this.layout;
    const { points } = this.stencils[scale]!;
    const moved = this.given.slice();
    const states = new Int32Array(sites);
    for (let site = 0; site < sites; site++) {
      const state = stateOf(site);
      if (state === 0) continue;
      states[site] = state;
      const only = (state - 1) >> 1;
      for (
        let colour = state === everyColour ? 0 : only;
        colour < (state === everyColour ? colours : only + 1);
        colour++
      ) {
        const j = element(site, colour);
        moved[j] = points[state === everyColour ? level : level + ((state - 1) & 1)]![j]!;
      }
    }
    const inputs = { ...this.#base.inputs, [this.name]: moved };
    const y = await this.#base.numeric(inputs);
    const before = this.#base.y;
    const levels = this.values[scale]!;
    for (let i = 0; i < y.length; i++) {
      const state = states[siteOf[i]!]!;
      const value = y[i]!;
      if (state > 0) levels[level + ((state - 1) & 1)]![(state - 1) >> 1]![i] = value;
      else if (state === 0 && value !== before[i] && !(Number.isNaN(value) && Number.isNaN(before[i]))) {
        this.crossTalk ??= { output: i, was: before[i]!, became: value };
      }
    }
  }

  /** Whether `y` itself comes out another time; a function that is not deterministic seems to have cross-talk. */
  async again(): Promise<{ element: number; first: number; again: number } | undefined> {
    const [y, { y: first }] = [await this.#base.numeric(this.#base.inputs), this.#base];
    const element = firstDifference(y, first);
    return element < 0 ? undefined : { element, first: first[element]!, again: y[element]! };
  }
}
